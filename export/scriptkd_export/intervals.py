"""What a sample of images proves about a loss: lower confidence limits.

The loss of a quantized network is measured on a sample of images. Each limit here is the lower end of a two-sided 99 %
interval: the true loss is above it in 199 of 200 samples. A check refuses a file only if even that limit exceeds the
allowed loss. A few unsure answers, changed by chance or by a processor's rounding, prove nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

_TAIL = 0.005  # probability that the true value is below the limit
_DEVIATIONS = 2.5758293035489004  # the quantile of a normal distribution for _TAIL
_HALVINGS = 60


def least_drop(lost: int, gained: int, images: int) -> float:
    """Return the smallest drop of accuracy that paired answers prove: the lower limit of Tango's score interval.

    Only images that exactly one network gets right carry information. For a drop of 0 this is McNemar's test.

    Source: T. Tango, "Equivalence test and confidence interval for the difference in proportions for the paired-sample
    design", Statistics in Medicine 17 (1998), 891-908.

    Args:
        lost: number of images that only the reference got right.
        gained: number of images that only the other network got right.
        images: number of all images.

    Returns:
        A share of the images, -1 to 1; negative if the other network may be the better one.
    """
    return _solve(lambda drop: _tango(lost, gained, images, drop) > _DEVIATIONS, -1.0, (lost - gained) / images)


def _tango(lost: int, gained: int, images: int, drop: float) -> float:
    """Tango's statistic, which is standard normal if the true drop is `drop`."""
    a = 2 * images
    b = (2 * images - lost + gained) * drop - lost - gained
    c = -gained * drop * (1 - drop)
    share_gained = (math.sqrt(max(0.0, b * b - 4 * a * c)) - b) / (2 * a)  # the most likely share under that drop
    variance = images * (2 * share_gained + drop * (1 - drop))
    return (lost - gained - images * drop) / math.sqrt(variance) if variance > 0 else 0.0


def least_share(count: int, total: int) -> float:
    """Return the smallest share, 0 to 1, that `count` of `total` proves: Clopper and Pearson's exact limit (1934)."""
    if count == 0:
        return 0.0
    return _solve(lambda share: _at_least(count, total, share) < _TAIL, 0.0, count / total)


def _at_least(count: int, total: int, share: float) -> float:
    """Probability that at least `count` of `total` independent events occur, each with probability 0 < `share` < 1."""
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
    """Return the smallest mean that values prove, by the normal approximation; for a single value, 0 at most."""
    if len(values) < 2:
        return min(0.0, float(values.mean()))
    return float(values.mean() - _DEVIATIONS * values.std(ddof=1) / math.sqrt(len(values)))


def _solve(below: Callable[[float], bool], low: float, high: float) -> float:
    """Return the number up to which `below` holds, found by bisection between `low` and `high`."""
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) else (low, middle)
    return low
