"""The common look of all progress bars."""

from __future__ import annotations

from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, TextColumn, TimeRemainingColumn


def columns(title: str) -> tuple[ProgressColumn, ...]:
    """The columns of a `rich.progress.Progress`: title, bar, done of total, time left."""
    return TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
