"""Changes to a word's picture as phones, detectors or users make them: turned, in a loose box, or a whole line.

Pictures are uint8 [H, W, 3] RGB or [H, W] gray. The same generator state gives the same picture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Change = Callable[[np.random.Generator, Image], Image]

NOISE = 3  # largest change of a gray level, up or down
JPEG_QUALITY = 60, 95  # lowest, highest
LINE_HEIGHT = 48  # height in pixels to which the words of a line are scaled
SLANT = 20  # degrees


def turned(degrees: int, rng: np.random.Generator, image: Image) -> Image:
    """Turn a picture clockwise by 90, 180 or 270 degrees, without interpolation."""
    return np.ascontiguousarray(np.rot90(image, -degrees // 90))


def slanted(degrees: float, rng: np.random.Generator, image: Image) -> Image:
    """Turn a picture by an angle in a random direction. The box grows, and its corners get the border's colour.

    degrees: below 90.
    """
    angle = degrees if rng.random() < 0.5 else -degrees
    height, width = image.shape[:2]
    sine, cosine = np.sin(np.deg2rad(degrees)), np.cos(np.deg2rad(degrees))
    size = int(np.ceil(width * cosine + height * sine)), int(np.ceil(width * sine + height * cosine))
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle, 1)
    matrix[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    ground = border_colour(image).astype(float).ravel().tolist()
    return cv2.warpAffine(
        image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=ground
    ).astype(np.uint8, copy=False)


def loosened(times: int, ground: Change, rng: np.random.Generator, image: Image) -> Image:
    """Put a picture in the middle of a plain box `times` as wide and as high, compress it as JPEG, and add noise.

    ground: returns the box's colour, uint8 [3].
    """
    image = _rgb(image)
    height, width = image.shape[:2]
    top, left = (times - 1) * height // 2, (times - 1) * width // 2
    box = np.empty((times * height, times * width, 3), np.uint8)
    box[:] = ground(rng, image)
    box[top : top + height, left : left + width] = image
    quality = int(rng.integers(JPEG_QUALITY[0], JPEG_QUALITY[1] + 1))
    _, stored = cv2.imencode(".jpg", box[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    read = cv2.imdecode(stored, cv2.IMREAD_COLOR)
    assert read is not None  # it was encoded above
    noise = rng.integers(-NOISE, NOISE + 1, read.shape, dtype=np.int16)
    noisy: Image = np.clip(read[..., ::-1] + noise, 0, 255).astype(np.uint8)
    return noisy


def border_colour(image: Image) -> Image:
    """The median of a picture's outermost pixels for each channel: uint8 [3], or [] for a gray picture."""
    border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    return np.asarray(np.median(border, axis=0)).astype(np.uint8)


def line(words: Iterable[Image], ratio: int) -> Image | None:
    """Join words side by side at one height, and cut the line to `ratio` times its height; None with too few words.

    Only as many words are read as the line needs.
    """
    wanted, strips, width = ratio * LINE_HEIGHT, [], 0
    for word in words:
        height, columns = word.shape[:2]
        size = max(1, round(columns * LINE_HEIGHT / height)), LINE_HEIGHT
        shrunk = height > LINE_HEIGHT
        strip = cv2.resize(_rgb(word), size, interpolation=cv2.INTER_AREA if shrunk else cv2.INTER_LINEAR)
        strips.append(strip.astype(np.uint8, copy=False))
        width += size[0]
        if width >= wanted:
            return np.ascontiguousarray(np.concatenate(strips, axis=1)[:, :wanted])
    return None


def _rgb(image: Image) -> Image:
    return image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2)


def _own(rng: np.random.Generator, image: Image) -> Image:
    return border_colour(image)


def _white(rng: np.random.Generator, image: Image) -> Image:
    return np.full(3, 255, np.uint8)


def _random(rng: np.random.Generator, image: Image) -> Image:
    return rng.integers(0, 256, 3, dtype=np.uint8)


QUARTERS = {degrees: f"turned by {degrees}" for degrees in (90, 180, 270)}
"""Degrees clockwise -> name of the change."""

CHANGES: dict[str, dict[str, Change]] = {
    "turned": {
        **{name: partial(turned, degrees) for degrees, name in QUARTERS.items()},
        f"turned by {SLANT}": partial(slanted, SLANT),
    },
    "loose": {
        f"loose x{times}, {name}": partial(loosened, times, ground)
        for name, ground in {"border's colour": _own, "white": _white, "random colour": _random}.items()
        for times in (2, 3, 4)
    },
}
"""Group -> name -> the change of a word's picture."""

RATIOS = {f"line of {ratio}:1": ratio for ratio in (10, 25, 40)}
"""Name -> width over height of a line of words."""

GROUPS = (*CHANGES, "lines")
