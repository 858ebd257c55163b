"""The golden boxes: the reference code reproduces them, and OpenCV and RapidOCR find nearly the same."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

WORDS = Path(__file__).parents[2] / "sdk" / "contract" / "golden" / "words"
GOLDEN = json.loads((WORDS / "words.json").read_text())
MAPS = {each["name"]: each for each in GOLDEN["maps"]}
TIES = {"round", "ring"}  # several least rectangles of one area: libraries may take another


@pytest.fixture
def boxing(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The reference, which lies in no package."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    return importlib.import_module("boxing")


def load(name: str) -> np.ndarray:
    levels = cv2.imread(str(WORDS / MAPS[name]["map"]), cv2.IMREAD_GRAYSCALE)
    return np.asarray(levels, np.float32) / np.float32(255)


@pytest.mark.parametrize("name", MAPS)
def test_the_reference_gives_the_golden_boxes(boxing: Any, name: str) -> None:
    found = boxing.boxes(load(name), MAPS[name]["width"], MAPS[name]["height"])
    assert len(found) == len(MAPS[name]["boxes"])
    for box, golden in zip(found, MAPS[name]["boxes"], strict=True):
        np.testing.assert_allclose(box.corners, golden["corners"], atol=1e-3)
        assert box.score == pytest.approx(golden["score"], abs=1e-6)


def test_sizes(boxing: Any) -> None:
    for width, height, *expected in GOLDEN["sizes"]:
        assert list(boxing.input_size(width, height)) == expected


def test_the_least_rectangle_is_opencvs(boxing: Any) -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        points = [(int(x), int(y)) for x, y in rng.integers(0, 60, (int(rng.integers(4, 40)), 2))]
        hull = boxing.hull(points)
        assert {tuple(point) for point in cv2.convexHull(np.array(points))[:, 0].tolist()} == set(hull)
        (ex, ey), (a, b, c, d) = boxing.rectangle(hull)
        _, (width, height), _ = cv2.minAreaRect(np.array(points, np.float32))
        assert (b - a) * (d - c) / (ex * ex + ey * ey) == pytest.approx(width * height, rel=1e-3)


@pytest.mark.parametrize("name", sorted(set(MAPS) - TIES - {"more-than-1000"}))
def test_rapidocr_boxes_the_same_words(name: str) -> None:
    """Its corners are whole numbers of the map before they grow, so they may be off by some pixels of the map."""
    utils = pytest.importorskip("rapidocr.ch_ppocr_det.utils")
    golden = MAPS[name]
    process = utils.DBPostProcess(0.3, 0.5, 1000, 1.6, "fast", True)
    probabilities = load(name)
    found, _ = process(probabilities[None, None], (golden["height"], golden["width"]))
    expected = [np.array(each["corners"]).clip(0, (golden["width"], golden["height"])) for each in golden["boxes"]]
    assert len(found) == len(expected)
    scale = golden["width"] / probabilities.shape[1]
    for corners in expected:
        nearest = min(np.abs(np.asarray(each).mean(axis=0) - corners.mean(axis=0)).max() for each in found)
        assert nearest < 2 * scale
