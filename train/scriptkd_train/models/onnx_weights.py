"""The weights of an exported model, as initial weights (`start: {model: upright}`) or as a teacher (`checkpoint`).

In an exported file, batch normalisation is folded into the convolutions. So the output of each convolution is measured
on training images, and its batch normalisation is set to reproduce that output.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.modelfile import ModelInfo, load_content, read_content
from scriptkd_sdk.runtime import cpu_session
from scriptkd_train.models.checkpoint import Checkpoint, load_checkpoint
from scriptkd_train.models.networks import Network, build_network, without_download

_DEQUANTIZED = "_DequantizeLinear_Output"  # suffix that onnxruntime's quantizer appends to a weight's name


@dataclass(frozen=True)
class OnnxWeights:
    """A model file's weights, float32, by their names in training.

    A name that ends in `.weight_bias` is of a convolution's bias, which contains the folded normalisation.
    """

    name: str
    info: ModelInfo
    tensors: dict[str, Tensor]

    @property
    def labels(self) -> list[str]:
        """Script names in the order of the logits."""
        return [label.name for label in self.info.labels]

    def network(self) -> Network:
        """A network of the model's architecture, with new weights."""
        arguments = self.info.provenance.get("arguments", {})
        return build_network(
            self.info.network,
            len(self.labels),
            self.info.preprocessing,
            **without_download(self.info.network, arguments),
        )

    def state_dict(self, batches: Iterable[Tensor]) -> dict[str, Tensor]:
        """The state dict of `network()` with the model's weights. In eval mode, the network then answers as the model.

        batches: training images, uint8 [N, C, H, W], for the statistics of batch normalisation.

        Raises:
            ArgumentError: a weight is missing in the file, or does not fit the network.
        """
        network = self.network().eval()
        norms = dict(normalised_convolutions(network))
        own = {id(parameter) for norm in norms.values() for parameter in norm.parameters()}
        with torch.no_grad():
            for name, parameter in network.named_parameters():
                if id(parameter) not in own:
                    parameter.copy_(self._tensor(name, parameter))
            # New normalisations have mean 0 and variance 1, so they give x times the weight, plus the bias.
            for convolution, norm in norms.items():
                norm.weight.copy_((running_statistics(norm)[1] + norm.eps).sqrt())
                norm.bias.copy_(self._tensor(f"{convolution}.weight_bias", norm.bias))
            seen = {convolution: _Moments(norm) for convolution, norm in norms.items()}
            for images in batches:
                network(images)
            for convolution, norm in norms.items():
                mean, variance = seen[convolution].result()
                for running, measured in zip(running_statistics(norm), (mean, variance), strict=True):
                    running.copy_(measured)
                norm.weight.copy_((variance + norm.eps).sqrt())
                norm.bias.add_(mean)
        return network.state_dict()

    def checkpoint(self) -> Checkpoint:
        """The model as a checkpoint. It answers as the file does, except that it does not round activations.

        Raises:
            ArgumentError: a weight is missing in the file, or does not fit the network.
        """
        known = self.info.provenance
        return Checkpoint(
            network=self.info.network,
            arguments=dict(known.get("arguments", {})),
            labels=self.labels,
            preprocessing=self.info.preprocessing,
            state_dict=self.state_dict(()),  # no statistics are needed for inference
            metrics=dict(known.get("metrics", {})),
            provenance={key: value for key, value in known.items() if key not in ("arguments", "metrics")},
            temperature=self.info.temperature,
            threshold=self.info.threshold,
            orientation_temperature=self.info.orientation_temperature,
            orientation_threshold=self.info.orientation_threshold,
            source=self.name,
        )

    def _tensor(self, name: str, like: Tensor) -> Tensor:
        found = self.tensors.get(name)
        if found is None or found.shape != like.shape:
            raise ArgumentError(
                f"cannot start from {self.name}: {name} cannot be read from a file in {self.info.precision}; give "
                "the model's fp32 file"
            )
        return found


def load_trained(path: Path) -> Checkpoint:
    """Read a trained network: a checkpoint, or an exported file if its name ends in `.onnx`.

    Raises:
        ModelError: the file is missing or damaged.
        ArgumentError: the weights of an exported file cannot be read.
    """
    return read_onnx_weights(str(path)).checkpoint() if path.suffix == ".onnx" else load_checkpoint(path)


def read_onnx_weights(model: str) -> OnnxWeights:
    """Read a bundled model by its name, or an exported file.

    Raises:
        ModelError: there is no such model, or the file is not a scriptkd model.
        ArgumentError: the file is an .ort file.
    """
    import onnx  # imported here, since it is needed only for a start from a model
    from google.protobuf.message import DecodeError

    name, content = read_content(model)
    _, info = load_content(name, content)
    try:
        model_file = onnx.load_from_string(content)
    except DecodeError as error:  # onnxruntime also loads .ort files
        raise ArgumentError(f"cannot start from {name}: it is in the .ort format; give its .onnx file") from error
    tensors = {key: torch.tensor(value) for key, value in constants(model_file).items()}
    return OnnxWeights(name, info, tensors)


def constants(model: Any) -> dict[str, NDArray[np.float32]]:
    """Return the floats of an ONNX model that no input changes, by name: its weights, in whatever precision they are.

    model: an onnx.ModelProto. Weights in 4 or 8 bits are computed by the model's own nodes.
    """
    from onnx import helper, numpy_helper

    values = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
    known, constant = set(values), []
    for node in model.graph.node:
        if node.input and known.issuperset(node.input):
            constant.append(node)
            known.update(node.output)
    if constant:
        read = {name for node in constant for name in node.input}
        outputs = [name for node in constant for name in node.output]
        graph = helper.make_graph(
            constant,
            "constants",
            [],
            [helper.make_empty_tensor_value_info(name) for name in outputs],
            [each for each in model.graph.initializer if each.name in read],
        )
        alone = helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)
        values |= dict(zip(outputs, cpu_session(alone.SerializeToString()).run(None, {}), strict=True))
    return {
        name.removesuffix(_DEQUANTIZED): value.astype(np.float32)
        for name, value in values.items()
        if value.dtype in (np.float16, np.float32)
    }


def normalised_convolutions(network: nn.Module) -> Iterable[tuple[str, nn.BatchNorm2d]]:
    """The name of each convolution, and the batch normalisation right after it."""
    for name, module in network.named_modules():
        if isinstance(module, nn.Sequential):
            for (first, convolution), (_, norm) in pairwise(module.named_children()):
                if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                    yield f"{name}.{first}", norm


def running_statistics(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Mean and variance of a normalisation, each [C], not copied."""
    assert norm.running_mean is not None and norm.running_var is not None  # all our networks keep running statistics
    return norm.running_mean, norm.running_var


class _Moments:
    """Collects mean and variance per channel of a module's inputs from now on."""

    def __init__(self, module: nn.BatchNorm2d) -> None:
        self.first, self.second = torch.zeros_like(module.bias), torch.zeros_like(module.bias)
        self.count = 0
        module.register_forward_pre_hook(self._add)

    def _add(self, _: nn.Module, inputs: tuple[Tensor]) -> None:
        (maps,) = inputs
        self.first += maps.sum(dim=(0, 2, 3))
        self.second += maps.square().sum(dim=(0, 2, 3))
        self.count += maps[:, 0].numel()

    def result(self) -> tuple[Tensor, Tensor]:
        mean = self.first / max(self.count, 1)
        return mean, (self.second / max(self.count, 1) - mean.square()).clamp_min(0)
