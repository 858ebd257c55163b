"""The picture with boxes and legend."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np

from scriptkd_page import Page
from scriptkd_page.picture import GAP, LETTERS, LONGEST, colour, draw
from scriptkd_sdk.scripts import WORLD


def test_each_word_is_boxed_and_each_script_in_the_legend_in_its_colour(page: Page) -> None:
    large = replace(page, width=600, height=90)
    picture = draw(large, np.full((90, 600), 250, np.uint8))
    assert picture.shape[1] == 600 and picture.shape[0] > 90
    assert tuple(picture[8, 0]) == colour("Latn")  # the left edge of the last word, drawn over the others
    assert tuple(picture[2, 30]) == colour("Taml")
    legend = picture[90:].reshape(-1, 3)
    for code in ("Latn", "Taml", "Zyyy"):
        assert (legend == colour(code)).all(axis=1).sum() >= LETTERS**2


def test_a_large_page_is_made_smaller_and_a_legend_is_broken_into_lines(page: Page) -> None:
    narrow = replace(page, width=1000, height=8000)
    picture = draw(narrow, np.zeros((8000, 1000, 3), np.uint8))
    assert picture.shape == (LONGEST + 3 * (LETTERS + GAP) + GAP, 200, 3)


def test_an_empty_page_says_why() -> None:
    empty = Page("e.png", 300, 100, (), ("no text was found",))
    picture = draw(empty, np.full((100, 300), 255, np.uint8))
    assert (picture[100:] < 128).any()


def test_no_two_scripts_share_a_colour() -> None:
    colours = [np.array(colour(script.code), float) for script in WORLD]
    assert min(np.abs(a - b).max() for a, b in combinations(colours, 2)) >= 25
