"""`scriptkd-export`."""

from __future__ import annotations

import sys
import tempfile
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import onnx
import typer
from rich.console import Console
from rich.table import Table

from scriptkd_sdk.cli import refusal
from scriptkd_sdk.errors import ArgumentError, ScriptkdError
from scriptkd_train.models.checkpoint import Checkpoint, load_checkpoint

from .auto import Trial, choose, drop, try_precisions, within
from .errors import ExportError
from .export import write_verified
from .graph import export_graph
from .precisions import CALIBRATED, DESCRIPTION, FOLDED, Precision, candidates, convert
from .quantize import Calibration
from .report import sha256
from .samples import Samples, batches, draw_samples, read_images, read_samples
from .verify import HALF_AGREEMENT, INT8_AGREEMENT, Check

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
console = Console(highlight=False, markup=False, soft_wrap=True)

CALIBRATION_BATCH = 16
AUTO = "auto"
Quantize = StrEnum("Quantize", {precision.name: precision.value for precision in Precision} | {AUTO: AUTO})


@app.command()
def export(
    ckpt: Annotated[Path, typer.Option(help="Checkpoint (.pt) of a teacher, assistant or student.")],
    out: Annotated[Path | None, typer.Option(help="Folder to write into; else the checkpoint's own.")] = None,
    quantize: Annotated[
        list[Quantize] | None,
        typer.Option(
            help="Precision of the file; may be given several times. fp32, the default, is NAME.onnx, else "
            "NAME.PRECISION.onnx. auto: try all that suit the network and keep the fastest on this machine."
        ),
    ] = None,
    max_drop: Annotated[
        float,
        typer.Option(
            min=0.0,
            help="Of auto: points of accuracy, of 100, that may be lost to fp32. It chooses among the precisions that "
            "pass the checks of every export and relaxes none of them: one that answers as torch does on less than "
            f"{INT8_AGREEMENT:.0%} of the images (fp16: {HALF_AGREEMENT:.0%}) is not written, whatever may be lost.",
        ),
    ] = 0.5,
    data: Annotated[Path | None, typer.Option(help="Data set whose val split is compared and calibrated on.")] = None,
    images: Annotated[Path | None, typer.Option(help="Folder of images to use instead; none needs a label.")] = None,
    count: Annotated[int, typer.Option(min=1, help="How many images to compare, and to calibrate, on.")] = 256,
    calibration: Annotated[
        Calibration, typer.Option(help="Of int8 and int8-u8: how activations' ranges are found.")
    ] = Calibration.minmax,
    per_channel: Annotated[
        bool, typer.Option("--per-channel/--per-tensor", help="Of int8 and int8-u8: scales of the weights.")
    ] = True,
    any_size: Annotated[
        bool, typer.Option("--any-size", help="Also NAME.any-size.onnx, which takes images of any size as they are.")
    ] = False,
    ort: Annotated[bool, typer.Option("--ort", help="Also each file as .ort, for onnxruntime's small builds.")] = False,
) -> None:
    """Export a checkpoint to ONNX and compare it with torch; a file that fails a check is not written."""
    wanted = list(dict.fromkeys(quantize or [Quantize.fp32]))
    automatic = Quantize(AUTO) in wanted
    if automatic and len(wanted) > 1:
        raise ArgumentError("--quantize auto chooses the precision itself: give it alone")
    precisions = [] if automatic else [Precision(each.value) for each in wanted]
    _check_wishes(precisions, automatic, data, images, ort)
    checkpoint = load_checkpoint(ckpt)
    samples, calibrating = _read(data, images, count)
    pixels = list(batches(calibrating, checkpoint.preprocessing, CALIBRATION_BATCH)) if calibrating else []
    console.print(f"{ckpt}: {checkpoint.network}, SHA-256 {sha256(ckpt)}")
    started = time.perf_counter()
    graph = export_graph(checkpoint)

    def convert_to(precision: Precision) -> onnx.ModelProto:
        return convert(precision, graph, pixels, calibration, per_channel)

    if automatic:
        tried = candidates(graph)
        console.print(f"auto: trying {', '.join(tried)} on {samples.source}")
        _warn_of_few(len(samples.images), max_drop)
        with tempfile.TemporaryDirectory() as folder:
            trials = try_precisions(tried, convert_to, checkpoint, samples, Path(folder))
        best = choose(trials, max_drop)
        _print_trials(trials, best, samples, max_drop)
        precisions = [best.precision]
        if ort and best.precision in FOLDED:
            console.print(f"no .ort of {best.precision}: it would hold weights in more bits")
            ort = False
        started = time.perf_counter()
    written: list[Path] = []
    for precision in precisions:
        model = convert_to(precision)
        for suffix in (".onnx", ".ort") if ort else (".onnx",):
            for whole in (False, True) if any_size else (False,):
                name = (
                    ckpt.stem
                    + ("" if precision is Precision.fp32 else f".{precision}")
                    + (".any-size" if whole else "")
                    + suffix
                )
                path = (out or ckpt.parent) / name
                console.print(f"{name}: {DESCRIPTION[precision]}{', images of any size' if whole else ''}")
                _write(model, path, checkpoint, samples, precision, whole, started)
                written.append(path)
                started = time.perf_counter()
    console.print(f"Written, each with its parity report: {', '.join(map(str, written))}")
    console.print(f"Try: scriptkd identify --model {written[-1]} IMAGE...")
    console.print(f"     scriptkd model show {written[-1]}")


