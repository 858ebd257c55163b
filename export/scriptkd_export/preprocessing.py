"""Pre-processing inside the graph: the file takes a uint8 image of any size, and no client can get it wrong."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper, numpy_helper

from scriptkd_sdk.crop import MOST_WINDOWS, PLAIN, RIM
from scriptkd_sdk.modelfile import INPUT, ORIENTATION
from scriptkd_sdk.preprocess import LUMA, ROUNDING, Preprocessing

WINDOWS = "windows"  # name of the outputs' first axis in files for any crop
PREFIX = "prepare/"  # of the added nodes and values, to keep them apart from the network's

# This graph follows sections 2 and 3 of sdk/contract step by step. The triangle filter from n pixels to m, scaled by 2
# m, is max(0, 2 max(n, m) - |(2 j + 1) m - (2 i + 1) n|). These are whole numbers, exact in float32 for sides up to
# 2^24 / 2 / m. So the weights equal those that the SDK computes in double precision. onnxruntime's own antialiased
# Resize is no faster and differs, by up to 12 grey levels on noise.
_TEXT = """
<ir_version: %(ir)d, opset_import: ["" : %(opset)d]>
prepare (uint8[rows, columns, 3] image) => (
    uint8[%(windows_axis)s, %(channels)d, height, width] pixels%(tall)s
)
<
    int64 step = {%(step)d}, int64 narrowest = {%(narrowest)d}, int64 widest = {%(widest)d},
    int64 low = {%(low)d}, int64 two = {2}, int64[1] channels = {%(channels)d}, int64[2] list = {-1, 3},
    int64[1] first = {0}, int64[1] last = {-1}, %(any_crop_constants)s
    float[1, 3] luma_weights = {%(luma_weights)s}, float[1] luma_rounding = {%(luma_rounding)s},
    float none = {0}, float one = {1}, float rounding = {%(rounding)r}, float brightest = {255}
