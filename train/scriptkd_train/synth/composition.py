"""Composition of one word image: a typeset word is placed in a scene or on a page, and degraded as by a camera.

There are four kinds of pictures: `scene` (signs, boards, packages), `page` (photographed print), `scan` (scanned print)
and `video` (captions). The kind of a word's picture does not depend on its script, so it tells a network nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np

from scriptkd_train.synth.backgrounds import draw_scenery
from scriptkd_train.synth.degradation import bilevel_scan, photograph, scan, video
from scriptkd_train.synth.fonts import Face
from scriptkd_train.synth.layouts import LAYOUTS, DrawText, bend, set_text
from scriptkd_train.synth.legibility import legibility
from scriptkd_train.synth.strokes import HEADLINE, augment_strokes, find_headline
from scriptkd_train.synth.text_effects import alpha_blend, apply_text_effects, put_on_board
from scriptkd_train.synth.textures import LUMA, FloatImage, print_colours, textured_background
from scriptkd_train.synth.typeset import Mask
from scriptkd_train.synth.words import draw_word

SHARES = {"scene": 0.55, "page": 0.16, "scan": 0.24, "video": 0.05}
"""How often each kind of picture is drawn."""
_JOINED = ("Arabic",)  # scripts whose letters join: wide spaces would tear them
_LOOSE = 0.06  # share of the crops with wide margins
_HEADLINE_CUT = 0.03  # share of the crops whose upper edge runs below the head line
MIN_CONTRAST = 30.0  # smallest difference of gray levels between ink and ground that leaves a word readable
_MIN_LEGIBILITY = 0.36  # see `legibility`; on contact sheets, people cannot read words of a lower value
_MAX_HEIGHT = 96  # in pixels, for a picture that the word fills
_MAX_LINES = 4.5  # in line heights; the letters of a steeper word would be too small to read
_TRIES = 50  # attempts to set a text in the chosen layout
_SIZES = (36, 48, 60)  # pixels per em of the typeset word, before any change


@dataclass(frozen=True, slots=True)
class _Layout:
    """Ink on a canvas. box: left, top, right, bottom of the word itself, without its neighbours.

    layers: float32 [H, W, 2], the ink as painted, and the ink as typeset, which a reader should still see. lines: the
    height of the box in line heights: 1 for a level word, more for a climbing one.
    """

    layers: np.ndarray
    box: np.ndarray
    lines: float = 1.0


def draw_word_image(
    rng: np.random.Generator,
    script: str,
    families: list[list[Face]],
    shares: Mapping[str, float] = SHARES,
    layouts: Mapping[str, float] = LAYOUTS,
) -> np.ndarray:
    """A random legible word image, uint8 [H, W, 3] RGB, upright except for slopes of up to 45 degrees.

    Words are 17..96 pixels high. Stacked words are 17..96 pixels wide, and loose crops up to twice as high.

    families: the faces of one split, grouped by family. A family is drawn before a face, so that families with many
    weights are not more frequent. shares: frequencies of the kinds of pictures. layouts: frequencies of the layouts.
    """
    if script in _JOINED:
        layouts = {layout: share for layout, share in layouts.items() if layout != "spaced"}
    draw = partial(draw_word, script=script)
    return draw_text_image(
        rng, lambda each, capitals: draw(each, capitals=capitals), families, shares, layouts, script in HEADLINE
    )


def draw_text_image(
    rng: np.random.Generator,
    draw: DrawText,
    families: list[list[Face]],
    shares: Mapping[str, float] = SHARES,
    layouts: Mapping[str, float] = LAYOUTS,
    headline: bool = False,
) -> np.ndarray:
    """As `draw_word_image`, for any text from `draw`. headline: whether its letters have one (`strokes.HEADLINE`)."""
    layout = _pick(rng, layouts)  # drawn before the attempts, so that layouts that often fail are not rarer
    while True:
        picture, ink, word = _compose(rng, draw, families, _pick(rng, shares), layout, headline)
        seen, ink = _part(picture, word), _part(ink, word)
        low, high = np.percentile(seen[::2, ::2] @ LUMA, (4, 96))
        if high - low >= MIN_CONTRAST and legibility(seen, ink) >= _MIN_LEGIBILITY:
            upright = np.rot90(picture, -1) if layout == "stacked" else picture  # see `set_text`
            return np.ascontiguousarray(upright.astype(np.uint8))


def _pick(rng: np.random.Generator, shares: Mapping[str, float]) -> str:
    steps = np.cumsum(list(shares.values()))
    return list(shares)[int(np.searchsorted(steps, rng.random() * steps[-1]))]


def _part(image: np.ndarray, box: np.ndarray) -> np.ndarray:
    """The part of an image within `box`: left, top, right, bottom as shares of width and height."""
    height, width = image.shape[:2]
    left, top = int(box[0] * width), int(box[1] * height)
    return image[top : max(top + 2, round(box[3] * height)), left : max(left + 2, round(box[2] * width))]


def _compose(
    rng: np.random.Generator,
    draw: DrawText,
    families: list[list[Face]],
    kind: str,
    layout: str,
    headline: bool,
) -> tuple[FloatImage, Mask, np.ndarray]:
    """A picture, the typeset ink in the same frame, and the word's box in it (see `_part`)."""
    mask, attempts = None, 0
    while mask is None:  # a face may lack a letter or fail on a word, so draw again
        faces = families[int(rng.integers(len(families)))]
        face = faces[int(rng.integers(len(faces)))]
        size = _SIZES[int(rng.integers(len(_SIZES)))]
        if attempts == _TRIES and layout == "line":
            layout = "word"  # with very wide letters, every line is too long
        mask = set_text(rng, draw, face, size, layout)
        attempts += 1
    stacked, loose = layout == "stacked", rng.random() < _LOOSE
    headline = headline and not stacked
    layers, lines, cut_off = augment_strokes(rng, mask, headline), 1.0, 0.0
    if headline and layout != "arc" and rng.random() < _HEADLINE_CUT:
        rows = find_headline(layers[..., 1])
        if rows is not None:
            cut_off = (rows[0] + rng.uniform(0.3, 1.1) * (rows[1] - rows[0])) / len(layers)
    if layout == "arc":
        layers, lines = bend(rng, layers)
    other = None
    if not loose and rng.random() < (0.35 if kind in ("page", "scan") else 0.2):
        other = set_text(rng, draw, face, size, "stacked" if stacked else "word")
    placed = _add_context(rng, layers, other, lines)
    strength = {"scene": 1.0, "page": 0.5, "scan": 0.25, "video": 0.2}[kind]
    placed = _warp(rng, placed, strength, steep=not (stacked or loose))
    placed = _crop_loosely(rng, placed) if loose else _crop(rng, placed, cut_off)
    mask, ink = np.ascontiguousarray(placed.layers[..., 0]), np.ascontiguousarray(placed.layers[..., 1])
    box = np.clip(placed.box / np.tile(mask.shape[::-1], 2), 0, 1)
    # The line's height is drawn at random, not the picture's. Otherwise letters of a climbing word would be too small
    # to read.
    lines, highest = placed.lines, _MAX_HEIGHT * (2 if loose else 1)
    height = round(min(highest, lines * float(np.exp(rng.uniform(np.log(17), np.log(_MAX_HEIGHT))))))
    if kind == "scan" and rng.random() < 0.3:
        picture = bilevel_scan(rng, mask, max(height, 30))
    elif kind == "scan":
        picture = scan(rng, mask, max(height, 22))
    elif kind == "page":
        tone, ground = print_colours(rng)
        paper = textured_background(rng, ground, mask.shape[0], mask.shape[1], roughness=1.5 if loose else 0.5)
        picture = photograph(rng, alpha_blend(paper, mask, tone), height, lines)
    elif kind == "video":
        picture = video(rng, apply_text_effects(rng, mask, outlined=True, roughness=1.6), height, lines)
    else:
        picture = apply_text_effects(rng, mask, outlined=False, roughness=1.8 if loose else 1.0)
        if loose and rng.random() < 0.5:
            pixels = box * np.tile(mask.shape[::-1], 2)
            picture = put_on_board(rng, picture, pixels, draw_scenery(rng, mask.shape[0], mask.shape[1]))
        picture = photograph(rng, picture, height, lines)
    return picture, ink, box


