"""Decoding an image file's content: the header is checked first, then OpenCV decodes what it decodes correctly."""

from __future__ import annotations

import os
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from scriptkd_sdk import png, tiff
from scriptkd_sdk.errors import ImageError
from scriptkd_sdk.headers import exif_orientation, read_header
from scriptkd_sdk.heif import heif_kind, open_heif
from scriptkd_sdk.pil import from_pil
from scriptkd_sdk.pixels import Pixels, check_decoded, from_array, to_bytes, upright
from scriptkd_sdk.transparency import lay

MOST_SCANS = 100  # of a progressive JPEG; encoders write about ten
# At least as many bytes as libjpeg reads ahead of the bits that it decodes.
AHEAD = 8  # bytes

# OpenCV also reports a broken file on stderr. Set the variable to see these reports.
if "OPENCV_LOG_LEVEL" not in os.environ:
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

Decoded = tuple[npt.NDArray[Any], bytes]
"""The pixels as OpenCV decodes them, in OpenCV's order of colours, and the EXIF block, which may be empty."""


def decode(data: bytes) -> Pixels:
    """Return the pixels of an image file's content, uint8 [H, W, 3] RGB or [H, W] gray, upright and opaque.

    The size in the header is checked before any pixel is decoded. Raises ImageError for a file that cannot be read.
    """
    if not data:
        raise ImageError("empty: no bytes at all")
    if heif := heif_kind(data):
        return from_pil(open_heif(data, heif))
    header = read_header(data)
    if header is None:
        raise ImageError("not a PNG, JPEG, BMP, GIF, WebP or TIFF image")
    check_decoded(header.height, header.width, header.decoded, len(data))
    if header.kind == "PNG":
        pixels, exif = _png(data)
    elif header.kind == "JPEG":
        pixels, exif = _jpeg(data)
    elif header.kind == "TIFF":
        pixels, exif = _tiff(data, header.tags)
    else:
        pixels, exif = _sound(_opencv(data), header.kind)
    if pixels.ndim == 3:
        pixels = _bytes(pixels)
        cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB if pixels.shape[2] == 3 else cv2.COLOR_BGRA2RGBA, dst=pixels)
    return upright(from_array(pixels), exif_orientation(exif))


def _png(data: bytes) -> Decoded:
    picture = png.whole(data)
    pixels, exif = _sound(_opencv(picture) if picture else None, "PNG")
    level = png.transparent_gray(data)
    if level is None:
        return pixels, exif
    return lay(_bytes(pixels), np.where(pixels == level, 0, 255).astype(np.uint8)), exif


def _jpeg(data: bytes) -> Decoded:
    # A scan of ten bytes may make the decoder visit the whole image. Counting single bytes is much faster than pairs.
    if data.count(0xDA) > MOST_SCANS and data.count(b"\xff\xda") > MOST_SCANS:
        raise ImageError(f"a JPEG of more than {MOST_SCANS} scans")
    return _sound(_opencv(data) or _jpeg_without_end(data), "JPEG")


def _jpeg_without_end(data: bytes) -> Decoded | None:
    """Decode a one-scan JPEG that lacks only its end marker, such as small cameras write. Return None for other data.

    The data is decoded twice, followed by different bits. If pixel data is missing, the two pictures differ.
    """
    data = data.rstrip(b"\xff")  # half of an end marker
    scan = data.rfind(b"\xff\xda")
    if len(data) < scan + 4 or len(data) < scan + 2 + int.from_bytes(data[scan + 2 : scan + 4], "big"):
        return None  # the file ends before its pixels
    first, second = (_opencv(data + fill * AHEAD) for fill in (b"\x00", b"\xaa"))
    return first if first and second and np.array_equal(first[0], second[0]) else None


def _tiff(data: bytes, tags: tiff.Tags) -> Decoded:
    if reason := tiff.unread(tags):
        raise ImageError(reason)
    decoded = _opencv(tiff.keep_straight(data, tags))
    if decoded is None and (reason := tiff.unread_compression(tags)):
        raise ImageError(reason)
    pixels, _ = _sound(decoded, "TIFF")
    inverted = tags.get(tiff.PHOTOMETRIC) == tiff.WHITE_IS_ZERO and pixels.dtype != np.uint8  # libtiff inverts uint8
    pixels = _bytes(pixels)
    if inverted:
        pixels = ~pixels
    if pixels.ndim == 3 and pixels.shape[2] == 4 and tags.get(tiff.PHOTOMETRIC) == tiff.RGB:
        extra = tags.get(tiff.EXTRA, tiff.STRAIGHT)
        if extra == tiff.NO_ALPHA:
            pixels = np.ascontiguousarray(pixels[:, :, :3])
        elif extra == tiff.MULTIPLIED and pixels[:, :, 3].any():
            pixels = cv2.cvtColor(pixels, cv2.COLOR_mRGBA2RGBA)
    return pixels, b""  # OpenCV itself applies a TIFF's orientation


def _bytes(pixels: npt.NDArray[Any]) -> Pixels:
    return pixels if pixels.dtype == np.uint8 else to_bytes(pixels)


def _opencv(data: bytes) -> Decoded | None:
    try:
        pixels, kinds, metadata = cv2.imdecodeWithMetadata(np.frombuffer(data, np.uint8), flags=cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    if pixels is None:
        return None
    blocks = (block.tobytes() for entry, block in zip(kinds, metadata, strict=True) if entry == cv2.IMAGE_METADATA_EXIF)
    return pixels, next(blocks, b"")


def _sound(decoded: Decoded | None, kind: str) -> Decoded:
    if decoded is None:
        raise ImageError(f"broken or truncated {kind}")
    return decoded
