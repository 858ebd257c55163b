"""`scriptkd evaluate`."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from scriptkd_train.commands.arguments import check_drawing, check_split
from scriptkd_train.data.dataset import NON_TEXT
from scriptkd_train.evaluation.evaluate import Evaluation, write_evaluation
from scriptkd_train.evaluation.evaluate import evaluate as evaluate_model
from scriptkd_train.evaluation.identifier import open_identifier
from scriptkd_train.evaluation.paired import compare_paired
from scriptkd_train.evaluation.report import EvaluationReport
from scriptkd_train.utils.progress import columns
from scriptkd_train.utils.writable import check_folder


def evaluate(
    model: Annotated[
        Path, typer.Argument(help="Checkpoint (.pt), model file (.onnx, .ort), or bundled model by name.")
    ],
    data: Annotated[Path, typer.Argument(metavar="DIR", help="Data set, split or not.")],
    split: Annotated[str, typer.Option(help="train, val or test, if the data set has splits.")] = "test",
    out: Annotated[
        Path | None, typer.Option(help="Folder for report.json and pictures: confusion, reliability, roc, wrong.")
    ] = None,
    group_by: Annotated[
        str, typer.Option(help="Column of the data set's manifest.csv by which figures are broken down.")
    ] = "kind",
    task: Annotated[
        str | None, typer.Option(help="Task of CVSI-2015, 1-Bengali .. 1-Arabic, 2, 3 or 4: only its scripts count.")
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(
            metavar="MODEL", help="Another model for a paired comparison, word by word, with a confidence interval."
        ),
    ] = None,
    turned: Annotated[
        bool, typer.Option("--turned", help="Also measure the words turned by 90, 180, 270 and 20 degrees.")
    ] = False,
    loose: Annotated[
        bool,
        typer.Option(
            "--loose", help="Also measure the words in plain boxes of 2, 3 and 4 times their size, with JPEG and noise."
        ),
    ] = False,
    lines: Annotated[
        bool, typer.Option("--lines", help="Also measure words joined to lines 10, 25 and 40 times as wide as high.")
    ] = False,
) -> None:
    """Measure a model on labelled images: accuracy, precision, recall, F, calibration, confusions."""
    asked = {"turned": turned, "loose": loose, "lines": lines}
    if out is not None:
        check_folder(out)
        check_drawing()
    check_split(data, split)
    if against is not None:
        open_identifier(against)  # it is measured last, but its faults are named now
    console = Console()
    with Progress(*columns("identifying"), console=console, transient=True) as bar:
        bar_id = bar.add_task("identify", total=None)

        def progress(done: int, total: int) -> None:
            bar.update(bar_id, completed=done, total=total)

        changes = [group for group, wanted in asked.items() if wanted]
        evaluation = evaluate_model(model, data, split, group_by, progress, task, changes)
        other = None if against is None else evaluate_model(against, data, split, group_by, progress, task)
    print_report(evaluation.report, console)
    if other is not None:
        print_comparison(evaluation, other, console)
    if out is not None:
        names = ", ".join(path.name for path in write_evaluation(evaluation, out))
        console.print(f"Written to {out}: {names}", highlight=False, markup=False, soft_wrap=True)


def print_report(report: EvaluationReport, console: Console) -> None:
    """Print an evaluation's report. It begins with the images that the figures leave out."""

    def say(text: str) -> None:
        console.print(text, highlight=False, markup=False, soft_wrap=True)

    for note in report.notes:
        say(note)
    for label, count in report.unknown_labels.items():
        if label == NON_TEXT:
            say(f"{_counted(count, 'picture')} without text, measured separately")
        else:
            say(f"{_counted(count, 'image')} labelled {label}, left out: the model does not know that label")
    for path, reason in report.unreadable.items():
        say(f"left out {path}: {reason}")
    for kind, count in report.apart.items():
        say(f"{_counted(count, 'image')} of kind {kind}, reported separately")

    scripts = report.scripts
    table = Table("script", "images", "precision", "recall", "F")
    for label, row in scripts.items():
        table.add_row(escape(label), f"{row.images:,}", *map(_percent, (row.precision, row.recall, row.f)))
    _right(table)
    console.print(table)
    say(f"Confusion (rows: true script)\n{confusion_text(list(scripts), report.confusion)}")
    if report.group_by is not None:
        table = Table("script", report.group_by, "images", "accuracy")
        by_group: dict[str, list[float]] = defaultdict(list)
        for label, cells in report.groups.items():
            for group, cell in cells.items():
                table.add_row(escape(label), escape(group), f"{cell.images:,}", _percent(cell.accuracy))
                by_group[group].append(cell.accuracy)
        _right(table, 2)
        console.print(table)
        for group, shares in sorted(by_group.items()):
            if len(shares) > 1:
                say(f"{group}: {_percent(sum(shares) / len(shares))} %, the mean of its {len(shares)} scripts")
    for mixture in report.mixtures:
        parts = " or ".join(mixture.scripts)
        say(
            f"{mixture.label}: {_percent(mixture.answered)} % of {_counted(mixture.images, 'image')} get one of its "
            f"scripts, {parts}; not part of the accuracy"
        )
    if report.tasks:
        table = Table("CVSI-2015 task", "images", "accuracy")
        for name, cell in report.tasks.items():
            shown = f"{name}, mean of the triplets" if name == "1" else name
            table.add_row(shown, f"{cell.images:,}", _percent(cell.accuracy))
        _right(table)
        console.print(table)
    if report.non_text:
        table = Table("no script of the model's", "images", "unknown", "unknown or Latin")
        for each in report.non_text:
            table.add_row(escape(each.kind), f"{each.images:,}", *map(_percent, (each.unknown, each.unknown_or_latin)))
        _right(table)
        console.print(table)
    if report.changes:
        print_changes(report, console)
    if report.non_text_roc_area is not None:
        say(f"Words against non-text by top score: area under the ROC {report.non_text_roc_area:.3f}")
    at = report.threshold
    if at.threshold > 0:
        unknown = f"{_percent(at.wrong_words_unknown)} % of the wrong ones"
        if at.non_text_unknown is not None:
            unknown += f" and {_percent(at.non_text_unknown)} % of the non-text"
        say(
            f"Threshold {at.threshold:.3f}: {_percent(at.right_words_kept)} % of the right words keep their "
            f"answer; {unknown} become unknown"
        )
    occurring = sum(row.images > 0 for row in scripts.values())
    say(
        f"{report.model} on {report.images:,} images of {report.data}: "
        f"accuracy {_percent(report.accuracy)} %, macro accuracy over {occurring} scripts "
        f"{_percent(report.macro_accuracy)} %, calibration error {_percent(report.calibration_error)} %"
    )
    if report.research_set is not None:
        print_published(report, console)


