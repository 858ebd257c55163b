"""How `scriptkd identify` shows its answers: as a table, JSON, CSV or lines in the user's format."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Iterable
from string import Formatter
from typing import Any, Protocol

import typer

from scriptkd_sdk.errors import ArgumentError, ImageError, one_line
from scriptkd_sdk.prediction import Prediction

Answer = Prediction | ImageError
FIELDS = ("file", "script", "code", "score", "best", "orientation")


class Writer(Protocol):
    """Takes the answers one by one: `add` is called for each, in order, and `end` after the last."""

    def add(self, name: str, answer: Answer) -> None: ...

    def end(self) -> None: ...


class JsonLines:
    """One JSON object per line, written at once. An image that cannot be used gives a line with `error`."""

    def __init__(self, top: int | None) -> None:
        self._top = top

    def add(self, name: str, answer: Answer) -> None:
        _print(json.dumps(_as_dict(name, answer, self._top)))

    def end(self) -> None:
        pass


class Json:
    """One JSON list of all answers, written at the end."""

    def __init__(self, top: int | None) -> None:
        self._top = top
        self._answers: list[dict[str, Any]] = []

    def add(self, name: str, answer: Answer) -> None:
        self._answers.append(_as_dict(name, answer, self._top))

    def end(self) -> None:
        _print(json.dumps(self._answers, indent=2))


class Csv:
    """A header, then one line of comma-separated values for each image, written at once."""

    def __init__(self, top: int | None) -> None:
        self._top = top or 0
        ranks = [f"{field}_{rank}" for rank in range(1, self._top + 1) for field in ("script", "score")]
        self._writer = csv.writer(sys.stdout, lineterminator="\n")
        self._writer.writerow([*FIELDS, *ranks, "error"])

    def add(self, name: str, answer: Answer) -> None:
        if isinstance(answer, ImageError):
            row = [printable(name), *[""] * (len(FIELDS) - 1 + 2 * self._top), answer.reason]
        else:
            ranks = [cell for script, score in answer.top(self._top) for cell in (script, f"{score:.6f}")]
            ranks += [""] * (2 * self._top - len(ranks))  # the model may know fewer than `top` scripts
            cells = answer.script, answer.code, f"{answer.score:.6f}", answer.best, degrees(answer)
            row = [printable(name), *cells, *ranks, ""]
        self._writer.writerow(row)
        sys.stdout.flush()

    def end(self) -> None:
        pass


class Lines:
    """One line in the user's format for each image that could be used, written at once."""

    def __init__(self, template: str) -> None:
        """template: as for str.format, with only the names of FIELDS. Raises ArgumentError for another name."""
        self._template = template.replace("\\t", "\t").replace("\\n", "\n")
        try:
            # Attributes as in {score.real}, and fields within a format as in {file:{best}}, are refused.
            for _, name, form, _ in Formatter().parse(self._template):
                if name is not None and name not in FIELDS:
                    raise LookupError(f"{name!r} is none of them")
                if form and "{" in form:
                    raise LookupError(f"the format of {{{name}}} cannot hold a field")
            self._line("", Prediction("", "", 0.5, {}, ""))
        except (LookupError, ValueError, AttributeError, TypeError, OverflowError, MemoryError) as error:
            fields = ", ".join(f"{{{field}}}" for field in FIELDS)
            raise ArgumentError(
                f"--format takes the fields {fields}, as in '{{file}} {{score:.2f}}': {error or 'too long'}"
            ) from error

    def add(self, name: str, answer: Answer) -> None:
        if isinstance(answer, Prediction):
            _print(self._line(name, answer))

    def end(self) -> None:
        pass

    def _line(self, name: str, answer: Prediction) -> str:
        return self._template.format(
            file=printable(name),
            script=answer.script,
            code=answer.code,
            score=answer.score,
            best=answer.best,
            orientation=degrees(answer),
        )


class Table:
    """A table on a terminal, elsewhere aligned plain text; written at the end, as widths depend on all answers.

    If any score is below the threshold, a column shows the best guess. If any word is turned, a column shows by how
    many degrees.
    """

    def __init__(self, top: int | None) -> None:
        self._top = top
        self._answers: list[tuple[str, Prediction]] = []

    def add(self, name: str, answer: Answer) -> None:
        if isinstance(answer, Prediction):
            self._answers.append((printable(name), answer))

    def end(self) -> None:
        if not self._answers:
            return
        guesses = not all(answer.known for _, answer in self._answers)
        turns = any(answer.orientation for _, answer in self._answers)
        heads = [
            "file",
            "script",
            "code",
            "score",
            *(["turned"] if turns else []),
            *(["best guess"] if guesses else []),
            *(["scores"] if self._top else []),
        ]
        rows = [self._row(name, answer, guesses, turns) for name, answer in self._answers]
        if sys.stdout.isatty():
            _print_table(heads, rows, [answer.known for _, answer in self._answers])
        else:
            _print_aligned([heads, *rows])

    def _row(self, name: str, answer: Prediction, guesses: bool, turns: bool) -> list[str]:
        cells = [name, answer.script, answer.code, f"{answer.score:.3f}"]
        if turns:
            cells.append(degrees(answer))
        if guesses:
            cells.append(answer.best)
        if self._top:
            cells.append(", ".join(f"{script} {score:.3f}" for script, score in answer.top(self._top)))
        return cells


def printable(name: str) -> str:
    """Return a file's name as one printable line, since a name need not be text and may hold line breaks."""
    return one_line(os.fsencode(name).decode("utf-8", "replace"))


def degrees(answer: Prediction) -> str:
    """Return the letters' clockwise rotation in degrees as text; empty if the orientation is None."""
    return "" if answer.orientation is None else str(answer.orientation)


def _print(line: str) -> None:
    typer.echo(line)
    sys.stdout.flush()


def _as_dict(name: str, answer: Answer, top: int | None) -> dict[str, Any]:
    if isinstance(answer, ImageError):
        return {"file": name, "error": answer.reason}
    fields = answer.to_dict() | {"score": round(answer.score, 6)}
    if answer.orientation_score is not None:
        fields["orientation_score"] = round(answer.orientation_score, 6)
    fields["shares"] = {script: round(share, 6) for script, share in answer.shares.items()}
    fields["scores"] = {script: round(score, 6) for script, score in list(answer.scores.items())[:top]}
    return {"file": name, **fields}


def _print_table(heads: Iterable[str], rows: Iterable[list[str]], known: Iterable[bool]) -> None:
    from rich.console import Console  # imported here, as the other formats do not need it
    from rich.markup import escape
    from rich.table import Table as RichTable

    table = RichTable(*heads)
    table.columns[0].overflow = "fold"
    for row, sure in zip(rows, known, strict=True):
        cells = [escape(cell) for cell in row]
        cells[1] = f"[{'bold green' if sure else 'yellow'}]{cells[1]}[/]"
        table.add_row(*cells)
    Console().print(table)


def _print_aligned(rows: list[list[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
