"""The command `scriptkd`: `identify`, and the sub-commands that installed packages add through entry points."""

from __future__ import annotations

import io
import os
import sys
from importlib.metadata import EntryPoint, entry_points, version
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from scriptkd_program import interruptible
from scriptkd_sdk.errors import ScriptkdError
from scriptkd_sdk.identify_cli import identify
from scriptkd_sdk.model_cli import app as model_app
from scriptkd_sdk.processes import safe_path

ENTRY_POINTS = "scriptkd.commands"
PROGRAMS = "scriptkd.programs"

# Each command's name, its line of help, and the extra that installs its imports. The list is kept here because the
# commands' own modules import torch, and `scriptkd --help` must not wait for torch.
KNOWN_COMMANDS = {
    "data": ("Render word images, look at a data set, fetch more fonts.", "train"),
    "train": ("Distil teacher, assistant and student by a recipe.", "train"),
    "evaluate": ("Measure a model on labelled images.", "train"),
    "analyse": ("Show what a model's errors have in common.", "train"),
    "card": ("Write a model's card: data, use, figures, limits.", "train"),
    "calibrate": ("Fit a model's temperature and thresholds to your own labelled crops.", "export"),
    "page": ("Find words in photographs and PDF files, tell their scripts and read them.", "page"),
    "reproduce": ("Train and evaluate the paper's matrix of networks.", "train"),
    "report": ("Turn a matrix into tables and figures.", "train"),
    "bench": ("Measure size, latency and accuracy of models.", "bench"),
    "cost": ("Show a model's cost by layer and by type of operation.", "bench"),
    "ablation": ("Train variants of a recipe and show the gain of each.", "bench"),
    "compress": ("Train a network with every family of compression and compare them.", "bench"),
    "folds": ("Cross-validate a short training over three folds of typefaces.", "train"),
    "bench-train": ("Measure the time and the memory that a training step takes.", "train"),
}


class _LateCommand(TyperCommand):
    """A sub-command that is imported only when it is called."""

    def __init__(self, entry: EntryPoint) -> None:
        super().__init__(entry.name, help=KNOWN_COMMANDS.get(entry.name, (f"Provided by {entry.value}.", ""))[0])
        self.entry = entry

    def load(self) -> Any:
        """Import the entry point, a typer app or a function, and return it as a click command."""
        with interruptible():
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
    """The root's commands: those in this file, and those of entry points, which are imported only when called."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        order = list(KNOWN_COMMANDS)
        found = {entry.name: entry for entry in entry_points(group=ENTRY_POINTS)}
        for name in sorted(found, key=lambda name: (order.index(name) if name in order else len(order), name)):
            self.commands.setdefault(name, _LateCommand(found[name]))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, command, rest = super().resolve_command(ctx, args)
        if isinstance(command, _LateCommand):
            ctx.invoked_subcommand = name  # for the error message below, as the import may fail
            command = command.load()
        return name, command, rest

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:
            name = str(ctx.invoked_subcommand)
            if name not in KNOWN_COMMANDS:
                raise
            raise _missing(f"scriptkd {name}", KNOWN_COMMANDS[name][1], error) from error


def _missing(program: str, extra: str, error: ModuleNotFoundError) -> ScriptkdError:
    if (error.name or "").startswith("scriptkd"):  # a missing module of our own is a bug: show the traceback
        raise error
    return ScriptkdError(f"{program} needs the extra [{extra}]: in a checkout, pip install '.[{extra}]'")


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


app.command()(identify)
app.add_typer(model_app, name="model")


def main() -> None:
    """Run the command line. Any ScriptkdError becomes one line on stderr and exit status 2.

    So does an error of the operating system, such as a folder that cannot be written to or a full disk.
    """
    safe_path()
    if sys.stdout is None:  # closed, as by >&-
        typer.echo("error: standard output is closed", err=True)
        sys.exit(2)
    if isinstance(sys.stdout, io.TextIOWrapper):  # a file's name may hold characters that its encoding lacks
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        app(prog_name="scriptkd")
    except ScriptkdError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(2)
    except OSError as error:
        typer.echo(f"error: {refusal(error)}", err=True)
        sys.exit(2)


def export() -> None:
    """Run `scriptkd-export`, whose modules import packages that only its extra installs."""
    safe_path()
    (entry,) = entry_points(group=PROGRAMS, name="scriptkd-export")
    try:
        with interruptible():
            program = entry.load()
        program()
    except ModuleNotFoundError as error:
        typer.echo(f"error: {_missing(entry.name, 'export', error)}", err=True)
        sys.exit(2)


def refusal(error: OSError) -> str:
    """Describe an OSError as "file: reason", or as the reason alone if the error names no file."""
    where = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes | os.PathLike) else ""
    return f"{where}{error.strerror or error}"


if __name__ == "__main__":
    main()
