"""`scriptkd card`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.modelfile import model_path
from scriptkd_train.commands.arguments import check_split
from scriptkd_train.evaluation.card import learned_from, model_card, read_sources
from scriptkd_train.evaluation.evaluate import evaluate
from scriptkd_train.evaluation.report import EvaluationReport
from scriptkd_train.utils.files import write_file
from scriptkd_train.utils.progress import columns
from scriptkd_train.utils.writable import check_file


def card(
    model: Annotated[Path, typer.Argument(help="Model file (.onnx, .ort), or bundled model by name.")],
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The model's training data set; its split test, or val, is measured."),
    ] = None,
    real: Annotated[
        list[Path] | None,
        typer.Option(metavar="DIR", help="Data set of real words to measure the model on; may be repeated."),
    ] = None,
    split: Annotated[str, typer.Option(help="train, val or test, if a data set has splits.")] = "test",
    fonts: Annotated[
        list[Path] | None,
        typer.Option(metavar="DIR", help="Folder of fonts whose licences are listed; may be repeated."),
    ] = None,
    made_by: Annotated[
        list[str] | None,
        typer.Option(metavar="COMMAND", help="A command that made the model, to be shown; may be repeated."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Markdown file; the default is the model's path with the suffix .md.")
    ] = None,
) -> None:
    """Write a model's card: teachers, training data, use, limits, figures per script, calibration, provenance."""
    console = Console()
    path = out or model.with_suffix(".md")  # a bundled model's name gives a file in the current folder
    check_file(path)
    for root in [*(real or []), *([data] if data else [])]:
        check_split(root, split)
    if data is not None and split == "train":
        raise ArgumentError(f"--split train of {data} is what the model learned from; measure it on val or test")
    model = model_path(model)
    if data is not None and not learned_from(model, data):
        raise ArgumentError(
            f"{model} did not learn from {data}: the fingerprint in the model is that of other training images"
        )
    sources = read_sources(data, fonts or [])
    with Progress(*columns("identifying"), console=console, transient=True) as bar:

        def measured(root: Path) -> EvaluationReport:
            task = bar.add_task(root.name, total=None)
            return evaluate(
                model, root, split, progress=lambda done, total: bar.update(task, completed=done, total=total)
            ).report

        reports = [measured(root) for root in real or []]
        test = None if data is None else measured(data)
        if test is not None and sources.rendered is None:  # pictures of the user's own, not rendered ones
            reports, test = [*reports, test], None
        text = model_card(model, sources, reports, test, made_by or [])
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, text)
    console.print(f"Written: {path}", highlight=False, markup=False, soft_wrap=True)
