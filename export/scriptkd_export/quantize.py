"""8-bit and 4-bit precisions of an exported graph.

Static (QDQ): activations in 8 bits, with ranges found on images, weights in 8 or 4. Dynamic: weights in 8 bits, ranges
of the activations found at every call. Weights alone: stored in 8 or 4 bits, computed in float32.
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

_STATIC = {"Conv", "Gemm", "MatMul"}  # what the static integer kernels are for
_DYNAMIC = ["LSTM", "MatMul"]  # dynamic kernels of convolutions are far slower than float32's
STANDARDIZED = {"int8": (0.05091991, 0), "uint8": (0.05091991, 128)}
"""Scale and zero point of a standardized input (mean 0, deviation 1, by `Standardise`): from -6.5 to 6.5 deviations,
which hold all but a few specks. Not found on images: here, before the first rounding, are the only floats of a model in
8 bits, and platforms' differ in their last bits. With a fixed grid it is known beforehand which images that can touch,
and the contract's golden images are chosen to be none of them, whatever the model."""


Scales = list[dict[str, Any]]
"""For each channel of a weight what onnxruntime's quantizer calls its override."""


_METHODS = {
    Calibration.minmax: CalibrationMethod.MinMax,
    Calibration.entropy: CalibrationMethod.Entropy,
    Calibration.percentile: CalibrationMethod.Percentile,
}


class _Reader(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime ships no types
    """Batches in the form in which onnxruntime's calibrator asks for them: one range of batches after another."""

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
    """Quantize convolutions and matrix products to 8 bits, activations by their range on images.

    The normalization of the input, poolings, LSTMs and the layers that give the answers stay float32: they cost little
    time and would cost accuracy. A standardized input has the grid STANDARDIZED.

    Args:
        model: in float32, as of `export_graph`.
        images: batches uint8 [N, C, H, W], each of one width.
        activations: "int8" (S8S8). "uint8" (U8S8) also keeps ReLUs and residual sums in 8 bits, which onnxruntime's
            x86 kernels reward; its weights have 7 bits, because processors without VNNI add pairs of products in 16
            bits and would saturate. Their scales are such that all platforms round them alike (`tie_free_scales`).
        calibration: how the range of an activation follows from its values.
        per_channel: one scale for each output channel of a weight, not one for all.
        weight_bits: with 4, large weights take the few integers of the grid that they were trained on
            (`scriptkd_train.compression.quantize`), one scale a channel, and are stored two in a byte; onnxruntime
            unpacks them when it loads the file, and computes with the kernels for 8 bits.

    Returns:
        A new model.

    Raises:
        ExportError: onnxruntime's quantizer fails.
        OSError: the temporary folder is full.
    """
    images = list(images)  # gone through twice
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
            # Batch by batch: batches differ in width, and the histograms' calibrators would stack them.
            extra_options={"CalibStridedMinMax": 1, "TensorQuantOverrides": grid | chosen},
        )

    quantized = _quantized(model, quantize)
    if sums := tie_free_sums(quantized) if unsigned else {}:
        chosen |= {name: activation(*each) for name, each in sums.items()}
        quantized = _quantized(model, quantize)
    return _pack_int4(quantized, {f"{name}_quantized" for name in grid}) if grid else quantized


def _on_grid_of_4_bits(model: onnx.ModelProto, floating: list[str]) -> tuple[onnx.ModelProto, dict[str, Scales]]:
    """A copy whose large weights have the values that 4 bits can hold, and what the quantizer is to be told of each."""
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
    """The model, changed in place, with these int8 weights, which hold integers of 4 bits, two in a byte."""
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
    """Quantize LSTMs and matrix products to 8 bits, activations by their range at each call; no images are needed.

    Convolutions, and the layers that give the answers, stay float32.

    Args:
        model: in float32, as of `export_graph`.

    Returns:
        A new model.

    Raises:
        ExportError: a graph without such layers, or onnxruntime's quantizer fails.
        OSError: the temporary folder is full.
    """

    def quantize(copy: onnx.ModelProto, path: Path) -> None:
        quantize_dynamic(
            copy,
            path,
            op_types_to_quantize=_DYNAMIC,
            per_channel=True,
            weight_type=QuantType.QInt8,
            # onnxruntime splits each Gemm into a MatMul of this name and an Add before it looks at the names.
            nodes_to_exclude=[f"{name}{suffix}" for name in _float_nodes(model.graph) for suffix in ("", "_MatMul")],
        )

    if not has_dynamic_layers(model):
        raise ExportError(
            "int8-dynamic is for networks with an LSTM or a hidden linear layer, and this one has neither"
        )
    return _quantized(model, quantize)


