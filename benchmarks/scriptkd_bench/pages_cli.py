"""`scriptkd bench page-set` and `scriptkd bench pages`."""

from __future__ import annotations

import shlex
import sys
from datetime import date
from pathlib import Path
from typing import Annotated

import cv2
import typer

from scriptkd_train.utils.writable import check_folder

from .machine import describe_machine


def page_set(
    out: Annotated[Path, typer.Option(help="Folder to write to.")],
    seed: Annotated[int, typer.Option(min=0, help="Seed of all random choices.")] = 0,
) -> None:
    """Draw the page set: rendered photographs of signs and printed pages of two to four scripts, with their truth."""
    from .page_set import draw_page_set

    check_folder(out)
    size = draw_page_set(out, seed, lambda done, total: typer.echo(f"[{done}/{total}]", err=True))
    typer.echo(f"Written: {out}, {size / 1e6:.2f} MB of pictures")


def pages(
    folder: Annotated[
        Path,
        typer.Argument(metavar="PAGES", help="Folder of pages with their text: NAME.jpg beside NAME.json or NAME.txt."),
    ],
    out: Annotated[Path, typer.Option(help="Folder to write to; pages already in it are not read again.")] = Path(
        "build/bench-pages"
    ),
    model: Annotated[str, typer.Option(metavar="NAME|FILE", help="The model that routes.")] = "world-upright",
    count: Annotated[int | None, typer.Option("--pages", min=1, help="Only this many pages, evenly spaced.")] = None,
) -> None:
    """Compare the errors and times of Tesseract, RapidOCR and routing by script on pages of several scripts.

    NAME.json is the output of `scriptkd page --read`, corrected by hand. NAME.txt is the text alone, line by line.
    Every reading is stored in the folder OUT, so that an interrupted run can be continued.
    """
    from scriptkd_page import tesseract  # imported here: only this command needs the extra [page]

    from .page_methods import methods
    from .page_truth import read_truths
    from .pages import read_pages
    from .pages_report import write_report

    check_folder(out)
    cv2.setNumThreads(1)
    truths = read_truths(folder)
    if count is not None and count < len(truths):
        truths = [truths[i * len(truths) // count] for i in range(count)]
    ways = methods(model)
    readings = read_pages(truths, ways, out / "readings", lambda line: typer.echo(line, err=True))
    facts = {
        "command": f"`{shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])}`",
        "date": date.today().isoformat(),
        **describe_machine(),
        "tesseract": tesseract.run(["tesseract", "--version"], b"", 30).splitlines()[0].removeprefix("tesseract "),
        "rapidocr": str(ways[2].made_of["rapidocr"]),
        "threads": "1",
    }
    typer.echo(write_report(truths, ways, readings, facts, out))
    typer.echo(f"Written: {', '.join(str(out / f'RESULTS.{end}') for end in ('md', 'json', 'png'))}")
