"""Mixtures: labels of data sets that stand for several scripts, and a model's answers to their words."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from scriptkd_train.data.dataset import Item
from scriptkd_train.evaluation.report import MixtureFigures

MIXTURES: dict[str, tuple[str, ...]] = {"Japanese": ("Han", "Kana")}
"""Label -> its scripts. A word is written in one or several of them."""


def mixture_figures(
    items: Sequence[Item], best: Sequence[str], readable: NDArray[np.bool_], labels: Collection[str]
) -> list[MixtureFigures]:
    """For each mixture that the model does not know, return how often the model answers one of its scripts.

    Args:
        items: the N images.
        best: the model's best script for each image, whatever its threshold.
        readable: whether each image could be read [N].
        labels: the model's labels.

    Returns:
        A row for each mixture that occurs.
    """
    rows = []
    for label, scripts in MIXTURES.items():
        said = [name for item, name, seen in zip(items, best, readable, strict=True) if seen and item.label == label]
        if said and label not in labels and set(scripts) <= set(labels):
            rows.append(MixtureFigures(label, scripts, len(said), sum(name in scripts for name in said) / len(said)))
    return rows
