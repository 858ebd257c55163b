"""`scriptkd bench`."""

from __future__ import annotations

import shlex
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import cv2
import typer
from rich.console import Console
from rich.progress import Progress
from typer.core import TyperGroup

from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.identifier import ScriptIdentifier
from scriptkd_train.data.dataset import NON_TEXT, read_split_or_all
from scriptkd_train.evaluation.evaluate import evaluate
from scriptkd_train.utils.progress import columns

from .compare import compare
from .crop import Crop, drawn_crop, median_crop
from .device import governor, measure_device, peak_memory
from .machine import describe_machine
from .models import Candidate, bundled, from_files, from_run, untrained_teacher, without_copies
from .orientation import compare_orientation, orientation_table
from .pages_cli import page_set, pages
from .pareto import Point, draw_pareto
from .report import NOTES, Accuracy, Report, Row, check_writable, write_report
from .sdk import check_measurable, measure_sdk
from .timing import Timing, time_models

WIDTH = 140  # columns of the table if there is no terminal


class _MeasureOrCompare(TyperGroup):
    """Treats arguments that name no sub-command as the measurement's, as in `scriptkd bench MODEL.onnx`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, args if args and args[0] in self.commands else ["measure", *args])


app = typer.Typer(cls=_MeasureOrCompare, add_completion=False)


@app.command("measure")
def bench(
    models: Annotated[
        list[Path] | None, typer.Argument(help="Model files (.onnx) or names of bundled models. Default: all bundled.")
    ] = None,
    run: Annotated[Path | None, typer.Option(help="Training run whose stages to measure, in float32 and int8.")] = None,
    teacher: Annotated[
        str | None, typer.Option(help="Also time a timm network with random weights at 299x299, such as inceptionv3.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Data set to measure the accuracy on.")] = None,
    split: Annotated[str, typer.Option(help="Which part of --data: train, val or test.")] = "test",
    real: Annotated[Path | None, typer.Option(help="Data set of real words, also to measure the accuracy on.")] = None,
    repeats: Annotated[int, typer.Option(min=20, help="Timed calls; fewer for models over 25 ms.")] = 200,
    threads: Annotated[int, typer.Option(min=1, max=256, help="Threads of one call.")] = 1,
    sdk: Annotated[
        bool,
        typer.Option("--sdk", help="Also measure the Python SDK with the first model: overhead, import, memory."),
    ] = False,
    calls: Annotated[int, typer.Option(min=1000, help="For --sdk: calls over which memory must not grow.")] = 50_000,
    out: Annotated[
        Path | None, typer.Option(help="Markdown file, with JSON beside it. Default: RESULTS.md in RUN or build/bench.")
    ] = None,
    plot: Annotated[
        bool, typer.Option("--plot", help="Also draw a PNG beside it: accuracy against latency and file size.")
    ] = False,
) -> None:
    """Measure size, latency and accuracy of models side by side.

    `scriptkd bench compare A.json B.json` then compares two measurements, such as those of two devices.
    """
    if plot and data is None and real is None:
        raise ArgumentError("--plot draws accuracies: give the images to measure them on, --data, --real, or both")
    console = _console()
    path = out or (run / "RESULTS.md" if run is not None else Path("build/bench/RESULTS.md"))
    if out is not None or run is None or run.is_dir():  # otherwise the run is wrong, and from_run reports it
        check_writable(path)

    def say(text: str) -> None:
        console.print(text, highlight=False, markup=False, soft_wrap=True)

    cv2.setNumThreads(threads)
    with tempfile.TemporaryDirectory(prefix="scriptkd-bench-") as name:
        folder = Path(name)
        candidates = [untrained_teacher(teacher, folder, say)] if teacher else []
        if run is not None:
            candidates += from_run(run, data, folder, say)
        candidates += from_files(models) if models else [] if run is not None else bundled()
        candidates = without_copies(candidates)
        if sdk:
            check_measurable(candidates[0].path)
        crop = _crop(data, split, real, folder)
        paths = [candidate.path for candidate in candidates]
        with _bar(console, f"timing {len(paths)} models in turns") as progress:
            timings = time_models(paths, crop, repeats, threads, progress)
        with _bar(console, "timing with 1, 2 and 4 threads") as progress:
            measured = [(each.name, each.path, ScriptIdentifier(each.path).info) for each in candidates]
            device = measure_device(measured, crop, progress)
        cost = None
        if sdk:
            with _bar(console, f"cost of the SDK, {calls:,} calls") as progress:
                cost = measure_sdk(paths[0], crop, repeats, calls, progress)
        accuracies = [_accuracies(candidate, data, split, real, console) for candidate in candidates]
        rows = [
            _row(candidate, timing, accuracy)
            for candidate, timing, accuracy in zip(candidates, timings, accuracies, strict=True)
        ]
    images = {name: accuracy.images for each in accuracies for name, accuracy in each.items() if accuracy}
    facts = {
        "command": f"`{shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])}`",
        "date": date.today().isoformat(),
        **describe_machine(),
        **{name: fact for name, fact in (("governor", governor()), ("peak memory", peak_memory())) if fact},
        "threads": str(threads),
        "timed on": crop.source,
        "repeats": ", ".join(sorted({str(row.timing.repeats) for row in rows}, key=int, reverse=True)),
        **({"images": ", ".join(f"{count:,} of {name}" for name, count in images.items())} if images else {}),
    }
    report = Report(rows, facts, device, cost)
    for name, fact in facts.items():
        say(f"{name}: {fact}")
    console.print(report.table())
    for note in NOTES:
        say(note)
    console.print(report.device_table())
    if cost:
        console.print(report.sdk_table())
    say(f"Written: {path}, {write_report(report, path)}")
    if plot:
        picture = path.with_suffix(".png")
        draw_pareto([_point(row) for row in rows], picture)
        say(f"Written: {picture}")


@app.command("compare")
def compare_reports(
    one: Annotated[Path, typer.Argument(metavar="A.json", help="A JSON file that `scriptkd bench` wrote.")],
    two: Annotated[Path, typer.Argument(metavar="B.json", help="Another, or one shared by the Android demo.")],
) -> None:
    """Compare two measurements: the facts that differ, and the latencies of the models that are in both."""
    compare((one, two), _console())


@app.command("orientation")
def orientation(
    real: Annotated[Path, typer.Argument(metavar="REAL", help="Folder of upright word images by script.")],
    models: Annotated[
        list[str] | None, typer.Option("--model", help="Model for any crop: a bundled name or a file; may be repeated.")
    ] = None,
    split: Annotated[str, typer.Option(help="Which part of REAL, if it has splits: train, val or test.")] = "test",
) -> None:
    """Compare models with PP-OCR's orientation classifier on wide words, upright and turned by 180 degrees."""
    console = _console()
    cv2.setNumThreads(1)
    items = [item for item in read_split_or_all(real, split) if item.label != NON_TEXT]
    with _bar(console, f"asking about {len(items):,} words, upright and upside down") as progress:
        rows = compare_orientation(models or ["student"], items, progress)
    for name, fact in {"date": date.today().isoformat(), **describe_machine(), "threads": "1"}.items():
        console.print(f"{name}: {fact}", highlight=False, markup=False, soft_wrap=True)
    console.print(orientation_table(rows))


