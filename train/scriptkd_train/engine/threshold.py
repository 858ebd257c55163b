"""The threshold below which a model says `unknown`, fitted on words and on pictures without text."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

KEEP = 0.99
"""Share of the correctly predicted words that must keep their answer, since most inputs are words."""

KEEP_RENDERED = 0.97
"""The same for the renderer's words. Many of them are drawn at the edge of legibility. A right answer with a low score
is often luck there, and should not hold the threshold down."""

ROUNDING = 1e-5
"""A fitted threshold lies this far below the score of the last word that it keeps. Processors and runtimes round scores
differently, and none of them may lose that word."""


def fit_threshold(words: NDArray[np.float64], non_text: NDArray[np.float64], keep: float = KEEP) -> float:
    """The threshold that best separates words from pictures without text, and turns away few of the words.

    words: top scores [N] of correctly predicted words, since losing a wrong answer costs nothing. non_text: top scores
    [M] of pictures without text. Only thresholds that keep at least `keep` of the words are considered. The threshold
    maximises the sum of two shares: words kept and non-text turned away (Youden 1950, "Index for rating diagnostic
    tests"). Among equal ones, the smallest is taken. A score equal to the threshold is kept, as in the SDK. Without
    words or without non-text, the threshold is 0, and no answer is `unknown`. `below` makes the result safe to write
    into a model file.
    """
    if len(words) == 0 or len(non_text) == 0:
        return 0.0
    words, non_text = np.sort(words), np.sort(non_text)
    thresholds = np.unique(words)  # thresholds between two scores keep the same words; the upper score turns away most
    kept = 1 - np.searchsorted(words, thresholds, side="left") / len(words)
    turned_away = np.searchsorted(non_text, thresholds, side="left") / len(non_text)
    gain = np.where(kept >= keep, kept + turned_away, -np.inf)
    return float(thresholds[gain.argmax()])


def below(score: float) -> float:
    """The threshold that keeps this score, whichever way a runtime rounds it."""
    return max(score - ROUNDING, 0.0)


def fit_threshold_on_logits(
    logits: NDArray[np.float32], target: NDArray[np.int64], temperature: float, keep: float = KEEP
) -> float:
    """`below` of `fit_threshold` on a validation split: logits [N, K] and targets [N], -1 for images without text."""
    scaled = logits.astype(np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    top = 1 / powers.sum(axis=1)  # the largest power is 1
    return below(fit_threshold(top[logits.argmax(axis=1) == target], top[target < 0], keep))
