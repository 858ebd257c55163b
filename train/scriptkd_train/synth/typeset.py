"""Text to ink: one word shaped by HarfBuzz and drawn by FreeType as a coverage mask."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont, features

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.synth.fonts import Face

Mask = np.ndarray
"""float32 [H, W], 0 where there is paper and 1 where there is ink."""


def require_shaping() -> None:
    """Without HarfBuzz, Indic and Arabic words come out as rows of wrong letters: better to refuse.

    Raises:
        ArgumentError: Pillow was built without raqm.
    """
    if not features.check("raqm"):
        raise ArgumentError("Pillow has no raqm, so words cannot be shaped; install Pillow's own wheel and libraqm0")


@lru_cache(maxsize=512)
def _font(path: str, index: int, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size, index=index, layout_engine=ImageFont.Layout.RAQM)


def typeset(text: str, face: Face, size: int) -> Mask | None:
    """Draws `text` at `size` pixels per em, cut to its ink.

    Returns None where the face cannot: it lacks a character, its tables are broken or it draws nothing for the word.
    """
    if not face.covers(text):
        return None
    try:
        font = _font(face.path, face.index, size)
        left, top, right, bottom = font.getbbox(text)
        if not (2 <= right - left <= 40 * size and 2 <= bottom - top <= 4 * size):
            return None
        canvas = Image.new("L", (int(right - left), int(bottom - top)))
        ImageDraw.Draw(canvas).text((-left, -top), text, fill=255, font=font)
    except OSError:  # FreeType rejects a face only when it first reads it
        return None
    ink = np.asarray(canvas)
    rows, columns = np.flatnonzero(ink.max(axis=1) > 40), np.flatnonzero(ink.max(axis=0) > 40)
    if len(rows) < 3 or len(columns) < 2:
        return None
    cut = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return cut.astype(np.float32) / 255.0
