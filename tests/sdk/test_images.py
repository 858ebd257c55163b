"""Images of every kind are read. Other input is refused with the reason."""

import gzip
import io
import os
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from picture_files import BLUE, FILES, PICTURE, encode, exif, near, png_header, two_colours
from PIL import Image, ImageOps

from scriptkd_sdk import images
from scriptkd_sdk.errors import ArgumentError, ImageError
from scriptkd_sdk.images import load_image


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
    kinds: dict[str, dict[str, Any]] = {"JPEG": {"quality": 98, "subsampling": 0}, "WEBP": {"lossless": True}}
    options = kinds.get(kind, {})
    content = encode(PICTURE, kind, exif=exif(orientation), **options)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(content))))
    assert expected.shape == ((20, 40, 3) if orientation < 5 else (40, 20, 3))
    assert near(load_image(content), expected, 2)
    assert near(load_image(Image.open(io.BytesIO(content))), expected)


def test_damaged_exif_does_not_spoil_the_image() -> None:
    content = encode(PICTURE, "PNG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")
    assert near(load_image(content), two_colours())


def test_transparent_images_are_laid_on_a_ground() -> None:
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


LEVELS = np.tile(np.arange(0, 240, 6).astype(np.uint8), (20, 1))
ALPHAS = np.tile(np.linspace(0, 255, 20).astype(np.uint8)[:, None], (1, 40))
GRAY_ALPHA = np.dstack([LEVELS, ALPHAS])
LAID = np.floor(LEVELS * (ALPHAS / 255) + 255 * (1 - ALPHAS / 255) + 0.5)


def test_gray_with_alpha_is_laid_on_a_ground_and_refused_in_a_tiff() -> None:
    picture = Image.fromarray(GRAY_ALPHA)
    for image in (encode(picture, "PNG"), picture, picture.convert("La")):
        pixels = load_image(image)
        assert near(pixels if pixels.ndim == 2 else pixels[:, :, 0], LAID, 2)
    with pytest.raises(ImageError, match="a gray TIFF with alpha is not read; save it as PNG"):
        load_image(encode(picture, "TIFF"))


@pytest.mark.parametrize("mode", ["1", "L", "I;16", "RGB"])
def test_a_colour_that_is_transparent(mode: str) -> None:
    """The ground where the picture is of that colour, and elsewhere as it is without it."""
    picture = Image.new(mode, (4, 4), 0)
    other: Any = {"1": 1, "L": 90, "I;16": 90 * 257, "RGB": (90, 90, 90)}[mode]
    picture.putpixel((1, 2), other)
    plain = load_image(picture).copy()
    key = (0, 0, 0) if mode == "RGB" else 0
    content = encode(picture, "PNG", transparency=key)
    assert b"tRNS" in content
    picture.info["transparency"] = key
    for image in (content, Image.open(io.BytesIO(content)), picture):
        pixels = load_image(image)
        assert (pixels[2, 1] == plain[2, 1]).all()
        assert (np.delete(pixels.reshape(16, -1), 9, axis=0) == (0 if mode == "1" else 255)).all()


@pytest.mark.parametrize(("bits", "shade"), [(1, 1), (2, 2), (4, 11)])
def test_a_gray_of_few_bits_that_is_transparent(bits: int, shade: int) -> None:
    levels = np.zeros((4, 8), np.uint8)
    levels[2] = shade
    rows = b"".join(b"\0" + np.packbits(np.unpackbits(row[:, None], axis=1)[:, -bits:]).tobytes() for row in levels)
    header = png_header(8, 4)
    seen = shade * 255 // (2**bits - 1)
    for key, expected in ((0, [0 if seen > 128 else 255, seen]), (shade, [0, 255])):
        content = header[:8]
        ihdr = struct.pack(">IIBBBBB", 8, 4, bits, 0, 0, 0, 0)
        for kind, body in ((b"IHDR", ihdr), (b"tRNS", struct.pack(">H", key)), (b"IDAT", zlib.compress(rows))):
            content += struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        assert load_image(content + header[33:])[1:3, 0].tolist() == expected


def test_premultiplied_pil_images() -> None:
    rgba = Image.fromarray(np.dstack([two_colours(), ALPHAS]))
    assert near(load_image(rgba.convert("RGBa")), load_image(rgba), 2)
    picture = Image.new("L", (4, 4))
    picture.info["transparency"] = b"of a palette"
    with pytest.raises(ImageError, match="a PIL image of mode L that Pillow cannot convert to RGB"):
        load_image(picture)


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
    with path.open("wb") as written, pytest.raises(ImageError, match="cannot be read: "):
        load_image(written)


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


def test_an_image_error_survives_pickling() -> None:
    import pickle

    error = pickle.loads(pickle.dumps(ImageError("no such file", "a.png")))
    assert (str(error), error.name, error.reason) == ("a.png: no such file", "a.png", "no such file")
