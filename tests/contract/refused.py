"""Files that every SDK must refuse: broken or oversized images, and models that break the contract."""

from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
from arithmetic import Pixels
from onnx import helper
from PIL import Image

from scriptkd_sdk.modelfile import METADATA_KEY


def refused_images() -> Iterator[tuple[str, bytes]]:
    """Files that every SDK refuses as images."""
    word = saved(np.tile(np.arange(120, dtype=np.uint8), (40, 1)))
    yield "empty.png", b""
    yield "text.png", b"This is not an image.\n"
    yield "truncated.png", word[: len(word) // 2]
    yield "one-row.png", saved(np.zeros((1, 50), np.uint8))
    yield "one-column.jpg", saved(np.zeros((50, 1), np.uint8), "JPEG")
    yield "too-long.png", saved(np.zeros((2, 16_385), np.uint8))
    size = struct.pack(">II", 60_000, 60_000)  # in the header alone: there are no such pixels
    header = b"IHDR" + size + word[24:29]
    yield "claims-too-much.png", word[:12] + header + struct.pack(">I", zlib.crc32(header)) + word[33:]


def saved(image: Pixels, kind: str = "PNG") -> bytes:
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, kind)
    return stream.getvalue()


def refused_models() -> Iterator[tuple[str, bytes]]:
    """Files that every SDK refuses as models: a network whose two logits are the mean, and what is wrong with it."""
    good: dict[str, Any] = {
        "format": 1,
        "network": "mean",
        "labels": [{"name": "Latin", "code": "Latn"}, {"name": "Tamil", "code": "Taml"}],
        "preprocessing": {"channels": 1, "height": 32, "width_min": 32, "width_max": 64, "width_step": 16},
        "temperature": 1.0,
        "threshold": 0.0,
        "precision": "fp32",
        "provenance": {},
    }
    yield "text.onnx", b"This is not a model.\n"
    yield "no-metadata.onnx", mean_model(None)
    yield "newer-format.onnx", mean_model({**good, "format": 99})
    yield "three-labels.onnx", mean_model({**good, "labels": [*good["labels"], {"name": "Telugu", "code": "Telu"}]})
    yield "no-temperature.onnx", mean_model({key: value for key, value in good.items() if key != "temperature"})
    yield "zero-temperature.onnx", mean_model({**good, "temperature": 0})
    yield "wrong-width.onnx", mean_model({**good, "preprocessing": {**good["preprocessing"], "width_min": 128}})


def mean_model(description: dict[str, Any] | None) -> bytes:
    nodes = [
        helper.make_node("Cast", ["image"], ["float"], to=onnx.TensorProto.FLOAT),
        helper.make_node("GlobalAveragePool", ["float"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["flat"]),
        helper.make_node("Concat", ["flat", "flat"], ["logits"], axis=1),
    ]
    image = helper.make_tensor_value_info("image", onnx.TensorProto.UINT8, ["n", 1, 32, "w"])
    logits = helper.make_tensor_value_info("logits", onnx.TensorProto.FLOAT, ["n", 2])
    graph = helper.make_graph(nodes, "mean", [image], [logits])
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 18)])
    if description is not None:
        helper.set_model_props(model, {METADATA_KEY: json.dumps(description, separators=(",", ":"))})
    return model.SerializeToString()
