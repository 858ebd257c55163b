"""Every network of the chain, in every format, is what its checkpoint was; a file that is not is never left behind."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from scriptkd_export import (
    ExportError,
    Samples,
    export_graph,
    export_onnx,
    quantize_int8,
    quantize_weights,
    read_samples,
    verify,
    write_verified,
)
from scriptkd_export.graph import example_width
from scriptkd_export.samples import batches
from scriptkd_sdk import ScriptIdentifier
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.checkpoint import Checkpoint

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
    return read_samples(data, 90)


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_and_formats(name: str, train: Train, samples: tuple[Samples, Samples], tmp_path: Path) -> None:
    network, preprocessing, arguments = NETWORKS[name]
    checkpoint = train(network, preprocessing, **arguments)
    compared, calibration = samples
    graph = export_graph(checkpoint)
    forms = {
        "fp32": graph,
        "int8": quantize_int8(graph, batches(calibration, preprocessing, 16)),
        "int8-u8": quantize_int8(graph, batches(calibration, preprocessing, 16), "uint8"),
        "int8-weights": quantize_weights(graph),
    }
    sizes = {}
    for form, model in forms.items():
        path = tmp_path / f"{form}.onnx"
        checks = write_verified(model, path, checkpoint, compared, form)
        assert all(check.passed for check in checks)
        assert {"file", "input", "output", "metadata", "difference", "top-1 agreement"} <= {c.name for c in checks}
        sizes[form] = path.stat().st_size
    assert sizes["int8-weights"] < 0.5 * sizes["fp32"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(f"{form}.onnx" for form in forms)


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


def test_int8_weights_are_restored_when_loaded(textnet: Checkpoint, tmp_path: Path) -> None:
    graph = export_graph(textnet)
    small = quantize_weights(graph)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(tmp_path / "loaded.onnx")
    onnxruntime.InferenceSession(small.SerializeToString(), options, providers=["CPUExecutionProvider"])
    loaded = onnx.load(tmp_path / "loaded.onnx")
    # Nothing is left to do at run time: the nodes are those of the float32 file, or fewer.
    assert len(loaded.graph.node) <= len(graph.graph.node)
    stored = {weight.name: onnx.numpy_helper.to_array(weight) for weight in small.graph.initializer}
    for weight in graph.graph.initializer:
        if f"{weight.name}.int8" in stored:
            values, scale = onnx.numpy_helper.to_array(weight), stored[f"{weight.name}.scale"]
            restored = stored[f"{weight.name}.int8"] * scale
            assert np.all(np.abs(restored - values) <= 0.501 * scale)
            assert scale.size == values.shape[0]  # one a channel


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
    assert list(tmp_path.iterdir()) == []
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
