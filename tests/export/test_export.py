"""Every network in every format answers as its checkpoint does. A file that does not is never left behind."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from scriptkd_export import (
    Calibration,
    ExportError,
    Precision,
    Samples,
    candidates,
    convert,
    draw_samples,
    export_graph,
    export_onnx,
    quantize_int8,
    quantize_weights,
    read_samples,
    report_path,
    verify,
    write_verified,
)
from scriptkd_export.graph import example_width
from scriptkd_export.ort_format import operators_path
from scriptkd_export.samples import batches
from scriptkd_sdk import ScriptIdentifier
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.compression.quantize import fake_quantize, quantized_state_dict
from scriptkd_train.models.checkpoint import Checkpoint
from scriptkd_train.models.onnx_weights import read_onnx_weights

Train = Callable[..., Checkpoint]

FIXED = Preprocessing(3, 32, 64, 64, 1)
LOW = Preprocessing(1, 16, 16, 64, 8)
VARYING = Preprocessing(1, 32, 32, 128, 16)
NETWORKS: dict[str, tuple[str, Preprocessing, dict[str, Any]]] = {
    "textnet": ("textnet", VARYING, {"width": 0.25}),
    "textnet, any width": ("textnet", Preprocessing(3, 24, 24, 160, 1), {"width": 0.25}),
    "assistant": ("assistant", LOW, {"hidden": 16}),
    "assistant, fixed": ("assistant", Preprocessing(3, 16, 48, 48, 1), {"hidden": 16}),
    "student": ("student", FIXED, {}),
    "timm": ("timm", FIXED, {"model": "test_efficientnet"}),
    "timm, varying": ("timm", VARYING, {"model": "test_resnet"}),
}


@pytest.fixture(scope="module")
def samples(data: Path) -> tuple[Samples, Samples]:
    return read_samples(data, 40)


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_and_precisions(name: str, train: Train, samples: tuple[Samples, Samples], tmp_path: Path) -> None:
    network, preprocessing, arguments = NETWORKS[name]
    checkpoint = train(network, preprocessing, **arguments)
    compared, calibration = samples
    few = Samples(compared.images[::4], "a quarter of them")
    graph = export_graph(checkpoint)
    images = list(batches(calibration, preprocessing, 16))
    trained_in_4_bits = {Precision.int4_weights, Precision.int4_u8}
    precisions = [precision for precision in candidates(graph) if precision not in trained_in_4_bits]
    precisions.append(Precision.fp16_compute)
    assert (Precision.int8_dynamic in precisions) == (
        network in ("assistant", "student")
    )  # they have hidden linear layers
    sizes: dict[str, int] = {}
    for precision in precisions:
        model = convert(precision, graph, images)
        path = tmp_path / f"{precision}.onnx"
        checks = write_verified(model, path, checkpoint, compared, precision)
        assert all(check.passed for check in checks)
        assert {"file", "input", "output", "metadata", "difference", "top-1 agreement"} <= {c.name for c in checks}
        sizes[precision] = path.stat().st_size
        report = json.loads(report_path(path).read_text("utf-8"))
        assert report["passed"] and report["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert [check["name"] for check in report["checks"]] == [check.name for check in checks]
        if precision in (Precision.fp32, Precision.int8):
            whole = write_verified(
                model, tmp_path / f"{precision}.any-size.onnx", checkpoint, few, precision, any_size=True
            )
            assert all(check.passed for check in whole) and "any size" in {check.name for check in whole}
    assert sizes["int8-weights"] < 0.5 * sizes["fp32"]
    assert sizes["fp16"] < 0.6 * sizes["fp32"] and sizes["fp16-compute"] < 0.6 * sizes["fp32"]
    if network == "assistant":  # its LSTM is most of it, and the static precision leaves it in float32
        assert sizes["int8-dynamic"] < 0.6 * sizes["int8"]


@pytest.mark.parametrize("calibration", Calibration)
@pytest.mark.parametrize("per_channel", [True, False])
def test_ways_to_calibrate(
    calibration: Calibration, per_channel: bool, textnet: Checkpoint, samples: tuple[Samples, Samples], tmp_path: Path
) -> None:
    images = list(batches(samples[1], textnet.preprocessing, 16))
    assert len({batch.shape for batch in images}) > 3  # widths, and so shapes, that cannot be stacked
    model = quantize_int8(export_graph(textnet), images, "int8", calibration, per_channel)
    checks = write_verified(model, tmp_path / "student.onnx", textnet, samples[0], "int8")
    assert all(check.passed for check in checks)
    dims = {weight.name: weight.dims for weight in model.graph.initializer}
    scales = [dims[node.input[1]] for node in model.graph.node if node.op_type == "DequantizeLinear"]
    assert any(sum(each) > 1 for each in scales) == per_channel  # [] or [1] is one scale for all


@pytest.mark.parametrize(("activations", "zero"), [("int8", 0), ("uint8", 128)])
def test_the_grid_of_a_standardised_input_does_not_hang_on_images(
    activations: Literal["int8", "uint8"], zero: int, textnet: Checkpoint, train: Train
) -> None:
    def first_grid(checkpoint: Checkpoint, seed: int) -> tuple[float, int]:
        images = list(batches(draw_samples(6, seed), checkpoint.preprocessing, 16))
        model = quantize_int8(export_graph(checkpoint), images, activations)
        numbers = {each.name: onnx.numpy_helper.to_array(each) for each in model.graph.initializer}
        node = next(node for node in model.graph.node if node.op_type == "QuantizeLinear")
        return float(numbers[node.input[1]]), int(numbers[node.input[2]])

    assert first_grid(textnet, 1) == first_grid(textnet, 2) == (pytest.approx(0.05091991), zero)
    fixed = train("student", FIXED)  # normalized by constants, whose range images show
    assert first_grid(fixed, 1)[0] != pytest.approx(0.0509, rel=0.05)


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_ort_files_are_checked_too(
    precision: str, textnet: Checkpoint, samples: tuple[Samples, Samples], tmp_path: Path
) -> None:
    model = convert(Precision(precision), export_graph(textnet), list(batches(samples[1], textnet.preprocessing, 16)))
    path = tmp_path / "student.ort"
    assert all(check.passed for check in write_verified(model, path, textnet, samples[0], precision))
    assert path.read_bytes()[4:8] == b"ORTM"
    assert ScriptIdentifier(path).info.precision == precision  # the metadata came along
    named, *operators = operators_path(path).read_text().split("\nai.onnx;")
    assert named == "# Generated from model/s:\n# - student.ort"  # and not its draft, in a folder that is gone
    assert ("QLinearConv" if precision == "int8" else "FusedConv") in operators[-1]  # what the optimized graph needs
    other = Checkpoint(**{**vars(textnet), "temperature": 2.0})
    failed = [check for check in verify(path, other, samples[0], precision) if not check.passed]
    assert [(check.name, check.found) for check in failed] == [("metadata", "temperature differ from the checkpoint's")]


def test_the_sdk_serves_what_torch_says(textnet: Checkpoint, samples: tuple[Samples, Samples], tmp_path: Path) -> None:
    path = tmp_path / "student.onnx"
    export_onnx(textnet, path, samples[0])
    identifier, network = ScriptIdentifier(path), textnet.build()
    for image in samples[0].images[:10]:
        prediction = identifier.identify(image)
        with torch.inference_mode():
            logits = network(torch.from_numpy(textnet.preprocessing.apply(image))[None])
        expected = (logits[0] / textnet.temperature).softmax(dim=0)
        assert prediction.best == textnet.labels[int(expected.argmax())]
        for label, score in zip(textnet.labels, expected.tolist(), strict=True):
            assert prediction.scores[label] == pytest.approx(score, abs=1e-5)


def test_training_can_go_on_from_the_file(
    textnet: Checkpoint, samples: tuple[Samples, Samples], tmp_path: Path
) -> None:
    export_onnx(textnet, tmp_path / "student.onnx", samples[0])
    images = torch.from_numpy(textnet.preprocessing.apply(samples[0].images[0]))[None]
    exported = read_onnx_weights(str(tmp_path / "student.onnx"))
    network = exported.network().eval()
    network.load_state_dict(exported.state_dict([images]))
    with torch.inference_mode():
        torch.testing.assert_close(network(images), textnet.build()(images), rtol=1e-4, atol=1e-4)


def test_metadata(textnet: Checkpoint, samples: tuple[Samples, Samples], tmp_path: Path) -> None:
    path = tmp_path / "student.onnx"
    export_onnx(textnet, path, samples[0])
    content = {entry.key: json.loads(entry.value) for entry in onnx.load(path).metadata_props}["scriptkd"]
    assert content["labels"] == [
        {"name": "Arabic", "code": "Arab"},
        {"name": "Latin", "code": "Latn"},
        {"name": "runes", "code": "Zzzz"},
    ]
    assert content["preprocessing"] == textnet.preprocessing.to_dict()
    assert (content["format"], content["temperature"], content["precision"]) == (1, 1.5, "fp32")
    assert content["provenance"]["recipe"] == "stripes"
    assert content["provenance"]["parameters"] == sum(p.numel() for p in textnet.build().parameters())


def test_no_source_paths_in_the_file(textnet: Checkpoint) -> None:
    content = export_graph(textnet).SerializeToString()
    assert b"site-packages" not in content and b"scriptkd_train" not in content and b".py" not in content


def _nodes_when_loaded(model: onnx.ModelProto, tmp_path: Path) -> int:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(tmp_path / "loaded.onnx")
    onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return len(onnx.load(tmp_path / "loaded.onnx").graph.node)


def test_means_are_taken_row_by_row(textnet: Checkpoint) -> None:
    """One long float32 sum would be off where a runtime adds in sequence; an optimizer likes to make one of two."""
    operators = [node.op_type for node in export_graph(textnet).graph.node]
    before = operators[: operators.index("Conv")]
    assert before.count("ReduceMean") == 4  # of the pixels and of their squares: over a row, over the rows


def test_int8_weights_are_restored_when_loaded(textnet: Checkpoint, tmp_path: Path) -> None:
    graph = export_graph(textnet)
    small = quantize_weights(graph)
    # Nothing is left to do at run time: the nodes are those of the float32 file, or fewer.
    assert _nodes_when_loaded(small, tmp_path) <= len(graph.graph.node)
    stored = {weight.name: onnx.numpy_helper.to_array(weight) for weight in small.graph.initializer}
    for weight in graph.graph.initializer:
        if f"{weight.name}.int8" in stored:
            values, scale = onnx.numpy_helper.to_array(weight), stored[f"{weight.name}.scale"]
            restored = stored[f"{weight.name}.int8"] * scale
            assert np.all(np.abs(restored - values) <= 0.501 * scale)
            assert scale.size == values.shape[0]  # one a channel


@pytest.mark.parametrize("name", ["textnet", "assistant", "student", "timm"])
def test_weights_trained_in_4_bits_are_stored_without_loss(
    name: str, train: Train, samples: tuple[Samples, Samples], tmp_path: Path
) -> None:
    """Packed two in a byte they give the logits of the float32 file, of whose size they take a fraction."""
    network, preprocessing, arguments = NETWORKS[name]
    checkpoint = train(network, preprocessing, **arguments)
    trained = checkpoint.build()
    fake_quantize(trained, 4, None)
    state = {key: value.detach().clone() for key, value in quantized_state_dict(trained).items()}
    if network == "assistant":  # LSTMs have 8 bits, in training none
        state |= {key: value for key, value in checkpoint.state_dict.items() if key.startswith("lstm")}
    on_grid = Checkpoint(**{**vars(checkpoint), "state_dict": state})
    graph = export_graph(on_grid)
    small = quantize_weights(graph, bits=4)
    assert _nodes_when_loaded(small, tmp_path) <= _nodes_when_loaded(graph, tmp_path)
    assert {weight.data_type for weight in small.graph.initializer if weight.name.endswith(".int4")} == {
        onnx.TensorProto.UINT8
    }
    path = tmp_path / "student.onnx"
    checks = {c.name: c for c in write_verified(small, path, on_grid, samples[0], Precision.int4_weights)}
    assert ScriptIdentifier(path).info.precision == "int4-weights"
    if network != "assistant":
        assert checks["top-1 agreement"].found.startswith("100.00%")
        assert checks["scores"].found.startswith("off by 0.0000 on average")
    assert path.stat().st_size < (0.35 if network == "assistant" else 0.5) * len(graph.SerializeToString())
    sizes = {w.name: int(np.prod(w.dims)) for w in graph.graph.initializer}
    for weight in small.graph.initializer:
        if weight.name.endswith(".int4"):
            assert 2 * len(onnx.numpy_helper.to_array(weight).ravel()) == sizes[weight.name.removesuffix(".codes.int4")]


@pytest.mark.parametrize("name", ["textnet", "student", "timm"])
def test_4_bit_weights_run_in_the_kernels_for_8(
    name: str, train: Train, samples: tuple[Samples, Samples], tmp_path: Path
) -> None:
    """With its codes unpacked here, the file is one of 8-bit codes with the same answers and as much left to do."""
    network, preprocessing, arguments = NETWORKS[name]
    graph = export_graph(train(network, preprocessing, **arguments))
    images = list(batches(samples[1], preprocessing, 16))
    packed = convert(Precision.int4_u8, graph, images)
    unpacked = onnx.ModelProto()
    unpacked.CopyFrom(packed)
    stored = {w.name: onnx.numpy_helper.to_array(w) for w in packed.graph.initializer}
    floats = {w.name: onnx.numpy_helper.to_array(w) for w in graph.graph.initializer}
    axes = {node.output[0]: node.attribute[0].i for node in packed.graph.node if node.op_type == "Concat"}
    restored = set()
    for weight in unpacked.graph.initializer:
        name = weight.name.removesuffix(".int4")
        if name in (weight.name, "int4"):
            continue
        pairs = stored[weight.name]
        codes = np.concatenate((pairs % 16, pairs // 16), axes[f"{name}.both"]).astype(np.int8) - np.int8(8)
        weight.CopyFrom(onnx.numpy_helper.from_array(codes, name))
        restored |= {f"{name}{step}" for step in ("", ".low", ".high", ".both", ".wide", ".signed")}
        values = floats[name.removesuffix("_quantized")]
        scale = stored[f"{name.removesuffix('_quantized')}_scale"].reshape(-1, *[1] * (values.ndim - 1))
        assert np.abs(codes).max() <= 7
        assert np.all((np.abs(codes * scale - values) <= 0.501 * scale) | (np.abs(values) > 7 * scale))
    assert len(restored) >= 6 * sum(values.ndim == 4 and values.size >= 1024 for values in floats.values()) > 0
    nodes = [node for node in unpacked.graph.node if node.output[0] not in restored]
    del unpacked.graph.node[:]
    unpacked.graph.node.extend(nodes)
    sessions = [onnxruntime.InferenceSession(model.SerializeToString()) for model in (packed, unpacked)]
    logits = [session.run(None, {"image": images[0]})[0] for session in sessions]
    np.testing.assert_array_equal(*logits)
    assert _nodes_when_loaded(packed, tmp_path) == _nodes_when_loaded(unpacked, tmp_path)


def _perturbed(model: onnx.ModelProto) -> onnx.ModelProto:
    weight = next(weight for weight in model.graph.initializer if len(weight.dims) == 4)
    values = onnx.numpy_helper.to_array(weight) * np.float32(1.01)
    weight.CopyFrom(onnx.numpy_helper.from_array(values, weight.name))
    return model


def test_a_file_that_differs_is_not_written(
    textnet: Checkpoint, samples: tuple[Samples, Samples], tmp_path: Path
) -> None:
    path = tmp_path / "student.onnx"
    with pytest.raises(ExportError, match="failed its check of difference"):
        write_verified(_perturbed(export_graph(textnet)), path, textnet, samples[0], "fp32")
    assert list(tmp_path.iterdir()) == [report_path(path, passed=False)]
    path.write_bytes(b"older")
    with pytest.raises(ExportError):
        write_verified(_perturbed(export_graph(textnet)), path, textnet, samples[0], "fp32")
    assert path.read_bytes() == b"older"


def test_a_frozen_batch_axis_is_found(textnet: Checkpoint, samples: tuple[Samples, Samples], tmp_path: Path) -> None:
    model = export_graph(textnet)
    for value in (model.graph.input[0], model.graph.output[0]):
        value.type.tensor_type.shape.dim[0].dim_value = 2
    with pytest.raises(ExportError) as caught:
        write_verified(model, tmp_path / "frozen.onnx", textnet, samples[0], "fp32")
    failed = {check.name: check.found for check in caught.value.checks if not check.passed}
    assert "[2, 1, 32," in failed["file"]  # the SDK sees it first


def test_metadata_of_another_checkpoint_is_found(
    textnet: Checkpoint, samples: tuple[Samples, Samples], tmp_path: Path
) -> None:
    path = tmp_path / "student.onnx"
    export_onnx(textnet, path, samples[0])
    other = Checkpoint(**{**vars(textnet), "labels": ["Latin", "Arabic", "runes"]})
    failed = [check for check in verify(path, other, samples[0]) if not check.passed]
    assert [(check.name, check.found) for check in failed] == [("metadata", "labels differ from the checkpoint's")]


def test_rubbish_is_one_failed_check(textnet: Checkpoint, samples: tuple[Samples, Samples], tmp_path: Path) -> None:
    path = tmp_path / "student.onnx"
    path.write_bytes(b"not ONNX at all")
    checks = verify(path, textnet, samples[0])
    assert [(check.name, check.passed) for check in checks] == [("file", False)]


def test_example_width_is_a_typical_word() -> None:
    assert example_width(VARYING) == 96
    assert example_width(FIXED) == 64
