"""Markdown tables for all reports."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from rich.console import Console
from rich.markdown import Markdown


def markdown_table(
    header: Sequence[str], rows: Sequence[Sequence[str]], text_columns: int | Collection[int] = 1
) -> list[str]:
    """Return the lines of a Markdown table. Text columns are left-aligned, number columns right-aligned.

    Args:
        header: the columns' names.
        rows: the cells, one per column in each row.
        text_columns: the number of leading text columns, or the indices of all text columns.

    Returns:
        One line for the header, one for the alignment, and one for each row.
    """
    text = range(text_columns) if isinstance(text_columns, int) else text_columns
    marks = ["---" if column in text else "---:" for column in range(len(header))]
    return [f"| {' | '.join(cells)} |" for cells in (header, marks, *rows)]


def print_markdown(text: str) -> None:
    """Print Markdown with its tables aligned. Tables may be wider than the terminal: rich would cut cells off.

    Args:
        text: Markdown, with tables as `markdown_table` makes them.
    """
    console = Console()
    Console(width=max(console.width, _tables_width(text))).print(Markdown(text))


def _tables_width(text: str) -> int:
    """Characters that the widest table takes with its columns aligned."""
    widths: list[int] = []
    widest = 0
    for line in (*text.splitlines(), ""):
        cells = line.removeprefix("| ").removesuffix(" |").split(" | ") if line.startswith("| ") else []
        if len(cells) != len(widths):  # another table, or none
            widths = [0] * len(cells)
        widths = [max(width, len(cell)) for width, cell in zip(widths, cells, strict=True)]
        widest = max(widest, sum(widths) + 3 * len(widths))
    return widest
