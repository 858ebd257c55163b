"""Transparent pictures: no alpha, dark ink, light ink, plates and outlines, in every kind of file and array."""

import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from picture_files import encode, near, tiff
from PIL import Image, ImageDraw, ImageFont

from scriptkd_sdk.images import load_image
from scriptkd_sdk.transparency import ground

BLACK, WHITE = 0, 255


def word() -> np.ndarray:
    """Where a word has ink, 0 to 255, [40, 120]; without edges that are neither."""
    mask = Image.new("L", (120, 40))
    ImageDraw.Draw(mask).text((15, 5), "tone", fill=255, font=ImageFont.load_default(24))
    return np.where(np.asarray(mask) > 127, 255, 0).astype(np.uint8)


WORD = word()


def drawn(colour: tuple[int, int, int]) -> np.ndarray:
    """The word in a colour on nothing, RGBA. What nothing is coloured with is the other extreme: it must not count."""
    other = 0 if sum(colour) > 384 else 255
    picture = np.full((*WORD.shape, 4), other, np.uint8)
    picture[:, :, :3][WORD > 0] = colour
    picture[:, :, 3] = WORD
    return picture


def grown(mask: np.ndarray, by: int) -> np.ndarray:
    wide = np.pad(mask, by)
    height, width = mask.shape
    return np.max([wide[y : y + height, x : x + width] for y in range(2 * by + 1) for x in range(2 * by + 1)], axis=0)


def plate(paper: int, ink: int) -> np.ndarray:
    """The word on a plate with a margin of nothing."""
    picture = np.zeros((*WORD.shape, 4), np.uint8)
    picture[2:38, 6:114] = (paper, paper, paper, 255)
    picture[WORD > 0] = (ink, ink, ink, 255)
    return picture


def over(ink: int, under: int, mask: np.ndarray) -> np.ndarray:
    """The word over a mask of another gray: its outline or its shadow."""
    picture = np.dstack([np.full((*WORD.shape, 3), under, np.uint8), mask])
    picture[WORD > 0] = (ink, ink, ink, 255)
    return picture


@pytest.mark.parametrize(
    ("colour", "expected"),
    [
        ((255, 255, 255), BLACK),
        ((255, 255, 240), BLACK),
        ((255, 220, 0), BLACK),
        ((135, 206, 250), BLACK),
        ((129, 129, 129), BLACK),
        ((128, 128, 128), WHITE),
        ((220, 0, 0), WHITE),
        ((0, 0, 255), WHITE),
        ((0, 0, 0), WHITE),
    ],
)
def test_ink_is_laid_on_the_ground_that_is_farther_from_it(colour: tuple[int, int, int], expected: int) -> None:
    picture = drawn(colour)
    pixels = load_image(picture)
    assert (pixels[WORD > 0] == colour).all() and (pixels[WORD == 0] == expected).all()
    backwards = np.ascontiguousarray(picture[:, :, [2, 1, 0, 3]])
    np.testing.assert_array_equal(load_image(backwards, order="bgr"), pixels)


def test_light_ink_in_every_kind_of_picture() -> None:
    picture = drawn((255, 255, 255))
    expected = np.repeat(WORD[:, :, None], 3, axis=2)
    image = Image.fromarray(picture)
    for kind, options in (("PNG", {}), ("TIFF", {}), ("WEBP", {"lossless": True, "exact": True})):
        np.testing.assert_array_equal(load_image(encode(image, kind, **options)), expected)
    other: Any
    for other in (image, image.convert("LA"), picture.astype(np.uint16) * 257, picture / np.float32(255)):
        np.testing.assert_array_equal(load_image(other), expected)
    gray = Image.fromarray(WORD)
    gray.info["transparency"] = 0
    for other in (encode(gray, "PNG", transparency=0), encode(gray.convert("1"), "PNG", transparency=0), gray):
        pixels = load_image(other)
        np.testing.assert_array_equal(pixels if pixels.ndim == 2 else pixels[:, :, 0], WORD)
    deep = Image.fromarray(WORD.astype(np.uint16) * 257)
    np.testing.assert_array_equal(load_image(encode(deep, "PNG", transparency=0)), WORD)
    deep.info["transparency"] = 0
    np.testing.assert_array_equal(load_image(deep), WORD)
    palette = Image.fromarray(WORD).convert("P")
    for kind in ("PNG", "GIF"):
        np.testing.assert_array_equal(
            load_image(encode(palette, kind, transparency=palette.getpixel((0, 0)))), expected
        )


