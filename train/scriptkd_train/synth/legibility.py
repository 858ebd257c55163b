"""A measure of legibility without a reader: how much of the clean ink can be recovered from the picture."""

from __future__ import annotations

import cv2
import numpy as np

from scriptkd_train.synth.textures import LUMA, FloatImage
from scriptkd_train.synth.typeset import Mask

_HEIGHT = 28  # height in pixels for the comparison, at which the counters of letters are one or two pixels wide
_WIDEST = 160  # only the beginning of a long word is compared
_REACH = 2
_RIDGE = 1.5  # gray levels of noise that hide ink from a reader


def legibility(picture: FloatImage, ink: Mask) -> float:
    """The share, 0..1, of ink detail that the best 5x5 linear filter recovers from the picture's brightness.

    picture: [H, W, 3]. ink: the typeset word before brush, blur and noise, in the same frame at any resolution. Strokes
    that merged, drowned in noise or have the colour of their ground cannot be recovered. Blurred, shadowed, outlined or
    embossed strokes mostly can, and people recover them too. The filter is a ridge regression, fitted to this one
    picture.
    """
    width = int(np.clip(round(_HEIGHT * picture.shape[1] / picture.shape[0]), 6, 1000))
    shrink = cv2.INTER_AREA if picture.shape[0] > _HEIGHT else cv2.INTER_LINEAR
    seen = cv2.resize(picture @ LUMA, (width, _HEIGHT), interpolation=shrink)[:, :_WIDEST]
    told = cv2.resize(ink, (width, _HEIGHT), interpolation=cv2.INTER_AREA)[:, :_WIDEST]
    # Only detail: the image minus a blur of a stroke's width. Blobs and shading tell no letters.
    seen, told = seen - cv2.GaussianBlur(seen, (0, 0), 2.5), told - cv2.GaussianBlur(told, (0, 0), 2.5)
    padded = cv2.copyMakeBorder(seen, _REACH, _REACH, _REACH, _REACH, cv2.BORDER_REFLECT_101)
    side = 2 * _REACH + 1
    windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side)).reshape(-1, side * side)
    # All products of columns in one call of OpenCV, since BLAS would start threads in every worker process.
    products = cv2.mulTransposed(np.column_stack((windows, told.ravel())), aTa=True).astype(np.float64)
    inner = products[:-1, :-1] + np.eye(side * side) * _RIDGE**2 * told.size
    cross, total = products[:-1, -1], products[-1, -1]
    weights = np.linalg.solve(inner, cross)
    missed = total - 2 * weights @ cross + weights @ products[:-1, :-1] @ weights
    return float(np.clip(1 - missed / (total + 1e-9), 0, 1))
