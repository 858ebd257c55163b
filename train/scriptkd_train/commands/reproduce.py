"""`scriptkd reproduce`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.commands.arguments import check_splits
from scriptkd_train.data.folder import SPLITS
from scriptkd_train.paper.published import TEACHERS
from scriptkd_train.recipe_files import read_recipe
from scriptkd_train.utils.writable import check_folder


def reproduce(
    data: Annotated[Path, typer.Option(help="Data set with train, val and test (folders, or CVSI-2015's layout).")],
    out: Annotated[Path, typer.Option(help="Folder of all runs. Finished runs are kept, unfinished ones are resumed.")],
    scale: Annotated[
        Literal["paper", "cpu"], typer.Option(help="The paper's sizes, for GPUs; or small images and few epochs.")
    ] = "cpu",
    seeds: Annotated[int, typer.Option(min=1, help="Repetitions of every row, with the seeds 1, 2, ...")] = 3,
    teachers: Annotated[
        list[str] | None, typer.Option(help=f"One of {', '.join(TEACHERS)}; may be repeated. Default: all three.")
    ] = None,
    recipe: Annotated[
        list[str] | None,
        typer.Option(help="Compare these recipes instead, by name or path. The others are compared with the first."),
    ] = None,
) -> None:
    """Train and measure the seven students of the paper's Table 6, or a set of recipes, over several seeds.

    Missing networks are trained, existing ones are reused. To use several GPUs or machines, start the command once for
    each, by torchrun or by hand, with the same --out.
    """
    if recipe and teachers:
        raise ArgumentError("--recipe and --teachers exclude each other: the teachers are those of the paper's recipes")
    contents = {name: read_recipe(name) for name in recipe or []}
    if len({Path(name).stem for name in contents}) < len(recipe or []):
        raise ArgumentError("two of the recipes have the same name; results go to folders named after the recipes")
    check_splits(data, SPLITS)
    check_folder(out)
    # Imported here, since torch takes seconds, and wrong arguments need not wait for it.
    from rich.console import Console

    from scriptkd_train.paper.reproduce import paper_rows
    from scriptkd_train.paper.reproduce import reproduce as run_matrix
    from scriptkd_train.recipe import parse_recipe

    if contents:
        rows, kind = {Path(name).stem: parse_recipe(content, name) for name, content in contents.items()}, "recipes"
    else:
        rows, kind = paper_rows(scale, teachers or list(TEACHERS)), f"paper, {scale}"
    run_matrix(rows, range(1, seeds + 1), data, out, kind, Console())
