"""`scriptkd train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scriptkd_sdk.errors import ArgumentError


def train(
    recipe: Annotated[str, typer.Argument(help="Name of a ready recipe, or path of a YAML file.")],
    data: Annotated[Path, typer.Option(help="Data set with train and val splits (folders, or CVSI-2015's layout).")],
    out: Annotated[Path, typer.Option(help="Folder for checkpoints and logs; an unfinished run there is resumed.")],
    devices: Annotated[str, typer.Option(help="GPUs, or on a CPU processes: a number, or auto.")] = "auto",
) -> None:
    """Train a chain of networks: teacher, assistant, student; resumes where it was killed."""
    if devices != "auto" and not (devices.isdecimal() and int(devices) > 0):
        raise ArgumentError(f"--devices must be auto or a number from 1 on, not {devices!r}")
    # Here, because torch takes seconds to import, which --help and a misspelt option need not wait for.
    from rich.console import Console

    from scriptkd_train.engine.chain import train_chain
    from scriptkd_train.recipe import load_recipe

    train_chain(load_recipe(recipe), recipe, data, out, devices if devices == "auto" else int(devices), Console())
