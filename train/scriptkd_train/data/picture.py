"""One word image: a word set in type, placed in a scene or on a page, and captured.

Four kinds of picture, as crops of words come: `scene` (signs, boards, packages), `page` (photographed print), `scan`
(scanned print) and `video` (captions). Which kind a word becomes does not depend on its script, so that the kind tells
a network nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .capture import jpeg, photograph, scan, video
from .fonts import Face
from .surface import LUMA, Picture, colour_pair, painted, print_pair, texture
from .typeset import Mask, typeset
from .words import draw_word

KINDS = ("scene", "page", "scan", "video")
_SHARES = np.cumsum([0.55, 0.17, 0.2, 0.08])
_LEAST_CONTRAST = 30.0  # gray levels between ink and ground: with less, light and blur have eaten the word
_SIZES = (36, 48, 60)  # pixels per em that words are set at before anything happens to them


@dataclass(frozen=True, slots=True)
class _Placed:
    """Ink on a canvas. `box`: left, top, right, bottom of the word itself; neighbours lie around it."""

    mask: Mask
    box: tuple[float, float, float, float]


def draw_picture(rng: np.random.Generator, script: str, families: list[list[Face]]) -> np.ndarray:
    """A random word image, uint8 [H, W, 3] RGB, H in 17..96, whose ink and ground are apart.

    families: the faces of one split, grouped by family; a family is drawn first, so that one with many weights is not
    seen more often than one with a single face.
    """
    while True:
        picture = _attempt(rng, script, families)
        low, high = np.percentile(picture[::2, ::2] @ LUMA, (4, 96))
        if high - low >= _LEAST_CONTRAST:
            return picture.astype(np.uint8)


def _attempt(rng: np.random.Generator, script: str, families: list[list[Face]]) -> Picture:
    kind = KINDS[int(np.searchsorted(_SHARES, rng.random() * _SHARES[-1]))]
    while True:  # a face may lack a letter or fail on a word; another draw will do
        faces = families[int(rng.integers(len(families)))]
        face = faces[int(rng.integers(len(faces)))]
        size = _SIZES[int(rng.integers(len(_SIZES)))]
        mask = typeset(draw_word(rng, script), face, size)
        if mask is not None and mask.shape[1] <= 16 * mask.shape[0]:
            break
    mask = _hand(rng, mask)
    placed = _surround(rng, mask, script, face, size, dense=kind in ("page", "scan"))
    placed = _warp(rng, placed, {"scene": 1.0, "page": 0.5, "scan": 0.25, "video": 0.2}[kind])
    mask = _crop(rng, placed)
    height = round(float(np.exp(rng.uniform(np.log(17), np.log(96)))))
    if kind == "scan":
        return scan(rng, mask, max(height, 22))
    if kind == "page":
        ink, ground = print_pair(rng)
        paper = painted(rng, ground, *mask.shape, roughness=0.5)
        return photograph(rng, _lay(paper, mask, ink), height)
    picture = _sign(rng, mask, outlined=kind == "video")
    if kind == "video":
        return video(rng, picture, height)
    return photograph(rng, picture, height)


def _lay(surface: Picture, mask: Mask, colour: np.ndarray) -> Picture:
    """Paints `colour` over `surface` where the mask has ink."""
    return surface + mask[..., None] * (colour - surface)


def _hand(rng: np.random.Generator, mask: Mask) -> Mask:
    """What a sign painter or a worn press does to type: bolder or thinner strokes, wobble."""
    if rng.random() < 0.3:
        reach = 1 + int(rng.random() < 0.4) + int(rng.random() < 0.15)
        shape = [(reach + 1, reach + 1), (reach + 1, 1), (1, reach + 1)][int(rng.integers(3))]
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, shape)
        bold = rng.random() < 0.7
        mask = np.pad(mask, reach) if bold else mask
        changed = cv2.dilate(mask, kernel) if bold else cv2.erode(mask, kernel)
        # Thinning may eat a light face whole: then it stays as it was.
        mask = changed if changed.sum() > 0.45 * mask.sum() else mask
    if rng.random() < 0.2:
        height, width = mask.shape
        reach = rng.uniform(0.015, 0.05) * height
        cells = (3, max(3, round(3 * width / height)))
        shift = [
            cv2.resize(rng.standard_normal(cells).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
            for _ in range(2)
        ]
        x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
        mask = cv2.remap(mask, x + shift[0] * np.float32(reach), y + shift[1] * np.float32(reach), cv2.INTER_LINEAR)
    return mask


def _surround(rng: np.random.Generator, mask: Mask, script: str, face: Face, size: int, dense: bool) -> _Placed:
    """Puts the word on a wider canvas and, by chance, its neighbours: words beside it, lines above and below."""
    height, width = mask.shape
    pad = int(0.6 * height) + 8
    canvas = np.zeros((height + 2 * pad, width + 2 * pad), np.float32)
    canvas[pad : pad + height, pad : pad + width] = mask
    if rng.random() < (0.35 if dense else 0.15):
        other = typeset(draw_word(rng, script), face, size)
        if other is not None:
            if rng.random() < 0.5:  # a line above or below
                gap = int(rng.uniform(0.06, 0.45) * height)
                top = pad - gap - other.shape[0] if rng.random() < 0.5 else pad + height + gap
                left = pad + int(rng.uniform(-0.8, 0.8) * width)
            else:  # a word on the same line
                gap = int(rng.uniform(0.12, 0.5) * height)
                top = pad + (height - other.shape[0]) // 2
                left = pad - gap - other.shape[1] if rng.random() < 0.5 else pad + width + gap
            _stamp(canvas, other, top, left)
    if rng.random() < 0.05:  # a ruled line, an underline
        y = pad + height + int(rng.uniform(0.05, 0.3) * height)
        cv2.line(canvas, (0, y), (canvas.shape[1], y), 1.0, int(rng.integers(1, 4)))
    return _Placed(canvas, (pad, pad, pad + width, pad + height))


def _stamp(canvas: Mask, ink: Mask, top: int, left: int) -> None:
    """Adds `ink` to the canvas in place, cut at the canvas's edges."""
    y0, x0 = max(top, 0), max(left, 0)
    y1, x1 = min(top + ink.shape[0], canvas.shape[0]), min(left + ink.shape[1], canvas.shape[1])
    if y1 > y0 and x1 > x0:
        part = canvas[y0:y1, x0:x1]
        np.maximum(part, ink[y0 - top : y1 - top, x0 - left : x1 - left], out=part)


