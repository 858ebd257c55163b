"""The threshold for `unknown`."""

import numpy as np
import pytest

from scriptkd_train.engine.threshold import ROUNDING, below, fit_threshold, fit_threshold_on_logits


def test_what_is_well_apart_is_told_apart_and_no_word_is_lost():
    words, non_text = np.linspace(0.5, 1.0, 1000), np.linspace(0.1, 0.4, 200)
    assert fit_threshold(words, non_text) == 0.5


def test_at_most_one_percent_of_the_words_is_lost_however_much_non_text_that_costs():
    words, non_text = np.arange(1, 1001) / 1000, np.full(50, 0.5)
    assert fit_threshold(words, non_text) == pytest.approx(0.001)  # 1 % reaches 0.011, which turns nothing away
    assert fit_threshold(words, np.full(50, 0.008)) == pytest.approx(0.009)


def test_fewer_words_may_be_kept():
    words, non_text = np.arange(1, 1001) / 1000, np.full(50, 0.03)
    assert fit_threshold(words, non_text) == pytest.approx(0.001)
    assert fit_threshold(words, non_text, keep=0.95) == pytest.approx(0.031)


def test_a_word_is_worth_its_share():
    """Turning away 1 of 100 pictures costs 5 of 1000 words: it pays. Turning away 1 of 1000 does not."""
    words = np.concatenate([np.full(5, 0.2), np.full(995, 0.9)])
    assert fit_threshold(words, np.concatenate([[0.5], np.full(99, 0.1)])) == 0.9
    assert fit_threshold(words, np.concatenate([[0.5], np.full(999, 0.1)])) == 0.2


def test_equal_scores_keep_their_answer():
    assert fit_threshold(np.full(10, 0.7), np.full(10, 0.7)) == 0.7


def test_without_words_or_non_text_nothing_is_unknown():
    assert fit_threshold(np.array([]), np.array([0.3])) == 0.0
    assert fit_threshold(np.array([0.3]), np.array([])) == 0.0


def test_only_words_told_rightly_count():
    logits = np.log(np.array([[0.8, 0.2], [0.4, 0.6], [0.45, 0.55], [0.5, 0.5]], np.float32))
    target = np.array([0, 1, 0, -1])  # the third is predicted wrongly
    assert fit_threshold_on_logits(logits, target, 1.0) == pytest.approx(0.6 - ROUNDING)
    softer = np.sqrt([0.6, 0.4])
    assert fit_threshold_on_logits(logits, target, 2.0) == pytest.approx(softer[0] / softer.sum() - ROUNDING)


def test_a_threshold_lies_below_the_score_however_it_is_rounded():
    assert below(0.6) + 5e-6 < 0.6 < below(0.6) + 2e-5
    assert below(0.0) == 0