app.command("pages")(pages)
app.command("page-set")(page_set)


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=WIDTH)


def _crop(data: Path | None, split: str, real: Path | None, folder: Path) -> Crop:
    """Return the median crop of the images that measure accuracy; without such images, a drawn word."""
    roots = [root for root in (data, real) if root is not None]
    if not roots:
        return drawn_crop(folder)
    # All sets are read, so that an unusable one is reported before anything is timed.
    items = [read_split_or_all(root, split) for root in roots]
    return median_crop([item.path for item in items[0]], roots[0].resolve().name)


def _accuracies(
    candidate: Candidate, data: Path | None, split: str, real: Path | None, console: Console
) -> dict[str, Accuracy | None]:
    """Return the accuracy by the name of the images; None for a model with random weights."""
    found: dict[str, Accuracy | None] = {}
    for name, root in ((split, data), ("real", real)):
        if root is None:
            continue
        found[name] = None
        if candidate.trained:
            title = f"accuracy of {candidate.path.name} on {root.resolve().name}"
            with _bar(console, title) as progress:
                report = evaluate(candidate.path, root, split, progress=progress).report
            found[name] = Accuracy(report.accuracy, report.macro_accuracy, report.images)
    return found


def _row(candidate: Candidate, timing: Timing, accuracy: dict[str, Accuracy | None]) -> Row:
    info = ScriptIdentifier(candidate.path).info
    parameters = info.provenance.get("parameters")
    return Row(
        model=candidate.name,
        precision=info.precision,
        parameters=parameters if type(parameters) is int else None,
        kilobytes=candidate.path.stat().st_size / 1000,
        timing=timing,
        accuracy=accuracy,
    )


def _point(row: Row) -> Point:
    name = row.model if row.precision == "fp32" else f"{row.model}, {row.precision}"
    accuracy = {name: found.macro for name, found in row.accuracy.items() if found}
    return Point(name, row.timing.run.p50, row.kilobytes, accuracy)


@contextmanager
def _bar(console: Console, title: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar, or only its title without a terminal. Yields the function (done, total) that moves it."""
    if not console.is_terminal:
        console.print(title, highlight=False, markup=False)
        yield lambda done, total: None
        return
    with Progress(*columns(title), console=console, transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
