"""ONNX graphs as torch modules: they answer as onnxruntime does, with as few operations as code by hand."""

import json
import weakref

import numpy as np
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.models.onnx_to_torch import Steps, read_steps

DRAW = np.random.default_rng(0)
LAST = "last"


def graph_of(nodes, arrays=(), channels=4):
    """An ONNX file of the nodes, from `x` [N, channels, H, W] to `last`; arrays: name -> constant."""
    sizes = ["batch", channels, "height", "width"]
    model = helper.make_model(
        helper.make_graph(
            nodes,
            "small",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, sizes)],
            [helper.make_tensor_value_info(LAST, TensorProto.FLOAT, None)],
            [numpy_helper.from_array(np.asarray(value, np.float32), name) for name, value in dict(arrays).items()],
        ),
        opset_imports=[helper.make_opsetid("", 14)],
        ir_version=8,
    )
    return model.SerializeToString()


def read(content):
    return read_steps(content, "small.onnx", lambda graph: LAST)


def operations(content):
    """The steps' operations, after a check that they answer as onnxruntime does."""
    steps, state = read(content)
    module = Steps(json.loads(json.dumps(steps)))
    module.load_state_dict(state)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    images = DRAW.uniform(-4, 4, (2, session.get_inputs()[0].shape[1], 9, 14)).astype(np.float32)
    with torch.no_grad():
        found = module(torch.from_numpy(images)).numpy()
    np.testing.assert_allclose(found, session.run([LAST], {"x": images})[0], rtol=1e-5, atol=1e-5)
    return [step.operation for step in steps]


def conv(of, to, weight, bias=(), **attributes):
    return helper.make_node("Conv", [of, weight, *bias], [to], **attributes)


def weights(outside, inside, *kernel):
    return DRAW.normal(size=(outside, inside, *kernel)) / (inside * np.prod(kernel)) ** 0.5


WEIGHT = {"w": weights(4, 4, 1, 1)}


def node(kind, of, to, **attributes):
    return helper.make_node(kind, of.split(), [to], **attributes)


def test_biases_normalisation_and_scales_go_into_the_convolution_before_them():
    content = graph_of(
        [
            conv("x", "a", "w", pads=[1, 1, 1, 1], strides=[2, 1]),
            node("Add", "a bias", "b"),
            node("Identity", "b", "c"),
            node("BatchNormalization", "c gain shift mean variance", "d"),
            node("Mul", "scale d", "e"),
            node("Add", "e one", LAST),
        ],
        {
            "w": weights(6, 4, 3, 3),
            "bias": DRAW.normal(size=(1, 6, 1, 1)),
            "gain": DRAW.normal(size=6),
            "shift": DRAW.normal(size=6),
            "mean": DRAW.normal(size=6),
            "variance": DRAW.uniform(0.5, 2, 6),
            "scale": [-1.5],
            "one": [1.0],
        },
    )
    assert operations(content) == ["convolution"]


def test_a_scale_goes_into_the_1x1_convolution_behind_it_and_stays_where_borders_would_change():
    scaled = [node("HardSwish", "x", "a"), node("Mul", "a scale", "b"), node("Add", "b shift", "c")]
    constants = {"scale": [0.7], "shift": [-0.3], **WEIGHT}
    assert operations(graph_of([*scaled, conv("c", LAST, "w")], constants)) == ["hardswish", "convolution"]
    wide = {**constants, "w": weights(4, 4, 3, 3)}
    assert operations(graph_of([*scaled, conv("c", LAST, "w", pads=[1] * 4)], wide)) == [
        "hardswish",
        "affine",
        "convolution",
    ]
    again = [*scaled, conv("c", "d", "w"), node("Add", "c d", LAST)]
    assert operations(graph_of(again, constants)) == ["hardswish", "affine", "convolution", "add"]


def test_a_convolution_that_another_reads_before_its_scale_keeps_its_weights():
    nodes = [conv("x", "a", "w"), node("Mul", "a scale", "b"), node("Add", "a b", LAST)]
    assert operations(graph_of(nodes, {"scale": [3.0], **WEIGHT})) == ["convolution", "affine", "add"]


HARD_SWISH = {
    "x clip(x + 3, 0, 6) / 6": (
        [
            node("Add", "x three", "a"),
            node("Clip", "a zero six", "b"),
            node("Mul", "x b", "c"),
            node("Div", "c six", "h"),
        ],
        {"three": [3], "zero": 0, "six": 6},
    ),
    "x hardsigmoid(x)": ([node("HardSigmoid", "x", "a", alpha=1 / 6, beta=0.5), node("Mul", "a x", "h")], {}),
    "HardSwish": ([node("HardSwish", "x", "h")], {}),
}


@pytest.mark.parametrize("form", HARD_SWISH)
def test_hard_swish_is_one_operation_in_all_its_forms(form):
    nodes, constants = HARD_SWISH[form]
    content = graph_of([*nodes, conv("h", LAST, "w")], {**constants, **WEIGHT})
    assert operations(content) == ["hardswish", "convolution"]


