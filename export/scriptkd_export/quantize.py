"""Smaller and faster forms of an exported graph.

int8: weights and activations in 8 bits (static, QDQ). int8-weights: weights alone, computed in float32.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from .errors import ExportError
from .graph import INPUT, OUTPUT, strip
from .quiet import quiet

_MULTIPLY = {"Conv", "Gemm", "MatMul"}  # what the integer kernels are for
_SMALLEST = 1024  # numbers in a weight: below, the two nodes that restore it take what is saved


class _Reader(CalibrationDataReader):
    """Batches in the form in which onnxruntime's calibrator asks for them."""

    def __init__(self, images: Iterable[NDArray[np.uint8]]) -> None:
        self.images: Iterator[NDArray[np.uint8]] = iter(images)

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        batch = next(self.images, None)
        return None if batch is None else {INPUT: batch}


def quantize_int8(
    model: onnx.ModelProto, images: Iterable[NDArray[np.uint8]], activations: Literal["int8", "uint8"] = "int8"
) -> onnx.ModelProto:
    """Quantise convolutions and matrix products to 8 bits, weights per channel, activations by their range on `images`.

    images: batches uint8 [N, C, H, W], each of one width. The normalisation of the input, poolings, LSTMs and the layer
    that gives the logits stay float32: they cost little time and would cost accuracy.

    activations: "int8" (S8S8). "uint8" (U8S8) also keeps ReLUs and residual sums in 8 bits, which onnxruntime's x86
    kernels reward; its weights have 7 bits, because processors without VNNI add pairs of products in 16 bits and
    would saturate.

    Raises ExportError if onnxruntime's quantiser fails.
    """
    unsigned = activations == "uint8"
    copy = onnx.ModelProto()
    copy.CopyFrom(model)  # the quantiser moves the weights of what it is given to a file
    with tempfile.TemporaryDirectory() as folder, quiet():
        path = Path(folder) / "int8.onnx"
        try:
            quantize_static(
                copy,
                path,
                _Reader(images),
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=sorted(_MULTIPLY | {"Add", "Relu"} if unsigned else _MULTIPLY),
                nodes_to_exclude=_stay_float(model.graph),
                per_channel=True,
                reduce_range=unsigned,
                activation_type=QuantType.QUInt8 if unsigned else QuantType.QInt8,
                weight_type=QuantType.QInt8,
            )
        except Exception as error:  # it raises whatever its many passes raise
            reason = " ".join(str(error).split())[:300]
            raise ExportError(f"onnxruntime cannot quantise the graph: {reason}") from error
        return strip(onnx.load(path))


def _stay_float(graph: onnx.GraphProto) -> list[str]:
    """Names of the nodes before the first weights, which normalise the input, and of the one that gives the logits."""
    weights = {initializer.name for initializer in graph.initializer if len(initializer.dims) > 1}
    learned: set[str] = set()  # values that weights had a part in
    names = []
    for node in graph.node:  # sorted: a node's inputs come before it
        after = any(name in learned for name in node.input)
        if after or (node.op_type in {*_MULTIPLY, "LSTM"} and not weights.isdisjoint(node.input)):
            learned.update(node.output)
        if not learned.intersection(node.output) or OUTPUT in node.output:
            names.append(node.name)
    return names


def quantize_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """Store large weights as int8 with one scale a channel; activations, and so the speed, stay those of float32.

    Each weight becomes Mul(Cast(int8), scale), which every onnxruntime folds to float32 when it loads the file. The
    standard DequantizeLinear is not folded unless the session is created with `session.disable_quant_qdq`, and is
    slower than float32 without (0.40 against 0.22 ms for textnet).
    """
    small = onnx.ModelProto()
    small.CopyFrom(model)
    graph = small.graph
    kept = _kept_axes(graph)
    restore, stored = [], []
    for weight in graph.initializer:
        values = numpy_helper.to_array(weight)
        if weight.name not in kept or values.dtype != np.float32 or values.size < _SMALLEST:
            stored.append(weight)
            continue
        reduced = tuple(axis for axis in range(values.ndim) if axis not in kept[weight.name])
        scale = np.abs(values).max(axis=reduced, keepdims=True) / np.float32(127)
        scale[scale == 0] = 1  # a channel that is all zeros
        codes = np.rint(values / scale).astype(np.int8)
        name = weight.name
        stored += [numpy_helper.from_array(codes, f"{name}.int8"), numpy_helper.from_array(scale, f"{name}.scale")]
        restore += [
            helper.make_node("Cast", [f"{name}.int8"], [f"{name}.float"], to=onnx.TensorProto.FLOAT),
            helper.make_node("Mul", [f"{name}.float", f"{name}.scale"], [name]),
        ]
    nodes = [*restore, *graph.node]
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(stored)
    graph.node.extend(nodes)
    return small


def _kept_axes(graph: onnx.GraphProto) -> dict[str, tuple[int, ...]]:
    """Weight name -> the axes that count output channels and so get scales of their own."""
    axes: dict[str, tuple[int, ...]] = {}
    ranks = {weight.name: len(weight.dims) for weight in graph.initializer}
    for node in graph.node:
        match node.op_type:
            case "Conv":  # [out, in / groups, height, width]
                axes[node.input[1]] = (0,)
            case "Gemm":  # [in, out], or [out, in] when transposed
                transposed = any(attribute.name == "transB" and attribute.i for attribute in node.attribute)
                axes[node.input[1]] = (0,) if transposed else (1,)
            case "MatMul" if ranks.get(node.input[1]) == 2:  # [in, out]
                axes[node.input[1]] = (1,)
            case "LSTM":  # W [directions, 4 * hidden, in] and R [directions, 4 * hidden, hidden]
                axes[node.input[1]] = axes[node.input[2]] = (0, 1)
    return axes
