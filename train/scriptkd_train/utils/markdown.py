"""Tables in Markdown, as every report of ours writes them."""

from __future__ import annotations

from collections.abc import Collection, Sequence


def markdown_table(
    header: Sequence[str], rows: Sequence[Sequence[str]], text_columns: int | Collection[int] = 1
) -> list[str]:
    """Return the lines of a Markdown table; columns of text stand left, those of numbers right.

    Args:
        header: the columns' names.
        rows: the cells, as many in each row as there are columns.
        text_columns: how many of the first columns hold text, or which ones do, by index.

    Returns:
        One line for the header, one for the alignment, and one for each row.
    """
    text = range(text_columns) if isinstance(text_columns, int) else text_columns
    marks = ["---" if column in text else "---:" for column in range(len(header))]
    return [f"| {' | '.join(cells)} |" for cells in (header, marks, *rows)]
