"""The Java SDK's own tests, which hold the golden vectors, and model files that the golden vectors do not have."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from scriptkd_sdk import ScriptIdentifier

ROOT = Path(__file__).parents[2]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        os.geteuid() != 0 and not (shutil.which("javac") and shutil.which("mvn")), reason="needs a JDK and Maven"
    ),
]


@pytest.fixture(scope="session")
def tested() -> str:
    """What `make test-java` says; afterwards build/java holds the SDK."""
    result = subprocess.run([ROOT / "sdk/java/test.sh"], capture_output=True, text=True, check=False)
    if result.returncode == 75:  # something could not be downloaded
        pytest.skip(result.stderr)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_the_java_sdks_own_tests_pass(tested: str) -> None:
    passed, failed = (int(re.findall(rf"\[ +(\d+) tests {word} +\]", tested)[0]) for word in ("successful", "failed"))
    assert passed > 600  # the golden vectors alone are over 200, for inputs and two models
    assert failed == 0


@pytest.mark.parametrize("threshold", [0.0, 0.9])
def test_a_file_that_takes_whole_images(tested: str, tmp_path: Path, threshold: float) -> None:
    model = whole_image_model(tmp_path / "whole.onnx", threshold)
    rng = np.random.default_rng(5)
    images = []
    for index, shape in enumerate([(2, 2, 3), (40, 3, 3), (17, 130, 3), (60, 60, 3)]):
        images.append(tmp_path / f"{index}.png")
        cv2.imwrite(str(images[-1]), rng.integers(0, 60 * (index + 1), shape, np.uint8))
    classes = [ROOT / "build/java/scriptkd-sdk.jar", *(ROOT / "build/maven").glob("onnxruntime-1*.jar")]
    command = ["java", "-cp", ":".join(map(str, classes)), str(ROOT / "tests/java/Probe.java"), str(model)]
    result = subprocess.run([*command, *map(str, images)], capture_output=True, text=True, check=True)
    identifier = ScriptIdentifier(model)
    for image, line in zip(images, result.stdout.splitlines(), strict=True):
        script, code, *scores = line.split()
        answer = identifier.identify(image)
        assert (script, code) == (answer.script, answer.code)
        found = {name: float(score) for name, score in (each.split("=") for each in scores)}
        assert list(found) == list(answer.scores)
        assert found == pytest.approx(answer.scores, abs=1e-6)


def whole_image_model(path: Path, threshold: float) -> Path:
    """A file of format 2 whose logits are (mean of a colour) / 25: the most frequent of red, green and blue wins."""
    nodes = [
        helper.make_node("Cast", ["image"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["floats", "sides"], ["means"], keepdims=0),
        helper.make_node("Div", ["means", "divisor"], ["row"]),
        helper.make_node("Unsqueeze", ["row", "first"], ["logits"]),
    ]
    constants = {"sides": np.array([0, 1]), "divisor": np.array(25, np.float32), "first": np.array([0])}
    graph = helper.make_graph(
        nodes,
        "colours",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ("h", "w", 3))],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, (1, 3))],
        [numpy_helper.from_array(values, name) for name, values in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    description = {
        "format": 2,
        "input": "image",
        "network": "colours",
        "labels": [{"name": name, "code": name} for name in ("Reds", "Greens", "Blues")],
        "preprocessing": {"channels": 3, "height": 8, "width_min": 8, "width_max": 32, "width_step": 8},
        "temperature": 1.0,
        "threshold": threshold,
        "precision": "fp32",
        "provenance": {},
    }
    helper.set_model_props(model, {"scriptkd": json.dumps(description)})
    onnx.save(model, path)
    return path
