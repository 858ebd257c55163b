"""The command `scriptkd`: `identify`, and whatever sub-commands the installed packages add by entry points."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import EntryPoint, entry_points, version
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from typer.core import TyperCommand, TyperGroup

from scriptkd_sdk.errors import ImageError, ScriptkdError
from scriptkd_sdk.identifier import ScriptIdentifier
from scriptkd_sdk.images import SUFFIXES
from scriptkd_sdk.prediction import Prediction

ENTRY_POINTS = "scriptkd.commands"

# Name: one line of help, and the extra that brings what the command imports. Kept here because the commands' own
# modules import torch, which a list of commands must not wait for.
KNOWN_COMMANDS = {
    "data": ("Render word images, look at a dataset, fetch more fonts.", "train"),
    "train": ("Distil teacher, assistant and student by a recipe.", "train"),
    "evaluate": ("Measure a model on labelled images.", "train"),
    "reproduce": ("Train and measure the paper's table of students, or a set of recipes.", "train"),
    "report": ("Write what `reproduce` found as tables and figures.", "train"),
    "bench": ("Measure size, latency and accuracy of models.", "bench"),
}


class _LateCommand(TyperCommand):
    """A sub-command that is known by name only, until it is called."""

    def __init__(self, entry: EntryPoint) -> None:
        super().__init__(entry.name, help=KNOWN_COMMANDS.get(entry.name, (f"Provided by {entry.value}.", ""))[0])
        self.entry = entry

    def load(self) -> Any:
        """Import the command, a typer app or a function to make one of, and return it as typer runs it."""
        target = self.entry.load()
        if isinstance(target, typer.Typer):
            command: Any = typer.main.get_group(target)
        else:
            single = typer.Typer(add_completion=False)
            single.command()(target)
            command = typer.main.get_command(single)
        command.name = self.name
        return command


class _Commands(TyperGroup):
    """The root's commands: those of this file, and those of entry points, imported only when called."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        order = list(KNOWN_COMMANDS)
        found = {entry.name: entry for entry in entry_points(group=ENTRY_POINTS)}
        for name in sorted(found, key=lambda name: (order.index(name) if name in order else len(order), name)):
            self.commands.setdefault(name, _LateCommand(found[name]))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, command, rest = super().resolve_command(ctx, args)
        if isinstance(command, _LateCommand):
            ctx.invoked_subcommand = name  # for the error below: importing it may fail
            command = command.load()
        return name, command, rest

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:
            name = str(ctx.invoked_subcommand)
            # One of our own modules missing is a bug, and its traceback is wanted.
            if name not in KNOWN_COMMANDS or (error.name or "").startswith("scriptkd"):
                raise
            extra = KNOWN_COMMANDS[name][1]
            raise ScriptkdError(
                f"scriptkd {name} needs the extra [{extra}]: pip install 'scriptkd[{extra}]'"
            ) from error


app = typer.Typer(cls=_Commands, no_args_is_help=True, add_completion=False, pretty_exceptions_show_locals=False)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"scriptkd {version('scriptkd')}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Tell which script a word image is written in; train, measure and export the models that do."""


@app.command()
def identify(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH", help="Images, or folders of images.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list instead of a table.")] = False,
    model: Annotated[Path | None, typer.Option(metavar="FILE", help="Model file; else the one in the package.")] = None,
    top: Annotated[int | None, typer.Option(min=1, help="How many of the best scores to show.")] = None,
) -> None:
    """Tell which script each image is written in.

    Exit status: 0 all well, 1 some images could not be used (the others are answered), 2 wrong usage or model.
    """
    identifier = ScriptIdentifier(model)
    results = _identify(identifier, paths)
    if as_json:
        typer.echo(json.dumps([_as_dict(path, result, top) for path, result in results], indent=2))
    else:
        _print_table([(path, result) for path, result in results if isinstance(result, Prediction)], top)
    errors = [result for _, result in results if isinstance(result, ImageError)]
    for error in errors:
        typer.echo(f"error: {error}", err=True)
    if errors:
        raise typer.Exit(1)


def _identify(identifier: ScriptIdentifier, paths: Sequence[Path]) -> list[tuple[Path, Prediction | ImageError]]:
    """Identify files and the image files directly in folders; a folder without any is an error in its place."""
    found: list[Path | ImageError] = []
    named: list[Path] = []
    for path in paths:
        files = _images_in(path) if path.is_dir() else [path]
        found += files
        named += [file if isinstance(file, Path) else path for file in files]
    with _silent_decoders():
        answers = iter(identifier.identify_batch([entry for entry in found if isinstance(entry, Path)]))
    return [(name, next(answers) if isinstance(e, Path) else e) for name, e in zip(named, found, strict=True)]


def _images_in(folder: Path) -> list[Path | ImageError]:
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.name[0] != ".")
    except OSError as error:
        return [ImageError(f"cannot be read: {error.strerror}", _text(folder))]
    return [*files] or [ImageError(f"a folder without image files ({' '.join(SUFFIXES)})", _text(folder))]


@contextmanager
def _silent_decoders() -> Iterator[None]:
    """Keep what libjpeg and libpng write about damaged files, past Python, off the terminal: we report those files."""
    saved = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)


def _text(path: Path) -> str:
    """A path as text that can be printed: a file name need not be text."""
    return os.fsencode(path).decode("utf-8", "replace")


def _as_dict(path: Path, result: Prediction | ImageError, top: int | None) -> dict[str, Any]:
    if isinstance(result, ImageError):
        return {"file": str(path), "error": result.reason}
    scores = {name: round(score, 6) for name, score in list(result.scores.items())[:top]}
    answer = {"script": result.script, "code": result.code, "score": round(result.score, 6), "scores": scores}
    return {"file": str(path), **answer}


def _print_table(results: Sequence[tuple[Path, Prediction]], top: int | None) -> None:
    """Print a table to a terminal; aligned plain text, a line for each image, to anything else."""
    if not results:
        return
    rows = [("file", "script", "code", "score", *(["scores"] if top else []))]
    for path, result in results:
        best = ", ".join(f"{name} {score:.3f}" for name, score in list(result.scores.items())[:top])
        rows.append((_text(path), result.script, result.code, f"{result.score:.3f}", *([best] if top else [])))
    if sys.stdout.isatty():
        table = Table(*rows[0])
        table.columns[0].overflow = "fold"
        for row in rows[1:]:
            table.add_row(*map(escape, row))
        Console().print(table)
        return
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def main() -> None:
    """Run the command line. An error of ours, from any sub-command, is one line on stderr and exit status 2."""
    try:
        app(prog_name="scriptkd")
    except ScriptkdError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
