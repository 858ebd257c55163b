"""One word of a larger image: a box, or four corners that are rectified."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from scriptkd_sdk.errors import ImageError
from scriptkd_sdk.images import SMALLEST_SIDE, Pixels, check_size

Region = Sequence[float] | Sequence[Sequence[float]] | npt.NDArray[Any]
"""(left, top, right, bottom), or four corners (x, y): top left, top right, bottom right, bottom left of the word."""


def cut(pixels: Pixels, region: Region, name: str | None = None) -> Pixels:
    """Return a region of an upright image, uint8 [H, W, 3] or [H, W], as an upright image of its own.

    region: in pixels from the image's top left corner, either (left, top, right, bottom), right and bottom exclusive as
    in Pillow's crop, fractions rounded; or the four corners of a quadrilateral in the word's own reading order (its top
    left, top right, bottom right, bottom left), [4, 2], which is stretched to a rectangle as wide and high as the mean
    of its opposite sides. A word turned upside down is so turned back.
    name: what to call the region in errors.

    Raises ImageError for a region that is neither, is not within the image, or holds fewer than 2x2 pixels.
    """
    try:
        numbers = _numbers(region, *pixels.shape[:2])
        return _box(pixels, numbers) if numbers.ndim == 1 else _corners(pixels, numbers)
    except ImageError as error:
        raise ImageError(error.reason, name) from None


def _numbers(region: Region, height: int, width: int) -> npt.NDArray[np.float64]:
    try:
        numbers = np.asarray(region, np.float64)
    except (TypeError, ValueError, OverflowError):
        numbers = np.empty(0)
    if numbers.shape not in ((4,), (4, 2)):
        raise ImageError(f"a region must be (left, top, right, bottom) or four corners (x, y), not {_short(region)}")
    if not np.isfinite(numbers).all():
        raise ImageError(f"a region must not hold NaN or infinity: {_short(region)}")
    corners = numbers.reshape(-1, 2)
    if corners.min() < 0 or (corners > (width, height)).any():
        raise ImageError(f"the region {_short(region)} reaches out of the image of {width}x{height} pixels")
    return numbers


def _box(pixels: Pixels, box: npt.NDArray[np.float64]) -> Pixels:
    left, top, right, bottom = (math.floor(value + 0.5) for value in box.tolist())
    if right - left < SMALLEST_SIDE or bottom - top < SMALLEST_SIDE:
        raise ImageError(
            f"the region {_short(box)} is empty: right and bottom must exceed left and top by {SMALLEST_SIDE} or more"
        )
    return pixels[top:bottom, left:right]


def _corners(pixels: Pixels, corners: npt.NDArray[np.float64]) -> Pixels:
    # Corners lie between pixels, whose centres are at halves; OpenCV counts from the first centre, in float32. What
    # that rounds to one corner must count as one here: of two, OpenCV makes a matrix that is wrong without a word.
    source = (corners - 0.5).astype(np.float32)
    sides = np.roll(source, -1, axis=0).astype(np.float64) - source
    following = np.roll(sides, -1, axis=0)
    # Corners in order around a convex shape turn the same way at each (clockwise, as y points down).
    if not (sides[:, 0] * following[:, 1] - sides[:, 1] * following[:, 0] > 0).all():
        raise ImageError(
            f"the corners {_short(corners)} do not go clockwise around a convex quadrilateral: top left, top right, "
            "bottom right, bottom left"
        )
    top, right, bottom, left = np.hypot(*sides.T).tolist()
    width, height = math.floor((top + bottom) / 2 + 0.5), math.floor((left + right) / 2 + 0.5)
    check_size(height, width)
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32) - 0.5
    matrix = cv2.getPerspectiveTransform(source, target)
    if not np.isfinite(matrix).all():
        raise ImageError(f"the corners {_short(corners)} are too close to a line to be rectified")
    flat = cv2.warpPerspective(pixels, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(flat, np.uint8)


def _short(region: object) -> str:
    text = str(region.tolist() if isinstance(region, np.ndarray) else region).replace("\n", " ")
    return text if len(text) <= 80 else text[:77] + "..."
