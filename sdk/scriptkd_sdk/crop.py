"""From an image to the crops that a network sees: margins trimmed, tall crops laid down, lines cut into windows.

This is section 2 of the model contract, for files of format 3. All of it is integer arithmetic, so that Java, C and
JavaScript get the same pixels.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from scriptkd_sdk.preprocess import Preprocessing, luma

Pixels = npt.NDArray[np.uint8]

PLAIN = 24  # levels of luma: on a plain ground, noise and JPEG artefacts differ by less, legible ink by more
RIM = 16  # trimming leaves a rim of 1/16 of the remaining side, because the tips of letters are faint
MOST_WINDOWS = 16


def crops(image: Pixels, preprocessing: Preprocessing, upright: bool = False) -> tuple[list[Pixels], int, int]:
    """Return the crops of an image that the network sees.

    Args:
        image: uint8 [H, W, 3] RGB or [H, W] gray, upright as its file says.
        preprocessing: the network's. In formats 1 and 2, which have no `square_height`, the crop is the image itself.
        upright: True if the caller knows that the letters stand upright, so that nothing is turned.

    Returns:
        The crops, all of one size; the height of the network's input in pixels; and the rotation of the crops, 0 or 90
        degrees counterclockwise. The crops are gray if a network of format 3 has one channel.
    """
    if preprocessing.square_height is None:
        return [image], preprocessing.height, 0
    if preprocessing.channels == 1 and image.ndim == 3:
        image = luma(image)  # once, for trimming and for the network
    image = trimmed(image)
    turned = 0
    if not upright and is_tall(image):
        image, turned = np.rot90(image), 90
    height, width = image.shape[:2]
    rows = preprocessing.square_height if 2 * width < 3 * height else preprocessing.height
    return windows(image, preprocessing, rows), rows, turned


def is_tall(image: Pixels) -> bool:
    """Whether an image is at least 1.5 times as high as wide, and so taken for a line of text on its side."""
    height, width = image.shape[:2]
    return bool(2 * height >= 3 * width)


def trimmed(image: Pixels) -> Pixels:
    """Cut off an image's plain margins, except for a narrow rim.

    Args:
        image: uint8 [H, W, 3] RGB or [H, W] gray.

    Returns:
        The trimmed image, or the image itself if it is plain all over.
    """
    light = luma(image) if image.ndim == 3 else image
    top, bottom = _between_margins(light, axis=0)
    if top >= bottom:
        return image
    left, right = _between_margins(light[top:bottom], axis=1)
    if left >= right:
        return image
    rim = max(1, min(bottom - top, right - left) // RIM)
    rows = slice(max(top - rim, 0), bottom + rim)
    return image[rows, max(left - rim, 0) : right + rim]


def _between_margins(light: Pixels, axis: int) -> tuple[int, int]:
    """Return where the leading plain margin ends and where the trailing one starts, along an axis of [H, W]."""
    lows, highs = (extreme.reduce(light, axis=1 - axis) for extreme in (np.minimum, np.maximum))
    start = _margin(lows, highs)
    return start, len(lows) - _margin(lows[::-1], highs[::-1]) if start < len(lows) else 0


def _margin(lows: Pixels, highs: Pixels) -> int:
    """Count the leading lines that are plain and similar to the first, from the extremes of each line."""
    low, high = lows[0], highs[0]
    if high - low > PLAIN:  # true of most photographs: the other lines need no check
        return 0
    unlike = np.maximum(highs, high) - np.minimum(lows, low) > PLAIN
    return int(unlike.argmax()) or len(lows)  # the first line is like itself: 0 means that all are


def windows(image: Pixels, preprocessing: Preprocessing, rows: int) -> list[Pixels]:
    """Cut a line that is wider than the network's input into windows of one width, evenly spaced.

    Args:
        image: uint8 [H, W, 3] RGB or [H, W] gray.
        preprocessing: the network's.
        rows: height of the network's input, in pixels.

    Returns:
        At most 16 windows, from left to right; the image alone if it is not too wide.
    """
    height, width = image.shape[:2]
    if preprocessing.fixed_width or preprocessing.free_width(height, width, rows) <= preprocessing.width_max:
        return [image]
    view = max(1, (2 * preprocessing.width_max * height + rows) // (2 * rows))
    if view >= width:
        return [image]
    gaps = min(MOST_WINDOWS, -(-width // view)) - 1
    starts = [(2 * index * (width - view) + gaps) // (2 * gaps) for index in range(gaps + 1)]
    return [image[:, start : start + view] for start in starts]
