"""`scriptkd report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.paper.collect import collect
from scriptkd_train.paper.report import write_report


def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The --out folder of `scriptkd reproduce`.")],
    out: Annotated[Path | None, typer.Option(help="Where to write; else the folder `report` in it.")] = None,
) -> None:
    """Write what `scriptkd reproduce` has found so far: report.md, report.html and figures as PNG."""
    matrix = collect(folder)
    try:
        paths = write_report(matrix, out or folder / "report")
    except OSError as error:
        raise ArgumentError(f"cannot write {error.filename}: {error.strerror}") from error
    console = Console()
    for path in paths:
        console.print(path, highlight=False, markup=False, soft_wrap=True)
    if matrix.missing:
        console.print(f"{len(matrix.missing)} runs are missing or unfinished; the report names them", highlight=False)
