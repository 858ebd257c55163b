"""The threshold below which a model says `unknown`, fitted on words and on pictures without text."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

KEEP = 0.99
"""Share of the correctly predicted words that must keep their answer: who calls an identifier has words, mostly."""


def fit_threshold(words: NDArray[np.float64], non_text: NDArray[np.float64]) -> float:
    """The threshold that best tells words from pictures without text and costs at most 1 % of the words.

    words: top scores [N] of words whose script is predicted correctly, since a wrong answer is no loss; non_text: top
    scores [M] of pictures without text. Of the thresholds that keep at least KEEP of the words, the one with the
    largest sum of words kept and non-text turned away (Youden 1950, "Index for rating diagnostic tests"), the smallest
    of equals.
    A score equal to the threshold is kept, as in the SDK. 0, which never says `unknown`, if there is nothing to fit on.
    """
    if len(words) == 0 or len(non_text) == 0:
        return 0.0
    words, non_text = np.sort(words), np.sort(non_text)
    thresholds = np.unique(words)  # of those between two, the upper keeps the same words and turns away the most
    kept = 1 - np.searchsorted(words, thresholds, side="left") / len(words)
    turned_away = np.searchsorted(non_text, thresholds, side="left") / len(non_text)
    gain = np.where(kept >= KEEP, kept + turned_away, -np.inf)
    return float(thresholds[gain.argmax()])


def fit_threshold_on_logits(logits: NDArray[np.float32], target: NDArray[np.int64], temperature: float) -> float:
    """`fit_threshold` on a validation split: logits [N, K] and targets [N], -1 for images without text."""
    scaled = logits.astype(np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    top = 1 / powers.sum(axis=1)  # the largest of the powers is 1
    return fit_threshold(top[logits.argmax(axis=1) == target], top[target < 0])
