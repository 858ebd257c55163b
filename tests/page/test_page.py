"""Words and pages as values."""

from __future__ import annotations

import json

from scriptkd_page import Page
from scriptkd_page.page import shares


def test_a_page_survives_json(page: Page) -> None:
    assert Page.from_dict(json.loads(json.dumps(page.to_dict()))) == page


def test_text_is_line_by_line_without_what_was_not_read(page: Page) -> None:
    assert page.text == "one இரண்டு\nthree"


def test_boxes_hold_the_corners(page: Page) -> None:
    assert page.words[1].box == (18, 0, 41, 14)
    assert page.words[0].area == 100
    assert round(page.words[1].area, 6) == 208


def test_shares_are_of_the_area_and_unknown_is_last(page: Page) -> None:
    found = shares(page.words)
    assert [(each.code, each.words) for each in found] == [("Taml", 1), ("Latn", 2), ("Zyyy", 1)]
    assert [round(each.share, 4) for each in found] == [0.4094, 0.3937, 0.1969]
    assert shares(()) == []
