"""Intervals of 95 %: computed by hand where possible, and in simulations whose truth is known."""

import math

import numpy as np
import pytest

from scriptkd_train.evaluation.intervals import interval


def world(rng, seeds, images, of_seeds, of_images, of_answers):
    """What one recipe has over another, [S, N]: whether a seed's luck, an image's liking or a single answer decides."""
    ease = rng.normal(2, 1.5, images)
    liking = rng.normal(0, of_images, images)

    def right(gain):
        return ease + gain + rng.normal(0, of_seeds, (seeds, 1)) + rng.logistic(0, of_answers, (seeds, images)) > 0

    return right(0.2 + liking).astype(int) - right(0)


WORLDS = {"seeds": (0.3, 0, 0.3), "images": (0.02, 1.0, 0.1), "answers": (0, 0, 0.6)}


@pytest.mark.parametrize("kind", WORLDS)
def test_the_interval_of_three_seeds_holds_the_truth_as_often_as_it_says(kind):
    rng = np.random.default_rng(3)
    truth = np.mean([world(rng, 40, 600, *WORLDS[kind]).mean() for _ in range(60)])
    found = [interval(world(rng, 3, 300, *WORLDS[kind]), ["Latin"] * 300) for _ in range(120)]
    held = np.mean([each.low <= truth <= each.high for each in found])
    assert 0.9 <= held < 1, held


def test_seeds_that_differ_on_the_same_answers_follow_student_s_t():
    values = np.array([[1] * 80 + [0] * 20, [1] * 82 + [0] * 18, [1] * 84 + [0] * 16]) * 1.0
    alone = interval(np.repeat(values.mean(axis=1)[:, None], 50, axis=1), ["x"] * 50)  # no image differs from another
    margin = 4.303 * 0.02 / math.sqrt(3)
    assert alone.mean == pytest.approx(0.82)
    assert (alone.high - alone.low) / 2 == pytest.approx(margin, rel=0.01)
    both = interval(values, ["x"] * 100)
    assert both.high - both.low > alone.high - alone.low


def test_one_network_s_interval_is_that_of_its_images():
    right = np.array([1] * 320 + [0] * 80)
    found = interval(right, ["Latin"] * 400)
    assert found.mean == 0.8
    assert found.high - found.low == pytest.approx(2 * 1.96 * math.sqrt(0.8 * 0.2 / 399), rel=0.05)
    assert interval(right, ["Latin"] * 400) == found, "it is not the same each time"


def test_each_script_or_each_image_weighs_the_same():
    right, scripts = np.array([1] * 90 + [0] * 10), ["Latin"] * 90 + ["Thai"] * 10
    assert interval(right, scripts).mean == 0.9 and interval(right, scripts, macro=True).mean == 0.5
    # Within each script all are alike, so no draw of as many of each would differ.
    assert interval(right, scripts).low == 0.9 and interval(right, scripts, macro=True).high == 0.5


def test_what_cannot_vary_has_no_width():
    found = interval(np.zeros((3, 40)), ["Latin"] * 40)
    assert (found.mean, found.low, found.high) == (0, 0, 0)
    assert interval([1], ["Latin"]).low == 1
    with pytest.raises(ValueError, match="needs images"):
        interval(np.zeros((2, 0)), [])