>
{
    size = Shape <start = 0, end = 2> (image)
    listed = Reshape (image, list)
    planar = Transpose <perm = [1, 0]> (listed)
    bytes = Cast <to = 1> (planar)
    %(tones)s
    planes_size = Concat <axis = 0> (channels, size)
    planes = Reshape (tones, planes_size)
    %(crop)s

    rows_1 = Shape <start = 1, end = 2> (crop)
    columns_1 = Shape <start = 2, end = 3> (crop)
    rows = Squeeze (rows_1)
    columns = Squeeze (columns_1)
    %(height)s
    height2 = Mul (height, two)
    divisor = Mul (rows, step)
    divisor2 = Mul (divisor, two)
    %(view)s

    doubled = Mul (view, height2)
    raised = Add (doubled, divisor)
    steps = Div (raised, divisor2)
    nearest = Mul (steps, step)
    wide_enough = Max (nearest, narrowest)
    width = Min (wide_enough, widest)
    n_rows = Cast <to = 1> (rows)
    m_rows = Cast <to = 1> (height)
    n_columns = Cast <to = 1> (view)
    m_columns = Cast <to = 1> (width)
    %(resample_rows)s
    shorter = MatMul (weights_rows, crop)
    %(windows)s
    %(resample_columns)s
    weights_across = Transpose <perm = [1, 0]> (weights_columns)
    resized = MatMul (windows, weights_across)

    lifted = Add (resized, rounding)
    rounded = Floor (lifted)
    limited = Min (rounded, brightest)
    pixels = Cast <to = 2> (limited)
}
"""

_ANY_CROP_CONSTANTS = """
    int64 square = {%(square)d}, int64 rim_part = {%(rim_part)d}, int64 most_windows = {%(most_windows)d},
    int64 nothing = {0}, int64 single = {1}, int64 three = {3}, int64[1] second = {1}, int64[1] third = {2},
    int64[1] before_all = {-9223372036854775807}, float contrast = {%(plain)d}, float[1] found = {1},"""

_LUMA = """
    mixed = Gemm (luma_weights, bytes, luma_rounding)
    light = Floor (mixed)"""

# A margin ends at the first line that differs from the outermost one. If none differs, it ends one line beyond the
# last.
_TRIM = """
    image_rows_1 = Shape <start = 0, end = 1> (image)
    image_columns_1 = Shape <start = 1, end = 2> (image)
    light_plane = Reshape (light, size)
    row_high = ReduceMax <keepdims = 0> (light_plane, second)
    row_low = ReduceMin <keepdims = 0> (light_plane, second)
    %(rows_unlike)s
    text_in_rows = Less (start_rows, stop_rows)
    start_among = Where (text_in_rows, start_rows, first)
    stop_among = Where (text_in_rows, stop_rows, image_rows_1)
    among = Slice (light_plane, start_among, stop_among, first)
    column_high = ReduceMax <keepdims = 0> (among, first)
    column_low = ReduceMin <keepdims = 0> (among, first)
    %(columns_unlike)s
    text_in_columns = Less (start_columns, stop_columns)
    text = And (text_in_rows, text_in_columns)

    text_rows = Sub (stop_rows, start_rows)
    text_columns = Sub (stop_columns, start_columns)
    text_side = Min (text_rows, text_columns)
    part = Div (text_side, rim_part)
    rim = Max (part, single)
    %(rows_rim)s
    %(columns_rim)s
    top_left = Concat <axis = 0> (from_rows, from_columns)
    bottom_right = Concat <axis = 0> (to_rows, to_columns)
    sides = Concat <axis = 0> (second, third)
    trimmed = Slice (planes, top_left, bottom_right, sides)"""

_UNLIKE = """
    first_high_AXIS = Gather (LINE_high, nothing)
    first_low_AXIS = Gather (LINE_low, nothing)
    with_first_high_AXIS = Max (LINE_high, first_high_AXIS)
    with_first_low_AXIS = Min (LINE_low, first_low_AXIS)
    range_first_AXIS = Sub (with_first_high_AXIS, with_first_low_AXIS)
    unlike_first_AXIS = Greater (range_first_AXIS, contrast)
    marks_first_AXIS = Cast <to = 1> (unlike_first_AXIS)
    with_end_AXIS = Concat <axis = 0> (marks_first_AXIS, found)
    start_AXIS = ArgMax <axis = 0> (with_end_AXIS)
    last_high_AXIS = Gather (LINE_high, last)
    last_low_AXIS = Gather (LINE_low, last)
    with_last_high_AXIS = Max (LINE_high, last_high_AXIS)
    with_last_low_AXIS = Min (LINE_low, last_low_AXIS)
    range_last_AXIS = Sub (with_last_high_AXIS, with_last_low_AXIS)
    unlike_last_AXIS = Greater (range_last_AXIS, contrast)
    marks_last_AXIS = Cast <to = 1> (unlike_last_AXIS)
    with_start_AXIS = Concat <axis = 0> (found, marks_last_AXIS)
    stop_AXIS = ArgMax <axis = 0, select_last_index = 1> (with_start_AXIS)"""

_RIM = """
    out_AXIS = Sub (start_AXIS, rim)
    inside_AXIS = Max (out_AXIS, nothing)
    from_AXIS = Where (text, inside_AXIS, first)
    beyond_AXIS = Add (stop_AXIS, rim)
    within_AXIS = Min (beyond_AXIS, image_AXIS_1)
    to_AXIS = Where (text, within_AXIS, image_AXIS_1)"""

_LIE_DOWN = """
    given_size = Shape <start = 1, end = 3> (trimmed)
    given_rows = Gather (given_size, nothing)
    given_columns = Gather (given_size, single)
    given_rows2 = Mul (given_rows, two)
    given_columns3 = Mul (given_columns, three)
    tall = GreaterOrEqual (given_rows2, given_columns3)
    crop = If (tall) <
        then_branch = turn () => (float[channels, lying_rows, lying_columns] lying) {
            mirrored = Transpose <perm = [0, 2, 1]> (trimmed)
            lying = Slice (mirrored, last, before_all, second, last)
        },
        else_branch = keep () => (float[channels, kept_rows, kept_columns] kept) {
            kept = Identity (trimmed)
        }
    >"""

_HEIGHT = """
    columns2 = Mul (columns, two)
    rows3 = Mul (rows, three)
    squarish = Less (columns2, rows3)
    height = Where (squarish, square, low)"""

_VIEW = """
    free_doubled = Mul (columns, height2)
    free_raised = Add (free_doubled, divisor)
    free_steps = Div (free_raised, divisor2)
    free_width = Mul (free_steps, step)
    too_wide = Greater (free_width, widest)
    widest2 = Mul (widest, two)
    seen2 = Mul (widest2, rows)
    seen_raised = Add (seen2, height)
    seen = Div (seen_raised, height2)
    seen_some = Max (seen, single)
    seen_most = Min (seen_some, columns)
    view = Where (too_wide, seen_most, columns)"""

# Cutting copies pixel by pixel. Most crops need no cut, and skip the copy.
_WINDOWS = """
    windows = If (too_wide) <
        then_branch = cut_up () => (float[windows, channels, height, view] several) {
            rest = Sub (columns, view)
            filled = Add (columns, view)
            filled_less = Sub (filled, single)
            windows_needed = Div (filled_less, view)
            n_windows = Min (windows_needed, most_windows)
            between = Sub (n_windows, single)
            gaps = Max (between, single)
            gaps2 = Mul (gaps, two)
            window_numbers = Range (nothing, n_windows, single)
            window_numbers2 = Mul (window_numbers, two)
            apart = Mul (window_numbers2, rest)
            apart_raised = Add (apart, gaps)
            window_starts = Div (apart_raised, gaps2)
            starts_column = Unsqueeze (window_starts, last)
            view_columns = Range (nothing, view, single)
            window_columns = Add (starts_column, view_columns)
            cut = Gather <axis = 2> (shorter, window_columns)
            several = Transpose <perm = [2, 0, 1, 3]> (cut)
        },
        else_branch = leave_whole () => (float[1, channels, height, view] whole) {
            whole = Unsqueeze (shorter, first)
        }
    >"""

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
    """Return the pre-processing as a graph.

    Input: `image`, uint8 [H, W, 3] RGB. Output: `pixels`, uint8 [n, C, H', W'], with one window, or n windows for any
    crop. For any crop there is a second output, `tall`, bool: whether the image was turned by 90 degrees
    counterclockwise.
    """
    any_crop = preprocessing.square_height is not None
    several = any_crop and not preprocessing.fixed_width
    light = _LUMA if any_crop or preprocessing.channels == 1 else ""
    constants = _ANY_CROP_CONSTANTS % {
        "square": preprocessing.square_height or 0,
        "rim_part": RIM,
        "most_windows": MOST_WINDOWS,
        "plain": PLAIN,
    }
    trim = _TRIM % {
        "rows_unlike": _UNLIKE.replace("AXIS", "rows").replace("LINE", "row"),
        "columns_unlike": _UNLIKE.replace("AXIS", "columns").replace("LINE", "column"),
        "rows_rim": _RIM.replace("AXIS", "rows"),
        "columns_rim": _RIM.replace("AXIS", "columns"),
    }
    text = _TEXT % {
        "ir": ir,
        "opset": opset,
        "windows_axis": WINDOWS if several else 1,
        "tall": ", bool tall" if any_crop else "",
        "any_crop_constants": constants if any_crop else "",
        "channels": preprocessing.channels,
        "low": preprocessing.height,
        "rounding": float(ROUNDING),
        "luma_weights": ", ".join(map(str, LUMA[0, :3])),
        "luma_rounding": str(LUMA[0, 3]),
        "narrowest": preprocessing.width_min,
        "widest": preprocessing.width_max,
        "step": preprocessing.width_step,
        "tones": light + f"\n    tones = Identity ({'light' if preprocessing.channels == 1 else 'bytes'})",
        "crop": trim + _LIE_DOWN if any_crop else "crop = Identity (planes)",
        "height": _HEIGHT if any_crop else "height = Identity (low)",
        "view": _VIEW if several else "view = Identity (columns)",
        "windows": _WINDOWS if several else "windows = Unsqueeze (shorter, first)",
        "resample_rows": _RESAMPLE.replace("AXIS", "rows"),
        "resample_columns": _RESAMPLE.replace("AXIS", "columns"),
    }
    return onnx.parser.parse_model(text)


def embed_preprocessing(model: onnx.ModelProto, preprocessing: Preprocessing) -> onnx.ModelProto:
    """Put the pre-processing before a model.

    Args:
        model: a model without pre-processing, from `export_graph` or `convert`; it is not changed.
        preprocessing: the pre-processing of its network.

    Returns:
        A new model: input `image`, uint8 [H, W, 3] RGB of any size; output `logits`, float32 [1, K]. A network for
            any crop has `logits` [n, K], a row for each window. Its second output is `orientation`, float32 [n, 4],
            of the image as it was given.
    """
    opset = next(entry.version for entry in model.opset_import if entry.domain == "")
    before = preprocessing_graph(preprocessing, model.ir_version, opset).graph
    (batch,) = before.output[0].type.tensor_type.shape.dim[:1]
    _add_prefix(before)
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
    for answer in graph.output:
        answer.type.tensor_type.shape.dim[0].CopyFrom(batch)
    if preprocessing.square_height is not None:
        _count_turn(graph)
    return whole


def _add_prefix(graph: onnx.GraphProto) -> None:
    """Add the prefix to all names but the input's, in a graph and in its subgraphs."""
    for node in graph.node:
        node.name = PREFIX + node.output[0]
        node.input[:] = [name if name == INPUT else PREFIX + name for name in node.input]
        node.output[:] = [PREFIX + name for name in node.output]
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                _add_prefix(attribute.g)
    for value in (*graph.initializer, *graph.output):
        value.name = PREFIX + value.name


def _count_turn(graph: onnx.GraphProto) -> None:
    """Correct the orientation of turned images: what the network sees as upright was turned by 90 degrees clockwise."""
    seen = PREFIX + ORIENTATION
    for node in graph.node:
        node.output[:] = [seen if name == ORIENTATION else name for name in node.output]
    constants = {"as_seen": [0, 1, 2, 3], "turned": [3, 0, 1, 2]}
    graph.initializer.extend(numpy_helper.from_array(np.array(ways), PREFIX + name) for name, ways in constants.items())
    ways, tall = PREFIX + "ways", PREFIX + "tall"
    graph.node.extend(
        [
            helper.make_node("Where", [tall, PREFIX + "turned", PREFIX + "as_seen"], [ways], ways),
            helper.make_node("Gather", [seen, ways], [ORIENTATION], PREFIX + "turn", axis=1),
        ]
    )
