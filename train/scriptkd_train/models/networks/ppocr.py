"""The convolutional trunk of PP-OCR's text recognisers, trained on millions of lines of text, with a new head."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.pins import pinned
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.models.networks.base import Network, Normalise
from scriptkd_train.models.onnx_to_torch import Step, Steps, read_steps
from scriptkd_train.models.packages import PackagedFile

_LICENCE = "Apache-2.0"
PACKAGED = {
    # rapidocr-onnxruntime wants a Python before 3.13, and opencv-python, which overwrites opencv-python-headless.
    "v4": PackagedFile(
        "rapidocr-onnxruntime",
        "1.4.4",
        "rapidocr_onnxruntime/models/ch_PP-OCRv4_rec_infer.onnx",
        "48fc40f24f6d2a207a2b1091d3437eb3cc3eb6b676dc3ef9c37384005483683b",
        _LICENCE,
    ),
    "v6": PackagedFile(
        "rapidocr",
        pinned("rapidocr"),
        "rapidocr/models/PP-OCRv6_rec_small.onnx",
        "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
        _LICENCE,
    ),
}


class PPOCR(Network):
    """The trunk of a PP-OCR recogniser, and a linear head over mean and maximum of its map, as in TextNet.

    The trunk was trained on lines 48 pixels high. It halves both sides twice, and the height twice more. It reads gray
    images as three equal channels. It has no batch normalisation left, so train it with `clip: 1.0`. Only the head is
    new, so give the trunk a lower rate.

    Args:
        model: `v4` or `v6`, from a package (see PACKAGED), or the path of a recogniser's .onnx file.
        pretrained: true starts from the file's weights, false from random weights.
        graph: the trunk's steps; empty means the steps of the model.

    Raises:
        ArgumentError: the weights are missing or have another checksum, or the file is not such a recogniser.
    """

    def __init__(
        self,
        classes: int,
        preprocessing: Preprocessing,
        model: str,
        pretrained: bool = True,
        graph: Sequence[Sequence[Any]] | None = None,
    ) -> None:
        super().__init__()
        self.normalise = Normalise((0.5,) * 3, (0.5,) * 3)
        if pretrained:
            steps, weights = _read(model)
            self.trunk = Steps(steps)
            self.trunk.load_state_dict(weights)
        else:
            self.trunk = Steps(graph if graph is not None else _graph(model))
        self.feature_width = 2 * self.trunk.channels
        self.head = nn.Linear(self.feature_width, classes)

    def feature_maps(self, images: Tensor) -> dict[str, Tensor]:
        maps = self.trunk(self.normalise(images))  # three channels of mean and std turn one channel into three
        pooled = torch.cat((maps.mean(dim=(2, 3)), maps.amax(dim=(2, 3))), dim=1)
        return {"conv_output": maps, "features": pooled}

    def classify(self, features: Tensor) -> Tensor:
        logits: Tensor = self.head(features)
        return logits


def without_file(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of the same network with random weights, which need no file. Raises as PPOCR does."""
    model = arguments.get("model")
    if model in PACKAGED or arguments.get("graph") is not None or not isinstance(model, str):
        return {**arguments, "pretrained": False}
    return {**arguments, "model": Path(model).name, "pretrained": False, "graph": _graph(model)}


def origin(arguments: Mapping[str, Any]) -> dict[str, str] | None:
    """The source of a network's weights: package, version, file, SHA-256 and licence."""
    model = str(arguments.get("model"))
    if not arguments.get("pretrained", True):
        return None
    if model in PACKAGED:
        return PACKAGED[model].provenance
    return {"file": Path(model).name, "sha256": hashlib.sha256(_content(model)).hexdigest()}


def _graph(model: str) -> list[Any]:
    """The trunk's steps as plain values, without weights. Those of packaged models lie beside this file."""
    if model in PACKAGED:
        text = resources.files(__package__).joinpath(f"ppocr-{model}.json").read_text("utf-8")
        return list(json.loads(text))
    return [[step.operation, list(step.of), dict(step.settings)] for step in _read(model)[0]]


def _read(model: str) -> tuple[list[Step], dict[str, Tensor]]:
    steps, weights = read_steps(_content(model), model, partial(_end_of_trunk, model=model))
    for place, step in enumerate(steps):
        if step.operation == "convolution" and 0 in step.of:
            weights[f"{place}.weight"] = weights[f"{place}.weight"].flip(1)  # from BGR, which the recognisers read
    return steps, weights


def _content(model: str) -> bytes:
    if model in PACKAGED:
        return PACKAGED[model].read()
    try:
        return Path(model).read_bytes()
    except OSError as error:
        raise ArgumentError(
            f"network 'ppocr': model {model!r} is neither {' nor '.join(PACKAGED)} nor a readable file"
        ) from error


def _end_of_trunk(graph: Any, model: str) -> str:
    """The tensor at the end of the trunk: the input of the pooling over rows, before the sequence model."""
    for node in graph.node:
        if node.op_type == "AveragePool":
            return str(node.input[0])
    raise ArgumentError(f"{model} is not a recogniser of PP-OCR: no average pooling follows its convolutions")
