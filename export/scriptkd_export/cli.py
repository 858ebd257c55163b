"""`scriptkd-export`."""

from __future__ import annotations

import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import onnx
import typer
from rich.console import Console

from scriptkd_sdk.errors import ArgumentError, ScriptkdError
from scriptkd_train.checkpoint import load_checkpoint

from .errors import ExportError
from .export import write_verified
from .graph import export_graph
from .quantize import quantize_int8, quantize_weights
from .samples import batches, draw_samples, read_samples
from .verify import Check

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
console = Console(highlight=False, markup=False, soft_wrap=True)

CALIBRATION_BATCH = 16


class Activations(StrEnum):
    """Type of the activations of an int8 file."""

    int8 = "int8"
    uint8 = "uint8"


@app.command()
def export(
    ckpt: Annotated[Path, typer.Option(help="Checkpoint (.pt) of a teacher, assistant or student.")],
    out: Annotated[Path | None, typer.Option(help="Folder to write into; else the checkpoint's own.")] = None,
    data: Annotated[Path | None, typer.Option(help="Data set whose val split is compared and calibrated on.")] = None,
    int8: Annotated[
        bool, typer.Option("--int8", help="Also NAME.int8.onnx: computes in 8 bits; needs --data.")
    ] = False,
    activations: Annotated[
        Activations, typer.Option(help="Of --int8. uint8 is the faster on x86, with 7-bit weights.")
    ] = Activations.int8,
    int8_weights: Annotated[
        bool, typer.Option("--int8-weights", help="Also NAME.int8-weights.onnx: a quarter of the size, float32 speed.")
    ] = False,
    images: Annotated[int, typer.Option(min=1, help="How many images to compare, and to calibrate, on.")] = 256,
) -> None:
    """Export a checkpoint to ONNX and compare it with torch; a file that fails a check is not written."""
    if int8 and data is None:
        raise ArgumentError("--int8 is calibrated on real images: add --data DATASET")
    checkpoint = load_checkpoint(ckpt)
    samples, calibration = read_samples(data, images) if data is not None else (draw_samples(images), None)
    stem = (out or ckpt.parent) / ckpt.stem
    written: list[Path] = []

    def write(model: onnx.ModelProto, suffix: str, precision: str, started: float) -> None:
        path = stem.with_name(f"{stem.name}{suffix}")
        try:
            _print(checks := write_verified(model, path, checkpoint, samples, precision))
        except ExportError as error:
            _print(error.checks)
            raise
        written.append(path)
        size, seconds = path.stat().st_size / 1000, time.perf_counter() - started
        console.print(f"  all {len(checks)} checks passed in {seconds:.1f} s; {path}, {size:,.0f} KB")

    started = time.perf_counter()
    console.print(f"{ckpt}: {checkpoint.network}, float32")
    graph = export_graph(checkpoint)
    write(graph, ".onnx", "fp32", started)
    if int8 and calibration is not None:
        started = time.perf_counter()
        console.print(f"int8 with {activations} activations, calibrated on {calibration.source}")
        precision = "int8" if activations is Activations.int8 else "int8-u8"
        calibrating = batches(calibration, checkpoint.preprocessing, CALIBRATION_BATCH)
        write(quantize_int8(graph, calibrating, activations.value), ".int8.onnx", precision, started)
    if int8_weights:
        started = time.perf_counter()
        console.print("int8 weights, float32 activations")
        write(quantize_weights(graph), ".int8-weights.onnx", "int8-weights", started)
    console.print(f"Written: {', '.join(map(str, written))}")
    console.print(f"Try: scriptkd identify --model {written[-1]} IMAGE...")
    console.print(f"     scriptkd bench {' '.join(map(str, written))}")


def _print(checks: list[Check]) -> None:
    for check in checks:
        mark = typer.style("ok    ", fg="green") if check.passed else typer.style("FAILED", fg="red")
        typer.echo(f"  {mark} {check.name}: {check.found}")


def main() -> None:
    """Run the command: exit code 1 if an export or a check failed, 2 if it was asked for wrongly."""
    try:
        app()
    except ScriptkdError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(1 if isinstance(error, ExportError) else 2)
