"""`scriptkd page`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scriptkd_page.finding import MODEL
from scriptkd_page.page import Word, shares
from scriptkd_page.sources import Source, find_sources
from scriptkd_page.work import Done, Job, Work
from scriptkd_sdk.errors import ArgumentError, ImageError
from scriptkd_sdk.output import printable


def page(
    paths: Annotated[list[str], typer.Argument(metavar="PATH", help="Images, PDF files, folders of them.")],
    out: Annotated[
        Path, typer.Option(help="Folder to write to. Pages that it already holds are not done again.")
    ] = Path("pages"),
    recursive: Annotated[bool, typer.Option("--recursive", "-r", help="Look into subfolders too.")] = False,
    read: Annotated[bool, typer.Option("--read", help="Read each word by the text recogniser of its script.")] = False,
    as_alto: Annotated[bool, typer.Option("--alto", help="Write ALTO XML too.")] = False,
    as_hocr: Annotated[bool, typer.Option("--hocr", help="Write hOCR too.")] = False,
    as_pdf: Annotated[
        bool, typer.Option("--pdf", help="Also write a searchable PDF of each file; needs --read.")
    ] = False,
    model: Annotated[
        str, typer.Option(metavar="NAME|FILE", help="The script model: a bundled model's name, or a file.")
    ] = MODEL,
) -> None:
    """Find the words of photographs and pages, and tell which script each is written in.

    For each page, a picture with coloured boxes and a JSON file are written. A table of the scripts is printed, with
    their shares of the words' area. With --read the text is printed before the table.

    Exit status: 0 success, 1 some files could not be used or words not read (the others are), 2 wrong usage or model.
    """
    if as_pdf and not read:
        raise ArgumentError("--pdf writes what was read: give --read too")
    asked = {"alto": as_alto, "hocr": as_hocr, "pdf": as_pdf}
    job = Job(out, model, read, frozenset(name for name, wanted in asked.items() if wanted))
    sources = list(find_sources(paths, recursive, without=out))
    doing = Work(job)
    words: list[Word] = []
    notes: set[str] = set()  # each is said once: a missing reader is missing on every page
    failed = False
    for count, source in enumerate(sources, 1):
        found = doing.do(source) if isinstance(source, Source) else [Done(source.name or "", source)]
        for done in found:
            if isinstance(done.page, ImageError):
                failed = True
                _say(f"error: {printable(done.name)}: {done.page.reason}")
                continue
            words += done.page.words
            earlier = ", done earlier" if done.earlier else ""
            _say(f"[{count}/{len(sources)}] {printable(done.name)}: {_count(len(done.page.words))}{earlier}")
            for note in done.page.notes:
                if not done.page.words:
                    _say(f"note: {printable(done.name)}: {note}")
                elif note not in notes:
                    failed = True
                    notes.add(note)
                    _say(f"note: {note}")
            if done.page.text:
                typer.echo(done.page.text + "\n")
    _print_table(words)
    if failed:
        raise typer.Exit(1)


def _say(line: str) -> None:
    typer.echo(line, err=True)


def _count(words: int) -> str:
    return f"{words} word{'' if words == 1 else 's'} or line{'' if words == 1 else 's'}"


def _print_table(words: list[Word]) -> None:
    if not words:
        return
    rows = [("script", "code", "boxes", "share of area")]
    rows += [(each.script, each.code, str(each.words), f"{each.share:.1%}") for each in shares(words)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for script, code, boxes, share in rows:
        cells = (script.ljust(widths[0]), code.ljust(widths[1]), boxes.rjust(widths[2]), share.rjust(widths[3]))
        typer.echo("  ".join(cells))
