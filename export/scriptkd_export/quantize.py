"""8-bit and 4-bit precisions of an exported graph.

Static (QDQ): activations in 8 bits, with ranges found on images, and weights in 8 or 4 bits. Dynamic: weights in 8
bits, and ranges of the activations found at every call. Weights only: stored in 8 or 4 bits, computed in float32.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal

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

from scriptkd_sdk.modelfile import INPUT
from scriptkd_train.compression.quantize import SMALLEST, largest_code, weight_scales

from .errors import ExportError, naming
from .graph import input_normalization_nodes, strip
from .int4_packing import UNPACK_CONSTANTS, even_axis, pack
from .precisions import Calibration
from .quiet import quiet
from .tie_free_scales import tie_free_sums

_STATIC = {"Conv", "Gemm", "MatMul"}  # operators with static integer kernels
_DYNAMIC = ["LSTM", "MatMul"]  # without Conv, whose dynamic kernels are far slower than in float32
STANDARDIZED = {"int8": (0.05091991, 0), "uint8": (0.05091991, 128)}
"""Scale and zero point of a standardized input (mean 0, deviation 1, by `Standardise`). The range is -6.5 to 6.5
deviations, which holds all but a few specks. It is fixed, not found on images. The input holds the only floats of an
8-bit model before the first rounding, and their last bits differ between platforms. A fixed grid shows beforehand which
images this can affect. The contract's golden images are chosen so that none is affected, whatever the model.
"""


Scales = list[dict[str, Any]]
"""For each channel of a weight, an override of onnxruntime's quantizer."""


_METHODS = {
    Calibration.minmax: CalibrationMethod.MinMax,
    Calibration.entropy: CalibrationMethod.Entropy,
    Calibration.percentile: CalibrationMethod.Percentile,
}


class _Reader(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime ships no types
    """Batches for onnxruntime's calibrator, which reads one range of batches after another."""

    def __init__(self, images: list[NDArray[np.uint8]]) -> None:
        self.images = images
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
    weight_bits: int = 8,
) -> onnx.ModelProto:
    """Quantize convolutions and matrix products to 8 bits, with activation ranges found on images.

    The input normalization, poolings, LSTMs and output layers stay float32: they take little time, and quantizing them
    would cost accuracy. A standardized input gets the grid STANDARDIZED.

    Args:
        model: a model in float32, from `export_graph`.
        images: batches uint8 [N, C, H, W], each of one width.
        activations: "int8" (S8S8) or "uint8" (U8S8). U8S8 also keeps ReLUs and residual sums in 8 bits, which is faster
            with onnxruntime's x86 kernels. Its weights have 7 bits, since processors without VNNI add pairs of products
            in 16 bits, which could saturate. The scales of its sums make all platforms round alike (`tie_free_scales`).
        calibration: how the range of an activation is computed from its values.
        per_channel: one scale for each output channel of a weight, not one for all.
        weight_bits: with 4, large weights are rounded to the 4-bit grid of their training
            (`scriptkd_train.compression.quantize`), with one scale per channel. Two weights are stored in a byte.
            onnxruntime unpacks them at load time, and computes with its 8-bit kernels.

    Returns:
        A new model.

    Raises:
        ExportError: onnxruntime's quantizer fails.
        OSError: the temporary folder is full.
    """
    images = list(images)  # a list, since it is read twice
    unsigned = activations == "uint8"
    floating = _float_nodes(model.graph)
    kind = QuantType.QUInt8 if unsigned else QuantType.QInt8
    grid: dict[str, Scales] = {}
    if weight_bits == 4:
        model, grid = _on_grid_of_4_bits(model, floating)

    def activation(scale: float, zero: int) -> Scales:
        return [{"quant_type": kind, "scale": np.array(scale, np.float32), "zero_point": np.array(zero, activations)}]

    chosen = {name: activation(*STANDARDIZED[activations]) for name in _standardized(model.graph)}

    def quantize(copy: onnx.ModelProto, path: Path) -> None:
        quantize_static(
            copy,
            path,
            _Reader(images),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=sorted(_STATIC | {"Add", "Relu"} if unsigned else _STATIC),
            nodes_to_exclude=floating,
            per_channel=per_channel,
            reduce_range=unsigned,
            activation_type=kind,
            weight_type=QuantType.QInt8,
            calibrate_method=_METHODS[calibration],
            # Batch by batch, since the histogram calibrators would stack batches, which differ in width.
            extra_options={"CalibStridedMinMax": 1, "TensorQuantOverrides": grid | chosen},
        )

    quantized = _quantized(model, quantize)
    if sums := tie_free_sums(quantized) if unsigned else {}:
        chosen |= {name: activation(*each) for name, each in sums.items()}
        quantized = _quantized(model, quantize)
    return _pack_int4(quantized, {f"{name}_quantized" for name in grid}) if grid else quantized


