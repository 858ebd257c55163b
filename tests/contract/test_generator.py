"""The generator of the golden vectors; not on AArch64, where the SDK and pytest are alone."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

CONTRACT = Path(__file__).parents[2] / "sdk" / "contract"


@pytest.fixture
def generator(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Imports a file of the generator, which lies in no package."""
    monkeypatch.syspath_prepend(str(CONTRACT))
    return importlib.import_module


def test_no_image_hangs_on_a_floats_last_bits(generator: Any) -> None:
    from scriptkd_sdk.images import load_image

    decided = generator("images").decided
    found = {path.stem for path in (CONTRACT / "golden" / "pixels").iterdir() if not decided(load_image(path))}
    assert found == {"plain-two-rows"}


def test_an_image_of_wider_range_than_the_specks_would_move_the_levels(generator: Any) -> None:
    images = generator("images")
    image = np.full((20, 60), 128, np.uint8)
    image[8:10, 18:20] = 0
    for size in images.INPUTS:
        assert images.decided_bytes(image, size)
        assert not images.decided_levels(image, size)


def test_the_float_model_is_the_bundled_one_without_rounding(generator: Any) -> None:
    """Its scores are near, and it is the file that lies there."""
    answers = generator("answers")
    made = answers.floating()
    assert made.SerializeToString() == answers.FLOAT.read_bytes()
    assert "QuantizeLinear" not in {node.op_type for node in made.graph.node}
    vectors = json.loads((answers.GOLDEN / "golden.json").read_text())["vectors"]
    scores = {model: np.array([vector["scores"][model] for vector in vectors]) for model in ("fp32", "int8")}
    assert 0 < np.abs(scores["fp32"] - scores["int8"]).mean() < 0.01
    assert (scores["fp32"].argmax(axis=1) == scores["int8"].argmax(axis=1)).mean() > 0.94


@pytest.mark.parametrize("model", ["fp32", "int8"])
def test_unstable_answers_are_named(generator: Any, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from scriptkd_sdk.images import load_image

    answers = generator("answers")
    golden = json.loads((answers.GOLDEN / "golden.json").read_text())
    named = golden["models"][model]["unstable"]
    vector = next(vector for vector in golden["vectors"] if vector["name"] not in named)
    images = {vector["name"]: load_image(answers.GOLDEN / vector["pixels"])}
    expected = {vector["name"]: np.array(vector["scores"][model])}
    (path, _), labels = answers.MODELS[model], golden["models"][model]["labels"]
    assert answers.unstable(path, images, expected, labels, tolerance=0.1) == []
    monkeypatch.setattr(answers, "NUDGES", [-0.9])
    assert answers.unstable(path, images, expected, labels, tolerance=1e-6) == [vector["name"]]
