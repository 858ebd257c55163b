"""`scriptkd bench --sdk`: figures of the right kind, from one short run."""

from pathlib import Path

import numpy as np
import pytest

from scriptkd_bench import sdk
from scriptkd_bench.crop import drawn_crop
from scriptkd_bench.report import Report
from scriptkd_sdk.modelfile import MODELS


@pytest.mark.parametrize("model", ["student", "upright"])
def test_all_figures_of_a_bundled_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str) -> None:
    monkeypatch.setattr(sdk, "PROCESSES", 1)
    seen: list[int] = []
    cost = sdk.measure_sdk(
        MODELS / f"{model}.onnx", drawn_crop(tmp_path), 20, 2000, lambda done, total: seen.append(done)
    )
    assert seen == [0, 1000]
    figures = {figure.name: figure for figure in cost.figures}
    assert len(figures) == len(cost.figures) == 11
    assert all(np.isfinite(figure.value) for figure in cost.figures)
    ratios = [figure.value for figure in cost.figures if figure.unit == "x"]
    assert len(ratios) == 6 and all(0.1 < ratio < 20 for ratio in ratios)
    (memory,) = [figure for figure in cost.figures if figure.unit == "MB"]
    assert memory.name == "growth of memory over 2,000 calls" and abs(memory.value) < 50

    text = "\n".join(map(" | ".join, Report(rows=[], facts={}, device=[], sdk=cost).sdk_cells()))
    assert "batches of 64, over single images" in text and "at least 1.5" in text and "at most 1.3" in text
    assert "the same of session.run alone" in text and text.count("| – | –") == 2


@pytest.mark.parametrize(("value", "least", "reached"), [(9.9, False, True), (10.1, False, False), (10.1, True, True)])
def test_an_aim_is_reached_from_its_own_side(value: float, least: bool, reached: bool) -> None:
    assert sdk.Figure("x", value, "%", 10, least).reached is reached


def test_without_an_aim_nothing_is_reached() -> None:
    assert sdk.Figure("x", 1, "%", None).reached is None


def test_calls_take_turns() -> None:
    order: list[str] = []
    first, second = sdk._in_turns([lambda: order.append("a"), lambda: order.append("b")], 2)
    assert "".join(order) == "aaabbb" * 2
    assert first.shape == second.shape == (2,) and (first >= 0).all()
