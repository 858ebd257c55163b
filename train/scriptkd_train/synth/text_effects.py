"""Text effects of signs and captions: paint, outlines, shadows, depth, neon, lamps, embossing, gloss.

Some words are on shutters or bricks, or behind bars.
"""

from __future__ import annotations

import cv2
import numpy as np

from scriptkd_train.synth.degradation import jpeg
from scriptkd_train.synth.textures import (
    FloatImage,
    colour_pair,
    luma,
    shutter,
    texture,
    textured_background,
    wall_of_bricks,
)
from scriptkd_train.synth.typeset import Mask


def alpha_blend(surface: FloatImage, mask: Mask, colour: np.ndarray) -> FloatImage:
    """Paint `colour`, a single one [3] or one per pixel [H, W, 3], over `surface` where the mask has ink."""
    blended: FloatImage = surface + mask[..., None] * (colour - surface)
    return blended


def apply_text_effects(rng: np.random.Generator, mask: Mask, outlined: bool, roughness: float = 1.0) -> FloatImage:
    """A painted, printed, glowing or embossed word on a board, on a wall or over a video frame.

    outlined: whether letters have an edge, as in captions. roughness: that of the ground.
    """
    height, width = mask.shape
    ink, ground = colour_pair(rng)
    picture = textured_background(rng, ground, height, width, roughness)
    if rng.random() < 0.1:
        picture = _split_background(rng, picture, ink)
    fill: np.ndarray = ink
    pick = rng.random()
    if outlined or pick < 0.14:  # an edge of a third colour around each letter
        edge = _edge_colour(rng, ink) if not outlined else (np.float32(255) - ink)
        if not outlined and rng.random() < 0.25:
            picture = _extrude(rng, picture, mask, ink, ground)
        reach = int(rng.integers(2, 5))
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
        if rng.random() < 0.3:  # and a second edge around it
            wide = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (4 * reach + 1, 4 * reach + 1))
            picture = alpha_blend(picture, cv2.dilate(mask, wide), ink)
        picture = alpha_blend(picture, cv2.dilate(mask, kernel), edge.astype(np.float32))
    elif pick < 0.29:  # a shadow: soft or hard, close or as from the wall behind
        dx, dy = (int(v) for v in rng.integers(-5, 6, 2))
        shadow = cv2.warpAffine(mask, np.array([[1, 0, dx], [0, 1, dy]], np.float32), (width, height))
        if rng.random() < 0.6:
            shadow = cv2.GaussianBlur(shadow, (0, 0), rng.uniform(0.6, 3.0))
        tone = ground * np.float32(rng.uniform(0.2, 0.7)) if rng.random() < 0.7 else colour_pair(rng)[0]
        picture = alpha_blend(picture, shadow * np.float32(rng.uniform(0.4, 1.0)), tone.astype(np.float32))
    elif pick < 0.37:  # deep letters: a block shadow to one side
        picture = _extrude(rng, picture, mask, ink, ground)
    elif pick < 0.41:  # lit letters in the dark, or against the sun, with light over their edges
        bloom = cv2.GaussianBlur(mask, (0, 0), rng.uniform(1.0, 3.0))
        fill = np.maximum(ink, rng.uniform(215, 255)).astype(np.float32)
        picture = alpha_blend(picture, np.minimum(bloom * np.float32(rng.uniform(0.8, 1.4)), 1), fill)
    elif pick < 0.46:  # neon: the letters glow
        glow = cv2.GaussianBlur(mask, (0, 0), rng.uniform(3, 8)) * np.float32(rng.uniform(0.5, 1.3))
        picture = picture * np.float32(rng.uniform(0.15, 0.6))
        fill = np.maximum(ink, rng.uniform(190, 255)).astype(np.float32)
        picture = alpha_blend(picture, np.minimum(glow, 1) * np.float32(0.6), fill * np.float32(0.8))
    elif pick < 0.49:  # carved or embossed: two edges and hardly any colour
        light_side = cv2.warpAffine(mask, np.array([[1, 0, -1.5], [0, 1, -1.5]], np.float32), (width, height))
        dark_side = cv2.warpAffine(mask, np.array([[1, 0, 1.5], [0, 1, 1.5]], np.float32), (width, height))
        picture = picture + (light_side - dark_side)[..., None] * np.float32(rng.uniform(40, 90))
        fill = (ground * np.float32(rng.uniform(0.6, 0.85))).astype(np.float32)
    elif pick < 0.54:  # outlined letters, hollow inside
        reach = int(rng.integers(2, 4))
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach + 1, reach + 1))
        mask = cv2.dilate(mask, kernel) - 0.85 * cv2.erode(mask, kernel)
    elif pick < 0.57:  # lamps of a display panel
        mask = _dot_matrix(rng, mask)
        picture = picture * np.float32(rng.uniform(0.1, 0.5))
        fill = np.maximum(ink, rng.uniform(170, 255)).astype(np.float32)
    elif pick < 0.65:  # gloss: one colour above, another below
        fill = _gradient_fill(rng, ink, ground, height, width)
    if rng.random() < 0.12:  # worn or textured ink
        fade = 1 - np.float32(rng.uniform(0.1, 0.45)) * np.maximum(texture(rng, height, width), 0)
        mask = mask * np.clip(fade, 0.3, 1)
    picture = alpha_blend(picture, mask, fill)
    if not outlined and rng.random() < 0.1:
        picture = _on_a_wall(rng, picture)
    if rng.random() < 0.08:  # a frame or a band of another colour at the crop's edge
        thick = int(rng.integers(2, 7))
        y = 0 if rng.random() < 0.5 else height - thick
        picture[y : y + thick] = colour_pair(rng)[0]
    if rng.random() < 0.15:
        picture = jpeg(rng, picture, 50)
    return picture


