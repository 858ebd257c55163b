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
        degrees counterclockwise.
    """
    if preprocessing.square_height is None:
        return [image], preprocessing.height, 0
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
    height, width = light.shape
    top = _margin(light)
    bottom = height - _margin(light[::-1]) if top < height else 0
    if top >= bottom:
        return image
    columns = light[top:bottom].T
    left = _margin(columns)
    right = width - _margin(columns[::-1]) if left < width else 0
    if left >= right:
        return image
    rim = max(1, min(bottom - top, right - left) // RIM)
    rows = slice(max(top - rim, 0), bottom + rim)
    return image[rows, max(left - rim, 0) : right + rim]


def _margin(lines: Pixels) -> int:
    """Count the leading lines of uint8 [lines, pixels] that are plain and similar to the first."""
    first = lines[0]
    low, high = int(first.min()), int(first.max())
    if high - low > PLAIN:  # true of most photographs: the other lines need no check
        return 0
    highest = np.maximum(lines.max(axis=1), high).astype(np.int16)
    unlike = highest - np.minimum(lines.min(axis=1), low) > PLAIN
    return int(unlike.argmax()) if unlike.any() else len(lines)


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