def _add_context(rng: np.random.Generator, layers: np.ndarray, other: Mask | None, lines: float) -> _Layout:
    """Put the word on a wider canvas, optionally with a neighbour on its line, above or below."""
    height, width = layers.shape[:2]
    pad = int(0.6 * height) + 8
    canvas = np.zeros((height + 2 * pad, width + 2 * pad, 2), np.float32)
    canvas[pad : pad + height, pad : pad + width] = layers
    if other is not None:
        if rng.random() < 0.5:  # a line above or below
            gap = int(rng.uniform(0.06, 0.45) * height)
            top = pad - gap - other.shape[0] if rng.random() < 0.5 else pad + height + gap
            left = pad + int(rng.uniform(-0.8, 0.8) * width)
        else:  # a word on the same line
            gap = int(rng.uniform(0.12, 0.5) * height)
            top = pad + (height - other.shape[0]) // 2
            left = pad - gap - other.shape[1] if rng.random() < 0.5 else pad + width + gap
        _paste(canvas, other, top, left)
    if rng.random() < 0.05:  # a ruled line, an underline
        y = pad + height + int(rng.uniform(0.05, 0.3) * height)
        cv2.line(canvas, (0, y), (canvas.shape[1], y), (1.0, 1.0), int(rng.integers(1, 4)))
    return _Layout(canvas, np.array((pad, pad, pad + width, pad + height), np.float64), lines)