def _edge_colour(rng: np.random.Generator, ink: np.ndarray) -> np.ndarray:
    """A colour around letters that differs from theirs."""
    colours = [colour_pair(rng)[int(rng.integers(2))] for _ in range(4)]
    return max(colours, key=lambda colour: min(abs(luma(colour) - luma(ink)), 60.0))


def _on_a_wall(rng: np.random.Generator, picture: FloatImage) -> FloatImage:
    """Let paint and ground follow a shutter or bricks below, or put bars in front of them."""
    height, width = picture.shape[:2]
    pick = rng.random()
    if pick < 0.45:
        return picture * (1 + shutter(rng, height, width) * np.float32(rng.uniform(0.1, 0.4)))[..., None]
    if pick < 0.75:
        joint, shade = wall_of_bricks(rng, height, width)
        picture = picture * (1 + shade * np.float32(rng.uniform(0, 0.25)))[..., None]
        mortar = np.full(3, rng.uniform(40, 220), np.float32)
        return alpha_blend(picture, joint * np.float32(rng.uniform(0.2, 0.8)), mortar)
    bars = np.zeros((height, width), np.float32)
    gap, thick = height * rng.uniform(0.45, 1.1), max(1, round(height * rng.uniform(0.02, 0.05)))
    lean = height * rng.normal(0, 0.1)
    for x in np.arange(rng.uniform(0, gap), width + gap, gap):
        cv2.line(bars, (int(x - lean), -1), (int(x + lean), height), 1.0, thick, cv2.LINE_AA)
    if rng.random() < 0.15:  # a lattice
        bars = np.maximum(bars, np.roll(bars[:, ::-1], thick, axis=1))
    tone = colour_pair(rng)[0]
    shadow = cv2.warpAffine(bars, np.array([[1, 0, thick], [0, 1, 0]], np.float32), (width, height))
    return alpha_blend(picture * (1 - np.float32(0.3) * shadow)[..., None], bars, tone)