def _warp(rng: np.random.Generator, placed: _Placed, strength: float) -> _Placed:
    """Stretch, slant, turn, perspective and a curved baseline; keeps track of the word's axis-aligned box."""
    mask = placed.mask
    if rng.random() < 0.07 * strength:  # a bent baseline
        height, width = mask.shape
        x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
        bend = rng.uniform(-0.22, 0.22) * min(height, width)
        arc = np.square(2 * x / width - 1) - np.float32(0.4)
        mask = cv2.remap(mask, x, y + np.float32(bend) * arc, cv2.INTER_LINEAR)
    height, width = mask.shape
    left, top, right, bottom = placed.box
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
    stretch = np.exp(np.clip(rng.normal(0, 0.15 + 0.12 * strength), -0.6, 0.7))
    slant = rng.normal(0, 0.12) * strength if rng.random() < 0.6 else 0.0
    turn = np.radians(np.clip(rng.normal(0, 5.0 if rng.random() < 0.8 else 11.0), -25, 25)) * strength
    c, s = np.cos(turn), np.sin(turn)
    linear = np.array([[c, -s], [s, c]]) @ np.array([[stretch, -slant], [0, 1]])
    moved = (corners - corners.mean(0)) @ linear.T.astype(np.float32)
    if rng.random() < 0.4 * strength:
        moved += rng.normal(0, 0.05, (4, 2)).astype(np.float32) * (bottom - top)
    low, high = moved.min(0), moved.max(0)
    span = high - low
    # The working height is at most 64 pixels for the word: enough for the largest crop, and cheap.
    scale = min(1.0, 64 / float(span[1]))
    border = 0.45 * span[1] * scale
    target = (moved - low) * np.float32(scale) + np.float32(border)
    size = (int(span[0] * scale + 2 * border), int(span[1] * scale + 2 * border))
    matrix = cv2.getPerspectiveTransform(corners, target.astype(np.float32))
    warped = cv2.warpPerspective(mask, matrix, size, flags=cv2.INTER_LINEAR)
    box = (border, border, border + span[0] * scale, border + span[1] * scale)
    return _Placed(warped, tuple(float(v) for v in box))  # type: ignore[arg-type]


def _crop(rng: np.random.Generator, placed: _Placed) -> Mask:
    """Cuts the word out as annotators do: mostly with a little margin, sometimes loose, sometimes into the ink."""
    left, top, right, bottom = placed.box
    height = bottom - top
    pick = rng.random()  # loose, into the ink, or close to it
    low, high = (0.0, 0.4) if pick < 0.15 else (-0.12, 0.05) if pick < 0.27 else (-0.05, 0.15)
    margins = rng.uniform(low, high, 4) * height
    y0, y1 = max(0, int(top - margins[0])), min(placed.mask.shape[0], int(np.ceil(bottom + margins[1])))
    x0, x1 = max(0, int(left - margins[2])), min(placed.mask.shape[1], int(np.ceil(right + margins[3])))
    return placed.mask[y0:y1, x0:x1]


