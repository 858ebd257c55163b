"""Tiny model files, made without torch, and the command line as a user runs it.

In these models each script has a gray level. The script whose level is nearest to the image's mean wins.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from scriptkd_sdk import cli

Builder = Callable[..., Path]
Run = Callable[..., tuple[int, str, str]]

LEVELS = {"Arabic": 20.0, "Latin": 120.0, "Klingon": 220.0}
CODES = {"Arabic": "Arab", "Latin": "Latn", "Klingon": "Piqd"}


@pytest.fixture(scope="session")
def metadata() -> dict[str, Any]:
    """The metadata of `build_model`'s files; Klingon is not in the SDK's table."""
    return {
        "format": 1,
        "network": "gray-levels",
        "labels": [{"name": name, "code": CODES[name]} for name in LEVELS],
        "preprocessing": {"channels": 1, "height": 8, "width_min": 8, "width_max": 32, "width_step": 8},
        "temperature": 2.0,
        "threshold": 0.0,
        "precision": "fp32",
        "provenance": {"seed": 0},
    }


@pytest.fixture(scope="session")
def build_model(tmp_path_factory: pytest.TempPathFactory, metadata: dict[str, Any]) -> Builder:
    """A function that writes a model file and returns its path.

    Its logits are -((mean gray - level) / 20)^2. `shape`, `input_type`, `levels` change the network, `text` replaces
    the metadata (None leaves them out), and every other argument one field of them. With `any_crop` it is a model of
    format 3, which takes the darkest side of an input for the upper side of its letters.
    """

    def build(
        shape: tuple[Any, ...] = ("n", 1, 8, "w"),
        input_type: int = TensorProto.UINT8,
        levels: tuple[float, ...] = tuple(LEVELS.values()),
        text: str | None = "",
        input_name: str = "image",
        any_crop: bool = False,
        **fields: Any,
    ) -> Path:
        constants: dict[str, np.ndarray] = {
            "axes": np.array([1, 2, 3], np.int64),
            "column": np.array([1], np.int64),
            "levels": np.array([levels], np.float32) / 20,
            "twenty": np.array(20, np.float32),
        }
        nodes = [
            helper.make_node("Cast", [input_name], ["pixels"], to=TensorProto.FLOAT),
            helper.make_node("ReduceMean", ["pixels", "axes"], ["means"], keepdims=0),
            helper.make_node("Div", ["means", "twenty"], ["scaled"]),
            helper.make_node("Unsqueeze", ["scaled", "column"], ["upright"]),
            helper.make_node("Sub", ["upright", "levels"], ["gaps"]),
            helper.make_node("Mul", ["gaps", "gaps"], ["squares"]),
            helper.make_node("Neg", ["squares"], ["logits"]),
        ]
        outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ("n", len(levels)))]
        if any_crop:
            shape = ("n", 1, "h", "w")
            fields = {
                "format": 3,
                "preprocessing": {**metadata["preprocessing"], "square_height": 12},
                "orientation_temperature": 1.0,
                "orientation_threshold": 0.5,
                **fields,
            }
            constants |= {"first": np.array(0), "last": np.array(-1), "rest": np.array([1, 2], np.int64)}
            sides = {"0": ("first", 2), "90": ("last", 3), "180": ("last", 2), "270": ("first", 3)}
            for name, (index, axis) in sides.items():
                nodes += [
                    helper.make_node("Gather", ["scaled_pixels", index], [f"side{name}"], axis=axis),
                    helper.make_node("ReduceMean", [f"side{name}", "rest"], [f"mean{name}"], keepdims=0),
                    helper.make_node("Neg", [f"mean{name}"], [f"dark{name}"]),
                    helper.make_node("Unsqueeze", [f"dark{name}", "column"], [f"column{name}"]),
                ]
            nodes.insert(1, helper.make_node("Div", ["pixels", "twenty"], ["scaled_pixels"]))
            nodes.append(helper.make_node("Concat", [f"column{name}" for name in sides], ["orientation"], axis=1))
            outputs.append(helper.make_tensor_value_info("orientation", TensorProto.FLOAT, ("n", 4)))
        graph = helper.make_graph(
            nodes,
            "gray-levels",
            [helper.make_tensor_value_info(input_name, input_type, shape)],
            outputs,
            [numpy_helper.from_array(values, name) for name, values in constants.items()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
        if text is not None:
            helper.set_model_props(model, {"scriptkd": text or json.dumps(metadata | fields)})
        path = tmp_path_factory.mktemp("model") / "model.onnx"
        onnx.save(model, path)
        return path

    return build


@pytest.fixture(scope="session")
def model(build_model: Builder) -> Path:
    """A model file that is as it should be."""
    return build_model()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """A function that runs `scriptkd` with arguments and returns exit status, stdout and stderr."""

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["scriptkd", *map(str, arguments)])
        monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # typer replaces it
        monkeypatch.setenv("PYTHONSAFEPATH", "1")  # so main does, for good; here for the test alone
        with pytest.raises(SystemExit) as caught:
            cli.main()
        status = caught.value.code or 0
        assert isinstance(status, int)
        return status, *capfd.readouterr()

    return call


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two good images, one broken, and files that are no images."""
    folder = tmp_path / "words"
    folder.mkdir()
    for name, level in {"b.png": 120, "a.JPG": 20}.items():
        cv2.imwrite(str(folder / name), np.full((20, 50), level, np.uint8))
    (folder / "notes.txt").write_text("not looked at")
    (folder / ".hidden.png").write_text("not looked at")
    return folder
