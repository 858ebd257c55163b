"""Lower confidence limits of a loss: known values, and how often the true loss lies below the limit."""

import math
from itertools import product

import numpy as np
import pytest

from scriptkd_export.intervals import least_drop, least_mean, least_share


def test_no_drop_is_the_case_of_mcnemar() -> None:
    """The limit is 0 where the deviation of McNemar's test, (lost - gained) / sqrt(lost + gained), is 2.576."""
    for gained in (1, 5, 20):
        lost = gained
        while (lost - gained) / math.sqrt(lost + gained) < 2.5758293:
            assert least_drop(lost, gained, 500) < 0
            lost += 1
        assert least_drop(lost, gained, 500) > 0


def test_nothing_lost_proves_nothing() -> None:
    assert least_drop(0, 0, 256) < 0
    assert least_drop(0, 9, 256) < least_drop(4, 4, 256) < 0
    assert least_drop(256, 0, 256) > 0.9  # all of them lost


@pytest.mark.parametrize(("lost", "gained"), [(0.02, 0.01), (0.03, 0.02), (0.06, 0.05)])
def test_a_network_at_the_limit_is_seldom_refused(lost: float, gained: float) -> None:
    """Of all samples of 256 images from a network that loses 1 point, 0.5 % should prove more; counted exactly."""
    images, wrong = 256, 0.0
    for b, c in product(range(50), range(50)):
        ways = math.lgamma(images + 1) - sum(map(math.lgamma, (b + 1, c + 1, images - b - c + 1)))
        chance = ways + b * math.log(lost) + c * math.log(gained) + (images - b - c) * math.log(1 - lost - gained)
        if least_drop(b, c, images) > 0.01:
            wrong += math.exp(chance)
    assert 0.001 < wrong < 0.01


def test_exact_limits_of_a_share() -> None:
    assert least_share(0, 5) == least_share(0, 0) == 0
    assert least_share(1, 1) == pytest.approx(0.005)
    assert least_share(5, 5) == pytest.approx(0.005 ** (1 / 5))
    assert least_share(5, 10) == pytest.approx(0.1283, abs=1e-4)  # tables of Clopper and Pearson
    assert 0.01 < least_share(40, 2000) < 0.02


def test_the_limit_of_a_mean() -> None:
    values = np.array([0.0, 1.0] * 50)
    assert least_mean(values) == pytest.approx(0.5 - 2.5758 * 0.50252 / 10, abs=1e-4)
    assert least_mean(np.full(9, 0.2)) == pytest.approx(0.2)
    assert least_mean(np.array([0.7])) == 0.0
