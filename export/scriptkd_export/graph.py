"""Checkpoint -> ONNX graph.

Input: `image`, uint8 [N, C, H, W]. Output: `logits`, float32 [N, K]. A network for any crop also has the output
`orientation`, float32 [N, 4].
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import onnx
import onnxsim
import torch

from scriptkd_sdk.modelfile import INPUT, ORIENTATION, OUTPUT
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.models.checkpoint import Checkpoint
from scriptkd_train.models.networks import Network

from .errors import ExportError, refused_by_system
from .quiet import quiet

OPSET = 18  # the oldest opset that torch's exporter writes without conversion; onnxruntime reads it since 1.14
_SKIPPED = ["fuse_consecutive_reduce"]  # `Standardise` takes means row by row, so that long float32 sums stay exact
WEIGHT_OPERATORS = {"Conv", "Gemm", "LSTM", "MatMul"}  # operators that hold weights


def export_graph(checkpoint: Checkpoint) -> onnx.ModelProto:
    """Return the checkpoint's network as a simplified ONNX model, for any batch size and every input size it accepts.

    Args:
        checkpoint: the network.

    Returns:
        The model, in float32.

    Raises:
        ExportError: torch cannot express the network in ONNX, or not for varying sizes.
        ModelError: the checkpoint's weights do not fit its network.
        OSError: there is no temporary folder, or its disk is full.
    """
    network, preprocessing = checkpoint.build(), checkpoint.preprocessing
    # All outputs of the network. A wrapper module would add its own name to the names of the weights, which training
    # reads.
    exported = type("Exported", (type(network),), {"forward": type(network).forward_outputs})
    network.__class__ = cast(type[Network], exported)
    # Two images, since the exporter would treat a batch size of one as a constant.
    example = torch.zeros(
        2, preprocessing.channels, preprocessing.height, example_width(preprocessing), dtype=torch.uint8
    )
    axes = {0: "batch"}
    if len(preprocessing.heights) > 1:
        axes[2] = "height"
    if not preprocessing.fixed_width:
        axes[3] = "width"
    try:
        with quiet(), torch.no_grad():
            program = torch.onnx.export(
                network,
                (example,),
                dynamo=True,
                dynamic_shapes=(axes,),
                input_names=[INPUT],
                output_names=outputs(preprocessing),
                opset_version=OPSET,
                verbose=False,
            )
    except Exception as error:  # the many passes of torch's exporter raise errors of any kind
        if refused := refused_by_system(error):
            raise refused from error
        reason = " ".join(str(error).split())[:300]
        varying = " for varying sizes" if len(axes) > 1 else ""
        raise ExportError(f"torch cannot export the network {checkpoint.network!r}{varying}: {reason}") from error
    assert program is not None  # only the older exporter returns None
    return strip(simplify(strip(program.model_proto)))


def outputs(preprocessing: Preprocessing) -> list[str]:
    """Return the names of a network's outputs. A network for any crop also has orientation."""
    return [OUTPUT] if preprocessing.square_height is None else [OUTPUT, ORIENTATION]


def example_width(preprocessing: Preprocessing) -> int:
    """Return the width in pixels of a typical input: a word three times as wide as high."""
    return preprocessing.width_for(1, 3)


def fixed_to(preprocessing: Preprocessing, width: int) -> Preprocessing:
    """Return the same pre-processing, but with every image scaled to one width in pixels."""
    return replace(preprocessing, width_min=width, width_max=width, width_step=1)


def input_normalization_nodes(graph: onnx.GraphProto) -> list[str]:
    """Return the names of the nodes before the first weights: they normalize the input."""
    weights = {initializer.name for initializer in graph.initializer if len(initializer.dims) > 1}
    learned: set[str] = set()  # values that depend on weights
    names = []
    for node in graph.node:  # nodes are sorted: a node comes after its inputs
        after = any(name in learned for name in node.input)
        if after or (node.op_type in WEIGHT_OPERATORS and not weights.isdisjoint(node.input)):
            learned.update(node.output)
        else:
            names.append(node.name)
    return names


def simplify(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model simplified by onnxsim. If that fails, return it unchanged: a longer graph is still correct."""
    try:
        with quiet():
            simplified: onnx.ModelProto = onnxsim.simplify(model, skipped_optimizers=_SKIPPED)[0]
            onnx.checker.check_model(simplified)
    except Exception:  # onnxsim is a C++ library without exceptions of its own
        return model
    return simplified


def strip(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model without the exporter's notes, which hold source paths and are 5 % of a small file."""
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    for value in (*model.graph.input, *model.graph.output, *model.graph.initializer):
        value.doc_string = ""
        del value.metadata_props[:]
    del model.graph.value_info[:]  # runtimes infer the shapes themselves
    del model.graph.metadata_props[:]
    del model.metadata_props[:]
    model.doc_string = model.graph.doc_string = ""
    model.graph.name = "scriptkd"
    return model
