"""Layouts of a text: level, widely spaced, stacked letters, a line of words, or along an arc."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import cv2
import numpy as np

from scriptkd_train.synth.fonts import Face
from scriptkd_train.synth.typeset import Mask, typeset
from scriptkd_train.synth.words import clusters

LAYOUTS = {"word": 0.86, "stacked": 0.04, "spaced": 0.02, "line": 0.05, "arc": 0.03}
"""How often each layout is drawn."""

DrawText = Callable[[np.random.Generator, bool], str]
"""A function that draws a text. True asks for capitals, if the script has them."""

_WIDEST = 16.0  # largest width over height of a text
_MOST_STACKED = 10  # letters
_TRIES = 8  # attempts to draw a text of at least two letters


def set_text(rng: np.random.Generator, draw: DrawText, face: Face, size: int, layout: str) -> Mask | None:
    """Draw a text in one of `LAYOUTS`: its ink, cut to its edges, or None if the face cannot set it.

    A stack is returned turned counterclockwise, so that it is processed like a word. The caller turns the finished
    picture back. An arc is bent later (`bend`).
    """
    if layout == "stacked":
        return _stack(rng, draw, face, size)
    if layout == "line":
        return _line(rng, draw, face, size)
    text = draw(rng, layout == "spaced")
    if layout == "spaced":
        text = (" " * int(rng.integers(1, 4))).join(_letters(text)) or text
    mask = typeset(text, face, size)
    return mask if mask is not None and mask.shape[1] <= _WIDEST * mask.shape[0] else None


def _letters(text: str) -> list[str]:
    """The grapheme clusters that hold a letter or a digit."""
    return [part for part in clusters(text) if any(unicodedata.category(c)[0] in "LN" for c in part)]


def _stack(rng: np.random.Generator, draw: DrawText, face: Face, size: int) -> Mask | None:
    """Upright letters, one below the other, centred or flush left, with a constant pitch or constant gaps."""
    capitals = rng.random() < 0.7
    parts = next((found for _ in range(_TRIES) if len(found := _letters(draw(rng, capitals))) > 1), None)
    if parts is None:
        return None
    letters = [typeset(part, face, size) for part in parts[:_MOST_STACKED]]
    drawn = [letter for letter in letters if letter is not None]
    if len(drawn) < len(letters):
        return None
    tallest, widest = (max(letter.shape[axis] for letter in drawn) for axis in (0, 1))
    gap = max(2, round(rng.uniform(0.06, 0.4) * tallest))
    one_pitch, flush_left = rng.random() < 0.4, rng.random() < 0.1
    heights = [tallest if one_pitch else letter.shape[0] for letter in drawn]
    stack = np.zeros((sum(heights) + gap * (len(drawn) - 1), widest), np.float32)
    top = 0
    for letter, height in zip(drawn, heights, strict=True):
        y = top + (height - letter.shape[0]) // 2
        x = 0 if flush_left else (widest - letter.shape[1]) // 2
        stack[y : y + letter.shape[0], x : x + letter.shape[1]] = letter
        top += height + gap
    return np.ascontiguousarray(np.rot90(stack))


def _line(rng: np.random.Generator, draw: DrawText, face: Face, size: int) -> Mask | None:
    """Several words on a line, 5 to 13 times as wide as high; None if the line gets another shape."""
    text, wanted, capitals = draw(rng, False), rng.uniform(7.0, 13.0), rng.random() < 0.2
    first = typeset(text, face, size)
    if first is None:
        return None
    length = wanted * first.shape[0] / first.shape[1] * len(text)  # in characters of the first word's average width
    while len(text) < 0.9 * length or " " not in text:
        text = f"{text} {draw(rng, capitals)}"
    mask = typeset(text, face, size)
    return mask if mask is not None and 5 * mask.shape[0] <= mask.shape[1] <= 13 * mask.shape[0] else None


def bend(rng: np.random.Generator, layers: np.ndarray) -> tuple[np.ndarray, float]:
    """The ink along an arc, with turned letters, and its height in lines.

    layers: float32 [H, W, n]. The arc rises in the middle, or sometimes hangs.
    """
    height, width = layers.shape[:2]
    angle = np.radians(rng.uniform(35, 150))
    angle = min(angle, 0.6 * width / height)  # a short word bends little, since its letters would become wedges
    radius = width / angle
    outer, inner = radius + height / 2, radius - height / 2
    rows = int(np.ceil(outer - inner * np.cos(angle / 2)))
    columns = int(np.ceil(2 * outer * np.sin(min(angle / 2, np.pi / 2))))
    x, y = np.meshgrid(
        np.arange(columns, dtype=np.float32) - np.float32(columns / 2), np.arange(rows, dtype=np.float32)
    )
    away = np.float32(outer) - y  # distance from the arc's centre
    along = np.arctan2(x, away) / np.float32(angle) + np.float32(0.5)
    hangs = rng.random() < 0.25
    source_y = np.float32(outer) - np.hypot(x, away)
    if hangs:
        source_y = np.float32(height - 1) - source_y
    bent = cv2.remap(layers, along * np.float32(width), source_y, cv2.INTER_LINEAR)
    return (np.ascontiguousarray(bent[::-1]) if hangs else bent), rows / height
