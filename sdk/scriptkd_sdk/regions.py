"""Cutting one word out of a larger image: a box, or four corners that are rectified."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from scriptkd_sdk.errors import ImageError
from scriptkd_sdk.pixels import SMALLEST_SIDE, Pixels, check_size

Region = Sequence[float] | Sequence[Sequence[float]] | npt.NDArray[Any]
"""(left, top, right, bottom), or four corners (x, y): top left, top right, bottom right, bottom left of the word."""


def cut(pixels: Pixels, region: Region, name: str | None = None) -> Pixels:
    """Cut a region out of an upright image.

    Args:
        pixels: the image, uint8 [H, W, 3] or [H, W].
        region: in pixels from the image's top left corner, a box or four corners. A box is (left, top, right, bottom),
            right and bottom exclusive as in Pillow's crop, fractions rounded. Corners, [4, 2], are the word's top left,
            top right, bottom right and bottom left, in reading order. The quadrilateral is rectified to a rectangle
            whose sides are the means of its opposite sides. So an upside-down word becomes upright. A box is clipped to
            the image. A rectified quadrilateral loses all rows and columns outside the image.
        name: what to call the region in errors.

    Returns:
        The region's pixels, uint8 [h, w, 3] or [h, w] as the image.

    Raises:
        ImageError: a region of another form, wholly outside the image, or with fewer than 2x2 of its pixels.
    """
    try:
        numbers = _numbers(region)
        return (_box if numbers.ndim == 1 else _corners)(pixels, numbers, _short(region))
    except ImageError as error:
        raise ImageError(error.reason, name) from None


def _numbers(region: Region) -> npt.NDArray[np.float64]:
    try:
        numbers = np.asarray(region, np.float64)
    except (TypeError, ValueError, OverflowError):
        numbers = np.empty(0)
    if numbers.shape not in ((4,), (4, 2)):
        raise ImageError(f"a region must be (left, top, right, bottom) or four corners (x, y), not {_short(region)}")
    if not np.isfinite(numbers).all():
        raise ImageError(f"a region must not hold NaN or infinity: {_short(region)}")
    return numbers


def _box(pixels: Pixels, box: npt.NDArray[np.float64], shown: str) -> Pixels:
    left, top, right, bottom = (math.floor(value + 0.5) for value in box.tolist())
    if right - left < SMALLEST_SIDE or bottom - top < SMALLEST_SIDE:
        raise ImageError(
            f"the region {shown} is empty: right and bottom must exceed left and top by {SMALLEST_SIDE} or more"
        )
    height, width = pixels.shape[:2]
    left, top, right, bottom = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
    if right <= left or bottom <= top:
        raise _outside(pixels, shown)
    check_size(bottom - top, right - left)
    return pixels[top:bottom, left:right]


def _corners(pixels: Pixels, corners: npt.NDArray[np.float64], shown: str) -> Pixels:
    # Corners lie between pixels, whose centres are at halves. OpenCV counts from the first centre, in float32. Corners
    # that float32 rounds to the same point must be refused: OpenCV would silently return a wrong matrix.
    source = (corners - 0.5).astype(np.float32)
    sides = np.roll(source, -1, axis=0).astype(np.float64) - source
    following = np.roll(sides, -1, axis=0)
    # Around a convex shape, all corners turn the same way: clockwise, as y points down.
    if not (sides[:, 0] * following[:, 1] - sides[:, 1] * following[:, 0] > 0).all():
        raise ImageError(
            f"the corners {shown} do not go clockwise around a convex quadrilateral: top left, top right, "
            "bottom right, bottom left"
        )
    above, beside, below, before = np.hypot(*sides.T).tolist()
    width, height = math.floor((above + below) / 2 + 0.5), math.floor((before + beside) / 2 + 0.5)
    check_size(height, width)
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32) - 0.5
    matrix = cv2.getPerspectiveTransform(source, target)
    if not np.isfinite(matrix).all():
        raise ImageError(f"the corners {shown} are too close to a line to be rectified")
    left, top, right, bottom = 0, 0, width, height
    if corners.min() < 0 or (corners > pixels.shape[1::-1]).any():
        left, top, right, bottom = _seen(corners, matrix, pixels, shown)
        left, top, right, bottom = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
    check_size(bottom - top, right - left)
    matrix = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1]]) @ matrix
    size = right - left, bottom - top
    flat = cv2.warpPerspective(pixels, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(flat, np.uint8)


def _seen(
    corners: npt.NDArray[np.float64], matrix: npt.NDArray[Any], pixels: Pixels, shown: str
) -> tuple[int, int, int, int]:
    """Return the box (left, top, right, bottom) of a quadrilateral's part within the image, after rectification."""
    height, width = pixels.shape[:2]
    image = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    area, within = cv2.intersectConvexConvex(corners.astype(np.float32), image)
    if area <= 0:
        raise _outside(pixels, shown)
    flat = cv2.perspectiveTransform(within - np.float32(0.5), matrix).reshape(-1, 2) + 0.5
    (left, top), (right, bottom) = np.floor(flat.min(axis=0) + 0.5), np.floor(flat.max(axis=0) + 0.5)
    return int(left), int(top), int(right), int(bottom)


def _outside(pixels: Pixels, shown: str) -> ImageError:
    height, width = pixels.shape[:2]
    return ImageError(f"the region {shown} is outside the image of {width}x{height} pixels")


def _short(region: object) -> str:
    text = str(region.tolist() if isinstance(region, np.ndarray) else region).replace("\n", " ")
    return text if len(text) <= 80 else text[:77] + "..."
