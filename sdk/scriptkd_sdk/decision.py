"""From the network's logits to the answer: temperature, allowed scripts, threshold (section 5 of the contract)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from operator import itemgetter

import numpy as np

from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.prediction import Prediction
from scriptkd_sdk.scripts import ALIASES, UNKNOWN, Script

NUMBERS = (int, float, np.integer, np.floating)
_SCORE = itemgetter(0)


class Decision:
    """The scripts that may be answered, and the threshold that the best score must reach.

    The scores are the softmax over the allowed scripts alone: the probabilities given that the word is in one of them.
    The threshold applies to these scores.
    """

    def __init__(
        self,
        labels: Sequence[Script],
        temperature: float,
        threshold: float,
        allow: Iterable[str] | None = None,
        deny: Iterable[str] | None = None,
    ) -> None:
        """labels: the model's, in the order of its logits. allow: None means all. deny: removed from `allow`.

        Raises ArgumentError for a threshold outside 0..1, a script that the model does not know, or if no script is
        left.
        """
        if isinstance(threshold, bool) or not isinstance(threshold, NUMBERS) or not 0 <= threshold <= 1:
            raise ArgumentError(f"threshold must be a number from 0 to 1, not {threshold!r}")
        allowed = set(range(len(labels))) if allow is None else _indices("allow", allow, labels)
        if deny is not None:
            allowed -= _indices("deny", deny, labels)
        if not allowed:
            raise ArgumentError("allow and deny leave no script to answer; the model knows " + _names(labels))
        self._indices = sorted(allowed)
        self._labels = [labels[index] for index in self._indices]
        self._temperature = temperature
        self._threshold = threshold

    def predict(
        self,
        windows: Sequence[Sequence[float]],
        orientation: int | None = None,
        orientation_score: float | None = None,
    ) -> Prediction:
        """Return the answer to one image.

        windows: the K logits of each window, in the model's order. orientation, orientation_score: the answer's.
        """
        each = [self._softmax(logits) for logits in windows]
        means = each[0] if len(each) == 1 else [sum(column) / len(each) for column in zip(*each, strict=True)]
        # Where scores are equal, the earlier label comes first, as in every SDK.
        ranked = sorted(zip(means, self._labels, strict=True), key=_SCORE, reverse=True)
        scores = {label.name: score for score, label in ranked}
        score, best = ranked[0]
        answer = best if score >= self._threshold else UNKNOWN
        shares = {answer.name: 1.0} if len(each) == 1 else self._shares(each)
        return Prediction(
            answer.name, answer.code, score, scores, best.name, orientation, orientation_score, shares=shares
        )

    def _softmax(self, logits: Sequence[float]) -> list[float]:
        # Ten numbers: plain Python is faster than NumPy here.
        return softmax([logits[index] for index in self._indices], self._temperature)

    def _shares(self, windows: list[list[float]]) -> dict[str, float]:
        """Return each script's share of the windows. Windows whose score is below the threshold count as `unknown`."""
        counts = dict.fromkeys([*self._labels, UNKNOWN], 0)
        for scores in windows:
            highest = max(scores)
            counts[self._labels[scores.index(highest)] if highest >= self._threshold else UNKNOWN] += 1
        won = sorted(((count, label) for label, count in counts.items() if count), key=_SCORE, reverse=True)
        return {label.name: count / len(windows) for count, label in won}


def tell_orientation(
    windows: Sequence[Sequence[float]], temperature: float, threshold: float, turned: int
) -> tuple[int | None, float]:
    """Return the letters' clockwise rotation in degrees, None below the threshold, and the score of that rotation.

    windows: the logits of 0, 90, 180 and 270 degrees for each window. turned: how far the crop was turned
    counterclockwise before the network saw it, in degrees.
    """
    each = [softmax(logits, temperature) for logits in windows]
    means = [sum(column) / len(each) for column in zip(*each, strict=True)]
    score = max(means)
    degrees = (90 * means.index(score) + turned) % 360
    return (degrees if score >= threshold else None), score


def softmax(logits: Sequence[float], temperature: float) -> list[float]:
    """Return the softmax of the logits divided by the temperature."""
    scaled = [value / temperature for value in logits]
    highest = max(scaled)
    powers = [math.exp(value - highest) for value in scaled]
    total = sum(powers)
    return [power / total for power in powers]


def _indices(argument: str, names: Iterable[str], labels: Sequence[Script]) -> set[int]:
    """Return the labels' indices of scripts, each given by name, ISO 15924 code or alias, in any case."""
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise ArgumentError(f"{argument} must be a list of scripts, such as ['Latin', 'Arab'], not {names!r}")
    places = {text.lower(): index for index, label in enumerate(labels) for text in (label.code, label.name)}
    found = set()
    for name in names:
        key = name.strip().lower() if isinstance(name, str) else ""
        index = places.get(key, places.get(ALIASES.get(key, "").lower()))
        if index is None:
            raise ArgumentError(f"{argument}: the model does not know the script {name!r}, but " + _names(labels))
        found.add(index)
    return found


def _names(labels: Sequence[Script]) -> str:
    return ", ".join(label.name for label in labels)