def _check_wishes(
    precisions: list[Precision], automatic: bool, data: Path | None, images: Path | None, ort: bool
) -> None:
    """Raise ArgumentError for options that do not go together."""
    if data is not None and images is not None:
        raise ArgumentError("--data and --images are two sources of the same: give one")
    asking = AUTO if automatic else next((precision for precision in precisions if precision in CALIBRATED), None)
    if asking and data is None and images is None:
        raise ArgumentError(f"--quantize {asking} is calibrated on real images: add --data DATASET or --images FOLDER")
    folded = [precision for precision in precisions if precision in FOLDED]
    if ort and folded:
        raise ArgumentError(
            f"--ort cannot keep {folded[0]}: onnxruntime restores the weights before it writes an .ort file; "
            f"allowed are {', '.join(precision for precision in Precision if precision not in FOLDED)}"
        )


def _read(data: Path | None, images: Path | None, count: int) -> tuple[Samples, Samples | None]:
    """Images to compare on, and to calibrate on where they are real."""
    if data is not None:
        return read_samples(data, count)
    return read_images(images, count) if images is not None else (draw_samples(count), None)


def _write(
    model: onnx.ModelProto,
    path: Path,
    checkpoint: Checkpoint,
    samples: Samples,
    precision: Precision,
    any_size: bool,
    started: float,
) -> None:
    """Write and check one file, and print what came of it."""
    try:
        _print_checks(checks := write_verified(model, path, checkpoint, samples, precision, any_size))
    except ExportError as error:
        _print_checks(error.checks)
        raise
    size, seconds = path.stat().st_size / 1000, time.perf_counter() - started
    console.print(
        f"  all {len(checks)} checks passed in {seconds:.1f} s; {path}, {size:,.0f} KB, SHA-256 {sha256(path)}"
    )


def _print_checks(checks: list[Check]) -> None:
    for check in checks:
        mark = typer.style("ok    ", fg="green") if check.passed else typer.style("FAILED", fg="red")
        typer.echo(f"  {mark} {check.name}: {check.found}")


def _warn_of_few(images: int, max_drop: float) -> None:
    """Say so where a single image is more points of accuracy than may be lost; of no loss at all, it is meant so."""
    one = 100 / images
    if 0 < max_drop < one - 1e-9:
        console.print(f"warning: {images} images cannot show a drop of {max_drop:g} points: one of them is {one:.3g}")


def _print_trials(trials: list[Trial], best: Trial, samples: Samples, max_drop: float) -> None:
    whole = next(trial for trial in trials if trial.precision is Precision.fp32)
    measure = "like fp32 %" if samples.labels is None else "accuracy %"
    table = Table("precision", measure, "drop", "median ms", "x fp32", "KB", "", box=None, pad_edge=False)
    reasons = {trial.precision: _why_not(trial, whole, max_drop) for trial in trials}
    for column in table.columns[1:6]:
        column.justify = "right"
    for trial in trials:
        if not trial.size:
            table.add_row(trial.precision, "", "", "", "", "", "failed")
            continue
        table.add_row(
            trial.precision,
            f"{100 * trial.accuracy:.2f}",
            f"{drop(trial, whole):.2f}",
            f"{trial.milliseconds:.3f}",
            f"{whole.milliseconds / trial.milliseconds:.2f}",
            f"{trial.size / 1000:,.0f}",
            "kept" if trial is best else "not taken" if reasons[trial.precision] else "",
        )
    console.print(table)
    for precision, reason in reasons.items():
        if reason:
            console.print(f"  {precision}: {reason}")


def _why_not(trial: Trial, whole: Trial, max_drop: float) -> str:
    """Why a precision could not be kept; empty for one that another is only better than."""
    if trial.failed and trial.size:
        return f"failed a check, which --max-drop does not relax: {trial.failed}"
    return trial.failed or ("" if within(trial, whole, max_drop) else f"its drop is above --max-drop {max_drop:g}")


def main() -> None:
    """Run the command: exit code 1 if an export or a check failed, 2 if it was asked for wrongly."""
    try:
        app()
    except ScriptkdError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(1 if isinstance(error, ExportError) else 2)
    except OSError as error:
        typer.echo(f"error: {refusal(error)}", err=True)
        sys.exit(2)
