"""Computes a network's input as the contract says, in double precision, and how far platforms' floats may be off."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scriptkd_sdk.preprocess import Preprocessing

Pixels = NDArray[np.uint8]
HALF = 0.5 + 2**-9  # the contract's: values of this fraction and more round up
# Share by which platforms differ in an image's deviation, a float32 sum over all its pixels in an order of their own.
# 1.0e-4 was the most seen in a browser (a faint strip, 384 pixels wide), 3.2e-5 but for that, by a model that takes one
# sum over all pixels; ours go row by row and are far closer, but the images are to serve any model.
DEVIATION = 1e-4


def beyond_border(exact: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far each value lies, in levels, from where the rounding turns from one byte to the next."""
    lifted = exact + HALF
    return np.abs(lifted - np.round(lifted))


def exactly(image: Pixels, preprocessing: Preprocessing, rows: int) -> NDArray[np.float64]:
    """A crop's input before rounding, [channels, rows, width], straight from the contract's section 3, in doubles."""
    if preprocessing.channels == 1 and image.ndim == 3:
        image = ((image.astype(np.int64) @ [299, 587, 114] + 500) // 1000).astype(np.uint8)
    planes = image.transpose(2, 0, 1) if image.ndim == 3 else image[None].repeat(preprocessing.channels, axis=0)
    height, width = image.shape[:2]
    width = preprocessing.width_for(height, width, rows)
    return weights(image.shape[0], rows) @ planes.astype(float) @ weights(image.shape[1], width).T


def weights(n: int, m: int) -> NDArray[np.float64]:
    """The triangle filter from n to m pixels, [m, n]."""
    s = n / m
    distances = np.abs(np.arange(n) + 0.5 - (np.arange(m)[:, None] + 0.5) * s) / max(s, 1.0)
    filters = np.maximum(0.0, 1.0 - distances)
    return filters / filters.sum(axis=1, keepdims=True)