def print_published(report: EvaluationReport, console: Console) -> None:
    """Print published results on a research data set, below this report's own accuracy."""
    table = Table("method", "accuracy", "note", "source", title=f"{report.research_set}, published")
    part = f"split {report.split}, {_counted(report.images, 'image')}"
    table.add_row(escape(f"{report.model} (this report)"), _percent(report.accuracy), part, "")
    table.add_row("the set's scripts alone allowed", _percent(report.closed_accuracy), part, "")
    for each in report.published:
        shown = "not found" if each.accuracy is None else f"{each.accuracy:g}"
        table.add_row(*map(escape, (each.method, shown, each.note, each.source)))
    table.columns[1].justify = "right"
    table.columns[3].overflow = "fold"
    console.print(table)
    console.print(report.protocol, highlight=False, markup=False, soft_wrap=True)


def print_comparison(evaluation: Evaluation, other: Evaluation, console: Console) -> None:
    """Print how much better one model is than another on the same words."""
    table = Table("words", "images", "scripts", "points of macro accuracy", "95 % interval")
    for row in compare_paired(evaluation, other):
        shown = [f"{100 * value:+.1f}" for value in (row.difference, row.low, row.high)]
        table.add_row(escape(row.words), f"{row.images:,}", f"{row.scripts}", shown[0], f"{shown[1]} to {shown[2]}")
    table.caption = (
        f"{escape(evaluation.report.model)} minus {escape(other.report.model)} (--against), "
        "on words whose script both know"
    )
    _right(table)
    console.print(table)


def print_changes(report: EvaluationReport, console: Console) -> None:
    """Print a model's accuracy on changed pictures, and on their orientation."""
    table = Table("words", "images", "scripts", "macro", "all", "macro", "all")
    for row in report.changes:
        shares = row.macro_accuracy, row.accuracy, row.thresholded_macro_accuracy, row.thresholded_accuracy
        table.add_row(row.change, f"{row.images:,}", f"{row.scripts}", *map(_percent, shares))
    table.caption = "first pair of macro and all: the best script counts; second pair: unknown counts as wrong"
    _right(table)
    console.print(table)
    if report.orientation:
        table = Table("orientation of words", "words", "0 or 180", "all four")
        for each in report.orientation:
            table.add_row(each.words, f"{each.images:,}", *map(_percent, (each.half_turns, each.quarter_turns)))
        _right(table)
        console.print(table)


def confusion_text(labels: list[str], confusion: list[list[int]]) -> str:
    """The confusion matrix as plain text, with dots for zeros. The first four letters of a label head its column."""
    width = max(5, *(len(str(count)) + 1 for row in confusion for count in row))
    margin = max(map(len, labels))
    lines = [" " * margin + "".join(f"{label[:4]:>{width}}" for label in labels)]
    for label, row in zip(labels, confusion, strict=True):
        lines.append(f"{label:<{margin}}" + "".join(f"{count or '.':>{width}}" for count in row))
    return "\n".join(lines)


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' if count > 1 else ''}"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f}"


def _right(table: Table, first: int = 1) -> None:
    for column in table.columns[first:]:
        column.justify = "right"
