"""float16: for the stored weights alone, at half the size, or for the whole computation."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper, numpy_helper
from onnxruntime.transformers.float16 import convert_float_to_float16
from onnxruntime.transformers.onnx_model import OnnxModel

from .errors import ExportError
from .graph import input_normalization_nodes, strip
from .quiet import quiet

_SMALLEST = 64  # numbers in a weight; for fewer, the node that restores it costs as much as is saved
_LARGEST = float(np.finfo(np.float16).max)


def store_float16_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """Store the weights as float16, each with a Cast that every onnxruntime folds to float32 at load time.

    Weights beyond the range of float16 stay float32.

    Args:
        model: a model in float32, from `export_graph`.

    Returns:
        A new model.
    """
    small = onnx.ModelProto()
    small.CopyFrom(model)
    graph = small.graph
    stored, restore = [], []
    for weight in graph.initializer:
        values = numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < _SMALLEST or np.abs(values).max() > _LARGEST:
            stored.append(weight)
            continue
        name = f"{weight.name}.float16"
        stored.append(numpy_helper.from_array(values.astype(np.float16), name))
        restore.append(helper.make_node("Cast", [name], [weight.name], to=onnx.TensorProto.FLOAT))
    nodes = [*restore, *graph.node]
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(stored)
    graph.node.extend(nodes)
    return small


def compute_in_float16(model: onnx.ModelProto) -> onnx.ModelProto:
    """Compute in float16, for processors that support it: GPUs, phone accelerators, ARMv8.2.

    The logits stay float32. So does the input normalization, since its sums of squares overflow float16.

    Args:
        model: a model in float32, from `export_graph`.

    Returns:
        A new model.

    Raises:
        ExportError: onnxruntime's converter fails.
    """
    whole = onnx.ModelProto()
    whole.CopyFrom(onnx.shape_inference.infer_shapes(model))
    graph = whole.graph
    first = set(input_normalization_nodes(graph))
    normalizing = [node for node in graph.node if node.name in first]
    learned = [node for node in graph.node if node.name not in first]
    # The converter can leave nodes in float32, but casts to float16 between them. So it gets only the nodes to convert.
    given = {name for node in normalizing for name in node.output} & {name for node in learned for name in node.input}
    between = [value for value in graph.value_info if value.name in given]
    mine = {name for node in normalizing for name in node.input}
    kept = [weight for weight in graph.initializer if weight.name in mine]
    constants = {weight.name for weight in kept}
    part = onnx.ModelProto()
    part.CopyFrom(whole)
    del part.graph.node[:], part.graph.input[:]
    part.graph.node.extend(learned)
    part.graph.input.extend(between)
    try:
        with quiet():
            part = convert_float_to_float16(part, keep_io_types=True)
    except Exception as error:  # its many passes raise errors of any kind
        reason = " ".join(str(error).split())[:300]
        raise ExportError(f"onnxruntime cannot convert the graph to float16: {reason}") from error
    for node in normalizing:
        node.input[:] = [f"normalize/{name}" if name in constants else name for name in node.input]
    for weight in kept:
        weight.name = f"normalize/{weight.name}"  # a name of their own: the weights of the other part are float16 now
    used = {name for node in part.graph.node for name in node.input}
    halved = [weight for weight in part.graph.initializer if weight.name in used]
    nodes = [*normalizing, *part.graph.node]
    del part.graph.node[:], part.graph.input[:], part.graph.initializer[:]
    part.graph.node.extend(nodes)
    part.graph.input.extend(graph.input)
    part.graph.initializer.extend([*kept, *halved])
    OnnxModel(part).topological_sort()  # the converter appends its casts at the end
    return strip(part)
