"""Typesetting: HarfBuzz shapes a word, and FreeType draws it as a coverage mask."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont, features

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.synth.fonts import Face

Mask = np.ndarray
"""float32 [H, W], 0 for paper and 1 for ink."""


def require_shaping() -> None:
    """Refuse to run without HarfBuzz: Indic and Arabic words would have wrong letters.

    Raises:
        ArgumentError: Pillow was built without raqm.
    """
    if not features.check("raqm"):
        raise ArgumentError("Pillow has no raqm, so it cannot shape words; install Pillow's own wheel and libraqm0")


@lru_cache(maxsize=512)
def _font(path: str, index: int, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size, index=index, layout_engine=ImageFont.Layout.RAQM)


def typeset(text: str, face: Face, size: int) -> Mask | None:
    """Draw `text` at `size` pixels per em, cut to its ink.

    Returns None if the face lacks a character, has broken tables or draws nothing for the word.
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
    except OSError:  # FreeType rejects a damaged face only at the first use
        return None
    ink = np.asarray(canvas)
    rows, columns = np.flatnonzero(ink.max(axis=1) > 40), np.flatnonzero(ink.max(axis=0) > 40)
    if len(rows) < 3 or len(columns) < 2:
        return None
    cut = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return cut.astype(np.float32) / 255.0
