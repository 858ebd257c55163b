"""Words of rendered pages are found with box, script and orientation. Digits alone have no script."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from scriptkd_page import Page, PpOcr, WordFinder, find_words, finding
from scriptkd_sdk import ImageError, ScriptIdentifier

NUMBERS = ["2026-11-30", "4,500.00", "110001"]


def overlap(a: tuple[int, ...], b: tuple[int, ...]) -> float:
    """Intersection over union of two boxes."""
    across = max(0, min(a[2], b[2]) - max(a[0], b[0]))
    down = max(0, min(a[3], b[3]) - max(a[1], b[1]))
    shared = across * down
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


@pytest.mark.slow
def test_words_are_found_where_they_are_and_in_reading_order(found: Page, sign: Any) -> None:
    assert [word.script for word in found.words] == [script for _, script, _ in sign.words]
    for word, (text, _, box) in zip(found.words, sign.words, strict=True):
        assert overlap(word.box, box) > 0.4, text
        assert word.orientation == 0
        assert word.score > 0.9
    assert [word.line for word in found.words] == [0, 0, 1, 1]
    assert (found.height, found.width) == sign.pixels.shape
    assert not found.notes


@pytest.mark.slow
@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_page_may_lie_any_way_up(finder: WordFinder, sign: Any, found: Page, turns: int) -> None:
    """Corners begin at the top left of the letters, so that the page turned back has them where they were."""
    turned = np.rot90(sign.pixels, -turns)  # clockwise
    page = finder.find(turned)
    assert [word.script for word in page.words] == [word.script for word in found.words]
    assert {word.orientation for word in page.words} == {90 * turns}
    height, width = sign.pixels.shape
    for word, same in zip(page.words, found.words, strict=True):
        x, y = word.corners[0]
        back = {1: (y, height - x), 2: (width - x, height - y), 3: (width - y, x)}[turns]
        assert np.abs(np.subtract(back, same.corners[0])).max() < 12


@pytest.mark.slow
@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_scripts_beyond_the_ten_are_told_on_a_turned_page_too(finder: WordFinder, render: Any, turns: int) -> None:
    """The default model tells no orientation, and the one that helps it knows one of these three scripts."""
    rows = [[("Welcome", "Latin"), ("Привет", "Cyrillic")], [("สวัสดี", "Thai"), ("garden", "Latin")]]
    page = finder.find(np.rot90(render(rows).pixels, -turns))
    assert {word.script for word in page.words} == {"Latin", "Cyrillic", "Thai"}
    assert {word.orientation for word in page.words} == {90 * turns}


@pytest.mark.slow
def test_a_model_that_is_open_is_used_as_it_is(sign: Any) -> None:
    with ScriptIdentifier("student") as identifier:
        finder = WordFinder(identifier)
        assert finder.info is identifier.info
        assert [word.script for word in finder.find(sign.pixels).words] == [script for _, script, _ in sign.words]


@pytest.mark.slow
def test_a_line_of_several_scripts_is_cut_between_them(finder: WordFinder, render: Any) -> None:
    row = [("नमस्ते", "Devanagari"), ("Welcome", "Latin"), ("home", "Latin"), ("வணக்கம்", "Tamil")]
    line = render([row], space=14)
    page = finder.find(line.pixels)
    assert [word.script for word in page.words] == ["Devanagari", "Latin", "Tamil"]
    (_, _, first), (_, _, second), _, (_, _, last) = line.words
    assert first[2] <= page.words[0].box[2] <= second[0] + 1
    assert page.words[2].box[0] <= last[0]


@pytest.mark.slow
@pytest.mark.parametrize("turns", [0, 2])
def test_digits_alone_are_no_words(finder: WordFinder, render: Any, turns: int) -> None:
    numbers = render([[(number, "Latin")] for number in NUMBERS])
    page = finder.find(np.rot90(numbers.pixels, turns))
    assert page.words == ()
    assert page.notes == (finding.ONLY_SIGNS,)


@pytest.mark.slow
def test_digits_beside_words_have_no_script(finder: WordFinder, render: Any) -> None:
    page = finder.find(render([[("110001", "Latin")], [("நாசி", "Tamil")]]).pixels)
    assert [(word.script, word.code) for word in page.words] == [("unknown", "Zyyy"), ("Tamil", "Taml")]


@pytest.mark.slow
def test_an_empty_page_has_no_words(finder: WordFinder) -> None:
    page = finder.find(np.full((60, 900), 200, np.uint8), "blank")
    assert page == Page("blank", 900, 60, (), (finding.NO_TEXT,))


def test_no_box_is_read_twice_the_same_way_up() -> None:
    read: list[tuple[int, ...]] = []

    class Digits(PpOcr):
        def recognise(self, crop: np.ndarray) -> tuple[str, float]:
            read.append(crop.shape)
            return ("110001", 0.95) if crop[0, 0] < 100 else ("word", 0.95)

    pixels = np.full((60, 200), 200, np.uint8)
    pixels[30:, :] = 20  # the lower box
    boxes = [np.array([[10, top], [110, top], [110, top + 20], [10, top + 20]], float) for top in (35, 5)]
    signs = finding._Signs(Digits(), pixels, boxes)
    assert (signs.way(0), signs.way(0, 0), len(read)) == (0, 0, 1)
    assert (signs.way(1), signs.way(1, 180), len(read)) == (None, None, 3)  # a word, whichever way up


def test_an_image_that_cannot_be_read_is_an_error() -> None:
    with pytest.raises(ImageError, match=r"^none.png: no such file$"):
        find_words("none.png")