def _on_grid_of_4_bits(model: onnx.ModelProto, floating: list[str]) -> tuple[onnx.ModelProto, dict[str, Scales]]:
    """A copy whose large weights are rounded to 4-bit values, and the quantizer's override for each."""
    rounded = onnx.ModelProto()
    rounded.CopyFrom(model)
    kept = _channel_axes(rounded.graph)
    static = {
        name
        for node in rounded.graph.node
        if node.op_type in _STATIC and node.name not in floating
        for name in node.input
    }
    grid: dict[str, Scales] = {}
    for weight in rounded.graph.initializer:
        if weight.name in static & kept.keys() and np.prod(weight.dims) >= SMALLEST:
            codes, scales = _codes(numpy_helper.to_array(weight), kept[weight.name], 4)
            weight.CopyFrom(numpy_helper.from_array(codes * scales, weight.name))
            channel = {"quant_type": QuantType.QInt8, "axis": kept[weight.name][0], "zero_point": np.array(0, np.int8)}
            grid[weight.name] = [{**channel, "scale": scale} for scale in scales.ravel()]
    return rounded, grid


def _pack_int4(model: onnx.ModelProto, names: set[str]) -> onnx.ModelProto:
    """The model, changed in place: the named int8 weights, whose values fit in 4 bits, are packed two in a byte."""
    restore, stored = [], list(model.graph.initializer)
    for index, weight in enumerate(model.graph.initializer):
        codes = numpy_helper.to_array(weight)
        if weight.name in names and even_axis(codes) is not None:
            nodes, stored[index] = pack(weight.name, codes, onnx.TensorProto.INT8)
            restore += nodes
    if restore:
        stored += UNPACK_CONSTANTS
    _replace(model.graph, [*restore, *model.graph.node], stored)
    return model


def quantize_int8_dynamic(model: onnx.ModelProto) -> onnx.ModelProto:
    """Quantize LSTMs and matrix products to 8 bits, with activation ranges found at each call. No images are needed.

    Convolutions and output layers stay float32.

    Args:
        model: a model in float32, from `export_graph`.

    Returns:
        A new model.

    Raises:
        ExportError: the graph has no such layers, or onnxruntime's quantizer fails.
        OSError: the temporary folder is full.
    """

    def quantize(copy: onnx.ModelProto, path: Path) -> None:
        quantize_dynamic(
            copy,
            path,
            op_types_to_quantize=_DYNAMIC,
            per_channel=True,
            weight_type=QuantType.QInt8,
            # onnxruntime splits each Gemm into a MatMul with this suffix and an Add before it compares names.
            nodes_to_exclude=[f"{name}{suffix}" for name in _float_nodes(model.graph) for suffix in ("", "_MatMul")],
        )

    if not has_dynamic_layers(model):
        raise ExportError(
            "int8-dynamic needs a network with an LSTM or a hidden linear layer, and this one has neither"
        )
    return _quantized(model, quantize)


def has_dynamic_layers(model: onnx.ModelProto) -> bool:
    """Say whether dynamic quantization would make any layer smaller."""
    excluded = set(_float_nodes(model.graph))
    return any(node.op_type in {*_DYNAMIC, "Gemm"} and node.name not in excluded for node in model.graph.node)


def _quantized(model: onnx.ModelProto, quantize: Callable[[onnx.ModelProto, Path], None]) -> onnx.ModelProto:
    copy = onnx.ModelProto()
    copy.CopyFrom(model)  # a copy, since the quantizer moves its model's weights to a file
    with tempfile.TemporaryDirectory() as folder, quiet():
        path = Path(folder) / "int8.onnx"
        try:
            quantize(copy, path)
        except OSError as error:  # the temporary folder is full
            raise naming(error, path) from error
        except Exception as error:  # its many passes raise errors of any kind
            reason = " ".join(str(error).split())[:300]
            raise ExportError(f"onnxruntime cannot quantize the graph: {reason}") from error
        return strip(onnx.load(path))


