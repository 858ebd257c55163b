"""The pre-processing against its definition and against torch's and Pillow's resampling."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from scriptkd_sdk import preprocess
from scriptkd_sdk.errors import ArgumentError, ModelError
from scriptkd_sdk.preprocess import Preprocessing, luma

WORD = Preprocessing(channels=1, height=32, width_min=32, width_max=192, width_step=8)
SQUARE = Preprocessing(channels=3, height=299, width_min=299, width_max=299, width_step=1)
SIZES = [(40, 120), (100, 300), (17, 300), (400, 1200), (7, 9), (32, 64), (31, 65), (2, 2), (300, 2), (2, 300)]

sides = st.integers(1, 90)


def picture(height: int, width: int, channels: int = 3) -> np.ndarray:
    """Strokes with hard edges and noise: the worst case for resampling."""
    random = np.random.default_rng([height, width, channels])
    image = np.full((height, width, channels), 230, np.uint8)
    for _ in range(8):
        x, y = (random.integers(0, [width, height], (2, 2))).tolist()
        cv2.line(image, x, y, random.integers(0, 256, 3).tolist(), 2)
    noisy = image + random.normal(0, 10, image.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def test_luma_is_the_integer_formula_for_every_colour() -> None:
    levels = np.arange(256, dtype=np.int32)
    plane = 587 * levels[:, None] + 114 * levels + 500
    colours = np.empty((256, 256, 3), np.uint8)
    colours[:, :, 1], colours[:, :, 2] = levels[:, None], levels
    for red in range(256):
        colours[:, :, 0] = red
        np.testing.assert_array_equal(luma(colours), (299 * red + plane) // 1000)


def test_luma_does_not_depend_on_where_a_strip_ends() -> None:
    image = picture(3 * preprocess.STRIP // 64 + 5, 64)
    rows = [luma(row[None])[0] for row in image]
    np.testing.assert_array_equal(luma(image), rows)


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_resampling_is_that_of_torch_and_pillow(height: int, width: int) -> None:
    torch = pytest.importorskip("torch")  # the wheel is tested without
    gray = luma(picture(height, width))
    result = WORD.apply(gray)
    size = (32, WORD.width_for(height, width))
    assert result.shape == (1, *size)

    tensor = torch.from_numpy(gray)[None, None].float()
    exact = torch.nn.functional.interpolate(tensor, size, mode="bilinear", antialias=True)[0].numpy()
    # Rounding alone: half a level, 1/512 more upwards, and float noise at ties.
    assert np.abs(result - 1 / 512 - exact).max() <= 0.501

    pillow = np.asarray(Image.fromarray(gray).resize(size[::-1], Image.Resampling.BILINEAR))
    assert np.abs(result[0].astype(int) - pillow).max() <= 1


def test_colour_channels_are_resampled_alike() -> None:
    image = picture(150, 333)
    result = SQUARE.apply(image)
    assert result.shape == (3, 299, 299)
    single = Preprocessing(channels=1, height=299, width_min=299, width_max=299, width_step=1)
    for channel in range(3):
        np.testing.assert_array_equal(result[channel], single.apply(image[:, :, channel])[0])


def test_gray_input_serves_both_kinds_of_network() -> None:
    gray = luma(picture(50, 170))
    one = WORD.apply(gray)
    np.testing.assert_array_equal(one, WORD.apply(np.dstack([gray] * 3)))
    three = Preprocessing(channels=3, height=32, width_min=32, width_max=192, width_step=8).apply(gray)
    np.testing.assert_array_equal(three, np.repeat(one, 3, axis=0))
    assert three.flags.c_contiguous
    assert three.flags.writeable


def test_an_image_of_the_right_size_is_not_changed() -> None:
    gray = luma(picture(32, 96))
    np.testing.assert_array_equal(WORD.apply(gray)[0], gray)


def test_views_are_read_as_they_look() -> None:
    image = picture(60, 200)
    np.testing.assert_array_equal(WORD.apply(image[::-1, ::-1]), WORD.apply(image[::-1, ::-1].copy()))


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [
        (32, 96, 96),
        (32, 99, 96),
        (32, 100, 104),  # half a step goes up
        (64, 200, 104),
        (40, 120, 96),
        (100, 10, 32),  # at least width_min
        (10, 1000, 192),  # at most width_max
        (3, 7, 72),  # 74.67
    ],
)
def test_width_rule(height: int, width: int, expected: int) -> None:
    assert WORD.width_for(height, width) == expected
    assert SQUARE.width_for(height, width) == 299


@given(height=st.integers(1, 20_000), width=st.integers(1, 20_000))
@settings(max_examples=200, deadline=None)
def test_width_is_the_nearest_step_within_the_limits(height: int, width: int) -> None:
    result = WORD.width_for(height, width)
    assert 32 <= result <= 192
    assert result % 8 == 0
    exact = width * 32 / height
    if 32 <= exact <= 192:
        assert abs(result - exact) <= 4


@given(height=sides, width=sides, level=st.integers(0, 255), channels=st.sampled_from([1, 3]))
@settings(max_examples=60, deadline=None)
def test_a_plain_image_stays_plain(height: int, width: int, level: int, channels: int) -> None:
    steps = Preprocessing(channels=channels, height=16, width_min=8, width_max=64, width_step=4)
    for shape in ((height, width), (height, width, 3)):
        assert (steps.apply(np.full(shape, level, np.uint8)) == level).all()


@given(height=sides, width=sides, seed=st.integers(0, 1000))
@settings(max_examples=60, deadline=None)
def test_results_stay_within_the_image_and_mirror_with_it(height: int, width: int, seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)
    result = WORD.apply(image)
    assert result.dtype == np.uint8
    assert image.min() <= result.min() <= result.max() <= image.max()
    mirrored = WORD.apply(image[:, ::-1])[:, :, ::-1]
    assert np.abs(result.astype(int) - mirrored).max() <= 1  # ties only


@pytest.mark.parametrize("size", [2, 31, 40, 333, 1200, 16_384])
@pytest.mark.parametrize("out_size", [1, 32, 97, 299])
@pytest.mark.parametrize("block", [preprocess.ROWS_BLOCK, preprocess.COLUMNS_BLOCK])
def test_the_blocks_make_up_the_whole_resampling_matrix(size: int, out_size: int, block: int) -> None:
    scale = size / out_size
    centres = (np.arange(out_size) + 0.5) * scale
    matrix = np.maximum(1 - np.abs(np.arange(size) + 0.5 - centres[:, None]) / max(scale, 1), 0)
    matrix /= matrix.sum(axis=1, keepdims=True)
    for outputs, inputs, weights in preprocess._bands(size, out_size, block):
        np.testing.assert_allclose(weights, matrix[outputs, inputs], atol=1e-6)
        matrix[outputs, inputs] = 0
        assert not weights.flags.writeable
    assert not matrix.any()


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((8, 8), np.float32),
        np.zeros((8, 8, 4), np.uint8),
        np.zeros((8, 8, 1), np.uint8),
        np.zeros((0, 8), np.uint8),
        np.zeros(8, np.uint8),
    ],
)
def test_other_arrays_are_refused(image: np.ndarray) -> None:
    with pytest.raises(ArgumentError, match=r"an image must be uint8 of shape \[H, W, 3\] or \[H, W\]"):
        WORD.apply(image)


def test_the_dictionary_gives_the_same_again() -> None:
    assert Preprocessing.from_dict(WORD.to_dict()) == WORD
    assert not WORD.fixed_width
    assert SQUARE.fixed_width


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"channels": 2}, "channels must be 1"),
        ({"height": 0}, "height must be an integer from 1 to 4096, not 0"),
        ({"height": 32.0}, "height must be an integer"),
        ({"height": True}, "height must be an integer"),
        ({"width_max": "192"}, "width_max must be an integer"),
        ({"width_min": 200}, r"width_min \(200\) must not exceed width_max \(192\)"),
        ({"width_step": 0}, "width_step must be"),
        ({"pad": 1}, "must have exactly the fields channels, height"),
    ],
)
def test_impossible_values_are_named(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        Preprocessing.from_dict(WORD.to_dict() | changes)


def test_missing_fields_are_named_and_code_gets_an_argument_error() -> None:
    with pytest.raises(ModelError, match="exactly the fields"):
        Preprocessing.from_dict({"channels": 1})
    with pytest.raises(ModelError, match="exactly the fields"):
        Preprocessing.from_dict([1, 2])  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="channels must be"):
        Preprocessing(channels=4, height=32, width_min=32, width_max=32, width_step=1)
