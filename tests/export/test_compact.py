"""Compact networks are exported like any other, and the SDK gives the same answers as torch."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from scriptkd_export import (
    Samples,
    draw_samples,
    export_graph,
    export_onnx,
    quantize_int8,
    read_samples,
    write_verified,
)
from scriptkd_export.samples import batches
from scriptkd_sdk import ScriptIdentifier
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.compression.decompose import decompose
from scriptkd_train.models.checkpoint import Checkpoint, load_checkpoint, save_checkpoint

Train = Callable[..., Checkpoint]

FIXED = Preprocessing(3, 16, 48, 48, 1)
VARYING = Preprocessing(1, 32, 32, 128, 16)
SMALL = {"width": 0.25}
NETWORKS: dict[str, tuple[str, Preprocessing, dict[str, Any]]] = {
    "darknet": ("darknet", VARYING, SMALL),
    "darknet-assistant": ("darknet-assistant", FIXED, {"hidden": 16}),
    "parconv of textnet": ("parconv", VARYING, {"network": "textnet", "arguments": SMALL}),
    "parconv of the student": ("parconv", FIXED, {"network": "student"}),
    "parconv of the assistant": ("parconv", FIXED, {"network": "assistant", "arguments": {"hidden": 16, "pool": True}}),
    "student, pooled": ("student", VARYING, {"pool": True}),
}


@pytest.fixture(scope="module")
def samples() -> Samples:
    return draw_samples(12)


@pytest.mark.parametrize("name", NETWORKS)
def test_round_trip(name: str, train: Train, samples: Samples, tmp_path: Path) -> None:
    network, preprocessing, arguments = NETWORKS[name]
    same_answers(train(network, preprocessing, **arguments), samples, tmp_path)


def test_decomposed(textnet: Checkpoint, samples: Samples, data: Path, tmp_path: Path) -> None:
    small = decompose(textnet, {"body.2.0.0": [5, 6], "body.3.0.0": [8, 8], "head.1": 3})
    save_checkpoint(tmp_path / "small.pt", small)
    small = load_checkpoint(tmp_path / "small.pt")
    path = same_answers(small, samples, tmp_path)
    assert path.stat().st_size < export_size(textnet, tmp_path)
    compared, calibration = read_samples(data, 40)  # which it tells apart: 8 bits leave a clear answer as it was
    model = quantize_int8(export_graph(small), list(batches(calibration, small.preprocessing, 4)))
    assert all(check.passed for check in write_verified(model, tmp_path / "int8.onnx", small, compared, "int8"))


def same_answers(checkpoint: Checkpoint, samples: Samples, folder: Path) -> Path:
    path = folder / "model.onnx"
    assert all(check.passed for check in export_onnx(checkpoint, path, samples))
    identifier, torched = ScriptIdentifier(path), checkpoint.build()
    for image in samples.images[:4]:
        with torch.no_grad():
            logits = torched(torch.from_numpy(checkpoint.preprocessing.apply(image)[None]))[0]
        expected = torch.softmax(logits / checkpoint.temperature, dim=0).numpy()
        found = identifier.identify(image).scores
        np.testing.assert_allclose([found[label.name] for label in identifier.labels], expected, atol=1e-4)
    return path


def export_size(checkpoint: Checkpoint, folder: Path) -> int:
    export_onnx(checkpoint, folder / "whole.onnx", draw_samples(2))
    return (folder / "whole.onnx").stat().st_size
