"""`scriptkd cost`: counts match hand counts, fused operators are told apart, and the sums agree."""

import csv
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest
import torch
from typer import Typer
from typer.testing import CliRunner

from scriptkd_bench.cost import CALL, NORMALISATION, Cost, Layer, _Plan, measure_cost
from scriptkd_bench.cost_cli import cost
from scriptkd_bench.cost_report import agreement, dearest, shares
from scriptkd_bench.kernels import Kernel, Times, _usual, run_unoptimised
from scriptkd_export import (
    draw_samples,
    export_graph,
    quantize_int8,
    quantize_int8_dynamic,
    quantize_weights,
    write_verified,
)
from scriptkd_export.samples import batches
from scriptkd_sdk.errors import ArgumentError, ModelError
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.compression.decompose import layer_costs
from scriptkd_train.models.checkpoint import Checkpoint, save_checkpoint
from scriptkd_train.models.networks import build_network

FIXED = Preprocessing(3, 16, 48, 48, 1)
TEXT = Preprocessing(1, 32, 32, 128, 16)
LABELS = ["Arabic", "Latin", "Tamil"]

app = Typer()
app.command()(cost)


def checkpoint(name: str, preprocessing: Preprocessing, **arguments: Any) -> Checkpoint:
    torch.manual_seed(0)
    network = build_network(name, len(LABELS), preprocessing, **arguments)
    return Checkpoint(name, arguments, LABELS, preprocessing, network.state_dict())


@pytest.fixture(scope="module")
def student() -> onnx.ModelProto:
    return export_graph(checkpoint("student", FIXED))


@pytest.fixture(scope="module")
def textnet() -> onnx.ModelProto:
    return export_graph(checkpoint("textnet", TEXT, width=0.25))


@pytest.fixture(scope="module")
def assistant() -> onnx.ModelProto:
    return export_graph(checkpoint("assistant", FIXED, hidden=8))


def image(preprocessing: Preprocessing) -> np.ndarray:
    size = 1, preprocessing.channels, preprocessing.height, preprocessing.width_for(1, 3)
    return np.random.default_rng(0).integers(0, 256, size).astype(np.uint8)


def counted(model: onnx.ModelProto, preprocessing: Preprocessing) -> dict[str, Layer]:
    """The layers of a model without a clock: every node runs by itself and takes a millisecond."""
    plan = _Plan(model)
    plan.look(run_unoptimised(plan.numbered.SerializeToString(), {"image": image(preprocessing)}))
    kernels = [
        Kernel(node.name, node.op_type, [], [], 1.0)
        for number, node in enumerate(plan.numbered.graph.node)
        if number not in plan.constant
    ]
    return {layer.name: layer for layer in plan.layers(Times(kernels, 0.25, 0.0, 0.0, 1))}


def test_the_student_by_hand(student: onnx.ModelProto) -> None:
    """At 16x48: four convolutions, each on half the height and width of the one before, and two linear layers."""
    layers = counted(student, FIXED)
    found = {name: (each.type, each.parameters, each.macs, each.bytes) for name, each in layers.items() if each.macs}
    assert found == {
        "convolutions.0": ("conv 3x3", 896, 16 * 48 * 27 * 32, 4 * 896),
        "convolutions.3": ("conv 3x3", 18_496, 8 * 24 * 9 * 32 * 64, 4 * 18_496),
        "convolutions.6": ("conv 3x3", 73_856, 4 * 12 * 9 * 64 * 128, 4 * 73_856),
        "convolutions.9": ("conv 3x3", 147_584, 2 * 6 * 9 * 128 * 128, 4 * 147_584),
        "head.0": ("linear", 128 * 3 * 18 + 18, 128 * 3 * 18, 4 * (128 * 3 * 18 + 18)),
        "head.2": ("linear", 18 * 3 + 3, 18 * 3, 4 * (18 * 3 + 3)),
    }
    kinds = {each.name: each.type for each in layers.values() if not each.macs}
    assert kinds[NORMALISATION] == kinds[CALL] == "other"
    assert [kinds[f"MaxPool{i}"] for i in ("", " 2", " 3", " 4")] == ["pooling"] * 4
    assert [kinds[f"Relu{i}"] for i in ("", " 2", " 3", " 4")] == ["activation"] * 4


def test_an_lstm_by_hand(assistant: onnx.ModelProto) -> None:
    """Two layers of two directions, four gates of 256 each, over three columns; biases twice, as ONNX has them."""
    found = [(each.parameters, each.macs) for each in counted(assistant, FIXED).values() if each.type == "LSTM"]
    gates = 2 * 4 * 256
    assert found == [
        (gates * (300 + 256 + 2), 3 * gates * (300 + 256)),
        (gates * (512 + 256 + 2), 3 * gates * (512 + 256)),
    ]