def put_on_board(rng: np.random.Generator, picture: FloatImage, box: np.ndarray, scenery: FloatImage) -> FloatImage:
    """Keep a board around the word from `picture`, and replace the rest by `scenery` of the same size.

    box: left, top, right, bottom of the word in pixels.
    """
    height = box[3] - box[1]
    room = rng.uniform(0.08, 0.45, 4) * height * np.array([-1, -1, 1, 1])
    left, top, right, bottom = box + room
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    corners = corners + rng.normal(0, 0.03 * height, (4, 2))
    board = cv2.fillPoly(np.zeros(picture.shape[:2], np.float32), [corners.astype(np.int32)], 1.0, cv2.LINE_AA)
    return alpha_blend(scenery, board, picture)


def _extrude(
    rng: np.random.Generator, picture: FloatImage, mask: Mask, ink: np.ndarray, ground: np.ndarray
) -> FloatImage:
    """The sides of three-dimensional letters, seen from a corner."""
    reach = int(rng.integers(2, 9))
    kernel = np.eye(reach, dtype=np.uint8) if rng.random() < 0.5 else np.fliplr(np.eye(reach, dtype=np.uint8))
    shade = np.float32(rng.uniform(0.25, 0.65))
    tone = (ink * shade, ground * shade, colour_pair(rng)[0])[int(rng.integers(3))]
    anchor = ((0, 0), (reach - 1, 0), (0, reach - 1), (reach - 1, reach - 1))[int(rng.integers(4))]
    return alpha_blend(picture, cv2.dilate(mask, kernel, anchor=anchor, borderType=cv2.BORDER_REPLICATE), tone)


def _split_background(rng: np.random.Generator, picture: FloatImage, ink: np.ndarray) -> FloatImage:
    """A second ground begins inside the crop at a straight edge. Both grounds differ from the ink."""
    height, width = picture.shape[:2]
    second = next((c for c in (colour_pair(rng)[1] for _ in range(8)) if abs(luma(c) - luma(ink)) > 70), None)
    if second is None:
        return picture
    other = textured_background(rng, second, height, width, roughness=1.0)
    if rng.random() < 0.5:
        x = int(rng.uniform(0.1, 0.9) * width)
        picture[:, x:] = other[:, x:]
    else:
        y = int(rng.uniform(0.15, 0.85) * height)
        picture[y:] = other[y:]
    return picture


def _dot_matrix(rng: np.random.Generator, mask: Mask) -> Mask:
    """The word as rows of lamps: 16 to 26 rows, each lamp a disc."""
    height, width = mask.shape
    rows = int(rng.integers(16, 27))
    columns = max(2, round(width * rows / height))
    lamp = cv2.circle(np.zeros((8, 8), np.float32), (4, 4), int(rng.integers(2, 5)), 1.0, -1, cv2.LINE_AA)
    lit = cv2.resize(mask, (columns, rows), interpolation=cv2.INTER_AREA)
    panel = np.kron((lit > 0.4).astype(np.float32), np.maximum(lamp, rng.uniform(0, 0.4)))
    return cv2.resize(panel.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)


def _gradient_fill(
    rng: np.random.Generator, ink: np.ndarray, ground: np.ndarray, height: int, width: int
) -> np.ndarray:
    """A fill from the ink's colour to a related one, as a gradient or with a sharp edge, [H, W, 3].

    Both colours are lighter than the ground, or both are darker.
    """
    far = 255.0 if luma(ink) > luma(ground) else 0.0
    other = ink + (np.float32(far) - ink) * np.float32(rng.uniform(0.3, 0.9))
    ramp = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    if rng.random() < 0.4:  # a hard edge at half height: chrome
        ramp = 1 / (1 + np.exp(-(ramp - np.float32(rng.uniform(0.35, 0.65))) * 30))
    fill = ink + (other - ink) * (ramp if rng.random() < 0.5 else 1 - ramp)
    return np.broadcast_to(fill, (height, width, 3)).astype(np.float32)
