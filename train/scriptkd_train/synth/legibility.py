"""Can the word still be read? A measure that needs no reader: how much of the clean ink the picture still tells."""

from __future__ import annotations

import cv2
import numpy as np

from scriptkd_train.synth.textures import LUMA, FloatImage
from scriptkd_train.synth.typeset import Mask

_HEIGHT = 28  # pixels at which ink and picture are compared: letters' counters are one or two pixels wide there
_WIDEST = 160  # a long word is judged by its beginning
_REACH = 2
_RIDGE = 1.5  # gray levels of noise that no reader sees through


def legibility(picture: FloatImage, ink: Mask) -> float:
    """The share, 0..1, of the ink's detail that the best 5x5 linear filter recovers from the picture's brightness.

    picture: [H, W, 3]. ink: the word as it was set, before brush, blur and noise, on the same frame at any resolution.
    Strokes that ran together, sank in noise or have the colour of their ground cannot be recovered; blur, shadows,
    outlines and embossing mostly can, as by a reader. The filter is a ridge regression, fitted to this one picture.
    """
    width = int(np.clip(round(_HEIGHT * picture.shape[1] / picture.shape[0]), 6, 1000))
    shrink = cv2.INTER_AREA if picture.shape[0] > _HEIGHT else cv2.INTER_LINEAR
    seen = cv2.resize(picture @ LUMA, (width, _HEIGHT), interpolation=shrink)[:, :_WIDEST]
    told = cv2.resize(ink, (width, _HEIGHT), interpolation=cv2.INTER_AREA)[:, :_WIDEST]
    # Detail only: what a blur of a stroke's width leaves over. Blobs and shading tell no letters.
    seen, told = seen - cv2.GaussianBlur(seen, (0, 0), 2.5), told - cv2.GaussianBlur(told, (0, 0), 2.5)
    padded = cv2.copyMakeBorder(seen, _REACH, _REACH, _REACH, _REACH, cv2.BORDER_REFLECT_101)
    side = 2 * _REACH + 1
    windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side)).reshape(-1, side * side)
    # All products of columns at once; OpenCV's, since BLAS would start threads in every worker process.
    products = cv2.mulTransposed(np.column_stack((windows, told.ravel())), aTa=True).astype(np.float64)
    inner = products[:-1, :-1] + np.eye(side * side) * _RIDGE**2 * told.size
    cross, total = products[:-1, -1], products[-1, -1]
    weights = np.linalg.solve(inner, cross)
    missed = total - 2 * weights @ cross + weights @ products[:-1, :-1] @ weights
    return float(np.clip(1 - missed / (total + 1e-9), 0, 1))
