"""The metrics, against values computed by hand or by another definition."""

import numpy as np
import pytest

from scriptkd_train.evaluation.metrics import (
    accuracy,
    confusion_matrix,
    expected_calibration_error,
    macro_accuracy,
    reliability,
    roc_area,
    roc_curve,
    script_scores,
)

TRUTH = np.array([0, 0, 0, 0, 1, 1])
SAID = np.array([0, 0, 0, 1, 1, 0])


def test_confusion_and_accuracies() -> None:
    confusion = confusion_matrix(TRUTH, SAID, 3)
    assert confusion.tolist() == [[3, 1, 0], [1, 1, 0], [0, 0, 0]]
    assert accuracy(confusion) == pytest.approx(4 / 6)
    assert macro_accuracy(confusion) == pytest.approx((3 / 4 + 1 / 2) / 2)  # the third script does not occur


def test_script_scores() -> None:
    scores = script_scores(confusion_matrix(TRUTH, SAID, 3))
    np.testing.assert_allclose(scores.precision, [3 / 4, 1 / 2, np.nan])
    np.testing.assert_allclose(scores.recall, [3 / 4, 1 / 2, np.nan])
    np.testing.assert_allclose(scores.f, [3 / 4, 1 / 2, np.nan])
    lopsided = script_scores(np.array([[1, 3], [0, 0]]))
    np.testing.assert_allclose(lopsided.precision, [1, 0])
    np.testing.assert_allclose(lopsided.recall, [1 / 4, np.nan])
    np.testing.assert_allclose(lopsided.f, [2 / 5, 0])


def test_nothing_measured_is_nan() -> None:
    confusion = confusion_matrix(TRUTH[:0], SAID[:0], 2)
    none = np.array([])
    figures = (accuracy(confusion), macro_accuracy(confusion), expected_calibration_error(none, none == 1))
    assert np.isnan([*figures, roc_area(none, np.ones(1)), roc_area(np.ones(1), none)]).all()


def test_calibration_error() -> None:
    confidence = np.array([0.95, 0.95, 0.95, 0.95, 0.55, 1.0])
    correct = np.array([True, True, True, False, True, True])
    # Bins [14/15, 1]: five images, 4.8 - 4 = 0.8; [8/15, 9/15): one, 1 - 0.55 = 0.45.
    assert expected_calibration_error(confidence, correct) == pytest.approx((0.8 + 0.45) / 6)
    random = np.random.default_rng(0)
    confidence = random.uniform(0.1, 1, 100_000)
    assert expected_calibration_error(confidence, random.uniform(size=100_000) < confidence) < 0.01


def test_roc_area_is_the_share_of_ordered_pairs() -> None:
    random = np.random.default_rng(0)
    positive, negative = random.integers(3, 10, 50), random.integers(0, 8, 40)  # with ties
    above = positive[:, None] - negative[None, :]
    expected = ((above > 0) + 0.5 * (above == 0)).mean()
    assert roc_area(positive.astype(float), negative.astype(float)) == pytest.approx(expected)


def test_reliability() -> None:
    found = reliability(np.array([0.05, 0.55, 0.65, 1.0]), np.array([False, True, False, True]), bins=5)
    assert found.images.tolist() == [1, 0, 1, 1, 1]
    np.testing.assert_allclose(found.confidence, [0.05, np.nan, 0.55, 0.65, 1.0])
    np.testing.assert_allclose(found.accuracy, [0, np.nan, 1, 0, 1])


def test_roc_curve_encloses_the_roc_area() -> None:
    random = np.random.default_rng(0)
    words, non_text = random.integers(3, 9, 200) / 10, random.integers(0, 7, 90) / 10  # with many ties
    false, true = roc_curve(words, non_text)
    assert (false[0], true[0]) == (0, 0) and (false[-1], true[-1]) == (1, 1)
    assert np.trapezoid(true, false) == pytest.approx(roc_area(words, non_text))
    assert (np.mean(non_text >= 0.5), np.mean(words >= 0.5)) in set(zip(false, true, strict=True))
    with pytest.raises(ValueError, match="positives and negatives"):
        roc_curve(words, non_text[:0])
