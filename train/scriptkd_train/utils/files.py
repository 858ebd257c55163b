"""Writing files whole or not at all: a full disk or a killed process leaves what was there before."""

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
    r"""Write a file under a hidden name beside it, then give it its own.

    Args:
        path: where to; what is there is replaced, if all of the new content could be written.
        content: bytes, or text for UTF-8. What UTF-8 cannot hold, as in names of files that are no UTF-8, is escaped
            as `\udcff`, which JSON reads back.

    Raises:
        OSError: it cannot be written; the error names `path`.
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
    """Write JSON for people to read: indented, letters of all scripts as they are; as `write_file` does."""
    write_file(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def write_figure(path: Path, figure: Figure, dpi: int) -> None:
    """Write a figure of matplotlib as PNG, as `write_file` does."""
    data = io.BytesIO()
    figure.savefig(data, dpi=dpi, format="png")
    write_file(path, data.getvalue())


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Name the file in what the system refuses within: a full disk's error comes without it."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error


def printable(text: str) -> str:
    """A text that every output takes: what UTF-8 cannot hold, as in names of files that are no UTF-8, is escaped."""
    return text.encode("utf-8", "backslashreplace").decode()
