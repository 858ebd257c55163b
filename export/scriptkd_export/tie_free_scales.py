"""Sums in 8 bits that every platform rounds alike.

For each pair of bytes onnxruntime computes a sum in float32 and rounds it. In which order, and whether product and sum
are rounded once or twice, hangs on the platform, and so do the last bits. Where a pair lies between two results,
platforms give either; for a pair such as (0, 161), whose first is what a ReLU makes of most pixels, scores then differ
by 0.02. Nothing but the scales decides which pairs lie so, and a result's scale may be a little larger than needed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import onnx
from onnx import numpy_helper

_BYTES = np.arange(256, dtype=np.float64)
_LARGER = 1 + np.arange(400) / 20_000  # what a scale is tried to be multiplied by: up to 2 %


class QuantParams(NamedTuple):
    """What the byte q stands for: scale * (q - zero)."""

    scale: float
    zero: int


def tie_free_sums(model: onnx.ModelProto) -> dict[str, QuantParams]:
    """Return for each sum of two tensors in unsigned 8 bits, by name, the grid that hangs least on a float's last bits.

    Args:
        model: quantized, as QDQ.

    Of two sums, one after the other, the second is chosen for the first's new grid.
    """
    numbers = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
    made = {name: node for node in model.graph.node for name in node.output}
    sums: dict[str, QuantParams] = {}

    def grid(node: onnx.NodeProto) -> QuantParams:
        """Of a QuantizeLinear or DequantizeLinear."""
        scale, zero = (numbers[name] for name in node.input[1:])
        return QuantParams(float(scale), int(zero))

    for node in model.graph.node:  # sorted: a node's inputs come before it
        addition = made.get(node.input[0]) if node.op_type == "QuantizeLinear" else None
        if addition is None or addition.op_type != "Add":
            continue
        terms = []
        for name in addition.input:
            if name not in made or made[name].op_type != "DequantizeLinear":
                break  # not both in 8 bits: a sum in float32
            quantized = made.get(made[name].input[0])
            earlier = sums.get(quantized.input[0]) if quantized is not None else None
            terms.append(earlier or grid(made[name]))
        else:
            first, second = terms
            sums[node.input[0]] = tie_free(first, second, grid(node))
    return sums


def tie_free(first: QuantParams, second: QuantParams, result: QuantParams) -> QuantParams:
    """Return the result's grid with a scale up to 2 % larger, of those tried the one whose closest pair is clearest."""
    tried = (QuantParams(float(result.scale * factor), result.zero) for factor in _LARGER)
    return max(tried, key=lambda grid: _clear(first, second, grid))


def _clear(first: QuantParams, second: QuantParams, result: QuantParams) -> float:
    """How far the closest of all pairs of bytes lies from between two results, in float32's errors."""
    ratios = [float(np.float32(term.scale) / np.float32(result.scale)) for term in (first, second)]
    a, b = _BYTES[:, None] * ratios[0], _BYTES[None, :] * ratios[1]
    zero = first.zero * ratios[0] + second.zero * ratios[1]
    exact = a + b + (result.zero - zero)
    error = (a + b + zero + result.zero) * 2.0**-24
    between = np.abs(exact - np.floor(exact) - 0.5)
    told = (exact > -1) & (exact < 256)  # the others are cut off, to 0 or 255
    return float((between[told] / error[told]).min(initial=np.inf))
