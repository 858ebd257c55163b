"""Reading images of every kind, and refusing what is none with the reason."""

import gzip
import io
import os
import struct
import time
import tracemalloc
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from scriptkd_sdk import images
from scriptkd_sdk.errors import ArgumentError, ImageError
from scriptkd_sdk.images import load_image

RED, BLUE = [250, 10, 10], [10, 10, 250]


def two_colours() -> np.ndarray:
    """20 x 40: red on the left, right blue above black. Every turn and mirror image looks different."""
    pixels = np.zeros((20, 40, 3), np.uint8)
    pixels[:, :20] = RED
    pixels[:10, 20:] = BLUE
    return pixels


PICTURE = Image.fromarray(two_colours())


def encode(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


def near(pixels: np.ndarray, expected: np.ndarray, tolerance: int = 0) -> bool:
    return pixels.shape == expected.shape and bool(np.abs(pixels.astype(int) - expected).max() <= tolerance)


def png_header(width: int, height: int) -> bytes:
    """A PNG that declares a size and holds next to nothing."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    end = struct.pack(">I", 0) + b"IEND" + struct.pack(">I", zlib.crc32(b"IEND"))
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body)) + end


FILES = {
    "PNG": encode(PICTURE, "PNG"),
    "JPEG": encode(PICTURE, "JPEG", quality=98, subsampling=0),
    "JPEG progressive": encode(PICTURE, "JPEG", quality=98, subsampling=0, progressive=True),
    "BMP": encode(PICTURE, "BMP"),
    "GIF": encode(PICTURE, "GIF"),
    "WebP": encode(PICTURE, "WEBP", lossless=True),
    "TIFF": encode(PICTURE, "TIFF"),
    "TIFF deflated": encode(PICTURE, "TIFF", compression="tiff_deflate"),
}


@pytest.mark.parametrize("kind", FILES)
def test_every_kind_of_file_as_bytes_and_by_path(kind: str, tmp_path: Path) -> None:
    content = FILES[kind]
    path = tmp_path / "a file of any name"
    path.write_bytes(content)
    expected = load_image(content)
    assert near(expected, two_colours(), 8)
    for image in (path, str(path), bytearray(content), memoryview(content), Image.open(path)):
        assert near(load_image(image), expected, 1)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_exif_orientation_is_honoured(kind: str, orientation: int) -> None:
    options = {"JPEG": {"quality": 98, "subsampling": 0}, "WEBP": {"lossless": True}}.get(kind, {})
    content = encode(PICTURE, kind, exif=exif(orientation), **options)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(content))))
    assert expected.shape == ((20, 40, 3) if orientation < 5 else (40, 20, 3))
    assert near(load_image(content), expected, 2)
    assert near(load_image(Image.open(io.BytesIO(content))), expected)


def test_damaged_exif_does_not_spoil_the_image() -> None:
    content = encode(PICTURE, "PNG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")
    assert near(load_image(content), two_colours())


def test_transparent_images_are_laid_on_white() -> None:
    alpha = np.tile(np.linspace(0, 255, 40).astype(np.uint8), (20, 1))
    rgba = np.dstack([two_colours(), alpha])
    expected = np.floor((two_colours() * (alpha / 255)[..., None] + 255 * (1 - alpha / 255)[..., None]) + 0.5)
    assert near(load_image(rgba), expected)
    picture = Image.fromarray(rgba)
    for image in (picture, encode(picture, "PNG"), encode(picture, "TIFF"), encode(picture, "WEBP", lossless=True)):
        assert near(load_image(image), expected, 1)
    gray = picture.convert("LA")
    assert load_image(gray)[0, 0].tolist() == load_image(encode(gray, "PNG"))[0, 0].tolist() == [255, 255, 255]
    palette = PICTURE.quantize(4)
    index = palette.getpixel((0, 0))
    holed = encode(palette, "PNG", transparency=index)
    for image in (holed, Image.open(io.BytesIO(holed))):
        assert load_image(image)[0, 0].tolist() == [255, 255, 255]
        assert load_image(image)[0, -1].tolist() == BLUE


def test_gray_files_stay_gray() -> None:
    gray = PICTURE.convert("L")
    for image in (gray, encode(gray, "PNG"), PICTURE.convert("1"), encode(PICTURE.convert("1"), "PNG")):
        assert load_image(image).shape == (20, 40)


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr", "HSV"])
def test_pil_images_of_other_modes(mode: str) -> None:
    assert near(load_image(PICTURE.convert(mode)), two_colours(), 8)
    assert near(load_image(PICTURE.quantize(4)), two_colours())


def test_sixteen_bits_round_to_eight() -> None:
    levels = np.arange(256, dtype=np.uint16).reshape(16, 16)
    deep = levels * 257
    picture = Image.fromarray(deep)
    for image in (deep, deep.astype(">u2"), deep[..., None], encode(picture, "PNG"), encode(picture, "TIFF"), picture):
        assert near(load_image(image), levels)
    np.testing.assert_array_equal(load_image(np.array([[128, 129], [65535, 65406]], np.uint16)), [[0, 1], [255, 254]])
    every = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    np.testing.assert_array_equal(load_image(every), (every.astype(int) + 128) // 257)
    assert near(load_image(deep[::-1, ::2]), levels[::-1, ::2])
    colour = np.repeat(deep[..., None], 3, axis=2)
    assert near(load_image(colour), np.repeat(levels[..., None], 3, axis=2))


def test_one_bit_is_black_and_white() -> None:
    mask = two_colours()[:, :, 0] > 100
    assert near(load_image(mask), np.where(mask, 255, 0))
    assert near(load_image(np.asarray(PICTURE.convert("1", dither=Image.Dither.NONE))), np.zeros((20, 40)), 255)
    bits = Image.fromarray(mask)
    for image in (bits, encode(bits, "PNG"), encode(bits, "TIFF", compression="group4"), encode(bits, "BMP")):
        assert near(load_image(image).reshape(20, 40, -1)[..., 0], np.where(mask, 255, 0))


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_files_in_the_inks_of_print(kind: str) -> None:
    inks = PICTURE.convert("CMYK")
    content = encode(inks, kind, **({"quality": 98, "subsampling": 0} if kind == "JPEG" else {}))
    for image in (content, Image.open(io.BytesIO(content)), inks):
        assert near(load_image(image), two_colours(), 12)


def test_palettes() -> None:
    palette = PICTURE.quantize(4)
    for kind in ("PNG", "GIF", "BMP", "TIFF"):
        assert near(load_image(encode(palette, kind)), two_colours())


def test_open_files(tmp_path: Path) -> None:
    path = tmp_path / "word.png"
    path.write_bytes(b"skipped" + FILES["PNG"])
    with path.open("rb") as file:
        file.seek(7)
        assert near(load_image(file), two_colours())
        with pytest.raises(ImageError, match="empty: no bytes at all"):
            load_image(file)  # it is at its end
    with pytest.raises(ImageError, match=r"cannot be read: .*closed"):
        load_image(file)
    with pytest.raises(ImageError, match=r"must be open for reading bytes \(mode 'rb'\), but this one gives str"):
        load_image(io.StringIO("a text"))
    with path.open("wb") as file, pytest.raises(ImageError, match="cannot be read: "):
        load_image(file)


def test_a_file_that_gives_a_little_at_a_time() -> None:
    reading, writing = os.pipe()
    with open(reading, "rb", buffering=0) as pipe:
        for part in (FILES["PNG"][:50], FILES["PNG"][50:]):
            os.write(writing, part)
        os.close(writing)
        assert (load_image(Little(FILES["PNG"])) == load_image(pipe)).all()


class Little(io.RawIOBase):
    """Ten bytes a call, as a slow connection may."""

    def __init__(self, content: bytes) -> None:
        self.file = io.BytesIO(content)

    def read(self, size: int = -1) -> bytes:
        return self.file.read(min(size, 10))


def test_a_damaged_member_of_an_archive() -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("word.png", FILES["PNG"])
    content = bytearray(archive.getvalue())
    content[60] ^= 0xFF  # within the picture
    with zipfile.ZipFile(io.BytesIO(content)) as file, pytest.raises(ImageError, match="cannot be read: Bad CRC-32"):
        load_image(file.open("word.png"))
    packed = io.BytesIO(gzip.compress(FILES["PNG"])[:-20])
    with gzip.open(packed) as file, pytest.raises(ImageError, match="cannot be read: Compressed file ended"):
        load_image(file)


def test_an_endless_file_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MOST_BYTES", 1_000_000)
    with open("/dev/zero", "rb") as file, pytest.raises(ImageError, match="a file of more than"):
        load_image(file)


def test_arrays_in_opencvs_order() -> None:
    pixels = two_colours()
    backwards = np.ascontiguousarray(pixels[:, :, ::-1])
    np.testing.assert_array_equal(load_image(backwards, order="bgr"), pixels)
    alpha = np.full((20, 40, 1), 128, np.uint8)
    expected = load_image(np.dstack([pixels, alpha]))
    np.testing.assert_array_equal(load_image(np.dstack([backwards, alpha]), order="bgr"), expected)
    for image in (FILES["PNG"], PICTURE):  # these know their own order
        np.testing.assert_array_equal(load_image(image, order="bgr"), pixels)
    np.testing.assert_array_equal(load_image(pixels[:, :, 0], order="bgr"), pixels[:, :, 0])
    with pytest.raises(ArgumentError, match="order must be 'rgb' or 'bgr', not 'BGR'"):
        load_image(pixels, order="BGR")


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_from_zero_to_one(dtype: type) -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert near(load_image((levels / 255).astype(dtype)), levels)
    assert load_image(np.array([[-0.001, 1.001], [0.0, 1.0]], dtype)).tolist() == [[0, 255], [0, 255]]


def test_arrays_are_rgb_and_keep_their_pixels() -> None:
    pixels = two_colours()
    np.testing.assert_array_equal(load_image(pixels), pixels)
    np.testing.assert_array_equal(load_image(pixels[:, :, :1]), pixels[:, :, 0])
    np.testing.assert_array_equal(load_image(pixels[::-1, ::2]), pixels[::-1, ::2])


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (b"", "empty: no bytes at all"),
        (b"hello, world, this is text", "not a PNG, JPEG, BMP, GIF, WebP or TIFF image"),
        (b"P5 2 2 255 abcd", "not a PNG"),
        (png_header(60_000, 60_000), r"60000x60000 pixels, but at most 16,384 a side"),
        (png_header(10_000, 10_000), r"10000x10000 pixels, but at most 50 million"),
        (png_header(100, 100), "broken or truncated PNG"),
        (png_header(0, 10), "0x10 pixels, but at least 2x2 are needed"),
        (b"\xff\xd8\xff" + b"\xff" * 10_000, "broken or truncated image file"),
        (b"BM" + b"\0" * 6, "broken or truncated image file"),
        (np.zeros((1, 50), np.uint8), "50x1 pixels, but at least 2x2"),
        (np.zeros((0, 50, 3), np.uint8), "50x0 pixels"),
        (np.zeros((16_385, 2), np.uint8), "2x16385 pixels, but at most 16,384 a side"),
        (np.zeros(50, np.uint8), r"must have the shape .* not \(50,\)"),
        (np.zeros((8, 8, 2), np.uint8), r"must have the shape .* not \(8, 8, 2\)"),
        (np.zeros((2, 8, 8, 3), np.uint8), "must have the shape"),
        (np.zeros((8, 8), np.int64), "must be uint8, uint16, bool or float in 0..1, not int64"),
        (np.zeros((8, 8), object), "not object"),
        (np.full((8, 8), np.nan), "must not hold NaN or infinity"),
        (np.full((8, 8), np.inf, np.float32), "must not hold NaN or infinity"),
        (np.full((8, 8), 128.0), r"must lie in 0..1, not 128..128"),
        (np.full((8, 8), 1e300), r"must lie in 0..1"),
        (Image.new("RGB", (1, 1)), "1x1 pixels"),
        (Image.new("F", (9, 9)), "mode F has no fixed range"),
        (None, "an image must be a path, bytes, a binary file, a NumPy array or a PIL image, not NoneType"),
        (17, "not int"),
        ([[1, 2], [3, 4]], "not list"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_absurd_images_say_why(image: Any, reason: str) -> None:
    with pytest.raises(ImageError, match=reason) as caught:
        load_image(image)
    assert caught.value.name is None
    assert str(caught.value) == caught.value.reason
    with pytest.raises(ImageError, match=f"^image 3: .*{reason}"):
        load_image(image, "image 3")


def test_paths_that_are_no_image(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("not an image at all")
    (tmp_path / "cut.png").write_bytes(FILES["PNG"][:60])
    os.mkfifo(tmp_path / "pipe.png")
    expected = {
        "missing.png": "no such file",
        "empty.png": "empty: no bytes at all",
        "text.png": "not a PNG, JPEG",
        "cut.png": "broken or truncated PNG",
        "pipe.png": "not an ordinary file",
        "": "a folder, not an image file",
        "text.png/below.png": "cannot be read: Not a directory|no such file",
        "x" * 300: "cannot be read: File name too long",
        "zero\0byte.png": "cannot be read: .*null",
    }
    for name, reason in expected.items():
        path = f"{tmp_path}/{name}".rstrip("/")
        with pytest.raises(ImageError, match=reason) as caught:
            load_image(path)
        assert str(caught.value) == f"{path}: {caught.value.reason}".replace("\0", r"\x00")


def test_a_file_too_long_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "word.png"
    path.write_bytes(FILES["PNG"])
    monkeypatch.setattr(images, "MOST_BYTES", 10)
    with pytest.raises(ImageError, match=r"word\.png: a file of more than"):
        load_image(path)


def test_a_file_name_that_is_not_text(tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/w\xf6rd.png")
    with pytest.raises(ImageError, match="no such file") as caught:
        load_image(path)
    assert "w\ufffdrd.png" in str(caught.value).encode().decode()
    Path(path).write_bytes(FILES["PNG"])
    assert near(load_image(path), two_colours())


@pytest.mark.parametrize("kind", FILES)
def test_truncated_files_are_refused(kind: str, capfd: pytest.CaptureFixture[str]) -> None:
    content = FILES[kind]
    # The last bytes of some kinds are padding, without which the picture is whole.
    for length in [*range(1, 60), *range(60, len(content) * 9 // 10, 37)]:
        with pytest.raises(ImageError, match=r"broken or truncated|not a PNG|at least 2x2"):
            load_image(content[:length])
    assert capfd.readouterr().err == ""  # nothing of OpenCV's own


@given(kind=st.sampled_from(sorted(FILES)), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=100, deadline=None)
def test_damaged_files_give_pixels_or_an_image_error(kind: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    content = bytearray(FILES[kind])
    for position in random.integers(0, len(content), 4):
        content[position] = random.integers(256)
    try:
        pixels = load_image(bytes(content))
    except ImageError:
        return
    assert pixels.dtype == np.uint8
    assert pixels.shape[2:] in ((), (3,))


def test_thousands_of_pixels_a_byte_are_refused() -> None:
    """A file of 39 bytes that takes more than a second, which fuzzing found."""
    bomb = bytes.fromhex("524946461e000000574542505650384c110000002f41f9001207d0fffef7bfff8188e87f000023")
    with pytest.raises(ImageError, match="14658x2052 pixels in a file of 39 bytes, which no picture of a word can be"):
        load_image(bomb)
    blank = encode(Image.new("L", (2000, 2000), 255), "PNG")
    assert len(blank) < 10_000 and load_image(blank).shape == (2000, 2000)


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
        assert images._declared(content) == (kind.split()[0], 40, 20)
    assert images._declared(encode(PICTURE, "WEBP", quality=80)) == ("WebP", 40, 20)  # lossy: VP8
    assert images._declared(encode(PICTURE, "WEBP", exif=exif(1))) == ("WebP", 40, 20)  # with metadata: VP8X


def test_an_image_error_survives_pickling() -> None:
    import pickle

    error = pickle.loads(pickle.dumps(ImageError("no such file", "a.png")))
    assert (str(error), error.name, error.reason) == ("a.png: no such file", "a.png", "no such file")
