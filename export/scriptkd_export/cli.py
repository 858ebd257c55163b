"""`scriptkd-export`: the command line of `export_checkpoint`, which it imports only when there is something to do."""

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
            "pass the checks of every export and relaxes none of them.",
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
    """Export a checkpoint to ONNX and compare it with torch.

    A file that fails a check is not written; the others that were asked for are. The exit status is 1 if none was.
    """
    wanted = list(quantize or [Quantize(Precision.fp32)])
    automatic = Quantize(AUTO) in wanted
    if automatic and set(wanted) != {Quantize(AUTO)}:
        raise ArgumentError("--quantize auto chooses the precision itself: give it alone")
    from .export import export_checkpoint  # here: torch takes seconds

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
    """Run the command: exit code 1 if nothing could be exported, 2 for wrong wishes or what the system refused."""
    if sys.stdout is None:  # closed, as by >&-
        typer.echo("error: standard output is closed", err=True)
        sys.exit(2)
    if isinstance(sys.stdout, io.TextIOWrapper):  # a path may hold what its encoding lacks
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        app()
    except ScriptkdError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(1 if isinstance(error, ExportError) else 2)
    except OSError as error:
        typer.echo(f"error: {refusal(error)}", err=True)
        sys.exit(2)
