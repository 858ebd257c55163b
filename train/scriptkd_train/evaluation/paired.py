"""Compare two models on the same words: the difference of their accuracies, and its confidence interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.evaluation.evaluate import Evaluation
from scriptkd_train.evaluation.intervals import interval


@dataclass(frozen=True)
class PairedFigures:
    """Macro accuracy of one model minus that of another on the same words.

    words: "all", or a value of the manifest's column. images, scripts: how many are compared: those whose script both
    models know. difference: a share, above 0 if the first model is better. low, high: its 95 % interval.
    """

    words: str
    images: int
    scripts: int
    difference: float
    low: float
    high: float


def compare_paired(first: Evaluation, second: Evaluation) -> list[PairedFigures]:
    """Compare two evaluations of one data set word by word: all words, then each group of several scripts.

    The interval covers other words, but not other trainings of the models (see `evaluation.intervals`).

    Raises:
        ArgumentError: there are no words whose script both models know.
    """
    theirs = {word.item.identity: word.right for word in second.counted}
    pairs = [
        (word.group, word.item.label, int(word.right) - int(theirs[word.item.identity]))
        for word in first.counted
        if word.item.identity in theirs
    ]
    if not pairs:
        raise ArgumentError("the data set holds no script that both models know")
    groups = sorted({group for group, *_ in pairs if group is not None})
    rows = [_figures("all", [pair[1:] for pair in pairs])]
    for group in groups:
        row = _figures(group, [pair[1:] for pair in pairs if pair[0] == group])
        rows += [row] if row.scripts > 1 else []
    return rows


def _figures(words: str, pairs: Sequence[tuple[str, int]]) -> PairedFigures:
    """pairs: script, and 1 if only the first model is right, -1 if only the second is, else 0, for each word."""
    scripts = [script for script, _ in pairs]
    found = interval(np.array([difference for _, difference in pairs]), scripts, macro=True)
    return PairedFigures(words, len(pairs), len(set(scripts)), found.mean, found.low, found.high)
