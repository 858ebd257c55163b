"""`scriptkd folds`."""

from __future__ import annotations

import shlex
import sys
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from scriptkd_train.recipe import load_recipe
from scriptkd_train.synth.render import SCRIPTS, WORLD
from scriptkd_train.utils.files import write_json
from scriptkd_train.utils.writable import check_folder

from .folds import folds_table, run_folds
from .machine import describe_machine


def folds(
    out: Annotated[Path, typer.Option(help="Folder for renderings, runs and folds.json; an earlier run is continued.")],
    fonts: Annotated[list[Path] | None, typer.Option(help="Folder with more fonts; may be repeated.")] = None,
    words_per_script: Annotated[int, typer.Option(min=10, help="Training words of a script in each fold.")] = 2000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the renderings.")] = 0,
    scripts: Annotated[Literal["ten", "world"], typer.Option(help="CVSI-2015's ten scripts, or world's 26.")] = "ten",
    recipe: Annotated[str, typer.Option(help="Name of a ready recipe, or path of a YAML file.")] = "folds",
) -> None:
    """Cross-validate a short training over three folds of typefaces."""
    check_folder(out)
    console = Console()
    if not console.is_terminal:
        console = Console(width=140)
    names = SCRIPTS if scripts == "ten" else WORLD
    rows = run_folds(load_recipe(recipe), recipe, out, words_per_script, seed, names, fonts or [], console)
    facts = {
        "command": f"`{shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])}`",
        "date": date.today().isoformat(),
        **describe_machine(),
    }
    for name, fact in facts.items():
        console.print(f"{name}: {fact}", highlight=False, markup=False, soft_wrap=True)
    console.print(folds_table(rows))
    write_json(out / "folds.json", {"facts": facts, "rows": [asdict(row) for row in rows]})
    console.print(f"Written: {out / 'folds.json'}", highlight=False, markup=False, soft_wrap=True)
