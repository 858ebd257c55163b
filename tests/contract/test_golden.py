"""The Python SDK against the golden vectors. It also runs on AArch64, so it needs only the SDK and pytest."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scriptkd_sdk import ScriptIdentifier
from scriptkd_sdk.crop import crops
from scriptkd_sdk.errors import ImageError, ModelError
from scriptkd_sdk.images import load_image
from scriptkd_sdk.preprocess import Preprocessing

SDK = Path(__file__).parents[2] / "sdk"
FOLDER = SDK / "contract" / "golden"
GOLDEN = json.loads((FOLDER / "golden.json").read_text("utf-8"))
VECTORS = GOLDEN["vectors"]
FILES = [vector for vector in VECTORS if "file" in vector]
REFUSED = sorted((FOLDER / "refused").iterdir())
UNSTABLE = 0.1  # by which the scores of a vector may differ that the model's `unstable` names
LEVELS = 24  # by which a lossy file's pixels may differ: decoders round chroma differently


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def named(vectors: list[dict[str, Any]]) -> Any:
    return pytest.mark.parametrize("vector", vectors, ids=lambda vector: vector["name"])


def test_there_are_enough_of_every_kind() -> None:
    assert len(VECTORS) >= 200
    for label in GOLDEN["models"]["fp32"]["labels"]:
        assert sum(vector["name"].startswith(label.lower() + "-") for vector in VECTORS) >= 15, label
    inputs = [vector["inputs"][GOLDEN["models"]["int8"]["input"]] for vector in VECTORS]
    any_crop = [each for each in inputs if "windows" in each]
    assert sum(each["turned"] == 90 for each in any_crop) >= 20
    assert sum(len(each["windows"]) > 1 for each in any_crop) >= 10
    assert sum(each["rows"] != 48 for each in any_crop) >= 10
    assert {vector["orientation"]["fp32"] for vector in VECTORS} >= {0, 90, 180, 270}
    assert {Path(vector["file"]).suffix for vector in FILES} == {".jpg", ".webp", ".bmp", ".gif", ".tif", ".png"}


@pytest.mark.parametrize("model", GOLDEN["models"])
def test_few_are_unstable(model: str) -> None:
    assert len(VECTORS) - len(GOLDEN["models"][model]["unstable"]) >= 0.9 * len(VECTORS)


@pytest.mark.parametrize("model", GOLDEN["models"])
def test_the_models_are_those_of_the_vectors(model: str) -> None:
    content = (SDK / GOLDEN["models"][model]["file"]).read_bytes()
    assert sha256(content) == GOLDEN["models"][model]["sha256"], "run `make golden` after replacing a model"


@named(VECTORS)
def test_preprocessing_is_exact(vector: dict[str, Any]) -> None:
    pixels = load_image(FOLDER / vector["pixels"])
    assert pixels.shape[:2] == (vector["height"], vector["width"])
    assert sha256(pixels.tobytes()) == vector["pixels_sha256"]
    for name, expected in vector["inputs"].items():
        preprocessing = Preprocessing.from_dict(GOLDEN["preprocessings"][name])
        seen, rows, turned = crops(pixels, preprocessing)
        found = [preprocessing.apply(crop, rows) for crop in seen]
        assert {each.shape[2] for each in found} == {expected["width"]}
        if preprocessing.square_height is None:
            checksums, ties = [expected["sha256"]], [expected["ties"]]
        else:
            assert (rows, turned) == (expected["rows"], expected["turned"])
            checksums, ties = expected["windows"], expected["ties"]
        for pixel_values, places in zip(found, ties, strict=True):
            pixel_values.reshape(-1)[places] = 0
        assert [sha256(each.tobytes()) for each in found] == checksums, name


@named(FILES)
def test_files_hold_the_pixels(vector: dict[str, Any]) -> None:
    expected = load_image(FOLDER / vector["pixels"]).astype(int)
    found = load_image(FOLDER / vector["file"]).astype(int)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= (0 if vector["lossless"] else LEVELS)


@pytest.mark.parametrize("model", GOLDEN["models"])
def test_scores(model: str) -> None:
    entry = GOLDEN["models"][model]
    identifier = ScriptIdentifier(SDK / entry["file"])
    assert [label.name for label in identifier.labels] == entry["labels"]
    differences = {}
    for vector in VECTORS:
        prediction = identifier.identify(FOLDER / vector["pixels"])
        expected = dict(zip(entry["labels"], vector["scores"][model], strict=True))
        worst = max(abs(prediction.scores[label] - score) for label, score in expected.items())
        differences[vector["name"]] = worst
        if vector["name"] not in entry["unstable"]:
            assert expected[prediction.best] == max(expected.values()), vector["name"]
            assert worst <= entry["tolerance"], vector["name"]
            assert prediction.orientation == vector["orientation"][model], vector["name"]
            assert prediction.shares == pytest.approx(vector["shares"][model]), vector["name"]
        if prediction.orientation_score is not None:
            shift = abs(prediction.orientation_score - vector["orientation_score"][model])
            assert shift <= (UNSTABLE if vector["name"] in entry["unstable"] else entry["tolerance"]), vector["name"]
            differences[vector["name"]] = max(worst, shift)
    assert max(differences.values()) <= UNSTABLE
    largest = max(differences[vector["name"]] for vector in VECTORS if vector["name"] not in entry["unstable"])
    print(f"\n{len(VECTORS)} vectors, {model}: largest difference from the golden scores {largest:.1e}")


@pytest.mark.parametrize("path", REFUSED, ids=lambda path: path.name)
def test_refused(path: Path) -> None:
    with pytest.raises(ModelError if path.suffix == ".onnx" else ImageError) as caught:
        if path.suffix == ".onnx":
            ScriptIdentifier(path)
        else:
            load_image(path)
    assert path.name in str(caught.value) and "\n" not in str(caught.value)
