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


@pytest.mark.parametrize(("model", "name"), [("fp32", "BUNDLED"), ("int8", "INT8")])
def test_unstable_answers_are_named(generator: Any, model: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from scriptkd_sdk.images import load_image

    answers = generator("answers")
    golden = json.loads((answers.GOLDEN / "golden.json").read_text())
    named = golden["models"][model]["unstable"]
    vector = next(vector for vector in golden["vectors"] if vector["name"] not in named)
    images = {vector["name"]: load_image(answers.GOLDEN / vector["pixels"])}
    expected = {vector["name"]: np.array(vector["scores"][model])}
    path, labels = getattr(answers, name), golden["models"][model]["labels"]
    assert answers.unstable(path, images, expected, labels, tolerance=0.1) == []
    monkeypatch.setattr(answers, "NUDGES", [-0.9])
    assert answers.unstable(path, images, expected, labels, tolerance=1e-6) == [vector["name"]]
