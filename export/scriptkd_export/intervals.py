"""What a sample of images proves: limits below which a loss cannot well be.

Images are a sample, and so is what a quantized network loses on them. Each limit here is the lower one of a two-sided
interval of 99 %: the true loss is above it in 199 of 200 samples. A check refuses a file only where even that limit is
more than may be lost. What chance or a processor's rounding does to a few unsure answers never proves anything.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

_TAIL = 0.005  # probability that the true value is below a lower limit
_DEVIATIONS = 2.5758293035489004  # of a normal distribution, which _TAIL lies beyond
_HALVINGS = 60


def least_drop(lost: int, gained: int, images: int) -> float:
    """Return the least drop of accuracy that paired answers prove: the lower limit of Tango's score interval.

    Only images on which the two networks differ in being right tell anything: McNemar's test is the case of no drop.

    Source: T. Tango, "Equivalence test and confidence interval for the difference in proportions for the paired-sample
    design", Statistics in Medicine 17 (1998), 891-908.

    Args:
        lost: images that the reference alone got right.
        gained: images that the other network alone got right.
        images: all images, right or wrong.

    Returns:
        A share of the images, -1 to 1; negative where the other network may well be the better one.
    """
    return _solve(lambda drop: _tango(lost, gained, images, drop) > _DEVIATIONS, -1.0, (lost - gained) / images)


def _tango(lost: int, gained: int, images: int, drop: float) -> float:
    """Tango's statistic, standard normal if the true drop is `drop`."""
    a = 2 * images
    b = (2 * images - lost + gained) * drop - lost - gained
    c = -gained * drop * (1 - drop)
    share_gained = (math.sqrt(max(0.0, b * b - 4 * a * c)) - b) / (2 * a)  # most likely one, under that drop
    variance = images * (2 * share_gained + drop * (1 - drop))
    return (lost - gained - images * drop) / math.sqrt(variance) if variance > 0 else 0.0


def least_share(count: int, total: int) -> float:
    """Return the least share that `count` of `total` proves: Clopper and Pearson's exact lower limit (1934), 0 to 1."""
    if count == 0:
        return 0.0
    return _solve(lambda share: _at_least(count, total, share) < _TAIL, 0.0, count / total)


def _at_least(count: int, total: int, share: float) -> float:
    """Probability of at least `count` of `total` independent events, each of the probability `share`, 0 < share < 1."""
    ways = math.lgamma(total + 1)
    return math.fsum(
        math.exp(
            ways
            - math.lgamma(k + 1)
            - math.lgamma(total - k + 1)
            + k * math.log(share)
            + (total - k) * math.log1p(-share)
        )
        for k in range(count, total + 1)
    )


def least_mean(values: NDArray[np.float64]) -> float:
    """Return the least mean that values prove: normal theory's lower limit; of a single value, 0 at most."""
    if len(values) < 2:
        return min(0.0, float(values.mean()))
    return float(values.mean() - _DEVIATIONS * values.std(ddof=1) / math.sqrt(len(values)))


def _solve(below: Callable[[float], bool], low: float, high: float) -> float:
    """Return the number between two others up to which `below` holds, by halving."""
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) else (low, middle)
    return low
