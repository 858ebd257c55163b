"""Networks for any crop (format 3): two outputs, two heights, and the same checks of orientation as of script."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray

from scriptkd_export import (
    ExportError,
    Precision,
    Samples,
    convert,
    quantize_int8_dynamic,
    read_samples,
    report_path,
    try_precisions,
    verify,
    write_verified,
)
from scriptkd_export.samples import all_ways_up, batches, network_input
from scriptkd_sdk import ScriptIdentifier
from scriptkd_sdk.crop import crops
from scriptkd_sdk.decision import tell_orientation
from scriptkd_train.models.checkpoint import Checkpoint

PRECISIONS = [Precision.fp16, Precision.fp16_compute, Precision.int8, Precision.int8_u8, Precision.int8_weights]


@pytest.fixture(scope="module")
def samples(data: Path) -> tuple[Samples, Samples]:
    compared, calibration = read_samples(data, 24)
    return all_ways_up(compared), all_ways_up(calibration)


def noise(height: int, width: int) -> NDArray[np.uint8]:
    return np.random.default_rng(height).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_samples_are_seen_as_the_sdk_sees_them(any_crop: Checkpoint) -> None:
    steps = any_crop.preprocessing
    assert network_input(noise(40, 160), steps).shape == (1, 48, 192)
    assert network_input(noise(40, 50), steps).shape == (1, 72, 96)  # nearly square: more rows
    tall = noise(160, 40)
    np.testing.assert_array_equal(network_input(tall, steps), network_input(np.rot90(tall), steps))
    loose = np.full((80, 300, 3), 255, np.uint8)
    loose[20:60, 70:230] = noise(40, 160)
    np.testing.assert_array_equal(network_input(loose, steps), network_input(loose[18:62, 68:232], steps))
    line = noise(40, 1600)
    windows = crops(line, steps)[0]
    assert len(windows) == 5
    np.testing.assert_array_equal(network_input(line, steps), steps.apply(windows[2], 48))
    sizes = {batch.shape[2] for batch in batches(Samples([noise(40, 160), noise(40, 50)], ""), steps, 16)}
    assert sizes == {48, 72}


def test_the_sdk_serves_what_torch_says(
    any_crop_graph: onnx.ModelProto, any_crop: Checkpoint, samples: tuple[Samples, Samples], tmp_path: Path
) -> None:
    path = tmp_path / "student.onnx"
    checks = {check.name: check for check in write_verified(any_crop_graph, path, any_crop, samples[0], "fp32")}
    assert {"difference", "orientation difference", "top-1 agreement", "orientation top-1 agreement"} <= set(checks)
    assert "heights 48, 72, widths 48, 72, 144, 384" in checks["difference"].found
    identifier, network = ScriptIdentifier(path), any_crop.build()
    info = identifier.info
    assert (info.orientation_temperature, info.orientation_threshold, info.any_size) == (0.2, 0.4, False)
    seen = set()
    for image in [*samples[0].images[:8], noise(40, 50), noise(160, 40), noise(40, 1600)]:
        windows, rows, turned = crops(image, any_crop.preprocessing)
        pixels = np.stack([any_crop.preprocessing.apply(window, rows) for window in windows])
        with torch.inference_mode():
            logits, orientation = (answer.double() for answer in network.forward_outputs(torch.from_numpy(pixels)))
        expected = (logits / any_crop.temperature).softmax(dim=1).mean(dim=0)
        found = identifier.identify(image)
        assert list(found.scores[label] for label in any_crop.labels) == pytest.approx(expected.tolist(), abs=1e-4)
        degrees, score = tell_orientation(orientation.tolist(), 0.2, 0.4, turned)
        assert (found.orientation, found.orientation_score) == (degrees, pytest.approx(score, abs=1e-3))
        seen.add((rows, turned, len(windows)))
    assert {rows for rows, *_ in seen} == {48, 72} and {turned for _, turned, _ in seen} == {0, 90}
    assert {windows for *_, windows in seen} == {1, 5}


@pytest.mark.parametrize("precision", PRECISIONS)
def test_every_precision(
    precision: Precision,
    any_crop_graph: onnx.ModelProto,
    any_crop: Checkpoint,
    samples: tuple[Samples, Samples],
    tmp_path: Path,
) -> None:
    images = list(batches(samples[1], any_crop.preprocessing, 16))
    assert {batch.shape[2] for batch in images} == {48, 72}
    model = convert(precision, any_crop_graph, images)
    made = {name: node for node in model.graph.node for name in node.output}
    for answer in ("logits", "orientation"):  # float32, like what it reads
        before = made[made[answer].input[0]].op_type
        assert precision is Precision.fp16_compute or (made[answer].op_type == "Gemm" and before == "Concat")
    path = tmp_path / f"{precision}.onnx"
    names = {check.name for check in write_verified(model, path, any_crop, samples[0], precision)}
    assert {"scores", "orientation scores", "accuracy", "orientation top-1 agreement"} <= names
    assert ScriptIdentifier(path).info.outputs == ["logits", "orientation"]
    if precision.spec.ort:
        write_verified(model, path.with_suffix(".ort"), any_crop, samples[0], precision)


def test_heads_are_no_hidden_layers(any_crop_graph: onnx.ModelProto) -> None:
    with pytest.raises(ExportError, match="a hidden linear layer, and this one has neither"):
        quantize_int8_dynamic(any_crop_graph)


def backwards(graph: onnx.ModelProto) -> onnx.ModelProto:
    """The graph with the ways up in the opposite order."""
    model = onnx.ModelProto()
    model.CopyFrom(graph)
    for weight in model.graph.initializer:
        if weight.name.startswith("orientation_head."):
            weight.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(weight)[::-1].copy(), weight.name))
    return model


def test_another_orientation_is_refused(
    any_crop_graph: onnx.ModelProto, any_crop: Checkpoint, samples: tuple[Samples, Samples], tmp_path: Path
) -> None:
    model = backwards(any_crop_graph)
    for precision, wrong in (
        (Precision.fp32, {"orientation difference", "orientation top-1 agreement"}),
        (Precision.int8_weights, {"orientation scores"}),
    ):
        path = tmp_path / "student.onnx"
        with pytest.raises(ExportError, match="failed its check of orientation") as caught:
            write_verified(model, path, any_crop, samples[0], precision)
        failed = {check.name for check in caught.value.checks if not check.passed}
        assert wrong <= failed <= {*wrong, "orientation top-1 agreement"}
        assert list(tmp_path.iterdir()) == [report_path(path, passed=False)]


def test_a_frozen_height_is_found(
    any_crop_graph: onnx.ModelProto, any_crop: Checkpoint, samples: tuple[Samples, Samples], tmp_path: Path
) -> None:
    model = onnx.ModelProto()
    model.CopyFrom(any_crop_graph)
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_value = 48
    with pytest.raises(ExportError) as caught:
        write_verified(model, tmp_path / "frozen.onnx", any_crop, samples[0], "fp32")
    failed = {check.name: check.found for check in caught.value.checks if not check.passed}
    assert "1, 48, 'width']" in failed["file"]  # the SDK sees it first


def test_thresholds_of_another_checkpoint_are_found(
    any_crop_graph: onnx.ModelProto, any_crop: Checkpoint, samples: tuple[Samples, Samples], tmp_path: Path
) -> None:
    path = tmp_path / "student.onnx"
    write_verified(any_crop_graph, path, any_crop, samples[0], "fp32")
    other = replace(any_crop, orientation_threshold=0.5)
    failed = [check.found for check in verify(path, other, samples[0]) if not check.passed]
    assert failed == ["orientation_threshold differ from the checkpoint's"]


def test_auto_measures_what_the_sdk_would_give_the_network(
    any_crop_graph: onnx.ModelProto, any_crop: Checkpoint, samples: tuple[Samples, Samples], tmp_path: Path
) -> None:
    (trial,) = try_precisions([Precision.fp32], lambda _: any_crop_graph, any_crop, samples[0], tmp_path, "student")
    identifier = ScriptIdentifier(tmp_path / "student.onnx")
    assert samples[0].labels is not None
    right = [
        identifier.identify(image).best == label
        for image, label in zip(samples[0].images, samples[0].labels, strict=True)
    ]
    assert trial.accuracy == pytest.approx(np.mean(right)) and not trial.failed
