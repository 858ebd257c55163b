"""Evaluate a model on labelled images: a checkpoint (.pt), or a model file as the SDK runs it."""

from __future__ import annotations

import csv
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scriptkd_sdk import Prediction, ScriptIdentifier
from scriptkd_sdk.errors import ArgumentError, ImageError
from scriptkd_sdk.images import Pixels
from scriptkd_train.data.dataset import NON_TEXT, Item, read_split_or_all, splits_of
from scriptkd_train.data.sets import find_set
from scriptkd_train.data.sets.cvsi import CVSI_2015
from scriptkd_train.evaluation.cvsi_tasks import check_known, restrict, task_accuracies, task_scripts
from scriptkd_train.evaluation.identifier import open_identifier
from scriptkd_train.evaluation.metrics import (
    Floats,
    accuracy,
    confusion_matrix,
    expected_calibration_error,
    macro_accuracy,
    reliability,
    roc_area,
    script_scores,
)
from scriptkd_train.evaluation.mixtures import mixture_figures
from scriptkd_train.evaluation.non_text import non_text_figures, non_text_kind
from scriptkd_train.evaluation.published_results import published_results
from scriptkd_train.evaluation.report import Accuracy, EvaluationReport, ScriptFigures, ThresholdFigures
from scriptkd_train.evaluation.robustness import check_groups, measure_changes
from scriptkd_train.utils.contact_sheet import Tile, contact_sheet, write_png
from scriptkd_train.utils.files import printable, write_json

EXCLUDED_KINDS = ("scan-line", "non-text")  # kinds that are not word images, and not part of the figures
SHEET_COLUMNS, SHEET_TILES = 10, 300


@dataclass(frozen=True)
class Mistake:
    """A wrongly identified image: the predicted script, and its score in 0..1."""

    item: Item
    predicted: str
    score: float


@dataclass(frozen=True)
class Counted:
    """A counted word. group: its value of the manifest's column; None if there is no manifest."""

    item: Item
    group: str | None
    right: bool


@dataclass(frozen=True)
class Evaluation:
    """The figures, and the answers that they are computed from.

    Attributes:
        report: all figures.
        mistakes: the wrong words, the most confident first.
        words: top scores [N] of the counted words.
        right: whether each of these predictions is right [N].
        non_text: top scores [M] of the images without text.
        counted: the N counted words, in the same order.
    """

    report: EvaluationReport
    mistakes: list[Mistake]
    words: Floats
    right: NDArray[np.bool_]
    non_text: Floats
    counted: list[Counted]


