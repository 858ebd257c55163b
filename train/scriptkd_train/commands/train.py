"""`scriptkd train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scriptkd_sdk.errors import ArgumentError


def train(
    recipe: Annotated[str, typer.Argument(help="Name of a ready recipe, or path of a YAML file.")],
    data: Annotated[Path, typer.Option(help="Data set with train and val splits (folders, or CVSI-2015's layout).")],
    out: Annotated[Path, typer.Option(help="Folder for checkpoints and logs. An unfinished run in it is resumed.")],
    devices: Annotated[str, typer.Option(help="Number of GPUs, or of processes on a CPU; auto takes all.")] = "auto",
) -> None:
    """Train a chain of networks: teacher, assistant, student. A killed run is resumed."""
    if devices != "auto" and not (devices.isdecimal() and int(devices) > 0):
        raise ArgumentError(f"--devices must be auto or a number from 1 on, not {devices!r}")
    # Imported here, since torch takes seconds, and --help or a misspelt option need not wait for it.
    from rich.console import Console

    from scriptkd_train.engine.chain import train_chain
    from scriptkd_train.recipe import load_recipe

    train_chain(load_recipe(recipe), recipe, data, out, devices if devices == "auto" else int(devices), Console())