@pytest.mark.parametrize(
    ("picture", "expected"),
    [
        (plate(255, 0), WHITE),
        (plate(230, 90), WHITE),
        (plate(0, 255), BLACK),
        (plate(40, 200), BLACK),
        (over(255, 0, grown(WORD, 2)), BLACK),  # an outline
        (over(0, 255, grown(WORD, 2)), WHITE),
        (over(255, 0, np.roll(WORD, (2, 2), (0, 1))), BLACK),  # a shadow
    ],
)
def test_what_has_two_tones_is_laid_on_a_ground_like_its_rim(picture: np.ndarray, expected: int) -> None:
    """But a shadow, which is no rim all around, is laid as the word alone would be."""
    pixels = load_image(picture)
    assert (pixels[picture[:, :, 3] == 0] == expected).all()
    np.testing.assert_array_equal(pixels[picture[:, :, 3] > 0], picture[:, :, :3][picture[:, :, 3] > 0])


@pytest.mark.parametrize(("paper", "expected"), [(255, WHITE), (0, BLACK)])
def test_an_almost_empty_page_with_rounded_corners_melts_with_its_ground(paper: int, expected: int) -> None:
    page = np.full((100, 160, 4), (paper, paper, paper, 255), np.uint8)
    page[40:44, 50:90, :3] = 255 - paper
    for rows, columns in ((slice(0, 4), slice(0, 4)), (slice(96, 100), slice(156, 160))):
        page[rows, columns] = (255 - paper, 255 - paper, 255 - paper, 0)
    assert (load_image(page)[page[:, :, 3] == 0] == expected).all()


def test_faint_ink_counts_if_there_is_no_other() -> None:
    picture = drawn((255, 255, 255))
    picture[:, :, 3] = WORD // 4
    assert load_image(picture)[0, 0].tolist() == [0, 0, 0]
    picture[0, 0] = (0, 0, 0, 128)
    assert load_image(picture)[1, 0].tolist() == [255, 255, 255]


def reference(picture: np.ndarray) -> int:
    """The contract's words, pixel by pixel."""
    height, width = picture.shape[:2]
    colours = {(y, x): [int(value) for value in picture[y, x]] for y in range(height) for x in range(width)}
    seen = {at for at, (*_, alpha) in colours.items() if alpha >= 128}
    if len(seen) == len(colours):
        return WHITE
    seen = seen or {at for at, (*_, alpha) in colours.items() if alpha > 0}
    level = {at: (299 * r + 587 * g + 114 * b + 500) // 1000 for at, (r, g, b, _) in colours.items()}

    def tones(of: set[tuple[int, int]]) -> tuple[int, int]:
        return sum(level[at] < 96 for at in of), sum(level[at] >= 160 for at in of)

    if 16 * min(tones(seen)) >= len(seen) or 16 * (len(colours) - len(seen)) <= len(colours):
        beside = {(y, x): {(y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)} & set(colours) for y, x in seen}
        rim = {at for at in seen if beside[at] - seen}
        dark, light = tones(rim)
        if 4 * max(dark, light) >= 3 * len(rim):
            return WHITE if light >= dark else BLACK
    return BLACK if sum(level[at] for at in seen) > 128 * len(seen) else WHITE


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=150, deadline=None)
def test_the_ground_is_what_the_contract_says(seed: int) -> None:
    random = np.random.default_rng(seed)
    height, width = random.integers(2, 9, 2)
    colours = random.choice(random.integers(0, 256, (random.integers(1, 4), 3)), (height, width))
    alpha = random.choice([0, 127, 128, 255], (height, width, 1), p=random.dirichlet([1, 1, 1, random.choice([1, 30])]))
    picture = np.concatenate([colours, alpha], axis=2).astype(np.uint8)
    if alpha.any():
        assert ground(picture[:, :, :3], picture[:, :, 3]) == reference(picture)


def test_a_picture_that_is_translucent_everywhere_is_laid_on_white() -> None:
    picture = np.full((8, 9, 4), (240, 240, 240, 128), np.uint8)
    assert (load_image(picture)[:, :, 0] == 247).all()
    picture[0, :5, 3] = 127  # more than one in sixteen
    assert (load_image(picture)[1, :, 0] == 120).all()


