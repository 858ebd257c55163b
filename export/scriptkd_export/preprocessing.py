"""Pre-processing inside the graph: a file that takes a uint8 image of any size, so that no client can get it wrong."""

from __future__ import annotations

import onnx

from scriptkd_sdk.modelfile import INPUT
from scriptkd_sdk.preprocess import LUMA, ROUNDING, Preprocessing

PREFIX = "prepare/"  # of the added nodes and values: keeps them apart from the network's

# sdk/contract, section 2, step for step. Scaled by 2 m, the triangle of n pixels to m is
# max(0, 2 max(n, m) - |(2 j + 1) m - (2 i + 1) n|): whole numbers, exact in float32 for sides up to 2^24 / 2 / m, so
# the weights are those that the SDK computes in double precision. onnxruntime's own antialiased Resize is no faster,
# and not the same: up to 12 grey levels off on noise.
_TEXT = """
<ir_version: %(ir)d, opset_import: ["" : %(opset)d]>
prepare (uint8[rows, columns, 3] image) => (uint8[1, %(channels)d, %(height)d, width] pixels)
<
    int64 step = {%(step)d}, int64 narrowest = {%(narrowest)d}, int64 widest = {%(widest)d},
    int64 height2 = {%(height2)d}, int64 two = {2}, int64[1] channels = {%(channels)d},
    int64[2] list = {-1, 3}, int64[1] first = {0}, int64[1] last = {-1},
    float[1, 3] luma_weights = {%(luma_weights)s}, float[1] luma_rounding = {%(luma_rounding)s},
    float none = {0}, float one = {1}, float rounding = {%(rounding)r},
    float brightest = {255}, float m_rows = {%(height)d}
>
{
    size = Shape <start = 0, end = 2> (image)
    rows_1 = Shape <start = 0, end = 1> (image)
    columns_1 = Shape <start = 1, end = 2> (image)
    rows = Squeeze (rows_1)
    columns = Squeeze (columns_1)
    n_rows = Cast <to = 1> (rows)
    n_columns = Cast <to = 1> (columns)

    listed = Reshape (image, list)
    planar = Transpose <perm = [1, 0]> (listed)
    bytes = Cast <to = 1> (planar)
    %(luma)s
    planes_size = Concat <axis = 0> (channels, size)
    planes = Reshape (tones, planes_size)

    divisor = Mul (rows, step)
    doubled = Mul (columns, height2)
    raised = Add (doubled, divisor)
    divisor2 = Mul (divisor, two)
    steps = Div (raised, divisor2)
    nearest = Mul (steps, step)
    wide_enough = Max (nearest, narrowest)
    width = Min (wide_enough, widest)
    m_columns = Cast <to = 1> (width)
    %(resample_rows)s
    shorter = MatMul (weights_rows, planes)
    %(resample_columns)s
    weights_across = Transpose <perm = [1, 0]> (weights_columns)
    resized = MatMul (shorter, weights_across)

    lifted = Add (resized, rounding)
    rounded = Floor (lifted)
    limited = Min (rounded, brightest)
    whole = Cast <to = 2> (limited)
    pixels = Unsqueeze (whole, first)
}
"""

_LUMA = """
    mixed = Gemm (luma_weights, bytes, luma_rounding)
    tones = Floor (mixed)"""

_COLOUR = """
    tones = Identity (bytes)"""

_RESAMPLE = """
    j_AXIS = Range (none, n_AXIS, one)
    j2_AXIS = Add (j_AXIS, j_AXIS)
    j_odd_AXIS = Add (j2_AXIS, one)
    j_at_AXIS = Mul (j_odd_AXIS, m_AXIS)
    i_AXIS = Range (none, m_AXIS, one)
    i2_AXIS = Add (i_AXIS, i_AXIS)
    i_odd_AXIS = Add (i2_AXIS, one)
    i_at_AXIS = Mul (i_odd_AXIS, n_AXIS)
    i_column_AXIS = Unsqueeze (i_at_AXIS, last)
    offset_AXIS = Sub (j_at_AXIS, i_column_AXIS)
    distance_AXIS = Abs (offset_AXIS)
    larger_AXIS = Max (n_AXIS, m_AXIS)
    support_AXIS = Add (larger_AXIS, larger_AXIS)
    signed_AXIS = Sub (support_AXIS, distance_AXIS)
    triangle_AXIS = Relu (signed_AXIS)
    total_AXIS = ReduceSum (triangle_AXIS, last)
    weights_AXIS = Div (triangle_AXIS, total_AXIS)"""


def preprocessing_graph(preprocessing: Preprocessing, ir: int, opset: int) -> onnx.ModelProto:
    """Return the pre-processing as a graph: `image`, uint8 [H, W, 3] RGB -> `pixels`, uint8 [1, C, height, W']."""
    text = _TEXT % {
        "ir": ir,
        "opset": opset,
        "channels": preprocessing.channels,
        "height": preprocessing.height,
        "height2": 2 * preprocessing.height,
        "rounding": float(ROUNDING),
        "luma_weights": ", ".join(map(str, LUMA[0, :3])),
        "luma_rounding": str(LUMA[0, 3]),
        "narrowest": preprocessing.width_min,
        "widest": preprocessing.width_max,
        "step": preprocessing.width_step,
        "luma": _LUMA if preprocessing.channels == 1 else _COLOUR,
        "resample_rows": _RESAMPLE.replace("AXIS", "rows"),
        "resample_columns": _RESAMPLE.replace("AXIS", "columns"),
    }
    return onnx.parser.parse_model(text)


def embed_preprocessing(model: onnx.ModelProto, preprocessing: Preprocessing) -> onnx.ModelProto:
    """Put the pre-processing before a model.

    Returns:
        A new model: input `image`, uint8 [H, W, 3] RGB of any size; output `logits`, float32 [1, K].
    """
    opset = next(entry.version for entry in model.opset_import if entry.domain == "")
    before = preprocessing_graph(preprocessing, model.ir_version, opset).graph
    for node in before.node:
        node.name = PREFIX + node.output[0]
        node.input[:] = [name if name == INPUT else PREFIX + name for name in node.input]
        node.output[:] = [PREFIX + name for name in node.output]
    for constant in before.initializer:
        constant.name = PREFIX + constant.name
    whole = onnx.ModelProto()
    whole.CopyFrom(model)
    graph = whole.graph
    for node in graph.node:
        node.input[:] = [f"{PREFIX}pixels" if name == INPUT else name for name in node.input]
    nodes = [*before.node, *graph.node]
    del graph.node[:], graph.input[:]
    graph.node.extend(nodes)
    graph.input.extend(before.input)
    graph.initializer.extend(before.initializer)
    graph.output[0].type.tensor_type.shape.dim[0].dim_value = 1
    return whole
