"""The precisions that a network can be exported in, by name."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import numpy as np
import onnx
from numpy.typing import NDArray

from .float16 import compute_in_float16, store_float16_weights
from .quantize import Calibration, has_dynamic_layers, quantize_int8, quantize_int8_dynamic, quantize_weights


class Precision(StrEnum):
    """Of weights and of computation; the name is the file's `precision` in its metadata."""

    fp32 = "fp32"
    fp16 = "fp16"
    fp16_compute = "fp16-compute"
    int8 = "int8"
    int8_u8 = "int8-u8"
    int4_u8 = "int4-u8"
    int8_dynamic = "int8-dynamic"
    int8_weights = "int8-weights"
    int4_weights = "int4-weights"


DESCRIPTION = {
    Precision.fp32: "float32",
    Precision.fp16: "float16 weights, computed in float32",
    Precision.fp16_compute: "weights and computation in float16",
    Precision.int8: "weights and activations in 8 bits (static, S8S8)",
    Precision.int8_u8: "weights in 7 bits and activations in 8 (static, U8S8)",
    Precision.int4_u8: "weights in 4 bits and activations in 8 (static, U8S8)",
    Precision.int8_dynamic: "LSTMs and linear layers in 8 bits, activations' ranges at each call",
    Precision.int8_weights: "int8 weights, computed in float32",
    Precision.int4_weights: "weights in 4 bits (LSTMs in 8), computed in float32",
}
CALIBRATED = {Precision.int8, Precision.int8_u8, Precision.int4_u8}
FOLDED = {Precision.fp16, Precision.int4_u8, Precision.int8_weights, Precision.int4_weights, Precision.fp16_compute}
"""An .ort file of these holds weights in more bits: onnxruntime restores them before it writes one."""


def convert(
    precision: Precision,
    graph: onnx.ModelProto,
    images: Sequence[NDArray[np.uint8]],
    calibration: Calibration = Calibration.minmax,
    per_channel: bool = True,
) -> onnx.ModelProto:
    """The float32 graph in another precision. images: batches uint8 [N, C, H, W] for the calibrated precisions.

    Raises ExportError where the graph has nothing for the precision to change, or a converter fails.
    """
    match precision:
        case Precision.fp16:
            return store_float16_weights(graph)
        case Precision.fp16_compute:
            return compute_in_float16(graph)
        case Precision.int8:
            return quantize_int8(graph, images, "int8", calibration, per_channel)
        case Precision.int8_u8:
            return quantize_int8(graph, images, "uint8", calibration, per_channel)
        case Precision.int4_u8:
            return quantize_int8(graph, images, "uint8", calibration, per_channel, weight_bits=4)
        case Precision.int8_dynamic:
            return quantize_int8_dynamic(graph)
        case Precision.int8_weights:
            return quantize_weights(graph)
        case Precision.int4_weights:
            return quantize_weights(graph, bits=4)
    copy = onnx.ModelProto()
    copy.CopyFrom(graph)
    return copy


def candidates(graph: onnx.ModelProto) -> list[Precision]:
    """The precisions worth trying on this processor: computing in float16 is for others."""
    return [
        precision
        for precision in Precision
        if precision is not Precision.fp16_compute
        and (precision is not Precision.int8_dynamic or has_dynamic_layers(graph))
    ]
