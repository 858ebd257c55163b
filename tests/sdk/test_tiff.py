"""TIFFs that are read, and the message for other TIFFs. It does not call them broken, as they are not."""

import numpy as np
import pytest
from picture_files import encode, near, tiff, two_colours
from PIL import Image

from scriptkd_sdk.errors import ImageError
from scriptkd_sdk.images import load_image

GRAY = np.tile(np.arange(0, 240, 6, dtype=np.uint8), (20, 1))[:, :, None]
ANOTHER = "save it as PNG, or as a TIFF of 8-bit RGB or gray samples, pixel by pixel$"


def four_bits() -> bytes:
    return tiff(np.zeros((20, 20, 1), np.uint8), t256=40, t258=4)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (four_bits(), "a TIFF of 4-bit gray samples is not read"),
        (tiff(np.zeros((20, 10, 1), np.uint8), t256=40, t258=2), "a TIFF of 2-bit gray samples is not read"),
        (tiff(np.zeros((20, 60, 1), np.uint8), t256=40, t258=12), "a TIFF of 12-bit gray samples is not read"),
        (tiff(GRAY.astype(np.float16), t339=3), "a TIFF of 16-bit floating-point gray samples is not read"),
        (tiff(np.zeros((20, 40, 3), np.float16), t339=3), "a TIFF of 16-bit floating-point RGB samples is not read"),
        (tiff(GRAY.astype(np.uint32)), "a TIFF of 32-bit gray samples is not read"),
        (tiff(GRAY.astype(np.int8), t339=2), "a TIFF of 8-bit signed gray samples is not read"),
        (tiff(GRAY.astype(np.int16), t339=2), "a TIFF of 16-bit signed gray samples is not read"),
        (tiff(np.zeros((20, 40, 4), np.uint16), t262=5), "a TIFF of 16-bit CMYK samples is not read"),
        (tiff(np.zeros((20, 40, 5), np.uint8), t262=5), "a TIFF of 8-bit CMYK samples, 5 a pixel, is not read"),
        (tiff(GRAY.astype(np.uint16), t262=3), "a TIFF of 16-bit palette samples is not read"),
        (tiff(np.zeros((20, 40, 5), np.uint8)), "a TIFF of 8-bit RGB samples, 5 a pixel, is not read"),
        (tiff(np.zeros((20, 40, 2), np.uint16), t338=0), "a TIFF of 16-bit gray samples, 2 a pixel, is not read"),
        (tiff(np.zeros((20, 40, 3), np.uint16), t284=2), "a TIFF of 16-bit samples in planes is not read"),
        (tiff(np.zeros((20, 40, 4), np.uint16), t284=2, t338=2), "a TIFF of 16-bit samples in planes is not read"),
        (tiff(np.zeros((20, 40, 3), np.float32), t284=2, t339=3), "a TIFF of 32-bit samples in planes is not read"),
        (tiff(np.zeros((16, 16, 3), np.uint8), t259=1, t322=16, t323=16), "a TIFF of tiles of less than 1024 bytes is"),
        (tiff(GRAY, t262=34892), "a TIFF of 8-bit photometric-34892 samples is not read"),
    ],
)
def test_what_is_not_read_is_named(content: bytes, reason: str) -> None:
    with pytest.raises(ImageError, match=f"^{reason}.*; {ANOTHER}"):
        load_image(content)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_white_is_zero_in_every_depth(dtype: type, order: str) -> None:
    floats = np.issubdtype(dtype, np.floating)
    scale = 1 / 255 if floats else 1 if dtype is np.uint8 else 257
    levels: np.ndarray = (GRAY * np.float64(scale)).astype(dtype)
    for photometric, expected in ((1, GRAY[:, :, 0]), (0, 255 - GRAY[:, :, 0])):
        content = tiff(levels, order, t262=photometric, t339=3 if floats else 1)
        np.testing.assert_array_equal(load_image(content), expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_colours_are_read_in_every_depth(dtype: type) -> None:
    scale = 1 / 255 if dtype is np.float32 else 1 if dtype is np.uint8 else 257
    pixels: np.ndarray = (two_colours() * np.float64(scale)).astype(dtype)
    for order in "<>":
        content = tiff(pixels, order, t339=3 if dtype is np.float32 else 1)
        np.testing.assert_array_equal(load_image(content), two_colours())
    if dtype is np.uint8:
        np.testing.assert_array_equal(load_image(tiff(pixels, t284=2)), two_colours())


def test_a_tag_that_lies_behind_the_end_is_damage_and_not_a_kind() -> None:
    content = tiff(two_colours())  # whose bits a sample lie at the end, behind the directory
    with pytest.raises(ImageError, match="broken or truncated image file"):
        load_image(content[:-6])


def test_palettes_of_few_colours_are_read() -> None:
    colours = Image.fromarray(two_colours()).quantize(4)
    assert near(load_image(encode(colours, "TIFF")), two_colours())
    red_is_one = (0, 0xFFFF, *[0] * 46)  # 16 reds, greens and blues
    content = tiff(np.full((20, 20, 1), 0x11, np.uint8), t256=40, t258=4, t262=3, t320=red_is_one)
    np.testing.assert_array_equal(load_image(content), np.tile(np.array([255, 0, 0], np.uint8), (20, 40, 1)))
