"""`scriptkd cost`."""

from __future__ import annotations

import shlex
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Annotated

import onnx
import typer
from rich.console import Console

from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.modelfile import load_content, read_content
from scriptkd_train.utils.writable import check_file

from .cost import measure_cost
from .cost_report import DEAREST, agreement, draw, layer_table, type_table, write_csv, write_json
from .crop import drawn_crop, network_input
from .machine import describe_machine
from .models import untrained_stage

WIDTH = 140  # columns of the tables if there is no terminal


def cost(
    model: Annotated[
        str,
        typer.Argument(
            help="Model file (.onnx), bundled model's name, checkpoint (.pt), or RECIPE:STAGE for random weights."
        ),
    ] = "student",
    repeats: Annotated[int, typer.Option(min=20, help="Timed calls; fewer for slow models.")] = 200,
    csv: Annotated[Path | None, typer.Option(help="Write all layers into this file, as CSV.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write all layers and sums into this file, as JSON.")] = None,
    png: Annotated[Path | None, typer.Option(help="Draw the shares into this file.")] = None,
) -> None:
    """Show a model's cost by layer and by type: parameters, multiply-adds, bytes, and time on one thread.

    A checkpoint is first exported to ONNX in float32, the form that is deployed.
    """
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)

    def say(text: str) -> None:
        console.print(text, highlight=False, markup=False, soft_wrap=True)

    for path, option in ((csv, "--csv"), (json, "--json"), (png, "--png")):
        if path is not None:
            check_file(path, option)
    with tempfile.TemporaryDirectory(prefix="scriptkd-cost-") as name:
        content = _content(model, Path(name))
        _, info = load_content(model, content)
        crop = drawn_crop(Path(name))
    measured = measure_cost(onnx.load_from_string(content), network_input(info, crop.pixels), repeats)
    facts = {
        "command": f"`{shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])}`",
        "date": date.today().isoformat(),
        "model": f"{info.network}, {info.precision}, {len(content) / 1000:,.0f} KB",
        **describe_machine(),
        "onnx": onnx.__version__,
        "threads": "1",
        "input": f"{'×'.join(map(str, measured.input_shape))}, from {crop.source}",
        "calls": f"{measured.calls}; {1000 * measured.overhead:.1f} µs of profiling an operator are subtracted",
    }
    for title, fact in facts.items():
        say(f"{title}: {fact}")
    console.print(type_table(measured))
    if len(measured.layers) > DEAREST:
        say(f"The {DEAREST} of {len(measured.layers)} layers that take most of the time:")
    console.print(layer_table(measured))
    say(f"Check: {agreement(measured)}.")
    for path in (csv, json, png):
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
    if csv is not None:
        write_csv(measured, csv)
    if json is not None:
        write_json(measured, facts, json)
    if png is not None:
        draw(measured, f"{model}: {info.network}, {info.precision}", png)
    written = [str(path) for path in (csv, json, png) if path is not None]
    if written:
        say(f"Written: {', '.join(written)}")


def _content(model: str, folder: Path) -> bytes:
    """Return the bytes of a model file. A checkpoint or a recipe's stage is exported in float32.

    Raises:
        ScriptkdError: there is no such model, or it cannot be exported.
    """
    recipe, _, stage = model.rpartition(":")
    if model.endswith(".pt"):
        from scriptkd_export import draw_samples, export_onnx  # imported here, as an .onnx file needs no torch
        from scriptkd_train.models.checkpoint import load_checkpoint

        checkpoint = load_checkpoint(Path(model))
    elif recipe and not Path(model).exists():
        from scriptkd_export import draw_samples, export_onnx

        checkpoint = untrained_stage(recipe, stage)
    elif model.endswith(".ort"):
        raise ArgumentError(f"cannot look into {model}: give the .onnx file, or the checkpoint, that it was made from")
    else:
        return read_content(model)[1]
    path = folder / "model.onnx"
    export_onnx(checkpoint, path, draw_samples(8))
    return path.read_bytes()
