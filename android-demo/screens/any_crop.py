"""Makes any-crop.onnx, a tiny model of format 3 for TurnTest: `.venv/bin/python android-demo/screens/any_crop.py`.

The label with the nearest level to an input's mean wins, and an input's darkest side is the upper side of its letters.
"""

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

LABELS = {"Tamil": "Taml", "Latin": "Latn", "Arabic": "Arab"}
CONSTANTS = {
    "levels": np.array([[120, 190, 30]], np.float32),
    "slope": np.array(-1 / 400, np.float32),
    "shade": np.array(-1 / 10, np.float32),
    "all": np.array([1, 2, 3]),
    "one": np.array([1]),
    "rows": np.array([1, 3]),
    "columns": np.array([1, 2]),
    "first": np.array([0]),
    "last": np.array([-1]),
}
METADATA = {
    "format": 3,
    "network": "gray-levels",
    "labels": [{"name": name, "code": code} for name, code in LABELS.items()],
    "preprocessing": {
        "channels": 1,
        "height": 8,
        "width_min": 8,
        "width_max": 64,
        "width_step": 8,
        "square_height": 12,
    },
    "temperature": 1.0,
    "threshold": 0.5,
    "orientation_temperature": 1.0,
    "orientation_threshold": 0.7,
    "precision": "fp32",
    "provenance": {"made by": "android-demo/screens/any_crop.py"},
}


def main() -> None:
    """Write any-crop.onnx beside this file."""
    nodes = [
        helper.make_node("Cast", ["image"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["pixels", "all"], ["mean"], keepdims=0),
        helper.make_node("Unsqueeze", ["mean", "one"], ["column"]),
        helper.make_node("Sub", ["column", "levels"], ["gaps"]),
        helper.make_node("Mul", ["gaps", "gaps"], ["squares"]),
        helper.make_node("Mul", ["squares", "slope"], ["logits"]),
        helper.make_node("ReduceMean", ["pixels", "rows"], ["down"], keepdims=0),
        helper.make_node("ReduceMean", ["pixels", "columns"], ["across"], keepdims=0),
        helper.make_node("Gather", ["down", "first"], ["top"], axis=1),
        helper.make_node("Gather", ["across", "last"], ["right"], axis=1),
        helper.make_node("Gather", ["down", "last"], ["bottom"], axis=1),
        helper.make_node("Gather", ["across", "first"], ["left"], axis=1),
        helper.make_node("Concat", ["top", "right", "bottom", "left"], ["sides"], axis=1),
        helper.make_node("Mul", ["sides", "shade"], ["orientation"]),
    ]
    graph = helper.make_graph(
        nodes,
        "gray-levels",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ("n", 1, "h", "w"))],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ("n", len(LABELS))),
            helper.make_tensor_value_info("orientation", TensorProto.FLOAT, ("n", 4)),
        ],
        [numpy_helper.from_array(values, name) for name, values in CONSTANTS.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    helper.set_model_props(model, {"scriptkd": json.dumps(METADATA)})
    onnx.save(model, Path(__file__).with_name("any-crop.onnx"))


if __name__ == "__main__":
    main()
