"""Section 2 of the contract: margins trimmed, tall crops laid down, lines cut into windows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from scriptkd_sdk.crop import MOST_WINDOWS, PLAIN, crops, trimmed, windows
from scriptkd_sdk.preprocess import Preprocessing

ANY_CROP = Preprocessing(1, 48, 48, 384, 24, square_height=72)
UPRIGHT = Preprocessing(1, 48, 48, 384, 24)


def on_ground(height: int, width: int, top: int, left: int, ground: int = 200) -> np.ndarray:
    """A picture [H, W] of a plain ground with a chequered block on it, 20 rows of 30 pixels."""
    image = np.full((height, width), ground, np.uint8)
    image[top : top + 20, left : left + 30] = np.indices((20, 30)).sum(axis=0) % 2 * ground
    return image


def test_a_plain_margin_goes_but_for_a_rim() -> None:
    image = trimmed(on_ground(100, 150, 40, 60))
    assert image.shape == (22, 32)  # 20 x 30 of ink, and a rim of one pixel, 20 div 16
    assert (image[0] == 200).all() and (image[:, -1] == 200).all()
    assert np.array_equal(image[1:-1, 1:-1], on_ground(20, 30, 0, 0))


def test_the_rim_ends_with_the_picture() -> None:
    image = on_ground(100, 30, 80, 0)
    assert trimmed(image).shape == (21, 30)


@pytest.mark.parametrize("margin", [0, 1, 7])
def test_noise_and_compression_are_plain_but_faint_ink_alone_is_kept(margin: int) -> None:
    noisy = on_ground(100, 150, 40, 60).astype(np.int16)
    noisy += np.random.default_rng(margin).integers(-PLAIN // 4, PLAIN // 4, noisy.shape)
    assert trimmed(np.clip(noisy, 0, 255).astype(np.uint8)).shape == (22, 32)
    faint = on_ground(100, 150, 40, 60, ground=PLAIN)  # ink and ground are so close that all of it is plain
    assert trimmed(faint) is faint


def test_each_side_has_a_ground_of_its_own() -> None:
    image = on_ground(100, 150, 40, 60)
    image[60:] = 90
    assert trimmed(image).shape == (22, 32)


def test_two_plain_halves_have_no_ink_between_them() -> None:
    image = np.full((40, 60), 200, np.uint8)
    image[20:] = 90
    assert trimmed(image) is image


def test_colours_are_trimmed_by_their_luma() -> None:
    gray = on_ground(100, 150, 40, 60)
    colour = np.repeat(gray[:, :, None], 3, axis=2)
    assert np.array_equal(trimmed(colour)[:, :, 0], trimmed(gray))


@given(arrays(np.uint8, st.tuples(st.integers(2, 12), st.integers(2, 12))))
def test_what_is_cut_off_is_plain(image: np.ndarray) -> None:
    """A margin's rows differ from the picture's first or last row, and so its columns, by PLAIN levels at most."""
    kept = trimmed(image)
    assert kept is image or (kept.size and kept.base is image)
    if kept is image:
        return
    offset = kept.__array_interface__["data"][0] - image.__array_interface__["data"][0]
    top = offset // image.shape[1]
    for lines, edge in ((image[:top], image[0]), (image[top + len(kept) :], image[-1])):
        for line in lines:
            both = np.concatenate([line, edge]).astype(int)
            assert both.max() - both.min() <= PLAIN


@pytest.mark.parametrize(("height", "width", "turned"), [(30, 20, 90), (29, 20, 0), (20, 20, 0), (300, 20, 90)])
def test_a_crop_half_as_high_again_as_wide_is_laid_down(height: int, width: int, turned: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (height, width), np.uint8)
    (crop, *_), _, angle = crops(image, ANY_CROP)
    assert angle == turned
    if turned:
        assert all(crop[i, j] == image[j, width - 1 - i] for i in range(width) for j in range(20))
    (crop,), _, angle = crops(image, ANY_CROP, upright=True)
    assert angle == 0 and np.array_equal(crop, image)


@pytest.mark.parametrize(("width", "rows"), [(14, 72), (20, 72), (29, 72), (30, 48), (60, 48)])
def test_near_square_crops_have_rows_of_their_own(width: int, rows: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (20, width), np.uint8)
    assert crops(image, ANY_CROP)[1] == rows
    assert ANY_CROP.apply(image, rows).shape[1] == rows


def test_a_line_is_seen_in_windows_of_the_widest_input() -> None:
    line = np.random.default_rng(0).integers(0, 256, (20, 800), np.uint8)  # 40 times as wide as high
    seen, rows, _ = crops(line, ANY_CROP)
    assert rows == 48 and len(seen) == 5
    for start, each in zip((0, 160, 320, 480, 640), seen, strict=True):
        assert np.array_equal(each, line[:, start : start + 160])


def test_windows_are_sixteen_at_most_evenly_spaced() -> None:
    line = np.random.default_rng(0).integers(0, 256, (2, 16_384), np.uint8)
    seen = windows(line, ANY_CROP, 48)
    assert len(seen) == MOST_WINDOWS
    assert np.array_equal(seen[0], line[:, :16]) and np.array_equal(seen[-1], line[:, -16:])


def test_a_crop_just_within_the_limit_is_one_window() -> None:
    image = np.random.default_rng(0).integers(0, 256, (48, 395), np.uint8)
    assert len(windows(image, ANY_CROP, 48)) == 1
    assert len(windows(np.pad(image, ((0, 0), (0, 1))), ANY_CROP, 48)) == 2


def test_older_formats_take_the_image_as_it_is() -> None:
    image = on_ground(300, 30, 40, 0)
    (crop,), rows, turned = crops(image, UPRIGHT)
    assert crop is image and (rows, turned) == (48, 0)
