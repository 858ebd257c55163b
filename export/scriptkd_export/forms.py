"""The forms that a network can be exported in, by name."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import numpy as np
import onnx
from numpy.typing import NDArray

from .half import compute_in_half, halve_weights
from .quantize import Calibration, has_dynamic_layers, quantize_int8, quantize_int8_dynamic, quantize_weights


class Form(StrEnum):
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


MEANING = {
    Form.fp32: "float32",
    Form.fp16: "float16 weights, computed in float32",
    Form.fp16_compute: "weights and computation in float16",
    Form.int8: "weights and activations in 8 bits (static, S8S8)",
    Form.int8_u8: "weights in 7 bits and activations in 8 (static, U8S8)",
    Form.int4_u8: "weights in 4 bits and activations in 8 (static, U8S8)",
    Form.int8_dynamic: "LSTMs and linear layers in 8 bits, activations' ranges at each call",
    Form.int8_weights: "int8 weights, computed in float32",
    Form.int4_weights: "weights in 4 bits (LSTMs in 8), computed in float32",
}
CALIBRATED = {Form.int8, Form.int8_u8, Form.int4_u8}
FOLDED = {Form.fp16, Form.int4_u8, Form.int8_weights, Form.int4_weights, Form.fp16_compute}
"""An .ort file of these holds weights in more bits: onnxruntime restores them before it writes one."""


def make(
    form: Form,
    graph: onnx.ModelProto,
    images: Sequence[NDArray[np.uint8]],
    calibration: Calibration = Calibration.minmax,
    per_channel: bool = True,
) -> onnx.ModelProto:
    """The float32 graph in another form. images: batches uint8 [N, C, H, W] for the calibrated forms.

    Raises ExportError where the graph has nothing for the form to change, or a converter fails.
    """
    match form:
        case Form.fp16:
            return halve_weights(graph)
        case Form.fp16_compute:
            return compute_in_half(graph)
        case Form.int8:
            return quantize_int8(graph, images, "int8", calibration, per_channel)
        case Form.int8_u8:
            return quantize_int8(graph, images, "uint8", calibration, per_channel)
        case Form.int4_u8:
            return quantize_int8(graph, images, "uint8", calibration, per_channel, weight_bits=4)
        case Form.int8_dynamic:
            return quantize_int8_dynamic(graph)
        case Form.int8_weights:
            return quantize_weights(graph)
        case Form.int4_weights:
            return quantize_weights(graph, bits=4)
    copy = onnx.ModelProto()
    copy.CopyFrom(graph)
    return copy


def sensible(graph: onnx.ModelProto) -> list[Form]:
    """The forms worth trying on this processor: computing in float16 is for others."""
    return [
        form
        for form in Form
        if form is not Form.fp16_compute and (form is not Form.int8_dynamic or has_dynamic_layers(graph))
    ]