def _paste(canvas: np.ndarray, ink: Mask, top: int, left: int) -> None:
    """Add `ink` to the canvas in place, clipped at the edges."""
    y0, x0 = max(top, 0), max(left, 0)
    y1, x1 = min(top + ink.shape[0], canvas.shape[0]), min(left + ink.shape[1], canvas.shape[1])
    if y1 > y0 and x1 > x0:
        part = canvas[y0:y1, x0:x1]
        np.maximum(part, ink[y0 - top : y1 - top, x0 - left : x1 - left, None], out=part)


def _warp(rng: np.random.Generator, placed: _Layout, strength: float, steep: bool = True) -> _Layout:
    """Stretch, slant, turn, apply perspective and curve the baseline, and keep track of the word's axis-aligned box.

    steep: whether some words may climb by 20 to 45 degrees.
    """
    layers = placed.layers
    if rng.random() < 0.1 * strength:  # a bent baseline
        height, width = layers.shape[:2]
        x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
        bend = rng.uniform(-0.3, 0.3) * min(height, width)
        arc = np.square(2 * x / width - 1) - np.float32(0.4)
        layers = cv2.remap(layers, x, y + np.float32(bend) * arc, cv2.INTER_LINEAR)
    left, top, right, bottom = placed.box
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
    stretch = np.exp(np.clip(rng.normal(0, 0.15 + 0.12 * strength), -0.6, 0.7))
    slant = rng.normal(0, 0.12) * strength if rng.random() < 0.6 else 0.0
    if rng.random() < 0.06:  # oblique type, which few faces have
        slant = rng.uniform(0.15, 0.4) * (1 if rng.random() < 0.85 else -1)
    aspect = stretch * (right - left) / (bottom - top)
    turn = np.radians(_turn(rng, strength, steep))
    if placed.lines * (aspect * abs(np.sin(turn)) + np.cos(turn)) > _MAX_LINES:
        turn = np.radians(rng.normal(0, 5.0))
    c, s = np.cos(turn), np.sin(turn)
    linear = np.array([[c, -s], [s, c]]) @ np.array([[stretch, -slant], [0, 1]])
    moved = (corners - corners.mean(0)) @ linear.T.astype(np.float32)
    if rng.random() < 0.4 * strength:
        moved += rng.normal(0, 0.05, (4, 2)).astype(np.float32) * (bottom - top)
    low, high = moved.min(0), moved.max(0)
    span = high - low
    lines = placed.lines * max(1.0, float(span[1]) / (bottom - top))
    # The working height is at most 64 pixels for a level word, which is cheap, and enough for the largest crop.
    scale = min(1.0, 64 * min(lines, 2.0) / float(span[1]))
    border = 0.45 * span[1] * scale
    target = (moved - low) * np.float32(scale) + np.float32(border)
    size = (int(span[0] * scale + 2 * border), int(span[1] * scale + 2 * border))
    matrix = cv2.getPerspectiveTransform(corners, target.astype(np.float32))
    warped = cv2.warpPerspective(layers, matrix, size, flags=cv2.INTER_LINEAR)
    return _Layout(warped, border + scale * np.array((0, 0, *span), np.float64), lines)


