"""The error of the export."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scriptkd_sdk.errors import ScriptkdError

if TYPE_CHECKING:
    from .verify import Check


class ExportError(ScriptkdError):
    """A network that cannot be exported, or a file that failed its checks; `checks` then holds all of them."""

    def __init__(self, message: str, checks: list[Check] | None = None) -> None:
        super().__init__(message)
        self.checks = checks or []
