"""Pre-processing inside the graph does what `scriptkd_sdk.preprocess` does, at every size."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from scriptkd_export import Samples, draw_samples, export_graph, metadata, verify, write_verified
from scriptkd_export.preprocessing import embed_preprocessing, preprocessing_graph
from scriptkd_sdk import Prediction, ScriptIdentifier
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.models.checkpoint import Checkpoint

WAYS = (
    Preprocessing(1, 32, 32, 256, 16),
    Preprocessing(3, 32, 32, 256, 16),
    Preprocessing(3, 75, 75, 75, 1),
    Preprocessing(1, 17, 10, 90, 1),
)


def session_of(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


SESSIONS = {way: session_of(preprocessing_graph(way, 10, 18)) for way in WAYS}


def differences(way: Preprocessing, image: NDArray[np.uint8]) -> NDArray[np.int64]:
    inside = SESSIONS[way].run(None, {"image": image})[0]
    outside = way.apply(image)[None]
    assert inside.shape == outside.shape and inside.dtype == np.uint8
    return np.abs(inside.astype(np.int64) - outside)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(WAYS), st.integers(1, 300), st.integers(1, 600), st.integers(0, 2**32 - 1))
@example(Preprocessing(3, 75, 75, 75, 1), 1, 490, 1)
def test_the_same_pixels_as_the_sdk(way: Preprocessing, height: int, width: int, seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    off = differences(way, image)
    if height == 1:  # all rows come of the same one, and so do their ties
        off = off.max(axis=-2)
    # A sum that is a half but for the last bit of a float may round either way, once in ten thousand pixels.
    assert off.max() <= 1 and np.count_nonzero(off) <= 1 + off.size // 1000


@pytest.mark.parametrize("size", [(1, 1), (1, 2000), (2000, 1), (1500, 2000), (32, 96), (64, 192)])
@pytest.mark.parametrize("way", WAYS)
def test_extreme_sizes(way: Preprocessing, size: tuple[int, int]) -> None:
    ramp = np.linspace(0, 255, size[0] * size[1] * 3).reshape(*size, 3).astype(np.uint8)
    for image in (ramp, np.full((*size, 3), 255, np.uint8), np.zeros((*size, 3), np.uint8)):
        off = differences(way, image)
        assert off.max() <= 1 and np.count_nonzero(off) <= 1 + off.size // 100  # a ramp is full of exact halves


def test_luma_is_the_integer_formula() -> None:
    way = Preprocessing(1, 256, 256, 256, 1)  # a 256x256 image comes through unsampled
    session = session_of(preprocessing_graph(way, 10, 18))
    colours = np.stack(np.meshgrid(np.arange(256), np.arange(256), indexing="ij"), axis=-1)
    for blue in range(0, 256, 15):
        image = np.dstack([colours, np.full((256, 256), blue)]).astype(np.uint8)
        expected = (image.astype(int) @ [299, 587, 114] + 500) // 1000
        assert np.array_equal(session.run(None, {"image": image})[0][0, 0], expected)


def test_the_sdk_serves_it(textnet: Checkpoint, tmp_path: Path) -> None:
    samples, graph = draw_samples(40), export_graph(textnet)
    plain, whole = tmp_path / "student.onnx", tmp_path / "student.any-size.onnx"
    write_verified(graph, plain, textnet, samples, "fp32")
    write_verified(graph, whole, textnet, samples, "fp32", any_size=True)
    first, second = ScriptIdentifier(plain), ScriptIdentifier(whole)
    assert (first.info.any_size, second.info.any_size) == (False, True)
    images = [*samples.images, samples.images[0][:, :, 0]]  # the last is gray
    for one, two in zip(first.identify_batch(images), second.identify_batch(images), strict=True):
        assert isinstance(one, Prediction) and isinstance(two, Prediction)
        assert one.script == two.script
        assert one.scores == pytest.approx(two.scores, abs=1e-3)


def test_another_pre_processing_is_found(textnet: Checkpoint, tmp_path: Path) -> None:
    """A file whose inside is not what its metadata says does not pass."""
    graph = export_graph(textnet)
    wrong = Checkpoint(**{**vars(textnet), "preprocessing": Preprocessing(1, 32, 48, 128, 16)})
    model = embed_preprocessing(graph, wrong.preprocessing)
    metadata.attach(model, metadata.describe(textnet, "fp32", 0, any_size=True))
    onnx.save(model, tmp_path / "student.onnx")
    image = draw_samples(1).images[0]
    narrow = Samples([image[:, : image.shape[0] // 2]] * 3, "narrow images")
    found = {c.name: c for c in verify(tmp_path / "student.onnx", textnet, narrow, "fp32", graph)}
    shift = found["any size"].value
    assert not found["any size"].passed and shift is not None and shift > 1e-3
    assert found["pixels"].passed