def _float_nodes(graph: onnx.GraphProto) -> list[str]:
    """Names of the nodes that normalize the input, and of those that compute the outputs: logits, orientation.

    The first convolution is quantized, though float32 would be faster on one channel (8 % for textnet). The
    normalized input has at most 256 values, and every platform rounds it alike. Platforms would round the output of a
    float32 convolution differently, and scores would differ by up to 0.01.
    """
    answers = {value.name for value in graph.output}
    return input_normalization_nodes(graph) + [node.name for node in graph.node if not answers.isdisjoint(node.output)]


def _standardized(graph: onnx.GraphProto) -> set[str]:
    """The inputs of the first layers with weights, if a square root shows that they were standardized."""
    before = set(input_normalization_nodes(graph))
    normalizing = [node for node in graph.node if node.name in before]
    if "Sqrt" not in {node.op_type for node in normalizing}:
        return set()
    made = {name for node in normalizing for name in node.output}
    return {node.input[0] for node in graph.node if node.name not in before and node.input[0] in made}


def quantize_weights(model: onnx.ModelProto, bits: int = 8) -> onnx.ModelProto:
    """Store large weights in 8 or 4 bits, with one scale per channel. Activations and speed stay those of float32.

    Each weight is restored by a few plain operators, in 8 bits Mul(Cast(int8), scale). Every onnxruntime folds them to
    float32 at load time. The standard DequantizeLinear is only folded in sessions with `session.disable_quant_qdq`.
    Otherwise it is slower than float32 (0.40 against 0.22 ms for textnet). The scales are computed as in
    `scriptkd_train.compression.quantize`, so weights that were trained in as many bits are stored without loss.

    LSTMs keep 8 bits, since none are trained in 4. So does a weight that has no axis of even length to pack.

    Args:
        model: a model in float32, from `export_graph`.
        bits: bits of a weight, 8 or 4.

    Returns:
        A new model.
    """
    small = onnx.ModelProto()
    small.CopyFrom(model)
    graph = small.graph
    kept = _channel_axes(graph)
    recurrent = {name for node in graph.node if node.op_type == "LSTM" for name in node.input}
    restore, stored = [], list(UNPACK_CONSTANTS) if bits == 4 else []
    for weight in graph.initializer:
        values = numpy_helper.to_array(weight)
        if weight.name not in kept or values.dtype != np.float32 or values.size < SMALLEST:
            stored.append(weight)
            continue
        in_4_bits = bits == 4 and weight.name not in recurrent and even_axis(values) is not None
        codes, scale = _codes(values, kept[weight.name], 4 if in_4_bits else 8)
        name = f"{weight.name}.codes"
        nodes, packed = pack(name, codes, onnx.TensorProto.FLOAT) if in_4_bits else _from_bytes(name, codes)
        restore += [*nodes, helper.make_node("Mul", [name, f"{weight.name}.scale"], [weight.name])]
        stored += [packed, numpy_helper.from_array(scale, f"{weight.name}.scale")]
    _replace(graph, [*restore, *graph.node], stored)
    return small


def _replace(graph: onnx.GraphProto, nodes: list[onnx.NodeProto], stored: list[onnx.TensorProto]) -> None:
    """Replace the nodes and initialisers of a graph."""
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(stored)
    graph.node.extend(nodes)


def _codes(
    values: NDArray[np.float32], kept: tuple[int, ...], bits: int
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Integer codes of a weight's shape, and scales that broadcast to it: values ≈ codes * scales."""
    counts = tuple(values.shape[axis] for axis in kept)
    rows = np.moveaxis(values, kept, range(len(kept))).reshape(int(np.prod(counts)), -1)
    scales = weight_scales(torch.from_numpy(rows.copy()), bits).numpy()
    scale = scales.reshape([size if axis in kept else 1 for axis, size in enumerate(values.shape)])
    top = largest_code(bits)
    return np.clip(np.rint(values / scale), -top, top).astype(np.int8), scale


def _from_bytes(name: str, codes: NDArray[np.int8]) -> tuple[list[onnx.NodeProto], onnx.TensorProto]:
    cast = helper.make_node("Cast", [f"{name}.int8"], [name], to=onnx.TensorProto.FLOAT)
    return [cast], numpy_helper.from_array(codes, f"{name}.int8")


def _channel_axes(graph: onnx.GraphProto) -> dict[str, tuple[int, ...]]:
    """Weight name -> the axes of its output channels, each with a scale of its own."""
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
