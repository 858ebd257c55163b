"""The generator of the golden vectors. It is not tested on AArch64, where only the SDK and pytest are installed."""

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
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    return importlib.import_module


def test_no_image_hangs_on_a_floats_last_bits(generator: Any) -> None:
    from scriptkd_sdk.images import load_image

    decided = generator("images").decided
    found = {path.stem for path in (CONTRACT / "golden" / "pixels").iterdir() if not decided(load_image(path))}
    assert found == {"plain-two-rows", "plain-two-columns"}  # the same, since tall crops lie down


def test_an_image_whose_levels_hang_on_the_last_bits_is_not_decided(generator: Any) -> None:
    images = generator("images")
    (size,) = images.INPUTS
    scale, _ = images.STANDARDIZED["uint8"]
    decided = []
    for share in range(100):
        picture = np.full((48, 144), 100, np.uint8)
        picture[:, : 20 + share] = 180
        levels = images.standardised(picture, size, 48) / scale
        decided.append(images.decided_levels(picture, size))
        if decided[-1]:
            assert (np.round(levels * (1 - 5e-5)) == np.round(levels * (1 + 5e-5))).all()
    assert set(decided) == {True, False}


def test_the_float_model_is_the_bundled_one_without_rounding(generator: Any) -> None:
    """Its scores are near, and it is the file that lies there."""
    answers = generator("answers")
    made = answers.floating()
    assert made.SerializeToString() == answers.FLOAT.read_bytes()
    assert "QuantizeLinear" not in {node.op_type for node in made.graph.node}
    vectors = json.loads((answers.GOLDEN / "golden.json").read_text())["vectors"]
    scores = {model: np.array([vector["scores"][model] for vector in vectors]) for model in ("fp32", "int8")}
    assert 0 < np.abs(scores["fp32"] - scores["int8"]).mean() < 0.01
    sure = scores["fp32"].max(axis=1) >= 0.9  # as in the export's checks: what a model is unsure of, any rounding turns
    assert sure.mean() > 0.2
    assert (scores["fp32"].argmax(axis=1) == scores["int8"].argmax(axis=1))[sure].all()


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