def evaluate(
    model: str | Path,
    root: str | Path,
    split: str = "test",
    group_by: str = "kind",
    progress: Callable[[int, int], None] | None = None,
    task: str | None = None,
    changes: Collection[str] = (),
) -> Evaluation:
    """Run a model on a data set and compare its answers with the labels.

    Accuracies are those of the best script; the effect of the model's threshold is reported separately. Unreadable
    images and labels unknown to the model are left out and counted. Images labelled "none" measure how well the top
    score separates words from non-text. The report also gives the share of `unknown` for each kind of non-text, and for
    words of foreign scripts (see `evaluation.non_text`).

    Args:
        model: a checkpoint, a model file, or a bundled model's name.
        root: a data set that `read_dataset` can read. An optional `manifest.csv`, with columns file, script and others,
            adds accuracies by script and by its column `group_by`. Images whose kind is in EXCLUDED_KINDS count only in
            these accuracies.
        split: train, val or test; ignored if the data set has no splits.
        group_by: column of `manifest.csv`.
        progress: called now and then with the number of images done and the total.
        task: a task of CVSI-2015 (see `evaluation.cvsi_tasks`): only images and answers of its scripts count.
        changes: groups of `evaluation.changes.GROUPS`: the counted words are also measured with these changes.

    Returns:
        The figures, and the answers that they are computed from.

    Raises:
        ArgumentError: nothing is left to measure, the column is missing, or a group of changes is unknown.
        ModelError: the model cannot be read.
    """
    root = Path(root)
    check_groups(changes)
    items = read_split_or_all(root, split)
    research_set = find_set(root)
    notes = research_set.count_differences(root, split) if research_set else []
    if task is not None:
        found, wanted = _listed(items), task_scripts(task)
        items = [item for item in items if item.label in wanted]
        if not items:
            raise ArgumentError(f"nothing to measure in {root}: its labels are {found}, the task's {', '.join(wanted)}")
    manifest = read_manifest(root, group_by)
    identifier = open_identifier(model)
    known_labels = _labels(identifier)
    allow = None if task is None else task_scripts(task)
    labels = known_labels if allow is None else [label for label in known_labels if label in allow]
    check_known(labels, allow or ())
    answers = _identify(identifier, items, allow, progress)
    scores, failures = _scores(labels, answers)
    rows = [manifest.get(item.path.relative_to(root).as_posix(), {}) for item in items]
    readable = np.array([i not in failures for i in range(len(items))])
    known = np.array([item.label in labels for item in items]) & readable
    counted = known & np.array([row.get("kind") not in EXCLUDED_KINDS for row in rows])
    if not counted.any():
        raise ArgumentError(
            f"nothing to measure in {root}: its labels are {_listed(items)}, the model's {', '.join(labels)}"
        )

    truth = np.array([labels.index(item.label) if item.label in labels else -1 for item in items])
    predicted, top = scores.argmax(axis=1), scores.max(axis=1)
    right = predicted == truth
    confusion = confusion_matrix(truth[counted], predicted[counted], len(labels))
    per_script = script_scores(confusion)
    columns = (confusion.sum(axis=1), per_script.precision, per_script.recall, per_script.f)
    groups: dict[str, dict[str, Accuracy]] = {}
    if manifest:
        hits: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
        for i in np.flatnonzero(known):
            hits[items[i].label][rows[i].get(group_by, "not in manifest.csv")].append(bool(right[i]))
        groups = {
            label: {group: Accuracy(len(each), sum(each) / len(each)) for group, each in sorted(cells.items())}
            for label, cells in sorted(hits.items())
        }
    is_non_text = readable & np.array([item.label == NON_TEXT and NON_TEXT not in labels for item in items])
    words, non_text = top[counted], top[is_non_text]
    threshold = identifier.info.threshold
    kinds = [
        non_text_kind(item.path, item.label, row.get("kind"), known_labels)
        for item, row in zip(items, rows, strict=True)
    ]
    change_rows, orientation_rows = measure_changes(
        identifier,
        [items[i] for i in np.flatnonzero(counted)],
        [answers[i] for i in np.flatnonzero(counted)],
        changes,
        allow,
        progress,
    )
    closed = None
    if research_set:
        kept, closed_scores = restrict(labels, scores[counted], sorted({labels[i] for i in truth[counted]}))
        closed = float(np.mean([kept[i] for i in closed_scores.argmax(axis=1)] == np.array(labels)[truth[counted]]))
    report = EvaluationReport(
        model=Path(model).name,
        data=root.resolve().name,
        split=split if splits_of(root) else None,
        task=task,
        images=int(counted.sum()),
        accuracy=accuracy(confusion),
        macro_accuracy=macro_accuracy(confusion),
        calibration_error=expected_calibration_error(words, right[counted]),
        scripts={
            label: ScriptFigures(int(n), _none_if_nan(p), _none_if_nan(r), _none_if_nan(f))
            for label, n, p, r, f in zip(labels, *columns, strict=True)
        },
        confusion=confusion.tolist(),
        threshold=ThresholdFigures(
            threshold=threshold,
            right_words_kept=_share(words[right[counted]] >= threshold),
            wrong_words_unknown=_share(words[~right[counted]] < threshold),
            non_text_unknown=_share(non_text < threshold),
        ),
        unknown_labels=dict(Counter(item.label for item in items if item.label not in labels)),
        unreadable={str(items[i].identity): reason for i, reason in failures.items()},
        notes=notes,
        tasks=task_accuracies(labels, scores[counted], truth[counted])
        if research_set is CVSI_2015 and task is None
        else None,
        group_by=group_by if manifest else None,
        groups=groups,
        apart=dict(Counter(rows[i]["kind"] for i in np.flatnonzero(known & ~counted))),
        non_text_roc_area=roc_area(words, non_text) if len(non_text) else None,
        non_text=non_text_figures(kinds, answers, labels),
        changes=change_rows,
        orientation=orientation_rows,
        mixtures=mixture_figures(items, [labels[i] for i in predicted], readable, labels),
        research_set=research_set.name if research_set else None,
        protocol=research_set.protocol if research_set else None,
        published=published_results(research_set.name) if research_set else [],
        closed_accuracy=closed,
    )
    wrong = [i for i in np.flatnonzero(counted & ~right)]
    wrong.sort(key=lambda i: -top[i])
    mistakes = [Mistake(items[i], labels[predicted[i]], float(top[i])) for i in wrong]
    these = [
        Counted(items[i], rows[i].get(group_by) if manifest else None, bool(right[i])) for i in np.flatnonzero(counted)
    ]
    return Evaluation(report, mistakes, words, right[counted], non_text, these)


def predict_scores(
    model: str | Path, items: Sequence[Item], progress: Callable[[int, int], None] | None = None
) -> tuple[list[str], NDArray[np.float64], dict[int, str]]:
    """Score every item by a checkpoint, a model file or a bundled model, calibrated by the model's temperature.

    Args:
        model: a checkpoint, a model file, or a bundled model's name.
        items: the N images.
        progress: called now and then with the number of images done and the total.

    Returns:
        The model's K labels, scores [N, K], and index -> reason for unreadable items. Each row of scores sums to 1, or
            to 0 for an unreadable item.

    Raises:
        ArgumentError: `model` is another kind of file.
        ModelError: the file is missing or damaged.
    """
    identifier = open_identifier(model)
    labels = _labels(identifier)
    return labels, *_scores(labels, _identify(identifier, items, None, progress))


