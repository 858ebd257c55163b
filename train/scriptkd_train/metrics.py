"""What a script identifier is measured by, in plain numpy. Undefined values (0 / 0) are NaN, never a silent zero."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ScriptScores:
    """Precision, recall and F-score of each script, [K] each, in 0..1; NaN where there is nothing to divide by."""

    precision: Floats
    recall: Floats
    f: Floats


def confusion_matrix(truth: Ints, predicted: Ints, classes: int) -> Ints:
    """Counts [K, K] from class indices [N]: rows are the true scripts, columns the predicted ones."""
    return np.bincount(truth * classes + predicted, minlength=classes * classes).reshape(classes, classes)


def accuracy(confusion: Ints) -> float:
    """Share of all images on the diagonal; NaN if there are none."""
    return float(_ratio(np.trace(confusion), confusion.sum()))


def macro_accuracy(confusion: Ints) -> float:
    """Mean of the recalls of the scripts that occur, so each script weighs the same; NaN if none does."""
    recall = script_scores(confusion).recall
    return float(recall[~np.isnan(recall)].mean()) if not np.isnan(recall).all() else float("nan")


def script_scores(confusion: Ints) -> ScriptScores:
    """Precision TP / (TP + FP), recall TP / (TP + FN) and F = 2 TP / (2 TP + FP + FN) of each script."""
    right, said, true = np.diag(confusion), confusion.sum(axis=0), confusion.sum(axis=1)
    return ScriptScores(_ratio(right, said), _ratio(right, true), _ratio(2 * right, said + true))


def expected_calibration_error(confidence: Floats, correct: NDArray[np.bool_], bins: int = 15) -> float:
    """Mean distance between confidence and accuracy over equally wide bins of confidence, weighted by their sizes.

    confidence: top scores [N] in 0..1; correct: whether the top script is right [N]. Source: Guo et al. 2017,
    "On Calibration of Modern Neural Networks", eq. 5, with their 15 bins. NaN if N is 0.
    """
    if len(confidence) == 0:
        return float("nan")
    place = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(place, confidence, bins) - np.bincount(place, correct, bins)
    return float(np.abs(gaps).sum() / len(confidence))


def roc_area(positive: Floats, negative: Floats) -> float:
    """Area under the ROC: the chance that a positive's score is above a negative's, ties counted half; NaN if empty."""
    if len(positive) == 0 or len(negative) == 0:
        return float("nan")
    negative = np.sort(negative)
    below = np.searchsorted(negative, positive, side="left")
    not_above = np.searchsorted(negative, positive, side="right")
    return float((below + not_above).mean() / (2 * len(negative)))


def _ratio(part: Ints, whole: Ints) -> Floats:
    with np.errstate(invalid="ignore"):
        return np.true_divide(part, whole)