def _turn(rng: np.random.Generator, strength: float, steep: bool) -> float:
    """A random slope in degrees. Pages are nearly level; in scenes some words climb or fall across their sign."""
    if strength < 1:
        return float(rng.normal(0, 7.0 * strength))
    pick = rng.random()
    if pick < 0.14 and steep:
        return float(rng.choice((-1, 1)) * rng.uniform(16, 45))
    return float(np.clip(rng.normal(0, 5.0 if pick < 0.85 else 11.0), -25, 25))


def _crop(rng: np.random.Generator, placed: _Layout, cut_off: float) -> _Layout:
    """Cut out the word as annotators do: mostly with a small margin, sometimes into the ink.

    cut_off: share of the word's height that the upper edge cuts off; 0 for an ordinary edge.
    """
    left, top, right, bottom = placed.box
    height = bottom - top
    pick = rng.random()  # with a margin, into the ink, or close to the ink
    low, high = (0.0, 0.4) if pick < 0.15 else (-0.12, 0.05) if pick < 0.27 else (-0.05, 0.15)
    margins = rng.uniform(low, high, 4) * height
    margins[2:] *= min(1.0, (right - left) / height)  # so that no narrow letter is cut off completely
    if cut_off:
        margins[0] = -cut_off * height
    y0, y1 = max(0, int(top - margins[0])), min(placed.layers.shape[0], int(np.ceil(bottom + margins[1])))
    x0, x1 = max(0, int(left - margins[2])), min(placed.layers.shape[1], int(np.ceil(right + margins[3])))
    whole = np.array((0, 0, x1 - x0, y1 - y0), np.float64)
    return _Layout(placed.layers[y0:y1, x0:x1], whole, placed.lines)


def _crop_loosely(rng: np.random.Generator, placed: _Layout) -> _Layout:
    """Cut out the word with a margin of up to twice its size, as a coarse detector or a finger does."""
    left, top, right, bottom = placed.box
    height, width = bottom - top, right - left
    tall, wide = rng.uniform(0.3, 2.0) * height, rng.uniform(0.1, 2.0) * min(width, 1.5 * height)
    above, before = rng.uniform(0.15, 0.85) * tall, rng.uniform(0.15, 0.85) * wide
    x0, y0 = int(left - before), int(top - above)
    x1, y1 = int(right + wide - before), int(bottom + tall - above)
    y_size, x_size = placed.layers.shape[:2]
    room = [(max(0, -y0), max(0, y1 - y_size)), (max(0, -x0), max(0, x1 - x_size)), (0, 0)]
    layers = np.pad(placed.layers, room)[max(0, y0) : max(0, y0) + y1 - y0, max(0, x0) : max(0, x0) + x1 - x0]
    box = placed.box - np.array((x0, y0, x0, y0))
    return _Layout(layers, box, placed.lines * (y1 - y0) / height)
