"""Writes models/*.onnx, networks in place of a text detector: `.venv/bin/python sdk/java/src/test/models.py`.

blue.onnx answers with its input's first channel. So blue is text. coloured.onnx answers with all three channels, which
are no map of text.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

MODELS = Path(__file__).with_name("models")
CHANNELS = {"blue": [0], "coloured": [0, 1, 2]}


def main() -> None:
    """Write the models."""
    for name, channels in CHANNELS.items():
        graph = helper.make_graph(
            [helper.make_node("Gather", ["image", "channels"], ["map"], axis=1)],
            name,
            [helper.make_tensor_value_info("image", TensorProto.FLOAT, (1, 3, "h", "w"))],
            [helper.make_tensor_value_info("map", TensorProto.FLOAT, (1, len(channels), "h", "w"))],
            [numpy_helper.from_array(np.array(channels), "channels")],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
        onnx.save(model, MODELS / f"{name}.onnx")


if __name__ == "__main__":
    main()
