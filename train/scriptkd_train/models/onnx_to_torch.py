"""Turn the convolutional part of an ONNX file into a trainable torch module.

`read_steps` lists the operations between the input and a given tensor. It merges what exporters split: biases, batch
normalisation and scales become part of the convolution before them, and GELU and hard-swish become one operation each.
`Steps` runs the list. Steps are plain values, so a checkpoint can hold them. Its network is then built without the ONNX
file.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from scriptkd_sdk.errors import ArgumentError

Floats = npt.NDArray[np.float32]


class Step(NamedTuple):
    """One operation. of: its inputs, 0 for the image and i + 1 for the output of step i. settings: see OPERATIONS."""

    operation: str
    of: Sequence[int]
    settings: Mapping[str, Any]


class Steps(nn.ModuleList):
    """The steps as a module: images, float [N, C, H, W] -> the output of the last step, [N, F, H', W'].

    Raises:
        ArgumentError: an operation is unknown, or reads the output of a later one.
    """

    channels: int
    """Channels F of the last map."""

    def __init__(self, steps: Iterable[Sequence[Any]]) -> None:
        super().__init__()
        self._of: list[tuple[int, ...]] = []
        for operation, of, settings in steps:
            if operation not in OPERATIONS or not all(0 <= value <= len(self) for value in of):
                raise ArgumentError(
                    f"step {len(self)} of a graph, {str(operation)[:40]!r} of {of}, is unknown or reads a later step"
                )
            self.append(OPERATIONS[operation](**settings))
            self._of.append(tuple(of))
        self.channels = next(module.out_channels for module in reversed(self) if isinstance(module, nn.Conv2d))
        self._last = {value: place for place, of in enumerate(self._of) for value in of}

    def forward(self, images: Tensor) -> Tensor:
        """Images -> the last map."""
        values = {0: images}
        for place, (module, of) in enumerate(zip(self, self._of, strict=True)):
            values[place + 1] = module(*(values[value] for value in of))
            for value in set(of):
                if self._last[value] == place:
                    del values[value]  # freed, so that not all maps of a batch are in memory at once
        return values[len(self)]


class _Affine(nn.Module):
    """x times a scalar, plus a scalar."""

    def __init__(self) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(1)), nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight + self.bias


class _Hardsigmoid(nn.Module):
    """alpha x + 1/2, clipped to 0..1. torch's own function has alpha 1/6; older networks of PaddlePaddle have 0.2."""

    def __init__(self, alpha: float) -> None:
        super().__init__()
        self.scale = 6 * alpha

    def forward(self, x: Tensor) -> Tensor:
        return functional.hardsigmoid(x * self.scale if self.scale != 1 else x)


class _Add(nn.Module):
    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x + y


class _Multiply(nn.Module):
    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x * y


class _Concatenate(nn.Module):
    """Concatenate along the channels."""

    def forward(self, *parts: Tensor) -> Tensor:
        return torch.cat(parts, dim=1)


