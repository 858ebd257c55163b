"""Transparent pictures: on which ground they are laid, black or white, so that what is drawn on them is seen."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from scriptkd_sdk.preprocess import luma

Pixels = npt.NDArray[np.uint8]

BLACK, WHITE = 0, 255
VISIBLE = 128  # alpha from which on a pixel counts
DARK, LIGHT = 96, 160  # luma below which, and from which on, a pixel is of one of two tones
TWO_TONES = 16  # two tones: each has at least one in so many visible pixels
NEARLY_ALL = 16  # a plate: at most one in so many pixels is not visible, as with rounded corners
STRIP = 64  # rows
PART = 1 << 20  # pixels
CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))


def lay(colour: Pixels, alpha: Pixels) -> Pixels:
    """Lay colours [H, W, 3] RGB or gray [H, W] on black or on white by their alpha [H, W], rounding to nearest.

    Alpha of 0 everywhere is no alpha, as screenshots and bitmaps leave their fourth byte empty: a picture that cannot
    be seen at all is nobody's wish. The colours are then what is stored.
    """
    if alpha.min() == 255 or not alpha.any():
        return colour
    shade = ground(colour, alpha)
    result = np.empty(colour.shape, np.uint8)
    for top in range(0, len(colour), STRIP):  # a large image in 16 bits, whole, would cost gigabytes
        strip = colour[top : top + STRIP].astype(np.uint16)  # 255 * 255 + 127 fits
        share = alpha[top : top + STRIP].astype(np.uint16)
        if colour.ndim == 3:
            share = np.repeat(share[:, :, None], 3, axis=2)  # faster than broadcasting it, twice
        strip *= share
        strip += shade * (255 - share) + np.uint16(127)
        result[top : top + STRIP] = strip // 255
    return result


def ground(colour: Pixels, alpha: Pixels) -> int:
    """The gray, 0 or 255, that a picture is laid on: see the model contract, which has it in words.

    A plate or page with words on it is laid on a ground like its rim, with which it melts. So is a word with an
    outline. Ink alone, and what has no plain rim, such as a word with its shadow, is laid on the ground that is farther
    from it. Where the ground nowhere comes out, it is white.
    """
    visible = alpha >= VISIBLE
    if visible.all():
        return WHITE
    if not visible.any():
        visible = alpha > 0
    levels = luma(colour) if colour.ndim == 3 else colour
    dark, light, every, total = _tones(levels[visible])
    if min(dark, light) * TWO_TONES >= every or (alpha.size - every) * NEARLY_ALL <= alpha.size:
        # What lies beyond the picture's edge is not known, and so no rim.
        inner = cv2.erode(visible.view(np.uint8), CROSS, borderType=cv2.BORDER_CONSTANT, borderValue=1)
        dark, light, rim, _ = _tones(levels[visible & (inner == 0)])
        if max(dark, light) * 4 >= rim * 3:
            return WHITE if light >= dark else BLACK
    return BLACK if total > 128 * every else WHITE


def _tones(levels: Pixels) -> tuple[int, int, int, int]:
    """How many of some levels of gray are dark, light, there at all; and their sum."""
    counts = np.zeros(256, np.int64)
    for start in range(0, levels.size, PART):  # whole, NumPy would make eight bytes of each level first
        counts += np.bincount(levels[start : start + PART], minlength=256)
    return int(counts[:DARK].sum()), int(counts[LIGHT:].sum()), levels.size, int(counts @ np.arange(256))
