"""A rendering that was interrupted goes on: what its folder will say about it is there from the start.

`dataset.json` says that a set is whole. Until it is, the same text lies in `unfinished.json`: who renders the same set
again finds it, keeps the images that are there and draws the rest.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.utils.files import write_file

_UNFINISHED, _WHOLE = "unfinished.json", "dataset.json"


def require_new(out: Path) -> None:
    """Make the folder `out` where it is missing.

    Raises:
        ArgumentError: it holds something already.
        OSError: it cannot be made.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ArgumentError(f"{out} is not an empty folder; give a new one, or delete it: nothing is overwritten")
    out.mkdir(parents=True, exist_ok=True)


def require_new_or_unfinished(out: Path) -> None:
    """The same, but a rendering that was interrupted may lie there."""
    if not (out / _UNFINISHED).is_file():
        require_new(out)


def begin(out: Path, description: dict[str, Any]) -> None:
    """Begin a rendering in `out`, or go on with one; `finish` ends it.

    Args:
        out: the folder; it is made where it is missing.
        description: what is rendered, and from what; ready for JSON.

    Raises:
        ArgumentError: the folder holds something else, or the beginning of a rendering that is described otherwise.
        OSError: it cannot be written to.
    """
    require_new_or_unfinished(out)
    path, text = out / _UNFINISHED, _text(description)
    if not path.exists():
        write_file(path, text)
    elif path.read_text("utf-8") != text:
        raise ArgumentError(
            f"{out} holds the beginning of another rendering: of another seed or number, or from other fonts or words; "
            f"delete {out}, or give a new folder"
        )


def finish(out: Path) -> None:
    """Say that the rendering in `out` is whole: its description becomes `dataset.json`."""
    (out / _UNFINISHED).replace(out / _WHOLE)


def is_there(path: Path) -> bool:
    """Whether an image was drawn before the interruption. One without bytes, as a power cut leaves, was not."""
    return path.is_file() and path.stat().st_size > 0


def _text(description: dict[str, Any]) -> str:
    return json.dumps(description, indent=2) + "\n"
