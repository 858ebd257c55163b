"""`scriptkd calibrate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from scriptkd_train.utils.progress import columns

if TYPE_CHECKING:
    from .calibrate import Calibrated, Figures, Parameters


def calibrate(
    model: Annotated[str, typer.Argument(help="Model file (.onnx, .ort), or bundled model by name.")],
    data: Annotated[
        Path,
        typer.Argument(metavar="DATA", help="Folder with one folder of crops per script; with splits, val is read."),
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The new model file.")],
    keep: Annotated[
        float, typer.Option(min=0.5, max=1, help="Least share of right answers that must not become unknown.")
    ] = 0.99,
) -> None:
    """Fit a model's temperatures and thresholds to labelled crops, and write them into a new file.

    An optional folder `none` holds pictures without text, which the threshold should turn away.
    """
    from .calibrate import calibrate_file  # imported here, since torch takes seconds

    console = Console()
    with Progress(*columns("identifying"), console=console, transient=True) as bar:
        task = bar.add_task("identify", total=None)
        found = calibrate_file(
            model, data, out, lambda done, total: bar.update(task, completed=done, total=total), keep
        )
    _print(found, console)


def _print(found: Calibrated, console: Console) -> None:
    """Print the figures, their basis, and what stayed unchanged."""

    def say(text: str) -> None:
        console.print(text, highlight=False, markup=False, soft_wrap=True)

    table = Table("", "temperature", "threshold", "ECE", "kept", "turned away")
    for column in table.columns[1:]:
        column.justify = "right"
    for name, change in (("scripts", found.scripts), ("orientation", found.orientation)):
        if change is not None:
            table.add_row(f"{name} before", *_cells(change.before, change.figures_before))
            table.add_row(f"{name} after", *_cells(change.after, change.figures_after))
    console.print(table)
    say("ECE: expected calibration error. Kept: share of the right answers that reach the threshold. All in per cent.")
    say(
        f"{found.words:,} words, {_percent(found.scripts.accuracy)} % of them with the right answer, and "
        f"{found.non_text:,} pictures without text. Rows `after` are cross-validated: each fifth is measured with "
        "parameters fitted to the other four. The file holds parameters fitted to all."
    )
    if not found.non_text:
        say("There are no pictures without text (folder `none`), so the threshold of scripts could not rise.")
    turned = found.orientation
    if turned is not None:
        say(
            f"Orientation, on the words turned by 0, 90, 180 or 270 degrees: {_percent(turned.accuracy)} % right. Its "
            "threshold turns wrong answers away."
        )
        if turned.after == turned.before:
            say("The parameters of orientation stay unchanged: a fit needs more right answers, or more wrong ones.")
    say(f"Written: {found.path}")


def _cells(parameters: Parameters, figures: Figures) -> list[str]:
    shares = (figures.calibration_error, figures.right_kept, figures.turned_away)
    return [f"{parameters.temperature:.3f}", f"{parameters.threshold:.3f}", *map(_percent, shares)]


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f}"
