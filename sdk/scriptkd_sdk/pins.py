"""The versions of other packages that scriptkd pins. They are written in pyproject.toml alone, among the extras."""

from __future__ import annotations

import re
from importlib.metadata import requires


def pinned(package: str) -> str:
    """Return the version that an extra asks for exactly, such as "1.2.3" for `name==1.2.3`.

    Args:
        package: its name as pyproject.toml has it.

    Raises:
        LookupError: no extra pins it.
    """
    for line in requires("scriptkd") or ():
        if found := re.match(rf"{re.escape(package)}==([^;\s]+)", line):
            return found[1]
    raise LookupError(f"no extra of scriptkd pins {package}")