def _sign(rng: np.random.Generator, mask: Mask, outlined: bool) -> Picture:
    """A painted, printed, glowing or embossed word on a board, a wall or over a video frame."""
    height, width = mask.shape
    ink, ground = colour_pair(rng)
    picture = painted(rng, ground, height, width, roughness=1.6 if outlined else 1.0)
    pick = rng.random()
    if outlined or pick < 0.14:  # an edge of a third colour around each letter
        edge = colour_pair(rng)[int(rng.integers(2))] if not outlined else (np.float32(255) - ink)
        reach = int(rng.integers(2, 5))
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
        picture = _lay(picture, cv2.dilate(mask, kernel), edge.astype(np.float32))
    elif pick < 0.30:  # a shadow: soft or hard, or a letter that stands out from the wall
        dx, dy = (int(v) for v in rng.integers(-5, 6, 2))
        shadow = cv2.warpAffine(mask, np.float32([[1, 0, dx], [0, 1, dy]]), (width, height))
        if rng.random() < 0.6:
            shadow = cv2.GaussianBlur(shadow, (0, 0), rng.uniform(0.6, 3.0))
        tone = ground * np.float32(rng.uniform(0.2, 0.7)) if rng.random() < 0.7 else colour_pair(rng)[0]
        picture = _lay(picture, shadow * np.float32(rng.uniform(0.4, 1.0)), tone.astype(np.float32))
    elif pick < 0.36:  # letters of depth: a block shadow runs off to one side
        reach = int(rng.integers(2, 7))
        kernel = np.eye(reach, dtype=np.uint8) if rng.random() < 0.5 else np.fliplr(np.eye(reach, dtype=np.uint8))
        tone = ground * np.float32(rng.uniform(0.2, 0.6)) if rng.random() < 0.5 else colour_pair(rng)[0]
        anchor = ((0, 0), (reach - 1, 0), (0, reach - 1), (reach - 1, reach - 1))[int(rng.integers(4))]
        side = cv2.dilate(mask, kernel, anchor=anchor, borderType=cv2.BORDER_REPLICATE)
        picture = _lay(picture, side, tone.astype(np.float32))
    elif pick < 0.40:  # lit letters in the dark, or against the sun: light spills over their edges
        bloom = cv2.GaussianBlur(mask, (0, 0), rng.uniform(1.0, 3.0))
        ink = np.maximum(ink, rng.uniform(215, 255)).astype(np.float32)
        picture = _lay(picture, np.minimum(bloom * np.float32(rng.uniform(0.8, 1.4)), 1), ink)
    elif pick < 0.45:  # neon: the letters glow
        glow = cv2.GaussianBlur(mask, (0, 0), rng.uniform(3, 8)) * np.float32(rng.uniform(0.5, 1.3))
        picture = picture * np.float32(rng.uniform(0.15, 0.6))
        ink = np.maximum(ink, rng.uniform(190, 255)).astype(np.float32)
        picture = _lay(picture, np.minimum(glow, 1) * np.float32(0.6), ink * np.float32(0.8))
    elif pick < 0.48:  # carved or embossed: two edges and nearly no colour of its own
        light_side = cv2.warpAffine(mask, np.float32([[1, 0, -1.5], [0, 1, -1.5]]), (width, height))
        dark_side = cv2.warpAffine(mask, np.float32([[1, 0, 1.5], [0, 1, 1.5]]), (width, height))
        picture = picture + (light_side - dark_side)[..., None] * np.float32(rng.uniform(40, 90))
        ink = (ground * np.float32(rng.uniform(0.6, 0.85))).astype(np.float32)
    elif pick < 0.52:  # outlined letters, hollow inside
        reach = int(rng.integers(2, 4))
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach + 1, reach + 1))
        mask = cv2.dilate(mask, kernel) - 0.85 * cv2.erode(mask, kernel)
    if rng.random() < 0.12:  # ink that is itself a gradient or worn
        fade = 1 - np.float32(rng.uniform(0.1, 0.45)) * np.maximum(texture(rng, height, width), 0)
        mask = mask * np.clip(fade, 0.3, 1)
    picture = _lay(picture, mask, ink)
    if rng.random() < 0.08:  # a frame or a band of another colour runs through the crop's edge
        thick = int(rng.integers(2, 7))
        y = 0 if rng.random() < 0.5 else height - thick
        picture[y : y + thick] = colour_pair(rng)[0]
    if rng.random() < 0.15:
        picture = jpeg(rng, picture, 50)
    return picture
