"""`scriptkd analyse`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from scriptkd_train.commands.arguments import check_drawing, check_split
from scriptkd_train.commands.printing import print_markdown
from scriptkd_train.evaluation.analyse import ModelResults, markdown, run_model, summarise, write_analysis
from scriptkd_train.utils.progress import columns
from scriptkd_train.utils.writable import check_folder


def analyse(
    model: Annotated[
        Path, typer.Argument(help="Checkpoint (.pt), model file (.onnx, .ort), or bundled model by name.")
    ],
    data: Annotated[Path, typer.Argument(metavar="DIR", help="Data set, split or not.")],
    against: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Another data set to compare with, such as rendered words.")
    ] = None,
    split: Annotated[str, typer.Option(help="train, val or test, if a data set has splits.")] = "test",
    out: Annotated[Path, typer.Option(help="Folder for analysis.md, its JSON and pictures.")] = Path("build/analysis"),
) -> None:
    """Group a model's errors by script, source, word length, size, blur and contrast, with contact sheets of them."""
    check_folder(out)
    check_drawing()
    for root in (data, against or data):
        check_split(root, split)
    console = Console()
    with Progress(*columns("identifying"), console=console, transient=True) as bar:

        def run(root: Path) -> ModelResults:
            task = bar.add_task(root.name, total=None)
            return run_model(model, root, split, lambda done, total: bar.update(task, completed=done, total=total))

        found = run(data)
        other = run(against) if against is not None else None
    text = markdown(summarise(found), summarise(other) if other else None)
    print_markdown(text.rsplit("\n\n![", 1)[0])  # a terminal shows no pictures
    written = write_analysis(found, out, other)
    console.print(f"Written to {out}: {', '.join(path.name for path in written)}", highlight=False, soft_wrap=True)
