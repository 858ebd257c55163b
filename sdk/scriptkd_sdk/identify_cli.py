"""`scriptkd identify`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Annotated

import typer

from scriptkd_sdk.errors import ArgumentError, ImageError
from scriptkd_sdk.files import Source, find_images
from scriptkd_sdk.output import Csv, Json, JsonLines, Lines, Table, Writer, printable
from scriptkd_sdk.workers import identify_sources

MANY = 200  # images; a shorter list needs no progress bar


def identify(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH", help="Images, folders of images, patterns such as 'a/*.png'; - is standard input."
        ),
    ],
    recursive: Annotated[bool, typer.Option("--recursive", "-r", help="Look into subfolders too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list instead of a table.")] = False,
    as_jsonl: Annotated[
        bool, typer.Option("--jsonl", help="Print one JSON object per line, without waiting for the end.")
    ] = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print comma-separated values, without waiting for the end.")
    ] = False,
    template: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="TEXT",
            help="Print lines in this format. Fields: {file}, {script}, {code}, {score}, {best}, {orientation}.",
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option(metavar="NAME|FILE", help="The name of a bundled model, or a file.")
    ] = None,
    top: Annotated[int | None, typer.Option(min=1, help="How many of the best scores to show.")] = None,
    threshold: Annotated[
        float | None, typer.Option(min=0, max=1, help="Answer unknown below this score. Default: the model's.")
    ] = None,
    upright: Annotated[
        bool, typer.Option("--upright", help="The words stand upright, as in a scanned page: turn none.")
    ] = False,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Processes, for large folders.")] = 1,
) -> None:
    """Tell which script each image is written in.

    If the score is below the threshold, the answer is "unknown", beside the best guess. Answers come in the order of
    the images, and an image that cannot be used does not stop the rest. Words may have any orientation if the model is
    of format 3. It then tells by how many degrees they are turned clockwise.

    Exit status: 0 success, 1 some images could not be used (the others are answered), 2 wrong usage or model.
    """
    writer = _writer(as_json, as_jsonl, as_csv, template, top)
    sources: Iterator[Source] = find_images(paths, recursive)
    failed = False
    with _silent_decoders() as stderr, _progress(sources, stderr, isinstance(writer, (Table, Json))) as counted:
        for source, answer in identify_sources(counted, model, threshold, workers, upright):
            if isinstance(answer, ImageError):
                failed = True
                print(f"error: {printable(source.name)}: {answer.reason}", file=stderr, flush=True)
            writer.add(source.name, answer)
    writer.end()
    if failed:
        raise typer.Exit(1)


def _writer(as_json: bool, as_jsonl: bool, as_csv: bool, template: str | None, top: int | None) -> Writer:
    if as_json + as_jsonl + as_csv + (template is not None) > 1:
        raise ArgumentError("--json, --jsonl, --csv and --format exclude each other: give one of them")
    if template is not None:
        return Lines(template)
    return Json(top) if as_json else JsonLines(top) if as_jsonl else Csv(top) if as_csv else Table(top)


@contextmanager
def _silent_decoders() -> Iterator[IO[str]]:
    """Silence libjpeg and libpng, which write to file descriptor 2 about damaged files that we report ourselves.

    Yields a stream to the real standard error.
    """
    if sys.stderr is None:  # closed, as by 2>&-
        with open(os.devnull, "w") as nowhere:
            yield nowhere
        return
    sys.stderr.flush()
    saved = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        with open(saved, "w", encoding="utf-8", errors="replace", closefd=False) as stderr:
            yield stderr
    finally:
        os.dup2(saved, 2)
        os.close(saved)


@contextmanager
def _progress(sources: Iterator[Source], stderr: IO[str], answers_at_end: bool) -> Iterator[Iterator[Source]]:
    """Yield the sources. If there are many and standard error is a terminal, show a progress bar."""
    # Lines that are printed as it goes show the progress themselves, and would tear a bar.
    if not stderr.isatty() or (sys.stdout.isatty() and not answers_at_end):
        yield sources
        return
    found = list(sources)
    if len(found) < MANY:
        yield iter(found)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("identifying"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=stderr), transient=True) as bar:
        yield iter(bar.track(found))
