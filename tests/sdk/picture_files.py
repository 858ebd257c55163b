"""Writes pictures as files of every kind, for the tests that read them."""

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image

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


def tiff(pixels: np.ndarray, order: str = "<", **tags: int | tuple[int, ...]) -> bytes:
    """A TIFF of one strip, deflated, that holds what pixels [H, W, samples] hold; t258=... sets tag 258.

    Planes are one strip each, not compressed: t284=2.
    """
    samples = pixels.shape[2]
    if planar := tags.get("t284") == 2:
        pixels = np.ascontiguousarray(np.moveaxis(pixels, 2, 0))
    data = pixels.astype(np.dtype(order + pixels.dtype.str[1:])).tobytes()
    if planar:
        plane, shape = len(data) // samples, pixels.shape[1:]
        tags = {"t259": 1, "t273": tuple(8 + i * plane for i in range(samples)), "t279": (plane,) * samples} | tags
    else:
        data, shape = zlib.compress(data), pixels.shape[:2]
    entries: dict[int, Any] = {256: shape[1], 257: shape[0], 258: (8 * pixels.itemsize,) * samples}
    entries |= {259: 8, 262: 1 if samples < 3 else 2, 273: 8, 277: samples, 278: shape[0], 279: len(data)}
    entries |= {int(name[1:]): value for name, value in tags.items()}
    directory, long = b"", b""
    behind = 8 + len(data) + 2 + 12 * len(entries) + 4
    for tag, value in sorted(entries.items()):
        values = value if isinstance(value, tuple) else (value,)
        kind = "I" if tag in (273, 279) else "H"
        content = struct.pack(f"{order}{len(values)}{kind}", *values)
        if len(content) > 4:
            content, long = struct.pack(order + "I", behind + len(long)), long + content
        directory += struct.pack(order + "HHI", tag, 4 if kind == "I" else 3, len(values)) + content.ljust(4, b"\0")
    start = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8 + len(data))
    return start + data + struct.pack(order + "H", len(entries)) + directory + bytes(4) + long


def animation() -> bytes:
    """An animated PNG of three frames, the first of them PICTURE; the others cover part of it."""
    others = [Image.fromarray(np.roll(two_colours(), 3 * i, axis=1)) for i in (1, 2)]
    return encode(PICTURE, "PNG", save_all=True, append_images=others)


FILES = {
    "PNG": encode(PICTURE, "PNG"),
    "PNG animated": animation(),
    "JPEG": encode(PICTURE, "JPEG", quality=98, subsampling=0),
    "JPEG progressive": encode(PICTURE, "JPEG", quality=98, subsampling=0, progressive=True),
    "BMP": encode(PICTURE, "BMP"),
    "GIF": encode(PICTURE, "GIF"),
    "WebP": encode(PICTURE, "WEBP", lossless=True),
    "TIFF": encode(PICTURE, "TIFF"),
    "TIFF deflated": encode(PICTURE, "TIFF", compression="tiff_deflate"),
}
