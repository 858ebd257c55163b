"""Accuracy against latency and size."""

from pathlib import Path

import cv2
import pytest

from scriptkd_bench.cli import bench
from scriptkd_bench.pareto import Point, draw_pareto, front
from scriptkd_sdk.errors import ArgumentError


def test_the_front_is_what_nothing_beats():
    pairs = [(5.0, 90.0), (1.0, 80.0), (2.0, 79.0), (1.0, 75.0), (9.0, 90.0), (7.0, 95.0)]
    assert front(pairs) == [1, 0, 5]
    assert front([]) == []


def test_a_row_of_panels_for_each_set_of_images(tmp_path: Path):
    points = [Point("a", 0.1, 350, {"test": 0.9, "real": 0.8}), Point("b", 24.0, 1100, {"test": 0.7})]
    draw_pareto(points, tmp_path / "new" / "two.png")
    draw_pareto(points[1:], tmp_path / "one.png")
    two, one = cv2.imread(str(tmp_path / "new" / "two.png")), cv2.imread(str(tmp_path / "one.png"))
    assert two is not None and one is not None
    assert two.shape[1] == one.shape[1] and two.shape[0] == pytest.approx(2 * one.shape[0], abs=2)


def test_without_accuracies_there_is_nothing_to_plot(tmp_path: Path):
    with pytest.raises(ArgumentError, match="nothing to plot"):
        draw_pareto([Point("a", 0.1, 350, {})], tmp_path / "x.png")
    with pytest.raises(ArgumentError, match=r"--plot draws accuracies: give .* --data, --real"):
        bench(plot=True)
