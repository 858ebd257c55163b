"""Mean, spread and 95 % interval over seeds, and how they are written."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

# Quantile 0.975 of Student's t with 1, 2, ... 30 degrees of freedom; from there on the normal distribution's will do.
_T = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
    *(2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)
_NORMAL = 1.960
NOTHING = "–"


@dataclass(frozen=True)
class Estimate:
    """Values of one quantity, one a seed; those that are undefined (NaN) are left out."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """NaN without values."""
        return sum(self.values) / len(self.values) if self.values else math.nan

    @property
    def deviation(self) -> float:
        """Standard deviation with n - 1 in the denominator; NaN below two values."""
        count = len(self.values)
        return math.sqrt(sum((x - self.mean) ** 2 for x in self.values) / (count - 1)) if count > 1 else math.nan

    @property
    def margin(self) -> float:
        """Half the 95 % interval of the mean: t(0.975, n - 1) deviation / sqrt(n); NaN below two values."""
        count = len(self.values)
        if count < 2:
            return math.nan
        quantile = _T[count - 2] if count - 2 < len(_T) else _NORMAL
        return quantile * self.deviation / math.sqrt(count)

    def text(self, digits: int = 2) -> str:
        """`85.24 ± 0.31`: mean and standard deviation; the mean alone if there is one value."""
        if not self.values:
            return NOTHING
        spread = f" ± {self.deviation:.{digits}f}" if len(self.values) > 1 else ""
        return f"{self.mean:.{digits}f}{spread}"

    def interval(self, signed: bool = False) -> str:
        """`84.50 to 86.00`; a dash if there is no interval. `signed`: a difference; else per cent, cut at 0 and 100."""
        if len(self.values) < 2:
            return NOTHING
        low, high = self.mean - self.margin, self.mean + self.margin
        return f"{points(low)} to {points(high)}" if signed else f"{max(low, 0):.2f} to {min(high, 100):.2f}"


def points(value: float) -> str:
    """A difference with its sign: `+0.42`, `−1.30`."""
    return f"{round(value, 2) + 0.0:+.2f}".replace("-", "−")  # + 0.0: minus nothing is nothing


def estimate(values: Sequence[float]) -> Estimate:
    """An estimate from values of which NaN are left out."""
    return Estimate(tuple(value for value in values if not math.isnan(value)))