def test_what_only_looks_like_hard_swish_is_not_taken_for_it():
    nodes = [node("HardSigmoid", "x", "a", alpha=0.2, beta=0.5), node("Mul", "a x", "b"), conv("b", LAST, "w")]
    assert operations(graph_of(nodes, WEIGHT)) == ["hardsigmoid", "multiply", "convolution"]
    nodes = [node("Add", "x two", "a"), node("Clip", "a zero six", "b"), node("Mul", "x b", "c"), conv("c", LAST, "w")]
    with pytest.raises(ArgumentError, match=r"small\.onnx: the operator Clip, which computes b, is not supported"):
        read(graph_of(nodes, {"two": [2], "zero": 0, "six": 6, **WEIGHT}))


def test_gelu_is_one_operation():
    nodes = [
        conv("x", "y", "w"),
        node("Div", "y root", "a"),
        node("Erf", "a", "b"),
        node("Add", "b one", "c"),
        node("Mul", "y c", "d"),
        node("Mul", "d half", LAST),
    ]
    constants = {"root": 2**0.5, "one": 1, "half": 0.5, **WEIGHT}
    assert operations(graph_of(nodes, constants)) == ["convolution", "gelu"]


def test_squeeze_and_excitation():
    nodes = [
        node("ReduceMean", "x", "a", axes=[2, 3], keepdims=1),
        conv("a", "b", "w", ["bias"]),
        node("Relu", "b", "c"),
        node("HardSigmoid", "c", "d", alpha=1 / 6, beta=0.5),
        node("Mul", "x d", LAST),
    ]
    expected = ["mean", "convolution", "relu", "hardsigmoid", "multiply"]
    assert operations(graph_of(nodes, {"bias": DRAW.normal(size=4), **WEIGHT})) == expected


def test_padding_of_one_side_and_pooling_by_maximum():
    same = {"auto_pad": "SAME_UPPER", "kernel_shape": [2, 2], "strides": [1, 1]}
    nodes = [
        conv("x", "a", "w", **same),
        node("Relu", "a", "b"),
        node("MaxPool", "b", "c", **same),
        node("MaxPool", "b", "d", kernel_shape=[3, 3], strides=[1, 1], pads=[1, 1, 1, 1]),
        node("Concat", "c d", LAST, axis=1),
    ]
    content = graph_of(nodes, {"w": weights(4, 4, 2, 2)})
    assert operations(content) == ["pad", "convolution", "relu", "pad", "maximum", "maximum", "concatenate"]


def test_depthwise_convolutions_keep_their_groups_and_every_weight_can_be_trained():
    content = graph_of([conv("x", LAST, "w", group=4, pads=[2, 2, 2, 2])], {"w": weights(4, 1, 5, 5)})
    assert operations(content) == ["convolution"]
    steps, _ = read(content)
    module = Steps(steps)
    module(torch.randn(1, 4, 6, 6)).square().sum().backward()
    assert [tuple(each.shape) for each in module.parameters()] == [(4, 1, 5, 5), (4,)]
    assert all(each.grad is not None and each.grad.abs().sum() > 0 for each in module.parameters())


def test_maps_are_let_go_when_nothing_reads_them_any_more():
    nodes = [conv("x", "a", "w"), node("Relu", "a", "b"), conv("b", "c", "w"), node("Relu", "c", LAST)]
    module = Steps(read(graph_of(nodes, WEIGHT))[0])
    maps = []
    for part in module:
        part.register_forward_hook(lambda _, inputs, output: maps.append(weakref.ref(output)))
    with torch.no_grad():
        kept = module(torch.randn(1, 4, 6, 6))
    assert [each() is not None for each in maps] == [False, False, False, True]
    assert maps[-1]() is kept


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([node("Softplus", "x", LAST)], "the operator Softplus, which computes last, is not supported"),
        ([conv("x", LAST, "w", dilations=[2, 2], pads=[1] * 4)], "is a convolution of an unsupported kind"),
        ([node("Concat", "x x", LAST, axis=2)], "the operator Concat, which computes last, is not supported"),
        ([node("MaxPool", "x", LAST, kernel_shape=[2, 2], pads=[0, 0, 1, 1])], "operator MaxPool"),
    ],
)
def test_what_is_not_known_is_refused_by_name(nodes, message):
    with pytest.raises(ArgumentError, match=message):
        read(graph_of(nodes, {"w": weights(4, 4, 3, 3)}))


def test_a_file_that_is_no_onnx_is_refused():
    with pytest.raises(ArgumentError, match=r"small\.onnx is no ONNX file"):
        read(b"\xff\xd8\xff\xe0 a picture")


@pytest.mark.parametrize("step", [["explode", [0], {}], ["relu", [1], {}], ["relu", [-1], {}]])
def test_steps_that_are_none_of_ours_are_refused(step):
    with pytest.raises(ArgumentError, match=r"step 0 of a graph, .* is unknown or reads a later step"):
        Steps([step])
