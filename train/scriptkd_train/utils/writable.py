"""Check that results can be written before the work starts.

The checks create nothing, so that a call refused for another reason leaves nothing behind.
"""

from __future__ import annotations

import os
from pathlib import Path

from scriptkd_sdk.errors import ArgumentError


def check_folder(folder: Path, option: str = "--out") -> None:
    """Raise ArgumentError if the folder given by `option` cannot be created or written to."""
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    if not nearest.is_dir():
        raise ArgumentError(f"{nearest} is a file; {option} needs a folder there")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise ArgumentError(f"{nearest} cannot be written to; give another {option}")


def check_file(path: Path, option: str = "--out") -> None:
    """Raise ArgumentError if the file given by `option` cannot be created or written to."""
    if path.is_dir():
        raise ArgumentError(f"{path} is a folder; {option} needs a file")
    check_folder(path.parent, option)
    if path.exists() and not os.access(path, os.W_OK):
        raise ArgumentError(f"{path} cannot be written to; give another {option}")
