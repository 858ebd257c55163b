"""Headers: sizes of every kind are read, and files that would cost much to decode are refused before decoding."""

import struct
import time
import tracemalloc
import zlib

import cv2
import numpy as np
import pytest
from picture_files import FILES, PICTURE, encode, exif, png_header, tiff
from PIL import Image

from scriptkd_sdk.errors import ImageError
from scriptkd_sdk.headers import read_header
from scriptkd_sdk.images import load_image


def declared(content: bytes) -> tuple[str, int, int, int]:
    """Kind, width, height and bytes decoded, as the header has them."""
    header = read_header(content)
    assert header is not None
    return header[:4]


def test_a_few_bytes_that_decode_to_megabytes_are_refused() -> None:
    """A file of 39 bytes that takes more than a second, which fuzzing found."""
    bomb = bytes.fromhex("524946461e000000574542505650384c110000002f41f9001207d0fffef7bfff8188e87f000023")
    reason = "14658x2052 pixels, which are 120 MB decoded, in a file of 39 bytes, but beyond 50 MB at most 250 times"
    with pytest.raises(ImageError, match=reason):
        load_image(bomb)
    blank = encode(Image.new("L", (2000, 2000), 255), "PNG")
    assert len(blank) < 10_000 and load_image(blank).shape == (2000, 2000)


@pytest.mark.parametrize(
    ("kind", "dtype", "samples", "reason"),
    [
        (".png", np.uint16, 4, "7000x7000 pixels, which are 392 MB decoded, but at most 200 MB are allowed"),
        (".tif", np.uint16, 4, "392 MB decoded, but at most 200 MB"),
        (".tif", np.float32, 4, "784 MB decoded, but at most 200 MB"),
        (".tif", np.float32, 3, "588 MB decoded, but at most 200 MB"),
        (".tif", np.uint8, 4, "196 MB decoded, in a file of .* at most 250 times the file"),
        (".png", np.uint8, 4, "196 MB decoded, in a file of"),
        (".png", np.uint8, 3, "147 MB decoded, in a file of"),
    ],
)
def test_bytes_are_counted_and_not_pixels_alone(kind: str, dtype: type, samples: int, reason: str) -> None:
    options = [cv2.IMWRITE_TIFF_COMPRESSION, 8] if kind == ".tif" else []
    bomb = cv2.imencode(kind, np.zeros((7000, 7000, samples), dtype), options)[1].tobytes()
    tracemalloc.start()
    started = time.process_time()
    with pytest.raises(ImageError, match=reason):
        load_image(bomb)
    assert time.process_time() - started < 0.1
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


def test_tiles_larger_than_the_picture_are_counted() -> None:
    content = tiff(np.zeros((64, 64, 4), np.uint8), t322=8192, t323=8192)
    with pytest.raises(ImageError, match="64x64 pixels, which are 268 MB decoded, but at most 200 MB"):
        load_image(content)


def test_a_tag_is_what_libtiff_takes_it_for() -> None:
    """Bits may be written as any whole number; of two entries the first counts."""
    content = tiff(np.zeros((7000, 7000, 1), np.uint16))
    bits = struct.pack("<HHIHH", 258, 3, 1, 16, 0)
    for kind, value in ((1, b"\x10\0\0\0"), (4, b"\x10\0\0\0"), (8, b"\x10\0\0\0")):
        other = content.replace(bits, struct.pack("<HHI", 258, kind, 1) + value)
        assert declared(other) == ("TIFF", 7000, 7000, 98_000_000)
    shape = struct.pack("<HHIHH", 259, 3, 1, 8, 0)
    twice = content.replace(shape, struct.pack("<HHIHH", 258, 3, 1, 1, 0))
    assert declared(twice) == ("TIFF", 7000, 7000, 98_000_000)


def test_large_pictures_that_are_real_are_read() -> None:
    """A photograph, a scan in gray and a scan in black and white, whose file may be tiny."""
    random = np.random.default_rng(5)
    photograph = cv2.resize(random.integers(0, 256, (300, 400, 3), np.uint8), (4000, 3000))
    content = cv2.imencode(".jpg", photograph)[1].tobytes()
    assert load_image(content).shape == (3000, 4000, 3)
    scan = np.full((7000, 5000), 255, np.uint8)
    scan[500:6500:40, 400:4600] = random.integers(0, 256, (150, 4200))
    content = cv2.imencode(".png", scan)[1].tobytes()
    assert len(content) < 1_200_000 and load_image(content).shape == (7000, 5000)
    content = encode(Image.fromarray(scan > 127), "TIFF", compression="group4")
    assert len(content) < 500_000 and load_image(content).shape == (7000, 5000)
    blank = encode(Image.new("1", (5000, 7000), 1), "TIFF", compression="group4")
    assert len(blank) < 5000 and load_image(blank).shape == (7000, 5000)


