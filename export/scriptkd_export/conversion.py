"""Convert the float32 graph to another precision."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from numpy.typing import NDArray

from .float16 import compute_in_float16, store_float16_weights
from .precisions import Calibration, Precision
from .quantize import has_dynamic_layers, quantize_int8, quantize_int8_dynamic, quantize_weights


def convert(
    precision: Precision,
    graph: onnx.ModelProto,
    images: Sequence[NDArray[np.uint8]],
    calibration: Calibration = Calibration.minmax,
    per_channel: bool = True,
) -> onnx.ModelProto:
    """Convert the float32 graph to a precision. The input graph is not changed.

    Args:
        precision: what to convert to.
        graph: a model in float32, from `export_graph`.
        images: batches uint8 [N, C, H, W], for the calibrated precisions.
        calibration: for static 8 bits: how the ranges of activations are found.
        per_channel: for static 8 bits: one scale for each output channel of a weight, not one for all.

    Returns:
        A new model.

    Raises:
        ExportError: the graph has nothing for the precision to change, or a converter fails.
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
    """Return the precisions that are worth trying for this graph.

    Args:
        graph: a model in float32, from `export_graph`.

    Returns:
        The precisions, in the order of `Precision`.
    """
    return [
        precision
        for precision in Precision
        if precision.spec.automatic and (precision is not Precision.int8_dynamic or has_dynamic_layers(graph))
    ]
