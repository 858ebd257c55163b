"""Integers of 4 bits, two in a byte, and the operators that restore them.

They are operators for bytes that opset 18 has, and every onnxruntime folds them when it loads the file: ONNX's own
integers of 4 bits came later (opset 21), and older clients lack them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

_ZERO = 8  # added, so that no code is negative
UNPACK_CONSTANTS = (
    numpy_helper.from_array(np.array(15, np.uint8), "int4.mask"),
    numpy_helper.from_array(np.array(4, np.uint8), "int4.shift"),
    numpy_helper.from_array(np.array(_ZERO, np.int32), "int4.zero"),
)
"""Initialisers that a graph with packed weights needs, once."""


def even_axis(values: NDArray[Any]) -> int | None:
    """Return the first axis that halves; None, and nothing can be packed, where there is no such axis."""
    return next((axis for axis, size in enumerate(values.shape) if size % 2 == 0), None)


def pack(name: str, codes: NDArray[np.int8], element: int) -> tuple[list[onnx.NodeProto], onnx.TensorProto]:
    """Pack integers of 4 bits.

    Args:
        name: of the value to restore.
        codes: -8 to 7, with an even axis: its first half is in the low 4 bits, the second in the high ones.
        element: the ONNX type to restore to.

    Returns:
        The nodes that give `name`, and the initialiser, `name`.int4, that they read.
    """
    axis = even_axis(codes)
    assert axis is not None  # the caller has looked
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