@pytest.mark.parametrize("compression", ["zstd", "lzma"])
def test_a_tiff_of_a_compression_that_is_not_read_says_so(compression: str) -> None:
    reason = f"a TIFF compressed by {compression.upper()} is not read, but one compressed by deflate, LZW, PackBits"
    for picture in (PICTURE, PICTURE.convert("L")):
        with pytest.raises(ImageError, match=reason):
            load_image(encode(picture, "TIFF", compression=compression))


def test_a_bigtiff_is_not_read() -> None:
    for content in (encode(PICTURE, "TIFF", big_tiff=True), b"MM\0+\0\x08\0\0"):
        with pytest.raises(ImageError, match="a BigTIFF is not read, but an ordinary TIFF is"):
            load_image(content)


def test_a_jpeg_of_endless_scans_is_refused() -> None:
    content = FILES["JPEG progressive"]
    scan = content.index(b"\xff\xda")
    with pytest.raises(ImageError, match="a JPEG of more than 100 scans"):
        load_image(content[:-2] + content[scan:-2] * 30 + content[-2:])


def test_a_png_that_declares_gigabytes_in_a_chunk_is_refused() -> None:
    content = FILES["PNG"]
    start = content.index(b"IDAT") - 4
    for length in (0xFFFFFFFF, 0xD4000092, 0x7FFFFFFF, len(content)):
        started = time.process_time()
        with pytest.raises(ImageError, match="broken or truncated PNG"):
            load_image(content[:start] + struct.pack(">I", length) + content[start + 4 :])
        assert time.process_time() - started < 0.1


@pytest.mark.parametrize("side", [10_000, 60_000])
def test_a_bomb_costs_neither_memory_nor_time(side: int) -> None:
    rows = zlib.compressobj(9)
    data = b"".join([rows.compress(bytes(3 * side + 1)) for _ in range(side)]) + rows.flush() if side == 10_000 else b""
    header = png_header(side, side)
    bomb = header[:33] + struct.pack(">I", len(data)) + b"IDAT" + data + struct.pack(">I", zlib.crc32(b"IDAT" + data))
    tracemalloc.start()
    started = time.process_time()
    with pytest.raises(ImageError, match=f"{side}x{side} pixels, but at most"):
        load_image(bomb + header[33:])
    assert time.process_time() - started < 0.1
    assert tracemalloc.get_traced_memory()[1] < 1_000_000 + 2 * len(data)
    tracemalloc.stop()


def test_declared_sizes_are_right_for_every_kind() -> None:
    for kind, content in FILES.items():
        samples = 4 if kind in ("BMP", "GIF", "WebP") else 3
        assert declared(content) == (kind.split()[0], 40, 20, 800 * samples)
    assert declared(encode(PICTURE, "WEBP", quality=80)) == ("WebP", 40, 20, 3200)  # lossy: VP8
    assert declared(encode(PICTURE, "WEBP", exif=exif(1))) == ("WebP", 40, 20, 3200)  # with metadata: VP8X
    gray, palette, bits = PICTURE.convert("L"), PICTURE.quantize(4), PICTURE.convert("1")
    for kind in ("PNG", "TIFF"):
        for picture, samples in ((gray, 1), (palette, 1), (bits, 1), (PICTURE.convert("RGBA"), 4)):
            assert declared(encode(picture, kind)) == (kind, 40, 20, 800 * samples)
    assert declared(encode(palette, "PNG", transparency=0)) == ("PNG", 40, 20, 3200)
    assert declared(encode(PICTURE, "PNG", transparency=(0, 0, 0))) == ("PNG", 40, 20, 3200)
    assert declared(encode(gray, "PNG", transparency=0)) == ("PNG", 40, 20, 800)
    assert declared(encode(gray, "JPEG")) == ("JPEG", 40, 20, 800)
    assert declared(encode(PICTURE.convert("CMYK"), "JPEG")) == ("JPEG", 40, 20, 3200)
