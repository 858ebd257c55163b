"""Markdown tables for all reports."""

from __future__ import annotations

from collections.abc import Collection, Sequence


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