def test_laying_rounds_to_nearest() -> None:
    levels, alphas = np.meshgrid(np.arange(256), np.arange(256))
    for shade, rest in ((255, (90, 0)), (0, (200, 255))):
        picture = np.zeros((256, 257, 4), np.uint8)
        picture[:, :256, :3], picture[:, :256, 3] = levels[:, :, None], alphas
        picture[:, 256] = (*[rest[1]] * 3, 255)
        whole = np.concatenate([picture, np.full((256, 900, 4), (*[rest[1]] * 3, 255), np.uint8)], axis=1)
        expected = np.floor((levels * alphas + shade * (255 - alphas)) / 255 + 0.5)
        np.testing.assert_array_equal(load_image(whole)[:, :256, 0], expected)


EMPTY = np.dstack([np.random.default_rng(1).integers(0, 256, (20, 40, 3), np.uint8), np.zeros((20, 40), np.uint8)])


def test_alpha_of_zero_everywhere_is_none() -> None:
    colours = EMPTY[:, :, :3]
    image = Image.fromarray(EMPTY)
    for kind, options in (("PNG", {}), ("TIFF", {}), ("WEBP", {"lossless": True, "exact": True})):
        np.testing.assert_array_equal(load_image(encode(image, kind, **options)), colours)
    other: Any
    for other in (EMPTY, EMPTY.astype(np.uint16) * 257, EMPTY / np.float32(255), EMPTY / np.float64(255), image):
        np.testing.assert_array_equal(load_image(other), colours)
    backwards = np.ascontiguousarray(EMPTY[:, :, [2, 1, 0, 3]])
    np.testing.assert_array_equal(load_image(backwards, order="bgr"), colours)
    gray = image.convert("LA")
    for other in (gray, encode(gray, "PNG")):
        np.testing.assert_array_equal(load_image(other)[:, :, 0], np.asarray(gray)[:, :, 0])
    for order in "<>":
        for dtype in (np.uint8, np.uint16):
            for extra in ({}, {"t338": 0}, {"t338": 1}, {"t338": 2}):
                content = tiff(EMPTY.astype(dtype) * (1 if dtype is np.uint8 else 257), order, **extra)
                np.testing.assert_array_equal(load_image(content), colours)


def test_a_bitmap_of_32_bits_whose_alpha_is_zero() -> None:
    """Both with the old header, where the fourth byte means nothing, and with one that declares alpha."""
    rows = np.ascontiguousarray(EMPTY[::-1, :, [2, 1, 0, 3]]).tobytes()
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    old = struct.pack("<IiiHHIIiiII", 40, 40, 20, 1, 32, 0, len(rows), 0, 0, 0, 0)
    new = struct.pack("<IiiHHIIiiII", 108, 40, 20, 1, 32, 3, len(rows), 0, 0, 0, 0) + masks + b"BGRs" + bytes(48)
    for header in (old, new):
        start = 14 + len(header)
        content = b"BM" + struct.pack("<IHHI", start + len(rows), 0, 0, start) + header + rows
        np.testing.assert_array_equal(load_image(content), EMPTY[:, :, :3])


@pytest.mark.parametrize("planes", [1, 2])
def test_a_tiffs_extra_sample_that_is_no_alpha_is_left_out(planes: int) -> None:
    random = np.random.default_rng(2)
    picture = random.integers(0, 256, (20, 40, 4), np.uint8)
    np.testing.assert_array_equal(load_image(tiff(picture, t338=0, t284=planes)), picture[:, :, :3])
    if planes == 1:
        np.testing.assert_array_equal(load_image(tiff(picture.astype(np.uint16) * 257, t338=0)), picture[:, :, :3])
    gray = random.integers(0, 256, (20, 40, 2), np.uint8)
    np.testing.assert_array_equal(load_image(tiff(gray, t338=0, t284=planes)), gray[:, :, 0])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_tiffs_colours_are_straight_or_multiplied_by_alpha(dtype: type) -> None:
    random = np.random.default_rng(3)
    picture = random.integers(0, 256, (20, 40, 4), np.uint8)
    picture[:, :10, 3] = 0
    alpha = picture[:, :, 3:] / 255
    multiplied = np.concatenate([np.round(picture[:, :, :3] * alpha).astype(np.uint8), picture[:, :, 3:]], axis=2)
    scale = 1 if dtype is np.uint8 else 257
    expected = load_image(picture)
    np.testing.assert_array_equal(load_image(tiff(picture.astype(dtype) * scale, t338=2)), expected)
    assert near(load_image(tiff(multiplied.astype(dtype) * scale, t338=1)), expected, 2)
