"""Resume interrupted renderings. The description of a rendering is in its folder from the start.

`dataset.json` marks a complete set. Until the set is complete, the same text is in `unfinished.json`. A new rendering
of the same set finds it, keeps the existing images and draws the rest.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.utils.files import write_file

_UNFINISHED, _WHOLE = "unfinished.json", "dataset.json"


def require_new(out: Path) -> None:
    """Create the folder `out` if it is missing.

    Raises:
        ArgumentError: the folder is not empty.
        OSError: the folder cannot be created.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ArgumentError(f"{out} is not an empty folder; give a new one, or delete it: nothing is overwritten")
    out.mkdir(parents=True, exist_ok=True)


def require_new_or_unfinished(out: Path) -> None:
    """As `require_new`, but `out` may hold an interrupted rendering."""
    if not (out / _UNFINISHED).is_file():
        require_new(out)


def begin(out: Path, description: dict[str, Any]) -> None:
    """Begin or resume a rendering in `out`; `finish` ends it.

    Args:
        out: the folder; it is created if it is missing.
        description: the plan and its sources, as JSON values.

    Raises:
        ArgumentError: the folder holds something else, or an interrupted rendering of another description.
        OSError: the folder cannot be written to.
    """
    require_new_or_unfinished(out)
    path, text = out / _UNFINISHED, _text(description)
    if not path.exists():
        write_file(path, text)
    elif path.read_text("utf-8") != text:
        raise ArgumentError(
            f"{out} holds another interrupted rendering, with another seed or number, or other fonts or words; delete "
            f"{out}, or give a new folder"
        )


def finish(out: Path) -> None:
    """Mark the rendering in `out` as complete: its description becomes `dataset.json`."""
    (out / _UNFINISHED).replace(out / _WHOLE)


def is_there(path: Path) -> bool:
    """Whether an image was drawn before the interruption. An empty file, as left by a power cut, does not count."""
    return path.is_file() and path.stat().st_size > 0


def _text(description: dict[str, Any]) -> str:
    return json.dumps(description, indent=2) + "\n"
