"""Metrics of a script identifier, in plain numpy. Undefined values (0 / 0) are NaN, not 0."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ScriptScores:
    """Precision, recall and F-score of each script, [K] each, in 0..1; NaN if undefined."""

    precision: Floats
    recall: Floats
    f: Floats


def confusion_matrix(truth: Ints, predicted: Ints, classes: int) -> Ints:
    """Counts [K, K] from class indices [N]: rows are true scripts, columns are predicted scripts."""
    return np.bincount(truth * classes + predicted, minlength=classes * classes).reshape(classes, classes)


def accuracy(confusion: Ints) -> float:
    """Share of all images on the diagonal; NaN without images."""
    return float(_ratio(np.trace(confusion), confusion.sum()))


def macro_accuracy(confusion: Ints) -> float:
    """Mean recall of the scripts that occur, so that each has the same weight; NaN without images."""
    recall = script_scores(confusion).recall
    return float(recall[~np.isnan(recall)].mean()) if not np.isnan(recall).all() else float("nan")


def script_scores(confusion: Ints) -> ScriptScores:
    """Precision TP / (TP + FP), recall TP / (TP + FN) and F = 2 TP / (2 TP + FP + FN) for each script."""
    right, predicted, true = np.diag(confusion), confusion.sum(axis=0), confusion.sum(axis=1)
    return ScriptScores(_ratio(right, predicted), _ratio(right, true), _ratio(2 * right, predicted + true))


@dataclass(frozen=True)
class Reliability:
    """Images in equally wide bins of their top score: count, mean score and accuracy, [B] each.

    Mean score and accuracy are NaN in an empty bin.
    """

    images: Ints
    confidence: Floats
    accuracy: Floats


def reliability(confidence: Floats, correct: NDArray[np.bool_], bins: int = 15) -> Reliability:
    """Sort images into bins of top scores. confidence: [N] in 0..1; correct: [N], whether the best script is right."""
    place = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    images = np.bincount(place, minlength=bins)
    sums = np.bincount(place, confidence, bins), np.bincount(place, correct, bins)
    return Reliability(images, *(_ratio(total, images) for total in sums))


def expected_calibration_error(confidence: Floats, correct: NDArray[np.bool_], bins: int = 15) -> float:
    """Mean distance between confidence and accuracy over equally wide bins of confidence, weighted by bin size.

    confidence: top scores [N] in 0..1; correct: whether the top script is right [N]. Source: Guo et al. 2017,
    "On Calibration of Modern Neural Networks", eq. 5, with their 15 bins. NaN if N is 0.
    """
    if len(confidence) == 0:
        return float("nan")
    found = reliability(confidence, correct, bins)
    gaps = np.abs(found.confidence - found.accuracy)[found.images > 0]
    return float(np.average(gaps, weights=found.images[found.images > 0]))


def roc_area(positive: Floats, negative: Floats) -> float:
    """Area under the ROC: the probability that a positive scores above a negative, ties counting half; NaN if empty."""
    if len(positive) == 0 or len(negative) == 0:
        return float("nan")
    negative = np.sort(negative)
    below = np.searchsorted(negative, positive, side="left")
    not_above = np.searchsorted(negative, positive, side="right")
    return float((below + not_above).mean() / (2 * len(negative)))


def roc_curve(positive: Floats, negative: Floats) -> tuple[Floats, Floats]:
    """The ROC curve: shares of negatives and of positives at or above each threshold, [T] each, rising from 0 to 1.

    Raises ValueError if either is empty.
    """
    if len(positive) == 0 or len(negative) == 0:
        raise ValueError("an ROC needs positives and negatives")
    thresholds = np.unique(np.concatenate([positive, negative, [np.inf]]))[::-1]
    shares = (1 - np.searchsorted(np.sort(scores), thresholds) / len(scores) for scores in (negative, positive))
    return next(shares), next(shares)


def _ratio(part: Ints, whole: Ints) -> Floats:
    with np.errstate(invalid="ignore"):
        return np.true_divide(part, whole)
