"""`scriptkd bench orientation`: models for any crop, compared with PP-OCR's classifier."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from scriptkd_bench.cli import app
from scriptkd_bench.orientation import PPOCR, compare_orientation
from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.images import load_image
from scriptkd_train.data.dataset import Item

SAMPLES = Path(__file__).parents[2] / "samples"
WORDS = [
    Item(SAMPLES / f"{name}.jpg", name.partition("-")[0].title())
    for name in ("latin-0", "latin-1", "tamil-1", "oriya-0")
]


@pytest.fixture
def without_package(monkeypatch):
    def missing(self):
        raise ArgumentError("the package rapidocr is missing")

    monkeypatch.setattr(type(PPOCR), "read", missing)


def test_both_are_asked_about_every_wide_word_both_ways_up(tmp_path):
    pytest.importorskip("rapidocr", reason="the extra [teachers] is not installed")
    words = [word for word in WORDS if load_image(word.path).shape[1] >= 2 * load_image(word.path).shape[0]]
    narrow = tmp_path / "narrow.png"
    cv2.imwrite(str(narrow), np.full((40, 50, 3), 200, np.uint8))
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    more = [Item(narrow, "Kana"), Item(broken, "Han")]
    told = []
    rows = compare_orientation(["student"], [*words, *more], lambda done, total: told.append((done, total)))
    ours, theirs = rows
    assert set(ours.right) == set(theirs.right) == {word.label for word in words}
    assert ours.macro >= 0.75
    assert theirs.right["Latin"] == 1.0  # what it was trained for
    assert 0 < ours.p50 <= ours.p95
    assert told[-1] == (len(words) + 2, len(words) + 2)


def test_a_model_without_orientation_is_refused():
    pytest.importorskip("rapidocr", reason="the extra [teachers] is not installed")
    with pytest.raises(ArgumentError, match="upright tells no orientation"):
        compare_orientation(["upright"], WORDS, lambda done, total: None)


def test_a_missing_package_is_one_sentence(words, without_package):
    result = CliRunner().invoke(app, ["orientation", str(words)])
    assert isinstance(result.exception, ArgumentError)
