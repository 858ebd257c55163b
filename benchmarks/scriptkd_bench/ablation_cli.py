"""`scriptkd ablation`."""

from __future__ import annotations

import shlex
import sys
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated

import cv2
import typer
from rich import box
from rich.console import Console
from rich.table import Table

from scriptkd_train.data.dataset import read_dataset
from scriptkd_train.utils.files import write_file, write_json

from .ablation import NOTES, Row, cells, export_variant, markdown, measure, read_spec, train_variants
from .crop import median_crop
from .machine import describe_machine
from .pareto import draw_pareto
from .timing import time_models

WIDTH = 140  # columns of the table if there is no terminal


def ablation(
    spec: Annotated[Path, typer.Argument(help="YAML file of variants, such as benchmarks/ablation/student.yaml.")],
    data: Annotated[Path, typer.Option(help="Data set to learn from and to measure on, with train, val and test.")],
    out: Annotated[Path, typer.Option(help="Folder for runs and table; an earlier run is continued.")],
    real: Annotated[Path | None, typer.Option(help="Data set of real words to measure on as well.")] = None,
    split: Annotated[str, typer.Option(help="Split of --data to measure on; test only at the end.")] = "val",
    seeds: Annotated[int, typer.Option(min=1, help="Repetitions of every variant, with the seeds 1, 2, ...")] = 1,
    repeats: Annotated[int, typer.Option(min=20, help="Timed calls; fewer for models over 25 ms.")] = 200,
) -> None:
    """Train variants of a recipe or of its data, tabulate their gains, and plot accuracy against latency and size."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)

    def say(text: str) -> None:
        console.print(text, highlight=False, markup=False, soft_wrap=True)

    cv2.setNumThreads(1)
    variants, numbers = read_spec(spec, data), range(1, seeds + 1)
    items = read_dataset(data, split)
    crop = median_crop([item.path for item in items], data.resolve().name)
    train_variants(variants, numbers, out, console)
    checkpoints = [[variant.checkpoint(out, seed) for seed in numbers] for variant in variants]
    models = [[export_variant(path, say) for path in paths] for paths in checkpoints]
    say(f"timing {len(models)} models in turns")
    timings = time_models([paths[0] for paths in models], crop, repeats, 1, lambda done, total: None)
    rows = [
        Row(
            variant.name,
            [measure(*pair, data, split, real, say) for pair in zip(paths, files, strict=True)],
            timing.run.p50,
        )
        for variant, paths, files, timing in zip(variants, checkpoints, models, timings, strict=True)
    ]
    facts = {
        "command": f"`{shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])}`",
        "date": date.today().isoformat(),
        **describe_machine(),
        "learned from": f"{len(read_dataset(data, 'train')):,} images, unless a variant names others",
        "measured on": f"the split {split} of {data.resolve().name}" + (f"; {real.resolve().name}" if real else ""),
        "seeds": str(seeds),
    }
    heads, lines = cells(rows)
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for number, head in enumerate(heads):
        table.add_column(head, justify="right" if number else "left", overflow="fold")
    for line in lines:
        table.add_row(*line)
    console.print(table)
    for note in NOTES:
        say(note)
    page, data_file, picture = (out / f"{spec.stem}.{kind}" for kind in ("md", "json", "png"))
    write_file(page, markdown(rows, facts))
    content = {"facts": facts, "rows": [asdict(row) for row in rows]}
    write_json(data_file, content)
    draw_pareto([row.point() for row in rows], picture)
    say(f"Written: {page}, {data_file}, {picture}")
