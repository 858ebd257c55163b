"""Markdown on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.markdown import Markdown


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
