"""How good a model is on labelled images: a checkpoint (.pt), or a model file as the SDK serves it."""

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
from scriptkd_sdk.images import load_image
from scriptkd_train.data.cvsi import count_differences, is_cvsi
from scriptkd_train.data.dataset import NON_TEXT, Item, read_split_or_all, splits_of
from scriptkd_train.evaluation.cvsi_tasks import check_known, task_accuracies, task_scripts
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
from scriptkd_train.evaluation.non_text import non_text_figures, non_text_kind
from scriptkd_train.evaluation.report import Accuracy, EvaluationReport, ScriptFigures, ThresholdFigures
from scriptkd_train.evaluation.robustness import check_groups, measure_changes
from scriptkd_train.utils.contact_sheet import Tile, contact_sheet, write_png
from scriptkd_train.utils.files import printable, write_json

EXCLUDED_KINDS = ("scan-line", "non-text")  # kinds that are no word images: not part of the figures
SHEET_COLUMNS, SHEET_TILES = 10, 300


@dataclass(frozen=True)
class Mistake:
    """A wrongly identified image: what was predicted instead of `item.label`, and with which score in 0..1."""

    item: Item
    predicted: str
    score: float


@dataclass(frozen=True)
class Evaluation:
    """What was measured, and what it was measured from.

    Attributes:
        report: all figures.
        mistakes: the wrong words, the most confident first.
        words: top scores [N] of the counted words.
        right: whether they are predicted rightly [N].
        non_text: top scores [M] of the images without text.
    """

    report: EvaluationReport
    mistakes: list[Mistake]
    words: Floats
    right: NDArray[np.bool_]
    non_text: Floats


def evaluate(
    model: str | Path,
    root: str | Path,
    split: str = "test",
    group_by: str = "kind",
    progress: Callable[[int, int], None] | None = None,
    task: str | None = None,
    changes: Collection[str] = (),
) -> Evaluation:
    """Run a model over a data set and compare what it says with the labels.

    Accuracies are those of the best script, whatever the model's threshold; what that does is reported apart.
    Unreadable images and labels that the model does not know are left out and counted; images labelled "none" then
    measure how well the top score tells words from non-text. Of each kind of them, and of words of foreign scripts, it
    is told how many are answered `unknown` (see `evaluation.non_text`).

    Args:
        model: a checkpoint, a model file, or a bundled model's name.
        root: a data set as `read_dataset` takes it. A `manifest.csv` in it (columns file, script, and any others) adds
            the accuracy per script and value of its column `group_by`; images whose column kind is one of
            EXCLUDED_KINDS are counted there only.
        split: train, val or test; it says nothing where the data set has no splits.
        group_by: column of `manifest.csv`.
        progress: called with the numbers of images done and in all, now and then.
        task: one of CVSI-2015's (see `evaluation.cvsi_tasks`): only its scripts are left, in images and answers.
        changes: groups of changes, of `evaluation.changes.GROUPS`: the counted words are measured with them too.

    Returns:
        The figures, and what they were made from.

    Raises:
        ArgumentError: nothing is left to measure, the column is missing, or a group of changes is unknown.
        ModelError: the model cannot be read.
    """
    root = Path(root)
    check_groups(changes)
    items = read_split_or_all(root, split)
    notes = count_differences(items, split) if is_cvsi(root) else []
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
        unreadable={str(items[i].path): reason for i, reason in failures.items()},
        notes=notes,
        tasks=task_accuracies(labels, scores[counted], truth[counted]) if is_cvsi(root) and task is None else None,
        group_by=group_by if manifest else None,
        groups=groups,
        apart=dict(Counter(rows[i]["kind"] for i in np.flatnonzero(known & ~counted))),
        non_text_roc_area=roc_area(words, non_text) if len(non_text) else None,
        non_text=non_text_figures(kinds, answers, labels),
        changes=change_rows,
        orientation=orientation_rows,
    )
    wrong = [i for i in np.flatnonzero(counted & ~right)]
    wrong.sort(key=lambda i: -top[i])
    mistakes = [Mistake(items[i], labels[predicted[i]], float(top[i])) for i in wrong]
    return Evaluation(report, mistakes, words, right[counted], non_text)


