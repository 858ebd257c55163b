"""`scriptkd train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.commands.arguments import check_splits
from scriptkd_train.recipe_files import read_recipe
from scriptkd_train.utils.writable import check_folder


def train(
    recipe: Annotated[str, typer.Argument(help="Name of a ready recipe, or path of a YAML file.")],
    data: Annotated[Path, typer.Option(help="Data set with train and val splits (folders, or CVSI-2015's layout).")],
    out: Annotated[Path, typer.Option(help="Folder for checkpoints and logs. An unfinished run in it is resumed.")],
    devices: Annotated[str, typer.Option(help="Number of GPUs, or of processes on a CPU; auto takes all.")] = "auto",
) -> None:
    """Train a chain of networks: teacher, assistant, student. A killed run is resumed."""
    if devices != "auto" and not (devices.isdecimal() and int(devices) > 0):
        raise ArgumentError(f"--devices must be auto or a number from 1 on, not {devices!r}")
    content = read_recipe(recipe)
    check_splits(data, ("train", "val"))
    check_folder(out)
    # Imported here, since torch takes seconds, and wrong arguments need not wait for it.
    from rich.console import Console

    from scriptkd_train.engine.chain import train_chain
    from scriptkd_train.recipe import parse_recipe

    count = devices if devices == "auto" else int(devices)
    train_chain(parse_recipe(content, recipe), recipe, data, out, count, Console())
