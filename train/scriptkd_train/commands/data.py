"""`scriptkd data`: render a data set, inspect one, fetch more fonts, write the digits."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.data.folder import SPLITS
from scriptkd_train.data.inspect import inspect_command
from scriptkd_train.synth.cvsi_like import CvsiPlan, render_cvsi
from scriptkd_train.synth.digits import write_digits
from scriptkd_train.synth.fontsource import fetch_fonts
from scriptkd_train.synth.render import SCRIPTS, WORLD, RenderPlan, check_plan
from scriptkd_train.synth.render import render as render_set
from scriptkd_train.synth.unfinished import require_new_or_unfinished
from scriptkd_train.utils.cores import cores
from scriptkd_train.utils.progress import columns

app = typer.Typer(help="Render word images, inspect a data set, fetch more fonts.", no_args_is_help=True)
app.command("inspect")(inspect_command)


@app.command()
def render(
    out: Annotated[
        Path, typer.Option(help="Folder to write to: new, empty, or from an interrupted render, which is resumed.")
    ],
    words_per_script: Annotated[
        int, typer.Option(min=1, help="Training images per script; val and test get a tenth each.")
    ] = 2000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed, fonts and words give the same bytes.")] = 0,
    fonts: Annotated[list[Path] | None, typer.Option(help="Folder with more fonts; may be repeated.")] = None,
    workers: Annotated[int, typer.Option(min=0, help="Processes; 0 means one per core.")] = 0,
    scripts: Annotated[
        Literal["ten", "world"],
        typer.Option(help="ten: the scripts of CVSI-2015. world: these ten and 16 more, from Armenian to Tibetan."),
    ] = "ten",
    foreign: Annotated[
        bool,
        typer.Option(
            help="Add words of other scripts to the folder none; three of these scripts are in the test split only."
        ),
    ] = True,
    like: Annotated[
        Literal["cvsi"] | None,
        typer.Option(help="cvsi: the layout and size of CVSI-2015; --words-per-script is ignored."),
    ] = None,
) -> None:
    """Render words as train, val and test folders. No font family is in two splits."""
    if like == "cvsi" and scripts == "world":
        raise ArgumentError("--like cvsi has the ten scripts of CVSI-2015; leave out --scripts world")
    require_new_or_unfinished(out)  # checked before the fonts are read, which takes a while
    console = Console()
    workers = workers or cores()
    if like == "cvsi":
        cvsi_plan = CvsiPlan(seed, font_folders=tuple(str(folder) for folder in fonts or []))
        with Progress(*columns("rendering"), console=console) as bar:
            task = bar.add_task("render", total=cvsi_plan.total)
            render_cvsi(cvsi_plan, out, workers, lambda done: bar.advance(task, done))
        console.print(f"{cvsi_plan.total:,} images in CVSI-2015's layout -> {out}", highlight=False)
        return
    names = SCRIPTS if scripts == "ten" else WORLD
    plan = RenderPlan(words_per_script, seed, names, tuple(str(folder) for folder in fonts or []), foreign)
    table = Table("script", *(f"families {split}" for split in ("train", "val", "test")), "faces", "words")
    for column in table.columns[1:]:
        column.justify = "right"
    for name, row in check_plan(plan).items():
        cells = (row["fonts_train"], row["fonts_val"], row["fonts_test"], row["faces"], row["words"])
        table.add_row(name, *(f"{n:,}" for n in cells))
    console.print(table)
    started = time.perf_counter()
    with Progress(*columns("rendering"), console=console) as bar:
        task = bar.add_task("render", total=plan.total)
        render_set(plan, out, workers, lambda done: bar.advance(task, done))
    seconds = time.perf_counter() - started
    rate = plan.total / seconds / workers
    console.print(
        f"{plan.total:,} images in {seconds:.0f} s ({rate:.0f} per second and core) -> {out}", highlight=False
    )


@app.command()
def digits(
    out: Annotated[Path, typer.Option(help="Folder to write to: new or empty.")],
) -> None:
    """Write scikit-learn's 1,797 handwritten digits, 8x8 pixels, as a data set. They are not MNIST.

    MNIST would have to be downloaded; these come with scikit-learn. The recipe `digits` is made for them.
    """
    counts = write_digits(out)
    listed = ", ".join(f"{counts[split]:,} {split}" for split in SPLITS)
    Console().print(f"{listed} images of ten digits -> {out}", highlight=False, soft_wrap=True)


@app.command("fonts")
def fonts_command(
    out: Annotated[Path, typer.Option(help="Folder to write the fonts to; files that are there stay.")],
) -> None:
    """Fetch open fonts (npm's @fontsource packages and a few wheels) for `render --fonts`; licences are recorded."""
    console = Console()
    count = fetch_fonts(out, lambda name, outcome: console.print(f"{name}: {outcome}", highlight=False))
    console.print(f"{count} font files in {out}; licences in {out / 'LICENSES.csv'}", highlight=False)
