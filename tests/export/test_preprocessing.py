"""Pre-processing inside the graph equals `scriptkd_sdk.crop` and `scriptkd_sdk.preprocess` at every size."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from scriptkd_export import (
    Precision,
    Samples,
    convert,
    draw_samples,
    export_graph,
    metadata,
    verify,
    write_verified,
)
from scriptkd_export.preprocessing import embed_preprocessing, preprocessing_graph
from scriptkd_export.samples import all_ways_up, batches
from scriptkd_sdk import ArgumentError, Prediction, ScriptIdentifier
from scriptkd_sdk.crop import crops
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.models.checkpoint import Checkpoint
from scriptkd_train.models.networks import parameter_count

WAYS = (
    Preprocessing(1, 32, 32, 256, 16),
    Preprocessing(3, 32, 32, 256, 16),
    Preprocessing(3, 75, 75, 75, 1),
    Preprocessing(1, 17, 10, 90, 1),
)


def session_of(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


ANY_CROP = (
    Preprocessing(1, 48, 48, 384, 24, square_height=72),
    Preprocessing(3, 48, 48, 384, 24, square_height=72),
    Preprocessing(1, 17, 10, 90, 1, square_height=17),
    Preprocessing(3, 40, 64, 64, 1, square_height=50),  # of one width: a line is squashed, not seen in windows
)
SESSIONS = {way: session_of(preprocessing_graph(way, 10, 18)) for way in WAYS + ANY_CROP}


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


def check_any_crop(way: Preprocessing, image: NDArray[np.uint8]) -> tuple[int, int, int]:
    """Compare both on an image: pixels one level off at most, and few; returns the rows, the turn and the windows."""
    inside, tall = SESSIONS[way].run(None, {"image": image})
    windows, rows, turned = crops(image, way)
    outside = np.stack([way.apply(window, rows) for window in windows])
    assert inside.shape == outside.shape and inside.dtype == np.uint8
    assert 90 * int(tall) == turned
    assert np.abs(inside.astype(np.int64) - outside).max() <= 1
    return rows, turned, len(windows)


KINDS = ("noise", "plain", "grainy", "margins", "ink at the edge", "one speck", "faint", "almost faint", "halves")


def drawn(kind: str, height: int, width: int, seed: int) -> NDArray[np.uint8]:
    """A picture whose margins are a question, uint8 [H, W, 3]."""
    random = np.random.default_rng(seed)
    image = np.full((height, width, 3), random.integers(0, 256), np.uint8)
    top, left = int(random.integers(height)), int(random.integers(width))
    if kind in ("grainy", "margins", "ink at the edge"):  # up to 26 levels: about the limit
        image = np.clip(image + random.integers(-13, 14, image.shape), 0, 255).astype(np.uint8)
    if kind == "noise":
        image = random.integers(0, 256, image.shape, dtype=np.uint8)
    elif kind == "margins":
        ink = image[top : random.integers(top, height) + 1, left : random.integers(left, width) + 1]
        ink[:] = random.integers(0, 256, ink.shape)
    elif kind == "ink at the edge":
        image[random.choice([0, -1]) if seed % 2 else top] = random.integers(0, 256)
    elif kind == "one speck":
        image[top, left] = random.integers(0, 256, 3)
    elif kind in ("faint", "almost faint"):  # by the limit, and by one level more
        image[:], image[top, left] = 100, 124 + (kind == "faint")
    elif kind == "halves":
        image[: height // 2] = 255 - image[0, 0]
    return image


@settings(max_examples=250, deadline=None)
@given(
    st.sampled_from(ANY_CROP),
    st.sampled_from(KINDS),
    st.integers(1, 200),
    st.integers(1, 400),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
def test_the_same_crops_as_the_sdk(
    way: Preprocessing, kind: str, height: int, width: int, sideways: bool, seed: int
) -> None:
    image = drawn(kind, height, width, seed)
    check_any_crop(way, image.transpose(1, 0, 2) if sideways else image)


@pytest.mark.parametrize("way", ANY_CROP[:3])
def test_each_rule_of_the_contract(way: Preprocessing) -> None:
    low, square, random = way.height, way.square_height, np.random.default_rng(0)

    def noise(height: int, width: int) -> NDArray[np.uint8]:
        return random.integers(0, 256, (height, width, 3), dtype=np.uint8)

    for (height, width), expected in {
        (40, 120): (low, 0, 1),
        (40, 60): (low, 0, 1),  # not nearly square: 2 * 60 = 3 * 40
        (40, 59): (square, 0, 1),
        (59, 40): (square, 0, 1),
        (60, 40): (low, 90, 1),  # tall: 2 * 60 = 3 * 40
        (300, 1): (low, 90, 16),
        (1, 1): (square, 0, 1),
    }.items():
        assert check_any_crop(way, noise(height, width)) == expected
    limit = -(-50 * (2 * way.width_max + way.width_step) // (2 * low)) - 1  # the widest that is seen in one window
    assert check_any_crop(way, noise(50, limit))[2] == 1
    assert check_any_crop(way, noise(50, limit + 1))[2] == 2
    assert check_any_crop(way, noise(30, 1200))[2] == -(-40 * low // way.width_max)  # 40:1
    assert check_any_crop(way, noise(2, 3000)) == (low, 0, 16)
    loose = np.full((200, 300, 3), 255, np.uint8)
    loose[50:100, 60:80] = noise(50, 20)
    assert check_any_crop(way, loose) == (low, 90, 1)  # what is left is tall


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


@pytest.mark.parametrize("precision", ["fp32", "int8-u8"])
def test_the_sdk_serves_any_crop(
    any_crop_graph: onnx.ModelProto, any_crop: Checkpoint, precision: str, tmp_path: Path
) -> None:
    samples = all_ways_up(draw_samples(16))
    images = [*samples.images, draw_samples(3).images[2][:, :, 0]]  # the last is gray
    images += [np.concatenate([image] * 12, axis=1) for image in draw_samples(2).images]
    images += [np.pad(image, ((30, 60), (9, 90), (0, 0)), mode="edge") for image in draw_samples(4).images]
    graph = convert(Precision(precision), any_crop_graph, list(batches(samples, any_crop.preprocessing, 8)))
    plain, whole = tmp_path / "student.onnx", tmp_path / "student.any-size.onnx"
    write_verified(graph, plain, any_crop, samples, precision)
    write_verified(graph, whole, any_crop, samples, precision, any_size=True)
    first, second = ScriptIdentifier(plain), ScriptIdentifier(whole)
    seen = set()
    for one, two in zip(first.identify_batch(images), second.identify_batch(images), strict=True):
        assert isinstance(one, Prediction) and isinstance(two, Prediction)
        assert (one.script, one.orientation, one.shares) == (two.script, two.orientation, two.shares)
        assert one.scores == pytest.approx(two.scores, abs=1e-3 if precision == "fp32" else 1e-2)
        assert one.orientation_score == pytest.approx(two.orientation_score, abs=1e-3 if precision == "fp32" else 3e-2)
        seen.add(one.orientation)
    assert len(seen) > 1  # a new head says the same of all that lie, and 90 degrees more of what was turned
    with pytest.raises(ArgumentError, match="turns tall crops inside its graph"):
        second.identify(images[0], upright=True)


def test_a_file_that_does_not_count_the_turn_in_is_found(
    any_crop_graph: onnx.ModelProto, any_crop: Checkpoint, tmp_path: Path
) -> None:
    model = embed_preprocessing(any_crop_graph, any_crop.preprocessing)
    for constant in model.graph.initializer:
        if constant.name == "prepare/turned":
            constant.CopyFrom(onnx.numpy_helper.from_array(np.arange(4), constant.name))
    metadata.attach(model, metadata.describe(any_crop, "fp32", parameter_count(any_crop.build()), any_size=True))
    onnx.save(model, tmp_path / "student.onnx")
    samples = Samples([np.rot90(image) for image in draw_samples(4).images], "words on their side")
    failed = {
        c.name for c in verify(tmp_path / "student.onnx", any_crop, samples, "fp32", any_crop_graph) if not c.passed
    }
    assert failed == {"any size", "orientation top-1 agreement"}


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
