"""8-bit and 4-bit forms of an exported graph.

Static (QDQ): weights and activations in 8 bits, with ranges found on images. Dynamic: weights in 8 bits, ranges of the
activations found at every call. Weights alone: stored in 8 or 4 bits, computed in float32.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from enum import StrEnum
from pathlib import Path
from typing import Literal

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_dynamic,
    quantize_static,
)

from scriptkd_train.quantise import SMALLEST, largest_code, weight_scales

from .errors import ExportError
from .graph import INPUT, OUTPUT, before_the_weights, strip
from .quiet import quiet

_STATIC = {"Conv", "Gemm", "MatMul"}  # what the static integer kernels are for
_DYNAMIC = ["LSTM", "MatMul"]  # dynamic kernels of convolutions are far slower than float32's
_NIBBLE_CONSTANTS = [
    (np.array(15, np.uint8), "int4.mask"),
    (np.array(4, np.uint8), "int4.shift"),
    (np.array(8, np.float32), "int4.zero"),
]


class Calibration(StrEnum):
    """How the range of an activation follows from its values on images."""

    minmax = "minmax"  # all of them fit
    entropy = "entropy"  # the range whose 8-bit histogram tells most about the true one
    percentile = "percentile"  # 99.999 % of them fit


_METHODS = {
    Calibration.minmax: CalibrationMethod.MinMax,
    Calibration.entropy: CalibrationMethod.Entropy,
    Calibration.percentile: CalibrationMethod.Percentile,
}


class _Reader(CalibrationDataReader):
    """Batches in the form in which onnxruntime's calibrator asks for them: one range of batches after another."""

    def __init__(self, images: Iterable[NDArray[np.uint8]]) -> None:
        self.images = list(images)
        self.set_range(0, len(self.images))

    def __len__(self) -> int:
        return len(self.images)

    def set_range(self, start_index: int, end_index: int) -> None:
        self.waiting = iter(self.images[start_index:end_index])

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        batch = next(self.waiting, None)
        return None if batch is None else {INPUT: batch}


def quantize_int8(
    model: onnx.ModelProto,
    images: Iterable[NDArray[np.uint8]],
    activations: Literal["int8", "uint8"] = "int8",
    calibration: Calibration = Calibration.minmax,
    per_channel: bool = True,
) -> onnx.ModelProto:
    """Quantise convolutions and matrix products to 8 bits, activations by their range on `images`.

    images: batches uint8 [N, C, H, W], each of one width. The normalisation of the input, poolings, LSTMs and the layer
    that gives the logits stay float32: they cost little time and would cost accuracy. per_channel: one scale for each
    output channel of a weight, not one for all.

    activations: "int8" (S8S8). "uint8" (U8S8) also keeps ReLUs and residual sums in 8 bits, which onnxruntime's x86
    kernels reward; its weights have 7 bits, because processors without VNNI add pairs of products in 16 bits and
    would saturate.

    Raises ExportError if onnxruntime's quantiser fails.
    """
    unsigned = activations == "uint8"

    def quantise(copy: onnx.ModelProto, path: Path) -> None:
        quantize_static(
            copy,
            path,
            _Reader(images),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=sorted(_STATIC | {"Add", "Relu"} if unsigned else _STATIC),
            nodes_to_exclude=_stay_float(model.graph),
            per_channel=per_channel,
            reduce_range=unsigned,
            activation_type=QuantType.QUInt8 if unsigned else QuantType.QInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=_METHODS[calibration],
            # Batch by batch: batches differ in width, and the histograms' calibrators would stack them.
            extra_options={"CalibStridedMinMax": 1},
        )

    return _quantised(model, quantise)


def quantize_int8_dynamic(model: onnx.ModelProto) -> onnx.ModelProto:
    """Quantise LSTMs and matrix products to 8 bits, activations by their range at each call; no images are needed.

    Convolutions, and the layer that gives the logits, stay float32.
    Raises ExportError for a graph without such layers, or if onnxruntime's quantiser fails.
    """

    def quantise(copy: onnx.ModelProto, path: Path) -> None:
        quantize_dynamic(
            copy,
            path,
            op_types_to_quantize=_DYNAMIC,
            per_channel=True,
            weight_type=QuantType.QInt8,
            # onnxruntime splits each Gemm into a MatMul of this name and an Add before it looks at the names.
            nodes_to_exclude=[f"{name}{suffix}" for name in _stay_float(model.graph) for suffix in ("", "_MatMul")],
        )

    if not has_dynamic_layers(model):
        raise ExportError(
            "int8-dynamic is for networks with an LSTM or a hidden linear layer, and this one has neither"
        )
    return _quantised(model, quantise)


def has_dynamic_layers(model: onnx.ModelProto) -> bool:
    """Whether there is anything that dynamic quantisation makes smaller."""
    excluded = set(_stay_float(model.graph))
    return any(node.op_type in {*_DYNAMIC, "Gemm"} and node.name not in excluded for node in model.graph.node)


