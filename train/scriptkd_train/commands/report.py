"""`scriptkd report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.commands.printing import print_markdown
from scriptkd_train.paper import tables
from scriptkd_train.paper.collect import collect
from scriptkd_train.paper.report import write_report


def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The --out folder of `scriptkd reproduce`.")],
    out: Annotated[Path | None, typer.Option(help="Folder to write to. Default: the folder `report` in DIR.")] = None,
    against: Annotated[
        str | None, typer.Option(metavar="RECIPE", help="The recipe to compare the others with. Default: the first.")
    ] = None,
) -> None:
    """Write what `scriptkd reproduce` has found so far: report.md, report.html, report.json and figures as PNG."""
    matrix = collect(folder)
    if against is not None and tables.is_paper(matrix):
        raise ArgumentError(f"--against is for recipes, and {folder} holds the paper's matrix")
    if against is not None and against not in matrix.rows:
        raise ArgumentError(f"{folder} holds no recipe {against!r}: it must be one of {', '.join(matrix.rows)}")
    try:
        paths = write_report(matrix, out or folder / "report", against)
    except OSError as error:
        raise ArgumentError(f"cannot write {error.filename}: {error.strerror}") from error
    console = Console()
    if not tables.is_paper(matrix):
        print_markdown(tables.comparison(matrix, against or matrix.rows[0]))
    for path in paths:
        console.print(path, highlight=False, markup=False, soft_wrap=True)
    if matrix.missing:
        console.print(f"{len(matrix.missing)} runs are missing or unfinished; the report names them", highlight=False)
