"""The pre-processing that training, calibration, evaluation and every SDK share.

It is defined by arithmetic, not by a library's behaviour, so that Java and JavaScript can compute the same:

1. luma (one-channel models): (299 R + 587 G + 114 B + 500) // 1000 in integers, the weights of ITU-R BT.601;
2. width: fixed, or proportional to the aspect ratio, in steps between two limits; never padded;
3. resampling: separable triangle filter whose support grows with the reduction (no aliasing), half-pixel centres,
   weights renormalised at the edges. Pillow's BILINEAR and torch's `interpolate(mode="bilinear", antialias=True)`
   compute the same;
4. rounding: floor(x + 1/2 + 1/512), clipped to 0..255.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from scriptkd_sdk.errors import ArgumentError, ModelError

STRIP = 16_384  # pixels
ROWS_BLOCK, COLUMNS_BLOCK = 2048, 4096  # entries of a resampling matrix's block; measured to be fastest
# OpenBLAS starts threads for products of more than 2^18 multiplications. This gains nothing here. On a busy machine it
# was measured to take 20 ms instead of 20 us.
MOST_PRODUCTS = 200_000
KEPT_SIDE = 512  # pixels: resampling matrices are cached for images up to this size
LARGEST_SIDE = 4096  # of a network's input: a model file that asks for more is broken, and would need gigabytes

# A little above 1/2. Resampling bytes by whole ratios often gives exact halves. Rounding a half would depend on the
# last bit of a float sum, and so on the platform's order of additions.
ROUNDING = np.float32(0.5 + 2**-9)
# Float sums with these weights are off by less than 1e-4. The added 0.0005 keeps every sum at least 5e-4 away from an
# integer, so the floor equals the exact integer formula. A test checks all 2^24 colours.
LUMA = np.array([[0.299, 0.587, 0.114, 0.5005]], np.float32)

Bands = tuple[tuple[slice, slice, npt.NDArray[np.float32]], ...]
"""Blocks of a resampling matrix: output rows, input rows, and the weights between them."""


@dataclass(frozen=True)
class Preprocessing:
    """How an image becomes a network's input. Checkpoints and model files store it.

    If width_min equals width_max, every image is resized to that width, as to the paper's 299x299. Otherwise the width
    follows the aspect ratio, in multiples of the step, within the limits.

    Attributes:
        channels: 1 (luma) or 3 (RGB).
        height: rows of the input, in pixels.
        width_min: fewest columns, in pixels.
        width_max: most columns, in pixels.
        width_step: the number of columns is a multiple of this, in pixels.
        square_height: rows of the input for crops less than 1.5 times as wide as high, in pixels. If set, the network
            takes any crop (format 3 of the contract): `crop.crops` comes first, and the network tells orientation. None
            means formats 1 and 2, which take a crop as it is.

    Raises:
        ArgumentError: impossible values.
    """

    channels: int
    height: int
    width_min: int
    width_max: int
    width_step: int
    square_height: int | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is None and field.name == "square_height":
                continue
            if type(value) is not int or not 1 <= value <= LARGEST_SIDE:
                raise ArgumentError(f"{field.name} must be an integer from 1 to {LARGEST_SIDE}, not {value!r}")
        if self.channels not in (1, 3):
            raise ArgumentError(f"channels must be 1 (luma) or 3 (RGB), not {self.channels}")
        if self.width_min > self.width_max:
            raise ArgumentError(f"width_min ({self.width_min}) must not exceed width_max ({self.width_max})")

    def to_dict(self) -> dict[str, int]:
        """Return the fields, ready for JSON. `square_height` is left out if it is None, as in formats 1 and 2."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Preprocessing:
        """Build from `to_dict`'s output.

        Args:
            values: the fields by name.

        Returns:
            The pre-processing.

        Raises:
            ModelError: missing, unknown or impossible fields.
        """
        names = [field.name for field in fields(cls)]
        required = set(names) - {"square_height"}
        if not isinstance(values, Mapping) or not required <= set(values) <= set(names):
            given = ", ".join(map(str, values)) if isinstance(values, Mapping) else repr(values)
            raise ModelError(f"pre-processing must have exactly the fields {', '.join(names)}, not {given}")
        try:
            return cls(**values)
        except ArgumentError as error:
            raise ModelError(f"pre-processing: {error}") from error

    @property
    def fixed_width(self) -> bool:
        """Whether every image gets the same width, whatever its aspect ratio."""
        return self.width_min == self.width_max

    @property
    def heights(self) -> list[int]:
        """The heights that an input may have, ascending: one number, or two."""
        return sorted({self.height, self.square_height or self.height})

    def free_width(self, height: int, width: int, rows: int) -> int:
        """Return the input width of a crop before it is clamped to the limits.

        Args:
            height: of the crop, in pixels.
            width: of the crop, in pixels.
            rows: of the input, in pixels.

        Returns:
            The multiple of `width_step` that is nearest to width * rows / height, in pixels; halves round up.
        """
        divisor = height * self.width_step
        return (2 * width * rows + divisor) // (2 * divisor) * self.width_step  # round half up, without a float

    def width_for(self, height: int, width: int, rows: int | None = None) -> int:
        """Return the input width of a crop.

        Args:
            height: of the crop, in pixels.
            width: of the crop, in pixels.
            rows: of the input, in pixels; None is `height` of the pre-processing.

        Returns:
            The width in pixels, within the limits.
        """
        return min(max(self.free_width(height, width, rows or self.height), self.width_min), self.width_max)

    def apply(self, image: npt.NDArray[np.uint8], rows: int | None = None) -> npt.NDArray[np.uint8]:
        """Turn a crop into a network's input.

        Args:
            image: the crop, uint8 [H, W, 3] RGB or [H, W] gray.
            rows: of the input, in pixels; None is `height`.

        Returns:
            The input, uint8 [channels, rows, width].

        Raises:
            ArgumentError: another type or shape, or an image without pixels.
        """
        colour = image.ndim == 3 and image.shape[2] == 3
        if image.dtype != np.uint8 or not (colour or image.ndim == 2) or image.size == 0:
            raise ArgumentError(
                f"an image must be uint8 of shape [H, W, 3] or [H, W] with pixels, not {image.dtype} {image.shape}"
            )
        if colour and self.channels == 1:
            image, colour = luma(image), False
        rows = rows or self.height
        height, width = image.shape[:2]
        size = rows, self.width_for(height, width, rows)
        if colour:
            return np.stack([_resample(image[:, :, channel], *size) for channel in range(3)])
        plane = _resample(image, *size)[None]
        return plane if self.channels == 1 else np.repeat(plane, self.channels, axis=0)


