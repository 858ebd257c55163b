"""Transparent pictures: laid on black or on white, whichever makes their content visible."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from scriptkd_sdk.preprocess import luma

Pixels = npt.NDArray[np.uint8]

BLACK, WHITE = 0, 255
VISIBLE = 128  # a pixel counts from this alpha on
DARK, LIGHT = 96, 160  # a pixel is dark below the first luma, and light from the second on
TWO_TONES = 16  # a picture has two tones if each has at least 1/16 of the visible pixels
NEARLY_ALL = 16  # a plate has at most 1/16 invisible pixels, as at rounded corners
STRIP = 64  # rows
PART = 1 << 20  # pixels
CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))


def lay(colour: Pixels, alpha: Pixels) -> Pixels:
    """Lay colours [H, W, 3] RGB or gray [H, W] on black or on white by their alpha [H, W], rounding to nearest.

    Alpha of 0 everywhere is ignored, because some screenshots and bitmaps leave their fourth byte empty. The result is
    then the stored colours.
    """
    if alpha.min() == 255 or not alpha.any():
        return colour
    shade = ground(colour, alpha)
    result = np.empty(colour.shape, np.uint8)
    for top in range(0, len(colour), STRIP):  # strip by strip, as a large image in 16 bits would take gigabytes
        strip = colour[top : top + STRIP].astype(np.uint16)  # 255 * 255 + 127 fits
        share = alpha[top : top + STRIP].astype(np.uint16)
        if colour.ndim == 3:
            share = np.repeat(share[:, :, None], 3, axis=2)  # faster than broadcasting twice
        strip *= share
        strip += shade * (255 - share) + np.uint16(127)
        result[top : top + STRIP] = strip // 255
    return result


def ground(colour: Pixels, alpha: Pixels) -> int:
    """Return the gray, 0 or 255, that a picture is laid on. The model contract states the rule in words.

    A plate or page with words on it is laid on a ground like its rim. So is a word with an outline. Ink
    alone is laid on the ground that differs more from it. So is a picture without a plain rim, such as a word with its
    shadow. If every pixel is visible, the ground is white.
    """
    visible = alpha >= VISIBLE
    if visible.all():
        return WHITE
    if not visible.any():
        visible = alpha > 0
    levels = luma(colour) if colour.ndim == 3 else colour
    dark, light, every, total = _tones(levels[visible])
    if min(dark, light) * TWO_TONES >= every or (alpha.size - every) * NEARLY_ALL <= alpha.size:
        # Pixels at the picture's edge are no rim, as nothing is known beyond it.
        inner = cv2.erode(visible.view(np.uint8), CROSS, borderType=cv2.BORDER_CONSTANT, borderValue=1)
        dark, light, rim, _ = _tones(levels[visible & (inner == 0)])
        if max(dark, light) * 4 >= rim * 3:
            return WHITE if light >= dark else BLACK
    return BLACK if total > 128 * every else WHITE


def _tones(levels: Pixels) -> tuple[int, int, int, int]:
    """Return how many gray levels are dark, how many are light, how many there are, and their sum."""
    counts = np.zeros(256, np.int64)
    for start in range(0, levels.size, PART):  # in parts, as NumPy first makes eight bytes of each level
        counts += np.bincount(levels[start : start + PART], minlength=256)
    return int(counts[:DARK].sum()), int(counts[LIGHT:].sum()), levels.size, int(counts @ np.arange(256))
