"""Integers of 4 bits, two in a byte, and the operators that restore them.

The operators are byte operators of opset 18, and every onnxruntime folds them at load time. ONNX's own 4-bit integers
came later, in opset 21, and older clients lack them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

_ZERO = 8  # added to each code, so that none is negative
UNPACK_CONSTANTS = (
    numpy_helper.from_array(np.array(15, np.uint8), "int4.mask"),
    numpy_helper.from_array(np.array(4, np.uint8), "int4.shift"),
    numpy_helper.from_array(np.array(_ZERO, np.int32), "int4.zero"),
)
"""Initialisers that a graph with packed weights needs once."""


def even_axis(values: NDArray[Any]) -> int | None:
    """Return the first axis of even length. Without one, return None: nothing can be packed."""
    return next((axis for axis, size in enumerate(values.shape) if size % 2 == 0), None)


def pack(name: str, codes: NDArray[np.int8], element: int) -> tuple[list[onnx.NodeProto], onnx.TensorProto]:
    """Pack integers of 4 bits.

    Args:
        name: the name of the value to restore.
        codes: integers from -8 to 7, with an axis of even length. Its first half goes into the low 4 bits, its second
            half into the high ones.
        element: the ONNX type to restore to.

    Returns:
        The nodes that compute `name`, and the initialiser that they read, `name`.int4.
    """
    axis = even_axis(codes)
    assert axis is not None  # the caller has checked this
    low, high = np.split((codes + _ZERO).astype(np.uint8), 2, axis)
    nodes = [
        helper.make_node("BitwiseAnd", [f"{name}.int4", "int4.mask"], [f"{name}.low"]),
        helper.make_node("BitShift", [f"{name}.int4", "int4.shift"], [f"{name}.high"], direction="RIGHT"),
        helper.make_node("Concat", [f"{name}.low", f"{name}.high"], [f"{name}.both"], axis=axis),
        helper.make_node("Cast", [f"{name}.both"], [f"{name}.wide"], to=onnx.TensorProto.INT32),
        helper.make_node("Sub", [f"{name}.wide", "int4.zero"], [f"{name}.signed"]),
        helper.make_node("Cast", [f"{name}.signed"], [name], to=element),
    ]
    return nodes, numpy_helper.from_array(low | high << 4, f"{name}.int4")
