"""From an image to the crops that a network sees: margins trimmed, tall crops laid down, lines cut into windows.

Section 2 of the model contract, for files of format 3. All of it is arithmetic of whole numbers, so that Java, C and
JavaScript get the same pixels.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from scriptkd_sdk.preprocess import Preprocessing, luma

Pixels = npt.NDArray[np.uint8]

PLAIN = 24  # levels of luma: noise and JPEG's rounding stay below on a plain ground, ink that can be read does not
RIM = 16  # of what is left after trimming, one part in so many is given back: the tips of letters are faint
MOST_WINDOWS = 16


def crops(image: Pixels, preprocessing: Preprocessing, upright: bool = False) -> tuple[list[Pixels], int, int]:
    """Return the crops of an image that the network sees.

    Args:
        image: uint8 [H, W, 3] RGB or [H, W] gray, upright as its file says.
        preprocessing: that of the network. Of formats 1 and 2 (without `square_height`) the crop is the image itself.
        upright: True if the caller knows that the letters stand upright, so that nothing is turned.

    Returns:
        The crops, all of one size; the rows H of the network's input, in pixels; and by what the crops were turned, 0
        or 90 degrees counterclockwise.
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
    """Whether an image is so much higher than wide, 3 to 2, that it is taken for a line that does not lie."""
    height, width = image.shape[:2]
    return bool(2 * height >= 3 * width)


def trimmed(image: Pixels) -> Pixels:
    """Return an image without its plain margins, but for a narrow rim.

    Args:
        image: uint8 [H, W, 3] RGB or [H, W] gray.

    Returns:
        What is left of the image; the image itself if it is plain all over.
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
    """How many lines from the first on are plain and like it, of uint8 [lines, pixels]."""
    first = lines[0]
    low, high = int(first.min()), int(first.max())
    if high - low > PLAIN:  # so it is with most photographs, and the other lines need not be looked at
        return 0
    highest = np.maximum(lines.max(axis=1), high).astype(np.int16)
    unlike = highest - np.minimum(lines.min(axis=1), low) > PLAIN
    return int(unlike.argmax()) if unlike.any() else len(lines)


def windows(image: Pixels, preprocessing: Preprocessing, rows: int) -> list[Pixels]:
    """Cut a line that is wider than the network's input into windows of one width, evenly spaced.

    Args:
        image: uint8 [H, W, 3] RGB or [H, W] gray.
        preprocessing: that of the network.
        rows: of the network's input, in pixels.

    Returns:
        The windows from left to right, 16 at most; the image alone if it is not too wide.
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
