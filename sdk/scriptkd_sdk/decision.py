"""From the network's logits to the answer: temperature, allowed scripts, threshold (section 4 of the contract)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from operator import itemgetter

import numpy as np

from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.prediction import Prediction
from scriptkd_sdk.scripts import ALIASES, UNKNOWN, Script

NUMBERS = (int, float, np.integer, np.floating)
_POWER = itemgetter(0)


class Decision:
    """What may be answered, and how sure the answer must be.

    The scores are the softmax over the allowed scripts alone: the probabilities given that the word is in one of them.
    The threshold applies to those.
    """

    def __init__(
        self,
        labels: Sequence[Script],
        temperature: float,
        threshold: float,
        allow: Iterable[str] | None = None,
        deny: Iterable[str] | None = None,
    ) -> None:
        """labels: the model's, in the order of its logits. allow: None is all; deny is taken from it.

        Raises ArgumentError for a threshold outside 0..1, a script that the model does not know, or where none is left.
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

    def predict(self, logits: Sequence[float]) -> Prediction:
        """The answer to one image's logits: K of them, in the model's order."""
        # Ten numbers: plain Python is faster than NumPy here.
        scaled = [logits[index] / self._temperature for index in self._indices]
        highest = max(scaled)
        powers = [math.exp(value - highest) for value in scaled]
        total = sum(powers)
        # Equal scores: the first label is first, as in every SDK.
        ranked = sorted(zip(powers, self._labels, strict=True), key=_POWER, reverse=True)
        scores = {label.name: power / total for power, label in ranked}
        best = ranked[0][1]
        score = scores[best.name]
        answer = best if score >= self._threshold else UNKNOWN
        return Prediction(answer.name, answer.code, score, scores, best.name)


def _indices(argument: str, names: Iterable[str], labels: Sequence[Script]) -> set[int]:
    """Where the named scripts stand among the labels; a name, an ISO 15924 code or an alias, in any case."""
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
