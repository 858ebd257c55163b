"""Scales for 8-bit sums that every platform rounds alike.

To add two bytes, onnxruntime computes their sum in float32 and rounds it. The last bits of the float sum depend on the
platform: on the order of operations, and on fused multiply-add. If a sum lies midway between two results, a tie,
platforms round it differently. A pair such as (0, 161) is common, since a ReLU makes most pixels 0. Scores can then
differ by 0.02. Only the scales decide which pairs are ties, and the scale of a result may be a little larger than
needed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import onnx
from onnx import numpy_helper

_BYTES = np.arange(256, dtype=np.float64)
_LARGER = 1 + np.arange(400) / 20_000  # factors tried for a scale, up to 2 % larger


class QuantParams(NamedTuple):
    """A quantization grid: the byte q stands for scale * (q - zero)."""

    scale: float
    zero: int


def tie_free_sums(model: onnx.ModelProto) -> dict[str, QuantParams]:
    """Return, for each sum of two uint8 tensors by name, the grid that depends least on the last bits of floats.

    Args:
        model: a quantized model in QDQ form.

    If a sum reads another sum, its grid is chosen with the new grid of that other sum.
    """
    numbers = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
    made = {name: node for node in model.graph.node for name in node.output}
    sums: dict[str, QuantParams] = {}

    def grid(node: onnx.NodeProto) -> QuantParams:
        """The grid of a QuantizeLinear or DequantizeLinear node."""
        scale, zero = (numbers[name] for name in node.input[1:])
        return QuantParams(float(scale), int(zero))

    for node in model.graph.node:  # nodes are sorted: a node comes after its inputs
        addition = made.get(node.input[0]) if node.op_type == "QuantizeLinear" else None
        if addition is None or addition.op_type != "Add":
            continue
        terms = []
        for name in addition.input:
            if name not in made or made[name].op_type != "DequantizeLinear":
                break  # a float32 sum: not both inputs are in 8 bits
            quantized = made.get(made[name].input[0])
            earlier = sums.get(quantized.input[0]) if quantized is not None else None
            terms.append(earlier or grid(made[name]))
        else:
            first, second = terms
            sums[node.input[0]] = tie_free(first, second, grid(node))
    return sums


def tie_free(first: QuantParams, second: QuantParams, result: QuantParams) -> QuantParams:
    """Enlarge the result's scale by up to 2 %, so that all pairs are as far as possible from a tie. Return its grid."""
    tried = (QuantParams(float(result.scale * factor), result.zero) for factor in _LARGER)
    return max(tried, key=lambda grid: _clear(first, second, grid))


def _clear(first: QuantParams, second: QuantParams, result: QuantParams) -> float:
    """The smallest distance of any pair of bytes from a tie, in units of the float32 error."""
    ratios = [float(np.float32(term.scale) / np.float32(result.scale)) for term in (first, second)]
    a, b = _BYTES[:, None] * ratios[0], _BYTES[None, :] * ratios[1]
    zero = first.zero * ratios[0] + second.zero * ratios[1]
    exact = a + b + (result.zero - zero)
    error = (a + b + zero + result.zero) * 2.0**-24
    between = np.abs(exact - np.floor(exact) - 0.5)
    told = (exact > -1) & (exact < 256)  # other sums are clipped to 0 or 255
    return float((between[told] / error[told]).min(initial=np.inf))