def has_dynamic_layers(model: onnx.ModelProto) -> bool:
    """Say whether there is anything that dynamic quantization makes smaller."""
    excluded = set(_float_nodes(model.graph))
    return any(node.op_type in {*_DYNAMIC, "Gemm"} and node.name not in excluded for node in model.graph.node)


def _quantized(model: onnx.ModelProto, quantize: Callable[[onnx.ModelProto, Path], None]) -> onnx.ModelProto:
    copy = onnx.ModelProto()
    copy.CopyFrom(model)  # the quantizer moves the weights of what it is given to a file
    with tempfile.TemporaryDirectory() as folder, quiet():
        path = Path(folder) / "int8.onnx"
        try:
            quantize(copy, path)
        except OSError as error:  # the temporary folder is full
            raise naming(error, path) from error
        except Exception as error:  # it raises whatever its many passes raise
            reason = " ".join(str(error).split())[:300]
            raise ExportError(f"onnxruntime cannot quantize the graph: {reason}") from error
        return strip(onnx.load(path))


def _float_nodes(graph: onnx.GraphProto) -> list[str]:
    """Names of the nodes that normalize the input, and of those that give the answers: logits, orientation.

    The first convolution is not among them, though on one channel it would be faster in float32 (textnet gains 8 %):
    the normalized input has no more values than a byte and is rounded alike on every platform, but what float32 makes
    of it is not, and scores would differ between platforms by up to 0.01.
    """
    answers = {value.name for value in graph.output}
    return input_normalization_nodes(graph) + [node.name for node in graph.node if not answers.isdisjoint(node.output)]


def _standardized(graph: onnx.GraphProto) -> set[str]:
    """What the first layers with weights read, if it was divided by a deviation, which takes a square root."""
    before = set(input_normalization_nodes(graph))
    normalizing = [node for node in graph.node if node.name in before]
    if "Sqrt" not in {node.op_type for node in normalizing}:
        return set()
    made = {name for node in normalizing for name in node.output}
    return {node.input[0] for node in graph.node if node.name not in before and node.input[0] in made}


def quantize_weights(model: onnx.ModelProto, bits: int = 8) -> onnx.ModelProto:
    """Store large weights in 8 or 4 bits, one scale a channel; activations, and so the speed, stay those of float32.

    Each weight is restored by a few plain operators, Mul(Cast(int8), scale) in 8 bits, which every onnxruntime folds to
    float32 when it loads the file. The standard DequantizeLinear is not folded unless the session is created with
    `session.disable_quant_qdq`, and is slower than float32 without (0.40 against 0.22 ms for textnet). The scales are
    those of `scriptkd_train.compression.quantize`, so that weights which were trained in so many bits are stored
    without loss.

    LSTMs keep 8 bits, since none are trained in 4, and so does a weight without an even axis to pack.

    Args:
        model: in float32, as of `export_graph`.
        bits: of a weight, 8 or 4.

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
    """Give a graph other nodes and initialisers."""
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(stored)
    graph.node.extend(nodes)


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
    cast = helper.make_node("Cast", [f"{name}.int8"], [name], to=onnx.TensorProto.FLOAT)
    return [cast], numpy_helper.from_array(codes, f"{name}.int8")


def _channel_axes(graph: onnx.GraphProto) -> dict[str, tuple[int, ...]]:
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
