"""Arrays of pixels: the accepted sizes and types, and the conversion to uint8 RGB or gray."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from scriptkd_sdk.errors import ImageError
from scriptkd_sdk.transparency import lay

Pixels = npt.NDArray[np.uint8]

SMALLEST_SIDE = 2  # pixels
LARGEST_SIDE = 16_384  # pixels; the limit also keeps the resampling matrices to megabytes
MOST_PIXELS = 50_000_000  # a word crop has thousands; a larger image is a mistake or an attack
MOST_DECODED = 4 * MOST_PIXELS  # bytes: MOST_PIXELS in 8-bit RGBA, fewer pixels in 16 bits or floats
# An image of more decoded bytes must have a file in proportion, since a tiny file may take seconds to decode. A scanned
# page in black and white and a photograph of 16 megapixels stay below this limit.
ANY_DECODED = MOST_PIXELS
DECODED_A_BYTE = 250  # decoded bytes for each byte of the file; photographs have 6 to 150, deflated zeros 1000
HALF_LEVEL = 0.5 / 255


def check_size(height: int, width: int) -> None:
    """Raise ImageError for an image that is too small or too large. height, width: in pixels."""
    size = f"{width}x{height} pixels"
    if min(height, width) < SMALLEST_SIDE:
        raise ImageError(f"{size}, but at least {SMALLEST_SIDE}x{SMALLEST_SIDE} are needed")
    if max(height, width) > LARGEST_SIDE:
        raise ImageError(f"{size}, but at most {LARGEST_SIDE:,} a side are allowed")
    if height * width > MOST_PIXELS:
        raise ImageError(f"{size}, but at most {MOST_PIXELS // 1_000_000} million are allowed")


def check_decoded(height: int, width: int, decoded: int, length: int) -> None:
    """Raise ImageError for an image that is too small or too large, in pixels or in decoded bytes.

    height, width: in pixels. decoded: bytes, which have an absolute limit and one relative to the file's `length`.
    """
    check_size(height, width)
    size = f"{width}x{height} pixels, which are {decoded / 1e6:.0f} MB decoded"
    if decoded > MOST_DECODED:
        raise ImageError(f"{size}, but at most {MOST_DECODED // 1_000_000} MB are allowed")
    if decoded > max(ANY_DECODED, DECODED_A_BYTE * length):
        limit = f"beyond {ANY_DECODED // 1_000_000} MB at most {DECODED_A_BYTE} times the file are allowed"
        raise ImageError(f"{size}, in a file of {length} bytes, but {limit}")


def from_array(array: npt.NDArray[Any], order: str = "rgb") -> Pixels:
    """Check an array and bring it to uint8, opaque, [H, W, 3] RGB or [H, W].

    array: [H, W], [H, W, 1], [H, W, 3] or [H, W, 4] with alpha last, of a type that `to_bytes` takes.
    order: of the colours, "rgb" or "bgr". Raises ImageError for another shape, size or type.
    """
    shape = array.shape
    if len(shape) == 3 and shape[2] == 1:
        array = array[:, :, 0]
    elif len(shape) != 2 and not (len(shape) == 3 and shape[2] in (3, 4)):
        raise ImageError(f"an array must have the shape [H, W], [H, W, 1], [H, W, 3] or [H, W, 4], not {shape}")
    check_size(*shape[:2])
    pixels = array if array.dtype == np.uint8 else to_bytes(array)
    if pixels.ndim == 2:
        return pixels
    colour = pixels[:, :, 2::-1] if order == "bgr" else pixels[:, :, :3]
    return colour if pixels.shape[2] == 3 else lay(colour, pixels[:, :, 3])


def to_bytes(array: npt.NDArray[Any]) -> Pixels:
    """Bring an array of uint16 (0..65535), bool or floats (0..1) to uint8 (0..255); raises ImageError for others."""
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    if array.dtype == np.uint16:
        # This equals (x + 128) // 257, as 65535 / 257 = 255. No 16-bit number lies near a half, so rounding floats is
        # exact.
        return np.asarray(cv2.convertScaleAbs(array, alpha=1 / 257), np.uint8).reshape(array.shape)
    elif array.dtype == np.bool_:
        array = array * np.uint8(255)
    elif array.dtype.kind == "f":
        if not np.isfinite(array).all():
            raise ImageError("an array of floats must not hold NaN or infinity")
        low, high = float(array.min()), float(array.max())
        if low < -HALF_LEVEL or high > 1 + HALF_LEVEL:  # resizing leaves values such as 1.0000001
            raise ImageError(f"an array of floats must lie in 0..1, not {low:g}..{high:g}")
        array = np.clip(array.astype(np.float32), 0, 1) * 255 + 0.5
    else:
        raise ImageError(f"an array must be uint8, uint16, bool or float in 0..1, not {array.dtype}")
    return array.astype(np.uint8, copy=False)


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """Undo the rotation and mirroring that EXIF's orientation (1 to 8) names. Other values count as 1."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)