@pytest.mark.parametrize(
    ("name", "arguments"), [("textnet", {"width": 0.25}), ("parconv", {"network": "textnet"}), ("darknet", {})]
)
def test_two_ways_to_count_agree(name: str, arguments: dict[str, Any]) -> None:
    """Of the graph here, and of torch's modules in training."""
    ours = checkpoint(name, TEXT, **arguments)
    layers = counted(export_graph(ours), TEXT)
    theirs = {name: work.macs for name, work in layer_costs(ours.build(), TEXT).items()}
    assert {layer.name: layer.macs for layer in layers.values() if layer.macs} == theirs
    kinds = {layer.type for layer in layers.values()}
    assert ("depthwise" in kinds) == (name == "parconv")
    assert ("conv 1x1" in kinds) == (name != "textnet")


def test_other_precisions_do_the_same_work(textnet: onnx.ModelProto, assistant: onnx.ModelProto) -> None:
    whole = counted(textnet, TEXT)
    calibration = list(batches(draw_samples(4), TEXT, 4))
    for model in (quantize_int8(textnet, calibration), quantize_weights(textnet)):
        small = counted(model, TEXT)
        for name, layer in whole.items():
            if layer.macs:
                assert (small[name].macs, small[name].parameters) == (layer.macs, layer.parameters), name
                assert small[name].bytes <= layer.bytes
        assert sum(each.bytes for each in small.values()) < 0.45 * sum(each.bytes for each in whole.values())
    dynamic = counted(quantize_int8_dynamic(assistant), FIXED)
    for field in ("macs", "parameters"):
        sums = [
            sum(getattr(each, field) for each in layers.values()) for layers in (counted(assistant, FIXED), dynamic)
        ]
        assert sums[0] == sums[1]
    assert {layer.type for layer in dynamic.values()} >= {"LSTM", "linear", "conv 3x3"}


def test_fused_operators_go_to_the_layer_with_the_weights(textnet: onnx.ModelProto) -> None:
    """Under the names that onnxruntime 1.31 was seen to give them: by the last value, by a node, and its own."""
    plan = _Plan(textnet)
    plan.look(run_unoptimised(plan.numbered.SerializeToString(), {"image": image(TEXT)}))
    number = {value: i for i, node in enumerate(textnet.graph.node) for value in node.output}
    by_type: dict[str, list[int]] = {}
    for i, node in enumerate(textnet.graph.node):
        by_type.setdefault(node.op_type, []).append(i)
    conv, relu, add = by_type["Conv"], by_type["Relu"], [i for i in by_type["Add"] if i not in plan.normalising]
    last = number["logits"]
    kernels = [
        Kernel(f"node{min(plan.normalising)}x", "Cast", [], [], 1.0),
        Kernel(f"value{relu[0]}x0_nchwc", "Conv", [], [], 2.0),  # Conv and Relu, by the Relu's value
        Kernel(f"fused node{conv[1]}x", "FusedConv", [], [], 4.0),
        Kernel(f"value{conv[3]}x0_nchwc", "Conv", [], [], 8.0),  # Conv, Add and Relu, by the Conv's value
        Kernel(f"node{add[1]}x", "QLinearAdd", [], [], 16.0),
        Kernel("ReorderOutput", "ReorderOutput", [], [], 32.0),
        Kernel("ReorderOutput_token_3", "ReorderOutput", [], [], 64.0),
        Kernel(f"node{last}x", "Gemm", [], [], 128.0),
    ]
    layers = plan.layers(Times(kernels, 256.0, 0.0, 0.0, 1))
    found = {layer.name: (layer.type, layer.operators, layer.milliseconds) for layer in layers}
    assert found["body.0.0"] == ("conv 3x3", "Conv + Relu", 2.0)
    assert found["body.1.1.second.0"][0] == "conv 3x3" and found["body.1.1.second.0"][2] == 8.0
    assert found["body.1.1.second.0"][1].startswith("Conv + Add + Relu")
    assert found["Add"][::2] == ("other", 16.0)
    assert found["ReorderOutput of onnxruntime"] == ("other", "ReorderOutput", 32.0)
    assert found["ReorderOutput of onnxruntime 2"][2] == 64.0
    assert found["head.1"] == ("linear", "Gemm", 128.0) and found[CALL][2] == 256.0
    assert sum(layer.milliseconds for layer in layers) == sum(kernel.milliseconds for kernel in kernels) + 256.0
    # What ran under no name of its own is still counted, with the layer that it was fused to.
    for field in ("macs", "parameters", "bytes"):
        assert sum(getattr(layer, field) for layer in layers) == sum(
            getattr(layer, field) for layer in counted(textnet, TEXT).values()
        )


def test_measured(student: onnx.ModelProto) -> None:
    calls: list[tuple[int, int]] = []
    found = measure_cost(student, image(FIXED), 40, lambda done, total: calls.append((done, total)))
    assert calls[-1] == (found.calls, found.calls) and found.calls >= 20
    assert [layer.operators for layer in found.layers if layer.type == "conv 3x3"] == ["Conv + Relu"] * 4
    assert all(layer.milliseconds >= 0 for layer in found.layers)
    # Within 10 % on a quiet machine; here others may be at work, but a sum of something else would not come near.
    assert 0.6 < found.measured / found.whole < 1.6
    slowest = max(found.layers, key=lambda layer: layer.milliseconds)
    assert slowest.type == "conv 3x3"
    assert sum(each.milliseconds for each in found.types()) == pytest.approx(found.measured)
    assert sum(share["milliseconds"] for share in (shares(layer, found) for layer in found.layers)) == pytest.approx(1)


