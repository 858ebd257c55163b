"""Atomic writing: a full disk or a killed process leaves the old file."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def write_file(path: Path, content: bytes | str) -> None:
    r"""Write a file atomically: write it under a hidden name beside its path, then rename it.

    Args:
        path: the path. An existing file is replaced only after all new content is written.
        content: bytes, or text, which is written as UTF-8. Surrogates, from file names that are not UTF-8, are escaped
            as `\udcff`, which JSON reads back.

    Raises:
        OSError: the file cannot be written; the error names `path`.
    """
    data = content if isinstance(content, bytes) else content.encode("utf-8", "backslashreplace")
    draft = path.with_name(f".{path.name}")
    with named(path):
        try:
            draft.write_bytes(data)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)


def write_json(path: Path, content: Any) -> None:
    """Write readable JSON, indented and with letters of all scripts unescaped, as `write_file` does."""
    write_file(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def write_figure(path: Path, figure: Figure, dpi: int) -> None:
    """Write a figure of matplotlib as PNG, as `write_file` does."""
    data = io.BytesIO()
    figure.savefig(data, dpi=dpi, format="png")
    write_file(path, data.getvalue())


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Add the file's name to system errors inside the block: an error of a full disk lacks it."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error


def printable(text: str) -> str:
    """A text that any output accepts: surrogates, from file names that are not UTF-8, are escaped."""
    return text.encode("utf-8", "backslashreplace").decode()