def predict_scores(
    model: str | Path, items: Sequence[Item], progress: Callable[[int, int], None] | None = None
) -> tuple[list[str], NDArray[np.float64], dict[int, str]]:
    """Score every item by a checkpoint, a model file or a bundled model, calibrated by the temperature that it carries.

    Args:
        model: a checkpoint, a model file, or a bundled model's name.
        items: the N images.
        progress: called with the numbers of images done and in all, now and then.

    Returns:
        The model's K labels, scores [N, K] that sum to 1 a row, and for each unreadable item, by its index, why; its
        row of scores is 0.

    Raises:
        ArgumentError: another kind of file.
        ModelError: a file that is missing or broken.
    """
    identifier = open_identifier(model)
    labels = _labels(identifier)
    return labels, *_scores(labels, _identify(identifier, items, None, progress))


def write_evaluation(evaluation: Evaluation, out: str | Path) -> list[Path]:
    """Write report.json and PNGs: confusion, reliability, roc if there is non-text, and wrong: a contact sheet.

    Args:
        evaluation: what `evaluate` returned.
        out: the folder, made if there is none.

    Returns:
        The paths written, the report first.

    Raises:
        OSError: the folder cannot be written to; what had been there under the file's name is kept.
    """
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    report = evaluation.report
    paths = [out / name for name in ("report.json", "confusion.png", "reliability.png")]
    write_json(paths[0], report.to_dict())
    # Here, since it loads matplotlib, which takes a second and a folder that it can write to.
    from scriptkd_train.evaluation.plots import draw_confusion, draw_reliability, draw_roc

    title = printable(f"{report.model} on {report.data}")
    draw_confusion(report, f"{title}: {100 * report.accuracy:.1f} % right", paths[1])
    found = reliability(evaluation.words, evaluation.right)
    draw_reliability(found, report.calibration_error, title, paths[2])
    for name in ("roc.png", "wrong.png"):
        (out / name).unlink(missing_ok=True)  # an earlier run's
    if len(evaluation.non_text):
        paths.append(out / "roc.png")
        draw_roc(evaluation.words, evaluation.non_text, report.threshold.threshold, title, paths[-1])
    if evaluation.mistakes:
        tiles = [
            Tile(load_image(mistake.item.path), f"{mistake.item.label}>{mistake.predicted} {mistake.score:.2f}")
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
    """The answers to all items. progress: called with the numbers of images done and in all."""

    def paths() -> Iterator[Path]:
        for done, item in enumerate(items, 1):
            yield item.path
            if progress:
                progress(done, len(items))

    return identifier.identify_batch(paths(), allow=allow)


def _scores(
    labels: Sequence[str], answers: Sequence[Prediction | ImageError]
) -> tuple[NDArray[np.float64], dict[int, str]]:
    """Scores [N, K] of the labels, 0 of unreadable images; and for each of these, by its index, why it is."""
    scores, failures = np.zeros((len(answers), len(labels))), {}
    for i, answer in enumerate(answers):
        if isinstance(answer, ImageError):
            failures[i] = answer.reason
        else:
            scores[i] = [answer.scores[label] for label in labels]
    return scores, failures


def read_manifest(root: Path, group_by: str) -> dict[str, dict[str, str]]:
    """Rows of root/manifest.csv by their column `file`; none if there is no manifest with the column `group_by`.

    Raises:
        ArgumentError: the manifest is no CSV in UTF-8, or lacks a column that was asked for.
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
    if group_by != "kind":  # asked for, not the default
        found = f"has the columns {', '.join(columns)}" if columns else "does not exist or is empty"
        raise ArgumentError(f"cannot group by {group_by!r}: {path} {found}; it needs 'file' and {group_by!r}")
    return {}


def _listed(items: Sequence[Item]) -> str:
    return ", ".join(sorted({item.label for item in items}))


def _share(hits: NDArray[np.bool_]) -> float | None:
    return float(hits.mean()) if len(hits) else None


def _none_if_nan(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