def test_the_usual_time_is_deaf_to_interruptions() -> None:
    assert _usual([2.0, 3.0, 2.0, 3.0, 900.0, 2.0, 2.0, 3.0]) == 2.0
    assert _usual([5.0]) == 5.0


def test_disagreement_is_said() -> None:
    layer = Layer("a", "linear", "Gemm", 1, 1, 4, 1.0)
    assert agreement(Cost([layer], 1.05, (1,), 20, 0.0)).endswith("95.2 %")
    assert "more than 10 % apart: measure again" in agreement(Cost([layer], 1.5, (1,), 20, 0.0))
    assert len(dearest(Cost([layer] * 3, 1.0, (1,), 20, 0.0))) == 3


def test_a_checkpoint_on_the_command_line(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "run" / "student.pt", checkpoint("student", FIXED))
    paths = {name: tmp_path / "out" / f"cost.{name}" for name in ("csv", "json", "png")}
    options = [text for name, path in paths.items() for text in (f"--{name}", str(path))]
    result = CliRunner().invoke(app, [str(tmp_path / "run" / "student.pt"), "--repeats", "20", *options])
    assert result.exit_code == 0, result.output
    assert "convolutions.9" in result.output and "Check: the layers add up to" in result.output
    content = json.loads(paths["json"].read_text())
    rows = list(csv.DictReader(paths["csv"].open()))
    assert [row["name"] for row in rows] == [layer["name"] for layer in content["layers"]]
    assert sum(int(row["parameters"]) for row in rows) == 896 + 18_496 + 73_856 + 147_584 + 6_930 + 57
    assert sum(float(row["milliseconds_share"]) for row in rows) == pytest.approx(1, abs=1e-4)
    assert {kind["type"] for kind in content["types"]} == {"conv 3x3", "pooling", "linear", "other"}
    picture = cv2.imread(str(paths["png"]))
    assert picture is not None and picture.shape[1] > 1000 and picture.std() > 10


@pytest.mark.parametrize("name", ["csv", "json", "png"])
def test_where_nothing_can_be_written_nothing_is_measured(name: str, tmp_path: Path) -> None:
    error = CliRunner().invoke(app, ["nothing.onnx", f"--{name}", str(tmp_path)]).exception
    assert isinstance(error, ArgumentError) and str(error) == f"{tmp_path} is a folder; --{name} needs a file"


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        ("nothing.onnx", ModelError, "nothing.onnx: no such model file"),
        ("nothing.pt", ModelError, "nothing.pt does not exist"),
        ("model.ort", ArgumentError, "cannot look into model.ort: give the .onnx file"),
        ("mobile:stuent", ArgumentError, "recipe mobile has no stage 'stuent'; it has assistant, "),
        ("mobil:student", ArgumentError, "recipe 'mobil' is neither a file nor a ready recipe"),
    ],
)
def test_wrong_models(model: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        cost(model)


RECIPE = """
stages:
  student:
    network: {name: parconv, arguments: {network: textnet, arguments: {width: 0.25}}}
    input: &input {channels: 1, height: 32, width_min: 32, width_max: 128, width_step: 16}
    epochs: 1
    batch_size: 8
    optimizer: &adam {name: adamw, lr: 0.002}
  small:
    decompose: {stage: student, energy: 0.5, layers: [head.1]}
    input: *input
    epochs: 1
    batch_size: 8
    optimizer: *adam
"""


def test_an_architecture_before_it_is_trained(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text(RECIPE)
    result = CliRunner().invoke(app, [f"{tmp_path / 'r.yaml'}:student", "--repeats", "20"])
    assert result.exit_code == 0, result.output
    assert "depthwise" in result.output and "input: 1×1×32×96" in result.output
    with pytest.raises(ArgumentError, match="stage small decomposes trained weights: train it"):
        cost(f"{tmp_path / 'r.yaml'}:small")


def test_an_architecture_for_any_crop(tmp_path: Path) -> None:
    any_crop = RECIPE.replace("height: 32,", "height: 32, square_height: 48,", 1)
    (tmp_path / "r.yaml").write_text(any_crop)
    result = CliRunner().invoke(app, [f"{tmp_path / 'r.yaml'}:student", "--repeats", "20"])
    assert result.exit_code == 0, result.output
    assert "input: 1×1×32" in result.output


def test_a_file_that_takes_whole_images(tmp_path: Path) -> None:
    ours = checkpoint("textnet", TEXT, width=0.25)
    write_verified(export_graph(ours), tmp_path / "any.onnx", ours, draw_samples(2), "fp32", any_size=True)
    result = CliRunner().invoke(app, [str(tmp_path / "any.onnx"), "--repeats", "20"])
    assert result.exit_code == 0, result.output
    assert "input: 39×114×3" in result.output
