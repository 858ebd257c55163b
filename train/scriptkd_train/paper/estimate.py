"""A quantity over seeds, with mean, spread and optional 95 % interval, and its notation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

NOTHING = "–"


@dataclass(frozen=True)
class Estimate:
    """Values of a quantity, one per seed, without undefined ones (NaN).

    low, high: the 95 % interval of the mean, from `evaluation.intervals`; NaN if there is none.
    """

    values: tuple[float, ...]
    low: float = math.nan
    high: float = math.nan

    @property
    def mean(self) -> float:
        """NaN without values."""
        return sum(self.values) / len(self.values) if self.values else math.nan

    @property
    def deviation(self) -> float:
        """Standard deviation with n - 1 in the denominator; NaN for fewer than two values."""
        count = len(self.values)
        return math.sqrt(sum((x - self.mean) ** 2 for x in self.values) / (count - 1)) if count > 1 else math.nan

    def text(self, digits: int = 2) -> str:
        """The mean and the standard deviation, such as `85.24 ± 0.31`. With a single value, the mean alone."""
        if not self.values:
            return NOTHING
        spread = f" ± {self.deviation:.{digits}f}" if len(self.values) > 1 else ""
        return f"{self.mean:.{digits}f}{spread}"

    def interval(self, signed: bool = False) -> str:
        """The interval as `84.50 to 86.00`, or a dash. signed: for differences; else per cent, within 0 and 100."""
        if math.isnan(self.low):
            return NOTHING
        if signed:
            return f"{points(self.low)} to {points(self.high)}"
        return f"{max(self.low, 0):.2f} to {min(self.high, 100):.2f}"

    def gain(self) -> str:
        """The mean as a difference, with the standard deviation: `+0.42 ± 0.10`."""
        spread = f" ± {self.deviation:.2f}" if len(self.values) > 1 else ""
        return points(self.mean) + spread if self.values else NOTHING

    def verdict(self) -> str:
        """The conclusion from an estimated gain. A gain is shown if its interval excludes 0."""
        if not self.values:
            return "not measured"
        if len(self.values) < 2:
            return "one seed: cannot say"
        return "better" if self.low > 0 else "worse" if self.high < 0 else "no difference shown"


def points(value: float) -> str:
    """A difference with its sign: `+0.42`, `−1.30`."""
    return f"{round(value, 2) + 0.0:+.2f}".replace("-", "−")  # + 0.0 turns -0.0 into 0.0


def estimate(values: Sequence[float]) -> Estimate:
    """An estimate without interval from values, leaving out NaN."""
    return Estimate(tuple(value for value in values if not math.isnan(value)))
