"""Cutting lines between words, on lines of plain bars."""

from __future__ import annotations

import numpy as np

from scriptkd_page.splitting import part, pieces, runs
from scriptkd_sdk import Prediction


def line(*bars: tuple[int, int], width: int = 400, ink: int = 0, ground: int = 255) -> np.ndarray:
    image = np.full((40, width), ground, np.uint8)
    for start, stop in bars:
        image[8:32:4, start:stop] = ink
    return image


def answer(code: str, score: float) -> Prediction:
    return Prediction(code, code, score, {code: score}, code)


def test_a_line_is_cut_in_the_middle_of_its_gaps() -> None:
    words = line((10, 100), (120, 250), (252, 300), (330, 390))
    assert pieces(words) == [(0, 110 / 400), (110 / 400, 315 / 400), (315 / 400, 1)]
    assert pieces(255 - words) == pieces(words)  # light letters on a dark ground


def test_short_lines_and_lines_without_gaps_are_whole() -> None:
    assert pieces(line((10, 40), (60, 100), width=110)) == [(0, 1)]
    assert pieces(line((10, 390))) == [(0, 1)]
    assert pieces(line()) == [(0, 1)]


def test_a_dash_stays_with_the_word_behind_it() -> None:
    assert pieces(line((10, 100), (115, 120), (135, 390))) == [(0, 107 / 400), (107 / 400, 1)]


def test_a_part_of_a_tilted_line_keeps_its_tilt() -> None:
    corners = np.array([[0, 0], [100, 10], [98, 30], [-2, 20]], float)
    assert part(corners, 0.5, 1).tolist() == [[50, 5], [100, 10], [98, 30], [48, 25]]


def test_pieces_go_together_by_script_and_unsure_ones_with_their_neighbours() -> None:
    told = [
        None,
        answer("Latn", 0.5),
        answer("Deva", 0.95),
        answer("Deva", 0.99),
        answer("Taml", 0.3),
        answer("Latn", 1.0),
    ]
    groups = runs(told, 0.9)
    assert [(start, stop, best.code, best.score) for start, stop, best in groups] == [
        (0, 5, "Deva", 0.99),
        (5, 6, "Latn", 1.0),
    ]
    assert runs([None, answer("Latn", 0.5)], 0.9) == []
