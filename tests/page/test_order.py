"""Lines and their order, on boxes whose lines are known."""

from __future__ import annotations

import numpy as np
import pytest

from scriptkd_page.order import in_lines


def box(left: float, top: float, width: float, height: float = 20) -> np.ndarray:
    return np.array([[left, top], [left + width, top], [left + width, top + height], [left, top + height]], float)


PAGE = np.stack([box(0, 0, 90), box(120, 4, 80), box(0, 40, 60, 24), box(90, 38, 40), box(200, 42, 60)])


def turned(points: np.ndarray, degrees: float) -> np.ndarray:
    angle = np.radians(degrees)
    return points @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])


@pytest.mark.parametrize("degrees", [0, 8, -8, 90, 180, 270, 187])
def test_lines_follow_the_letters_however_the_page_lies(degrees: float) -> None:
    shuffled = [3, 0, 4, 1, 2]
    lines = in_lines(turned(PAGE, degrees)[shuffled], [False] * 5)
    assert [[shuffled[word] for word in line] for line in lines] == [[0, 1], [2, 3, 4]]


def test_most_of_a_line_decides_whether_it_runs_from_right_to_left() -> None:
    assert in_lines(PAGE, [True, False, True, True, False]) == [[0, 1], [4, 3, 2]]


def test_no_words_are_no_lines() -> None:
    assert in_lines(np.empty((0, 4, 2)), []) == []