def luma(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return (299 R + 587 G + 114 B + 500) // 1000 of a uint8 [H, W, 3] RGB image as uint8 [H, W]."""
    rows = max(STRIP // image.shape[1], 1)
    strips = [  # a strip's floats fit into the processor's cache
        cv2.transform(image[top : top + rows].astype(np.float32), LUMA).astype(np.uint8)
        for top in range(0, len(image), rows)
    ]
    return strips[0] if len(strips) == 1 else np.concatenate(strips)


def _resample(plane: npt.NDArray[np.uint8], out_height: int, out_width: int) -> npt.NDArray[np.uint8]:
    """Resample uint8 [H, W] to uint8 [out_height, out_width] with the triangle filter: first rows, then columns."""
    height, width = plane.shape
    bands = _kept_bands if max(height, width) <= KEPT_SIDE else _bands
    rows = np.empty((out_height, width), np.float32)
    for outputs, inputs, weights in bands(height, out_height, ROWS_BLOCK):
        floats = plane[inputs].astype(np.float32, order="C")  # in bands: a large image's floats would take gigabytes
        step = max(MOST_PRODUCTS // weights.size, 1)
        for left in range(0, width, step):
            part = slice(left, left + step)
            np.matmul(weights, floats[:, part], out=rows[outputs, part])
    pixels = np.empty((out_height, out_width), np.float32)
    for outputs, inputs, weights in bands(width, out_width, COLUMNS_BLOCK):
        step = max(MOST_PRODUCTS // weights.size, 1)
        for top in range(0, out_height, step):
            part = slice(top, top + step)
            np.matmul(rows[part, inputs], weights.T, out=pixels[part, outputs])
    pixels += ROUNDING
    # The values are positive, so the cast is a floor. A weighted mean of bytes exceeds 255 by float error at most.
    return pixels.astype(np.uint8)


def _bands(size: int, out_size: int, block: int) -> Bands:
    """Return the resampling matrix [out_size, size] as blocks that hold all its non-zero entries. Its rows sum to 1.

    The matrix is a band about its diagonal. Blocks of about `block` entries cut the cost of a large image to a third.
    """
    scale = size / out_size
    support = max(scale, 1.0)
    count = out_size
    while count > 1 and count * ((count - 1) * scale + 2 * support) > block:
        count = (count + 1) // 2
    # All blocks are made at once. Each has `count` outputs, the last one padded, and as many inputs as any block needs.
    outputs = np.minimum(np.arange(-(-out_size // count) * count), out_size - 1).reshape(-1, count)
    centres = (outputs + 0.5) * scale
    starts = np.maximum((centres[:, 0] - support).astype(np.int64), 0)
    stops = np.minimum((centres[:, -1] + support).astype(np.int64) + 1, size)
    length = int((stops - starts).max())
    starts = np.minimum(starts, size - length)
    inputs = starts[:, None] + np.arange(length) + 0.5
    distances = np.abs(inputs[:, None, :] - centres[:, :, None]) / support
    weights = np.maximum(1.0 - distances, 0.0)
    weights /= weights.sum(axis=2, keepdims=True)
    matrices = weights.astype(np.float32)
    matrices.setflags(write=False)  # the cache hands the same arrays to every thread
    return tuple(
        (slice(first, min(first + count, out_size)), slice(start, start + length), matrix[: out_size - first])
        for first, start, matrix in zip(range(0, out_size, count), starts.tolist(), matrices, strict=True)
    )


# Making a matrix takes as long as using it. The cached matrices of common words take 20 MB. Those of large images would
# take far more.
_kept_bands = lru_cache(maxsize=1024)(_bands)