def write_evaluation(evaluation: Evaluation, out: str | Path) -> list[Path]:
    """Write report.json, confusion.png, reliability.png, roc.png if there is non-text, and the contact sheet wrong.png.

    Args:
        evaluation: the result of `evaluate`.
        out: the folder; it is created if needed.

    Returns:
        The written paths, the report first.

    Raises:
        OSError: the folder cannot be written to. An older file is unchanged.
    """
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    report = evaluation.report
    paths = [out / name for name in ("report.json", "confusion.png", "reliability.png")]
    write_json(paths[0], report.to_dict())
    # Imported here, since matplotlib takes a second to load and needs a writable folder.
    from scriptkd_train.evaluation.plots import draw_confusion, draw_reliability, draw_roc

    title = printable(f"{report.model} on {report.data}")
    draw_confusion(report, f"{title}: {100 * report.accuracy:.1f} % right", paths[1])
    found = reliability(evaluation.words, evaluation.right)
    draw_reliability(found, report.calibration_error, title, paths[2])
    for name in ("roc.png", "wrong.png"):
        (out / name).unlink(missing_ok=True)  # of an earlier run
    if len(evaluation.non_text):
        paths.append(out / "roc.png")
        draw_roc(evaluation.words, evaluation.non_text, report.threshold.threshold, title, paths[-1])
    if evaluation.mistakes:
        tiles = [
            Tile(mistake.item.load(), f"{mistake.item.label}>{mistake.predicted} {mistake.score:.2f}")
            for mistake in evaluation.mistakes[:SHEET_TILES]
        ]
        paths.append(out / "wrong.png")
        rows = [tiles[i : i + SHEET_COLUMNS] for i in range(0, len(tiles), SHEET_COLUMNS)]
        write_png(paths[-1], contact_sheet(rows))
    return paths


def _labels(identifier: ScriptIdentifier) -> list[str]:
    return [label.name for label in identifier.labels]


def _identify(
    identifier: ScriptIdentifier,
    items: Sequence[Item],
    allow: Collection[str] | None,
    progress: Callable[[int, int], None] | None,
) -> list[Prediction | ImageError]:
    """The answers to all items. progress: called with the number of images done and the total."""
    failures: dict[int, ImageError] = {}  # failures to cut a word out of a larger picture

    def images() -> Iterator[Path | Pixels]:
        for index, item in enumerate(items):
            try:
                image = item.path if item.region is None else item.load()
            except ImageError as error:
                failures[index] = error
            else:
                yield image
            if progress:
                progress(index + 1, len(items))

    answers = iter(identifier.identify_batch(images(), allow=allow))
    return [failures[index] if index in failures else next(answers) for index in range(len(items))]


def _scores(
    labels: Sequence[str], answers: Sequence[Prediction | ImageError]
) -> tuple[NDArray[np.float64], dict[int, str]]:
    """Scores [N, K] of the labels, 0 for unreadable images, and index -> reason for these images."""
    scores, failures = np.zeros((len(answers), len(labels))), {}
    for i, answer in enumerate(answers):
        if isinstance(answer, ImageError):
            failures[i] = answer.reason
        else:
            scores[i] = [answer.scores[label] for label in labels]
    return scores, failures


def read_manifest(root: Path, group_by: str) -> dict[str, dict[str, str]]:
    """Rows of root/manifest.csv by their column `file`; empty if there is no manifest with the column `group_by`.

    Raises:
        ArgumentError: the manifest is not CSV in UTF-8, or lacks a requested column.
    """
    path = root / "manifest.csv"
    columns: Sequence[str] = ()
    if path.is_file():
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:  # spreadsheets write a byte order mark
                reader = csv.DictReader(file, restval="")
                columns = reader.fieldnames or ()
                if "file" in columns and group_by in columns:
                    return {row["file"]: row for row in reader}
        except UnicodeDecodeError as error:
            raise ArgumentError(f"cannot read {path}: it is not UTF-8") from error
        except csv.Error as error:
            raise ArgumentError(f"cannot read {path}: it is not CSV: {error}") from error
    if group_by != "kind":  # a requested column, not the default
        found = f"has the columns {', '.join(columns)}" if columns else "does not exist or is empty"
        raise ArgumentError(f"cannot group by {group_by!r}: {path} {found}; it needs 'file' and {group_by!r}")
    return {}


def _listed(items: Sequence[Item]) -> str:
    return ", ".join(sorted({item.label for item in items}))


def _share(hits: NDArray[np.bool_]) -> float | None:
    return float(hits.mean()) if len(hits) else None


def _none_if_nan(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
