"""`scriptkd compress`."""

from __future__ import annotations

import shlex
import sys
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import cv2
import typer
from rich import box
from rich.console import Console
from rich.table import Table

from scriptkd_train.data.dataset import read_dataset, read_split_or_all
from scriptkd_train.recipe import load_recipe
from scriptkd_train.utils.files import write_file, write_json

from .compress import RECIPES, family_variants, run_families
from .compress_report import figures_table, page, points, ratios_table, summary
from .crop import median_crop
from .machine import describe_machine
from .pareto import draw_pareto

WIDTH = 160  # columns of the tables if there is no terminal


def compress(
    data: Annotated[Path, typer.Option(help="Data set to learn from and to measure on, with train, val and test.")],
    out: Annotated[Path, typer.Option(help="Folder for runs and page; an earlier run is continued.")],
    real: Annotated[Path | None, typer.Option(help="Data set of real words to measure on as well.")] = None,
    scale: Annotated[
        Literal["cpu", "gpu"], typer.Option(help="gpu: larger batches and up to twice as many epochs.")
    ] = "cpu",
    family: Annotated[list[str] | None, typer.Option(help="Only this family and the teacher; may be repeated.")] = None,
    seeds: Annotated[
        int, typer.Option(min=1, help="Repetitions of families that no equally fast one clearly beats.")
    ] = 1,
    repeats: Annotated[int, typer.Option(min=20, help="Timed calls; fewer for models over 25 ms.")] = 200,
) -> None:
    """Train every family of compression on one task, and compare their accuracy and cost with the teacher's."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    cv2.setNumThreads(1)
    variants = family_variants(load_recipe(str(RECIPES / f"{scale}.yaml")), data, family or [])
    crop = median_crop([item.path for item in read_dataset(data, "test")], data.resolve().name)
    if real is not None:  # an unreadable set is reported before hours of training
        read_split_or_all(real, "test")
    families = run_families(variants, range(1, seeds + 1), out, real, crop, repeats, console)
    facts = {
        "command": f"`{shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])}`",
        "date": date.today().isoformat(),
        **describe_machine(),
        "learned from": f"{len(read_dataset(data, 'train')):,} images of {data.resolve().name}",
        "measured on": f"its test split{f', and {real.resolve().name}' if real else ''}",
        "timed on": crop.source,
    }
    for heads, rows in (figures_table(families), ratios_table(families)):
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
        for number, head in enumerate(heads):
            table.add_column(head, justify="right" if number else "left", no_wrap=not number)
        for row in rows:
            table.add_row(*row)
        console.print(table)
    for sentence in summary(families):
        console.print(sentence, highlight=False, markup=False, soft_wrap=True)
    stem = out / "compress"
    write_file(stem.with_suffix(".md"), page(families, facts))
    content = {"facts": facts, "families": [asdict(family) for family in families]}
    write_json(stem.with_suffix(".json"), content)
    draw_pareto(points(families), stem.with_suffix(".png"))
    console.print(f"Written: {stem}.md, {stem}.json, {stem}.png", highlight=False, markup=False, soft_wrap=True)
