"""Files that OpenCV alone would refuse or misread: animated PNGs, and JPEGs without their end."""

import struct
import zlib

import numpy as np
import pytest
from picture_files import FILES, PICTURE, animation, encode, two_colours
from PIL import Image

from scriptkd_sdk.errors import ImageError
from scriptkd_sdk.images import load_image


def test_an_animated_png_is_its_picture() -> None:
    content = animation()
    assert b"acTL" in content and b"fdAT" in content
    np.testing.assert_array_equal(load_image(content), two_colours())
    still = b"".join([content[:8], chunk(b"IHDR", content[16:29]), *chunks(content, b"IDAT"), chunk(b"IEND", b"")])
    np.testing.assert_array_equal(load_image(still), two_colours())


def test_damage_to_an_animated_png_is_seen() -> None:
    """Wherever its picture is damaged; what is damaged of the other frames does not matter."""
    content = animation()
    start, end = content.index(b"IDAT") + 4, content.index(b"fcTL", content.index(b"IDAT")) - 8
    for position in range(start, end):
        with pytest.raises(ImageError, match="broken or truncated PNG"):
            load_image(content[:position] + bytes([content[position] ^ 0x10]) + content[position + 1 :])
    other = content.index(b"fdAT") + 20
    damaged = content[:other] + bytes(9) + content[other + 9 :]
    np.testing.assert_array_equal(load_image(damaged), two_colours())


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def chunks(content: bytes, wanted: bytes) -> list[bytes]:
    found, position = [], 8
    while position < len(content):
        (length,) = struct.unpack_from(">I", content, position)
        if content[position + 4 : position + 8] == wanted:
            found.append(content[position : position + length + 12])
        position += length + 12
    return found


def photograph(mode: str) -> Image.Image:
    random = np.random.default_rng(4)
    coarse = Image.fromarray(random.integers(0, 256, (7, 9, 3), np.uint8))
    return coarse.resize((67, 45), Image.Resampling.BICUBIC).convert(mode)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize(
    "options", [{}, {"quality": 98, "subsampling": 0}, {"optimize": True}, {"quality": 10}, {"restart_marker_rows": 1}]
)
def test_a_jpeg_that_lacks_nothing_but_its_end_is_read(
    mode: str, options: dict[str, int], capfd: pytest.CaptureFixture[str]
) -> None:
    content = encode(photograph(mode), "JPEG", **options)
    whole = load_image(content)
    assert content.endswith(b"\xff\xd9")
    np.testing.assert_array_equal(load_image(content[:-2]), whole)
    np.testing.assert_array_equal(load_image(content[:-1]), whole)
    assert capfd.readouterr().err == ""
    start = content.rindex(b"\xff\xda")
    for length in range(start, len(content) - 4):
        try:
            pixels = load_image(content[:length])
        except ImageError as error:
            assert error.reason == "broken or truncated JPEG"
        else:  # the last bits are padding, or of what lies beyond the picture's edge
            np.testing.assert_array_equal(pixels, whole)


def test_a_jpeg_without_its_end_keeps_its_orientation() -> None:
    tags = Image.Exif()
    tags[0x0112] = 6
    content = encode(PICTURE, "JPEG", exif=tags)
    np.testing.assert_array_equal(load_image(content[:-2]), load_image(content))
    assert load_image(content).shape == (40, 20, 3)


def test_a_progressive_jpeg_without_its_end_may_lack_scans_and_is_refused() -> None:
    with pytest.raises(ImageError, match="broken or truncated JPEG"):
        load_image(FILES["JPEG progressive"][:-2])
