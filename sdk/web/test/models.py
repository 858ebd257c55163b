"""Makes the tiny models of format 3 in models/ for the tests here: `.venv/bin/python sdk/web/test/models.py`.

The label with the nearest level to a mean of gray wins. `any-crop.onnx` takes an input's darkest side for the upper
side of its letters. `any-size.onnx` takes whole images, and reads their red channel in windows of 100 columns or more.
Letters in a dark window count as upside down.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

LABELS = {"Arabic": ("Arab", 30), "Latin": ("Latn", 120), "Tamil": ("Taml", 200)}
FOLDER = Path(__file__).parent / "models"
CONSTANTS = {
    "levels": np.array([[level for _, level in LABELS.values()]], np.float32),
    "slope": np.array(-1 / 400, np.float32),
    "shade": np.array(-1 / 20, np.float32),
    "half": np.array(128, np.float32),
    "nothing": np.array([[0]], np.float32),
    "zero": np.array([0]),
    "one": np.array([1]),
    "hundred": np.array([100]),
    "last": np.array([-1]),
    "all": np.array([1, 2, 3]),
    "ends": np.array([0, 2]),
}


def save(name: str, nodes: list[Any], shape: tuple[Any, ...], preprocessing: dict[str, int], **fields: Any) -> None:
    """Write a model file with an input of this shape. fields: of the metadata."""
    used = {each for node in nodes for each in node.input}
    metadata = {
        "format": 3,
        "network": "gray-levels",
        "labels": [{"name": script, "code": code} for script, (code, _) in LABELS.items()],
        "preprocessing": {"height": 8, "width_min": 8, "width_step": 8, **preprocessing},
        "temperature": 1.0,
        "threshold": 0.5,
        "orientation_temperature": 1.0,
        "orientation_threshold": 0.6,
        "precision": "fp32",
        "provenance": {},
    }
    graph = helper.make_graph(
        nodes,
        "gray-levels",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, shape)],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ("n", len(LABELS))),
            helper.make_tensor_value_info("orientation", TensorProto.FLOAT, ("n", 4)),
        ],
        [numpy_helper.from_array(values, key) for key, values in CONSTANTS.items() if key in used],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    helper.set_model_props(model, {"scriptkd": json.dumps(metadata | fields)})
    onnx.checker.check_model(model, full_check=True)
    FOLDER.mkdir(exist_ok=True)
    onnx.save(model, FOLDER / name)


def labels(means: str) -> list[Any]:
    """Logits [n, K] of means [n, 1]."""
    return [
        helper.make_node("Sub", [means, "levels"], ["gaps"]),
        helper.make_node("Mul", ["gaps", "gaps"], ["squares"]),
        helper.make_node("Mul", ["squares", "slope"], ["logits"]),
    ]


def any_crop() -> list[Any]:
    """The nodes of `any-crop.onnx`."""
    nodes = [
        helper.make_node("Cast", ["image"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["pixels", "all"], ["means"], keepdims=0),
        helper.make_node("Unsqueeze", ["means", "one"], ["column"]),
        *labels("column"),
    ]
    sides = {"top": ("zero", 2), "right": ("last", 3), "bottom": ("last", 2), "left": ("zero", 3)}
    for side, (place, axis) in sides.items():
        nodes += [
            helper.make_node("Gather", ["pixels", place], [side], axis=axis),
            helper.make_node("ReduceMean", [side, "all"], [f"{side}_mean"], keepdims=0),
            helper.make_node("Unsqueeze", [f"{side}_mean", "one"], [f"{side}_column"]),
        ]
    return [
        *nodes,
        helper.make_node("Concat", [f"{side}_column" for side in sides], ["light"], axis=1),
        helper.make_node("Mul", ["light", "shade"], ["orientation"]),
    ]


def any_size() -> list[Any]:
    """The nodes of `any-size.onnx`."""
    return [
        helper.make_node("Cast", ["image"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("Gather", ["pixels", "zero"], ["red"], axis=2),
        helper.make_node("Shape", ["image"], ["width"], start=1, end=2),
        helper.make_node("Div", ["width", "hundred"], ["hundreds"]),
        helper.make_node("Max", ["hundreds", "one"], ["count"]),
        helper.make_node("Div", ["width", "count"], ["view"]),
        helper.make_node("Mul", ["view", "count"], ["seen"]),
        helper.make_node("Slice", ["red", "zero", "seen", "one"], ["part"]),
        helper.make_node("ReduceMean", ["part", "ends"], ["levels_of_columns"], keepdims=0),
        helper.make_node("Concat", ["count", "view"], ["shape"], axis=0),
        helper.make_node("Reshape", ["levels_of_columns", "shape"], ["windows"]),
        helper.make_node("ReduceMean", ["windows", "one"], ["column"], keepdims=1),
        *labels("column"),
        helper.make_node("Sub", ["column", "half"], ["light"]),
        helper.make_node("Mul", ["light", "shade"], ["dark"]),
        helper.make_node("Mul", ["column", "nothing"], ["flat"]),
        helper.make_node("Concat", ["flat", "flat", "dark", "flat"], ["orientation"], axis=1),
    ]


if __name__ == "__main__":
    narrow = {"channels": 1, "width_max": 32, "square_height": 12}
    save("any-crop.onnx", any_crop(), ("n", 1, "h", "w"), narrow)
    whole = {"channels": 3, "width_max": 96, "square_height": 8}
    save("any-size.onnx", any_size(), ("h", "w", 3), whole, input="image")
