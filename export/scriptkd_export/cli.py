"""`scriptkd-export`: the command line of `export_checkpoint`, which is imported only when needed."""

from __future__ import annotations

import io
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from scriptkd_sdk.cli import refusal
from scriptkd_sdk.errors import ArgumentError, ScriptkdError

from .errors import ExportError
from .precisions import Calibration, Precision

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

AUTO = "auto"
Quantize = StrEnum("Quantize", {each.name: each.value for each in Precision} | {AUTO: AUTO})  # type: ignore[misc]


@app.command()
def export(
    ckpt: Annotated[Path, typer.Option(help="Checkpoint (.pt) of a teacher, assistant or student.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder to write into; the default is the checkpoint's folder.")
    ] = None,
    quantize: Annotated[
        list[Quantize] | None,
        typer.Option(
            help="Precision of the file; may be repeated. fp32, the default, is written as NAME.onnx, the others as "
            "NAME.PRECISION.onnx. auto tries all that suit the network, and keeps the fastest on this machine."
        ),
    ] = None,
    max_drop: Annotated[
        float,
        typer.Option(
            min=0.0,
            help="For auto: percentage points of accuracy that may be lost against fp32. auto chooses only precisions "
            "that pass every check; this option relaxes no check.",
        ),
    ] = 0.5,
    data: Annotated[
        Path | None, typer.Option(help="Data set whose val split is used for comparison and calibration.")
    ] = None,
    images: Annotated[Path | None, typer.Option(help="Folder of images to use instead; none needs a label.")] = None,
    count: Annotated[
        int, typer.Option(min=1, help="How many images to use for comparison, and as many for calibration.")
    ] = 256,
    calibration: Annotated[
        Calibration, typer.Option(help="For int8 and int8-u8: how the ranges of activations are found.")
    ] = Calibration.minmax,
    per_channel: Annotated[
        bool,
        typer.Option(
            "--per-channel/--per-tensor",
            help="For int8 and int8-u8: a scale for each output channel of a weight, or one for all.",
        ),
    ] = True,
    any_size: Annotated[
        bool, typer.Option("--any-size", help="Also write NAME.any-size.onnx, which takes images of any size.")
    ] = False,
    ort: Annotated[
        bool, typer.Option("--ort", help="Also write each file as .ort, for onnxruntime's minimal builds.")
    ] = False,
) -> None:
    """Export a checkpoint to ONNX and compare it with torch.

    A file that fails a check is not written; the other files are. The exit status is 1 if no file was written.
    """
    wanted = list(quantize or [Quantize(Precision.fp32)])
    automatic = Quantize(AUTO) in wanted
    if automatic and set(wanted) != {Quantize(AUTO)}:
        raise ArgumentError("--quantize auto chooses the precision itself: give no other --quantize")
    from .export import export_checkpoint  # imported here, since torch takes seconds

    result = export_checkpoint(
        ckpt,
        out,
        None if automatic else [Precision(each.value) for each in wanted],
        data=data,
        images=images,
        count=count,
        max_drop=max_drop,
        calibration=calibration,
        per_channel=per_channel,
        any_size=any_size,
        ort=ort,
        say=_say,
    )
    paths = [file.path for file in result.written]
    _say(f"Written, each with its parity report: {', '.join(map(str, paths))}")
    for file in result.refused:
        typer.echo(f"warning: {file.refused}", err=True)
    _say(f"Try: scriptkd identify --model {paths[-1]} IMAGE...")
    _say(f"     scriptkd model show {paths[-1]}")


def _say(line: str) -> None:
    for mark, colour in (("  ok    ", "green"), ("  FAILED", "red")):
        if line.startswith(mark):
            line = typer.style(mark, fg=colour) + line.removeprefix(mark)
    typer.echo(line)


def main() -> None:
    """Run the command. Exit code 1: nothing could be exported; 2: wrong arguments or an error of the system."""
    if sys.stdout is None:  # closed, for example by >&-
        typer.echo("error: standard output is closed", err=True)
        sys.exit(2)
    if isinstance(sys.stdout, io.TextIOWrapper):  # a path may hold characters that the encoding lacks
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        app()
    except ScriptkdError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(1 if isinstance(error, ExportError) else 2)
    except OSError as error:
        typer.echo(f"error: {refusal(error)}", err=True)
        sys.exit(2)