def _quantised(model: onnx.ModelProto, quantise: Callable[[onnx.ModelProto, Path], None]) -> onnx.ModelProto:
    copy = onnx.ModelProto()
    copy.CopyFrom(model)  # the quantiser moves the weights of what it is given to a file
    with tempfile.TemporaryDirectory() as folder, quiet():
        path = Path(folder) / "int8.onnx"
        try:
            quantise(copy, path)
        except Exception as error:  # it raises whatever its many passes raise
            reason = " ".join(str(error).split())[:300]
            raise ExportError(f"onnxruntime cannot quantise the graph: {reason}") from error
        return strip(onnx.load(path))


def _stay_float(graph: onnx.GraphProto) -> list[str]:
    """Names of the nodes that normalise the input, and of the one that gives the logits."""
    return before_the_weights(graph) + [node.name for node in graph.node if OUTPUT in node.output]


def quantize_weights(model: onnx.ModelProto, bits: int = 8) -> onnx.ModelProto:
    """Store large weights in 8 or 4 bits, one scale a channel; activations, and so the speed, stay those of float32.

    Each weight is restored by a few plain operators, Mul(Cast(int8), scale) in 8 bits, which every onnxruntime folds to
    float32 when it loads the file. The standard DequantizeLinear is not folded unless the session is created with
    `session.disable_quant_qdq`, and is slower than float32 without (0.40 against 0.22 ms for textnet). The scales are
    those of `scriptkd_train.quantise`, so that weights which were trained in so many bits are stored without loss.

    LSTMs keep 8 bits, since none are trained in 4, and so does a weight without an even axis to pack.
    """
    small = onnx.ModelProto()
    small.CopyFrom(model)
    graph = small.graph
    kept = _kept_axes(graph)
    recurrent = {name for node in graph.node if node.op_type == "LSTM" for name in node.input}
    restore, stored = [], [numpy_helper.from_array(*each) for each in _NIBBLE_CONSTANTS] if bits == 4 else []
    for weight in graph.initializer:
        values = numpy_helper.to_array(weight)
        if weight.name not in kept or values.dtype != np.float32 or values.size < SMALLEST:
            stored.append(weight)
            continue
        even = next((axis for axis, size in enumerate(values.shape) if size % 2 == 0), None)
        in_nibbles = bits == 4 and weight.name not in recurrent and even is not None
        codes, scale = _codes(values, kept[weight.name], 4 if in_nibbles else 8)
        nodes, packed = _from_nibbles(weight.name, codes, even) if in_nibbles else _from_bytes(weight.name, codes)
        restore += [*nodes, helper.make_node("Mul", [f"{weight.name}.float", f"{weight.name}.scale"], [weight.name])]
        stored += [packed, numpy_helper.from_array(scale, f"{weight.name}.scale")]
    nodes = [*restore, *graph.node]
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(stored)
    graph.node.extend(nodes)
    return small


def _codes(
    values: NDArray[np.float32], kept: tuple[int, ...], bits: int
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Integers of a weight's shape, and scales that broadcast to it: values = codes * scales, nearly."""
    counts = tuple(values.shape[axis] for axis in kept)
    rows = np.moveaxis(values, kept, range(len(kept))).reshape(int(np.prod(counts)), -1)
    scales = weight_scales(torch.from_numpy(rows.copy()), bits).numpy()
    scale = scales.reshape([size if axis in kept else 1 for axis, size in enumerate(values.shape)])
    top = largest_code(bits)
    return np.clip(np.rint(values / scale), -top, top).astype(np.int8), scale


def _from_bytes(name: str, codes: NDArray[np.int8]) -> tuple[list[onnx.NodeProto], onnx.TensorProto]:
    cast = helper.make_node("Cast", [f"{name}.int8"], [f"{name}.float"], to=onnx.TensorProto.FLOAT)
    return [cast], numpy_helper.from_array(codes, f"{name}.int8")


def _from_nibbles(name: str, codes: NDArray[np.int8], axis: int) -> tuple[list[onnx.NodeProto], onnx.TensorProto]:
    """The first half of the codes along an axis in the low nibbles, the second in the high ones, all plus 8.

    By operators that this opset has for bytes: ONNX's own integers of 4 bits came later (21), and older clients lack
    them.
    """
    low, high = np.split((codes + 8).astype(np.uint8), 2, axis)
    nodes = [
        helper.make_node("BitwiseAnd", [f"{name}.int4", "int4.mask"], [f"{name}.low"]),
        helper.make_node("BitShift", [f"{name}.int4", "int4.shift"], [f"{name}.high"], direction="RIGHT"),
        helper.make_node("Concat", [f"{name}.low", f"{name}.high"], [f"{name}.both"], axis=axis),
        helper.make_node("Cast", [f"{name}.both"], [f"{name}.codes"], to=onnx.TensorProto.FLOAT),
        helper.make_node("Sub", [f"{name}.codes", "int4.zero"], [f"{name}.float"]),
    ]
    return nodes, numpy_helper.from_array(low | high << 4, f"{name}.int4")


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
