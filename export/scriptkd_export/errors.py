"""The error that an export raises."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING

from scriptkd_sdk.errors import ScriptkdError

if TYPE_CHECKING:
    from .verification import Check


class ExportError(ScriptkdError):
    """A network that cannot be exported, or a file that failed its checks.

    Args:
        message: one sentence meant for the user.
        checks: all checks of a file that failed some; None where there was no file to check.

    Attributes:
        checks: all checks; empty where there were none.
    """

    def __init__(self, message: str, checks: list[Check] | None = None) -> None:
        super().__init__(message)
        self.checks = checks or []


def naming(error: OSError, path: Path) -> OSError:
    """Return a system error with its path, which errors of a full disk lack.

    An error of `tempfile` about missing temporary folders lists those that it tried, and stays unchanged.
    """
    if error.filename is not None or error.errno == errno.ENOENT:
        return error
    return OSError(error.errno, error.strerror or str(error), str(path))


def refused_by_system(error: BaseException | None) -> OSError | None:
    """Return the system error (no space, no folder) behind a library's own error; None if there is none."""
    while error is not None and not isinstance(error, OSError):
        error = error.__cause__
    return error