class _Mean(nn.Module):
    """Mean over the whole map: [N, C, H, W] -> [N, C, 1, 1]."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mean(dim=(2, 3), keepdim=True)


def _convolution(
    channels: Sequence[int],
    kernel: Sequence[int] = (1, 1),
    stride: Sequence[int] = (1, 1),
    padding: Sequence[int] = (0, 0),
    groups: int = 1,
) -> nn.Conv2d:
    inside, outside = channels
    return nn.Conv2d(inside, outside, _pair(kernel), _pair(stride), _pair(padding), groups=groups)


def _maximum(kernel: Sequence[int], stride: Sequence[int] = (1, 1), padding: Sequence[int] = (0, 0)) -> nn.MaxPool2d:
    return nn.MaxPool2d(_pair(kernel), _pair(stride), _pair(padding))


def _pair(numbers: Sequence[int]) -> tuple[int, int]:
    down, right = numbers
    return down, right


OPERATIONS: dict[str, Callable[..., nn.Module]] = {
    "add": _Add,
    "affine": _Affine,
    "concatenate": _Concatenate,
    "convolution": _convolution,
    "gelu": nn.GELU,
    "hardsigmoid": _Hardsigmoid,
    "hardswish": nn.Hardswish,
    "maximum": _maximum,
    "mean": _Mean,
    "multiply": _Multiply,
    "pad": nn.ZeroPad2d,
    "relu": nn.ReLU,
    "sigmoid": nn.Sigmoid,
}


_SIMPLE = {"Add": "add", "Mul": "multiply", "Relu": "relu", "Sigmoid": "sigmoid", "GlobalAveragePool": "mean"}


def read_steps(content: bytes, name: str, last: Callable[[Any], str]) -> tuple[list[Step], dict[str, Tensor]]:
    """The steps from a graph's input to the tensor named by `last`, and the state dict of their `Steps`.

    content: the ONNX file's bytes. name: its name in messages. last: gets the graph, an onnx.GraphProto, and names the
    last tensor.

    Raises:
        ArgumentError: the content is not an ONNX file, or has an unsupported operator.
    """
    import onnx  # imported here, since it is needed only for a start from a file
    from google.protobuf.message import DecodeError

    try:
        graph = onnx.load_from_string(content).graph
    except DecodeError as error:
        raise ArgumentError(f"{name} is no ONNX file") from error
    return _Reader(graph, name).steps(last(graph))


@dataclass
class _Convolved:
    """A convolution with the operations folded into it."""

    of: str
    weight: Floats
    bias: Floats
    settings: dict[str, Any]
    pads: tuple[int, int, int, int]  # left, right, top, bottom

    def scaled(self, scale: Floats, shift: Floats) -> _Convolved:
        """The convolution with its output times `scale`, plus `shift`: one number each, or one per channel."""
        weight = self.weight * scale.reshape(-1, 1, 1, 1)
        return _Convolved(self.of, weight, self.bias * scale + shift, self.settings, self.pads)


class _Reader:
    def __init__(self, graph: Any, name: str) -> None:
        from onnx import numpy_helper

        self.name = name
        self.constants = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
        self.nodes: dict[str, Any] = {}  # by output
        self.same: dict[str, str] = {}
        for node in graph.node:
            if node.op_type == "Constant":
                self.constants[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
            elif node.op_type in ("Identity", "Cast"):
                self.same[node.output[0]] = self._name(node.input[0])
            else:
                self.nodes[node.output[0]] = node
        self.readers = Counter(self._name(each) for node in self.nodes.values() for each in node.input)
        self.image = next(each.name for each in graph.input if each.name not in self.constants)

    def steps(self, end: str) -> tuple[list[Step], dict[str, Tensor]]:
        steps: list[Step] = []
        state: dict[str, Tensor] = {}
        values = {self.image: 0}
        waiting = [self._name(end)]
        while waiting:
            operation, of, settings, arrays = self._read(waiting[-1])
            if ahead := [each for each in of if each not in values]:
                waiting.extend(reversed(ahead))
                continue
            tensor = waiting.pop()
            if tensor in values:
                continue
            read = [values[each] for each in of]
            if pads := settings.pop("pads", None):
                steps.append(Step("pad", read, {"padding": pads}))
                read = [len(steps)]
            state |= {f"{len(steps)}.{key}": torch.from_numpy(value.copy()) for key, value in arrays.items()}
            steps.append(Step(operation, read, settings))
            values[tensor] = len(steps)
        return steps, state

    def _read(self, tensor: str) -> tuple[str, list[str], dict[str, Any], dict[str, Floats]]:
        """The operation that computes a tensor: name, inputs, settings, weights. Asymmetric pads are a setting."""
        if (convolved := self._convolved(tensor)) is not None:
            return self._settled(convolved)
        for operation, match in (("gelu", self._gelu), ("hardswish", self._hardswish)):
            if (x := match(tensor)) is not None:
                return operation, [x], {}, {}
        if (affine := self._affine(tensor)) is not None:
            x, scale, shift = affine
            return "affine", [x], {}, {"weight": scale, "bias": shift}
        node = self.nodes[tensor]
        of = [self._name(each) for each in node.input]
        attributes = _attributes(node)
        match node.op_type:
            case "Add" | "Mul" | "Relu" | "Sigmoid" | "GlobalAveragePool" if not self.constants.keys() & set(of):
                return _SIMPLE[node.op_type], of, {}, {}
            case "ReduceMean" if sorted(attributes.get("axes", [])) == [2, 3] and attributes.get("keepdims", 1):
                return "mean", of, {}, {}
            case "Concat" if attributes["axis"] == 1:
                return "concatenate", of, {}, {}
            case "HardSigmoid" if attributes.get("beta", 0.5) == 0.5:
                return (
                    "hardsigmoid",
                    of,
                    {"alpha": 1 / 6 if _is_sixth(attributes) else attributes.get("alpha", 0.2)},
                    {},
                )
            case "MaxPool" if not attributes.get("ceil_mode", 0):
                settings = {"kernel": attributes["kernel_shape"], "stride": attributes.get("strides", [1, 1])}
                left, right, top, bottom = pads = _pads(attributes)
                if (left, top) == (right, bottom):
                    return "maximum", of, settings | {"padding": [top, left]}, {}
                if of[0] in self.nodes and self.nodes[of[0]].op_type == "Relu":  # zeros never win after a ReLU
                    return "maximum", of, settings | {"pads": list(pads)}, {}
        raise ArgumentError(f"{self.name}: the operator {node.op_type}, which computes {tensor}, is not supported")

    @staticmethod
    def _settled(convolved: _Convolved) -> tuple[str, list[str], dict[str, Any], dict[str, Floats]]:
        left, right, top, bottom = convolved.pads
        alike = left == right and top == bottom
        pads = {"padding": [top, left]} if alike and (top or left) else {} if alike else {"pads": list(convolved.pads)}
        settings = {**convolved.settings, **pads}
        return "convolution", [convolved.of], settings, {"weight": convolved.weight, "bias": convolved.bias}

    def _convolved(self, tensor: str) -> _Convolved | None:
        """The convolution that computes a tensor, with the biases, scales and normalisation after it."""
        node = self.nodes.get(tensor)
        if node is None:
            return None
        if node.op_type == "Conv":
            return self._bare(node)
        if node.op_type == "BatchNormalization":
            inner = self._alone(node.input[0])
            gain, shift, mean, variance = (self.constants[self._name(each)] for each in node.input[1:])
            scale = gain / np.sqrt(variance + _attributes(node).get("epsilon", 1e-5))
            return None if inner is None else inner.scaled(scale, shift - mean * scale)
        if (change := self._change(node)) is not None:
            of, scale, shift = change
            inner = self._alone(of)
            return None if inner is None else inner.scaled(scale, shift)
        return None

    def _alone(self, tensor: str) -> _Convolved | None:
        """The convolution that computes a tensor, if nothing else reads that tensor."""
        return self._convolved(self._name(tensor)) if self.readers[self._name(tensor)] == 1 else None

    def _bare(self, node: Any) -> _Convolved:
        attributes = _attributes(node)
        weight: Floats = self.constants[self._name(node.input[1])]
        groups, outside = attributes.get("group", 1), len(weight)
        bias = self.constants[self._name(node.input[2])] if len(node.input) > 2 else np.zeros(outside, np.float32)
        if weight.ndim != 4 or any(each != 1 for each in attributes.get("dilations", [])):
            raise ArgumentError(f"{self.name}: {node.name} is a convolution of an unsupported kind")
        settings: dict[str, Any] = {"channels": [weight.shape[1] * groups, outside]}
        if (kernel := list(weight.shape[2:])) != [1, 1]:
            settings["kernel"] = kernel
        if (stride := list(attributes.get("strides", [1, 1]))) != [1, 1]:
            settings["stride"] = stride
        if groups != 1:
            settings["groups"] = groups
        of, pads = self._name(node.input[0]), _pads(attributes)
        before = self._affine(of) if not any(pads) and groups == 1 and self.readers[of] == 1 else None
        if before is not None and before[1].size == before[2].size == 1:  # foldable, as there is no padding
            of, scale, shift = before
            bias, weight = bias + weight.sum(axis=(1, 2, 3)) * shift, weight * scale
        return _Convolved(of, weight, bias, settings, pads)

    def _affine(self, tensor: str) -> tuple[str, Floats, Floats] | None:
        """(x, scale, shift) if a tensor is x * scale + shift with scalars; None after a convolution."""
        if self._convolved(tensor) is not None:
            return None
        of, scale, shift = tensor, np.ones(1, np.float32), np.zeros(1, np.float32)
        while (
            self._hardswish(of) is None
            and self._gelu(of) is None
            and (node := self.nodes.get(of)) is not None
            and (of == tensor or self.readers[of] == 1)
            and (change := self._change(node)) is not None
            and change[1].size == change[2].size == 1
        ):
            of, scale, shift = change[0], change[1] * scale, change[2] * scale + shift
        return None if of == tensor else (of, scale, shift)

    def _change(self, node: Any) -> tuple[str, Floats, Floats] | None:
        """(input, scale, shift) of a node that multiplies by or adds a constant: one number, or one per channel."""
        if node.op_type not in ("Add", "Mul", "Div"):
            return None
        of, constant = (self._name(each) for each in node.input)
        if of in self.constants and node.op_type != "Div":
            of, constant = constant, of
        value = self.constants.get(constant)
        if value is None or value.size not in (1, value.shape[1] if value.ndim == 4 else 1):
            return None
        value, one = value.reshape(-1), np.ones(1, np.float32)
        return {"Add": (of, one, value), "Mul": (of, value, 0 * one), "Div": (of, 1 / value, 0 * one)}[node.op_type]

    def _gelu(self, tensor: str) -> str | None:
        """x if a tensor is x (1 + erf(x / sqrt 2)) / 2."""
        product = self._times(tensor, 0.5)
        for x, other in self._factors(product):
            inner = self._plus(other, 1.0)
            node = self.nodes.get(inner or "")
            if node is not None and node.op_type == "Erf" and self._times(self._name(node.input[0]), 0.5**0.5) == x:
                return x
        return None

    def _hardswish(self, tensor: str) -> str | None:
        """x if a tensor is x hardsigmoid(x)."""
        node = self.nodes.get(tensor)
        if node is not None and node.op_type == "HardSwish":
            return self._name(node.input[0])
        for x, other in self._factors(tensor):
            node = self.nodes.get(other)
            if node is not None and node.op_type == "HardSigmoid" and self._name(node.input[0]) == x:
                attributes = _attributes(node)
                if _is_sixth(attributes) and attributes.get("beta", 0.5) == 0.5:
                    return x
        for x, other in self._factors(self._times(tensor, 1 / 6)):
            node = self.nodes.get(other)
            if node is None or node.op_type != "Clip" or self._plus(self._name(node.input[0]), 3.0) != x:
                continue
            attributes = _attributes(node)
            low, high = (
                attributes[key] if key in attributes else float(self.constants[self._name(node.input[place])])
                for place, key in ((1, "min"), (2, "max"))
            )
            if (low, high) == (0, 6):
                return x
        return None

    def _factors(self, tensor: str | None) -> list[tuple[str, str]]:
        """The two factors of a product of tensors, in both orders."""
        node = self.nodes.get(tensor or "")
        if node is None or node.op_type != "Mul":
            return []
        one, two = (self._name(each) for each in node.input)
        return [(one, two), (two, one)]

    def _times(self, tensor: str, factor: float) -> str | None:
        """x if a tensor is x times this number."""
        return self._by(tensor, factor, 0.0)

    def _plus(self, tensor: str, term: float) -> str | None:
        return self._by(tensor, 1.0, term)

    def _by(self, tensor: str, factor: float, term: float) -> str | None:
        node = self.nodes.get(tensor)
        change = self._change(node) if node is not None else None
        if change is None or change[1].size != 1 or change[2].size != 1:
            return None
        of, scale, shift = change
        return of if np.allclose((scale[0], shift[0]), (factor, term), rtol=1e-5) else None

    def _name(self, tensor: str) -> str:
        return self.same.get(tensor, tensor)


def _attributes(node: Any) -> dict[str, Any]:
    from onnx import helper

    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def _is_sixth(attributes: Mapping[str, Any]) -> bool:
    """Whether a HardSigmoid has torch's slope, 1/6. Files store it as 0.16666670."""
    return math.isclose(attributes.get("alpha", 0.2), 1 / 6, rel_tol=1e-4)


def _pads(attributes: Mapping[str, Any]) -> tuple[int, int, int, int]:
    """The pads: left, right, top, bottom."""
    if attributes.get("auto_pad", b"NOTSET") in (b"SAME_UPPER", b"SAME_LOWER"):
        if any(stride != 1 for stride in attributes.get("strides", [1, 1])):
            raise ArgumentError("padding that depends on the picture's size is not supported")
        down, right = (kernel - 1 for kernel in attributes["kernel_shape"])
        less = (right // 2, down // 2)
        more = (right - less[0], down - less[1])
        first, last = (less, more) if attributes["auto_pad"] == b"SAME_UPPER" else (more, less)
        return first[0], last[0], first[1], last[1]
    top, left, bottom, right = attributes.get("pads", [0, 0, 0, 0])
    return left, right, top, bottom
