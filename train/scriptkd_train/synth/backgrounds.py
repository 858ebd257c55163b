"""Backgrounds: pictures without text, like crops beside words: walls, foliage, railings, tiles, edges, colours."""

from __future__ import annotations

import cv2
import numpy as np

from scriptkd_train.synth.degradation import photograph, video
from scriptkd_train.synth.textures import FloatImage, colour_pair, pattern, texture, textured_background


def draw_background(rng: np.random.Generator) -> np.ndarray:
    """A random picture without text, uint8 [H, W, 3] RGB, with H in 17..96 and widths like those of words."""
    height = round(float(np.exp(rng.uniform(np.log(17), np.log(96)))))
    aspect = float(np.exp(rng.uniform(np.log(0.7), np.log(7))))
    picture = draw_scenery(rng, 56, max(16, round(56 * aspect)))
    picture = video(rng, picture, height) if rng.random() < 0.15 else photograph(rng, picture, height)
    return picture.astype(np.uint8)


def draw_scenery(rng: np.random.Generator, height: int, width: int) -> FloatImage:
    """A scene without words, before degradation: a surface, things on a ground, or a pattern."""
    colour, other = colour_pair(rng)
    picture = textured_background(rng, colour, height, width, roughness=float(rng.uniform(0.3, 2.5)))
    pick = rng.random()
    if pick < 0.12:  # a plain surface
        return picture
    if pick < 0.34:  # an object on a plain ground, as in a cut-out photograph or a drawing
        for _ in range(1 if rng.random() < 0.7 else int(rng.integers(2, 5))):
            _draw_object(rng, picture)
        return picture
    if pick < 0.48:  # two adjoining surfaces: a roof and sky, a shadow's border, leaves
        shape = texture(rng, height, width) * rng.uniform(1, 12) + rng.uniform(-1, 1)
        share = (1 / (1 + np.exp(-np.clip(shape * rng.uniform(1, 8), -30, 30)))).astype(np.float32)
        second = textured_background(rng, other, height, width, roughness=float(rng.uniform(0.3, 2.5)))
        picture = picture + share[..., None] * (second - picture)
    if pick < 0.64:  # a repeated pattern: bars, railings, bricks, tiles, shutters
        line = pattern(rng, height, width) * np.float32(rng.uniform(0.3, 1))
        picture = picture + line[..., None] * (other - picture)
    elif pick < 0.9:  # things: polygons, discs, wires
        for _ in range(int(rng.integers(1, 9))):
            _draw_shape(rng, picture)
    if rng.random() < 0.15:  # a frame's corner or a pole through the crop
        x, thick = int(rng.integers(width)), int(rng.integers(2, 16))
        cv2.line(picture, (x, 0), (x + int(rng.integers(-20, 21)), height), colour_pair(rng)[0].tolist(), thick)
    return picture


def _draw_object(rng: np.random.Generator, picture: FloatImage) -> None:
    """Draw a closed smooth shape with shading, an outline and a few inner parts: a fruit, a face, a bottle."""
    height, width = picture.shape[:2]
    angles = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    radius = 1 + sum(rng.normal(0, 0.35 / k**1.3) * np.cos(k * angles + rng.uniform(0, 6.3)) for k in range(1, 6))
    tall = rng.uniform(0.25, 0.55) * height
    across = tall * float(np.exp(rng.normal(0, 0.5)))
    centre = np.array([rng.uniform(0.2, 0.8) * width, rng.uniform(0.35, 0.65) * height])
    shape = (centre + np.stack((np.cos(angles) * across, np.sin(angles) * tall), axis=1) * radius[:, None]).astype(
        np.int32
    )
    inside = cv2.fillPoly(np.zeros((height, width), np.float32), [shape], 1.0, cv2.LINE_AA)
    colour, edge = colour_pair(rng)
    if rng.random() < 0.75:  # otherwise line art
        body = textured_background(rng, colour, height, width, roughness=float(rng.uniform(0.3, 3)))
        picture += inside[..., None] * (body - picture)
    if rng.random() < 0.6:
        cv2.polylines(picture, [shape], True, edge.tolist(), int(rng.integers(1, 5)), cv2.LINE_AA)
    for _ in range(int(rng.integers(0, 6))):  # eyes, handles, labels, stalks
        spot = tuple((centre + rng.normal(0, 0.35, 2) * (across, tall)).astype(int).tolist())
        axes = (max(1, int(across * rng.uniform(0.04, 0.4))), max(1, int(tall * rng.uniform(0.04, 0.4))))
        start, sweep = float(rng.uniform(0, 360)), float(rng.choice((360, rng.uniform(60, 200))))
        thick = -1 if rng.random() < 0.4 else int(rng.integers(1, 4))
        cv2.ellipse(
            picture, spot, axes, float(rng.uniform(0, 180)), start, start + sweep, edge.tolist(), thick, cv2.LINE_AA
        )


def _draw_shape(rng: np.random.Generator, picture: FloatImage) -> None:
    """Draw one shape into the picture: a polygon, a disc, a ring or a wire."""
    height, width = picture.shape[:2]
    colour = colour_pair(rng)[0].tolist()
    centre = rng.uniform((-0.1 * width, -0.1 * height), (1.1 * width, 1.1 * height))
    size = rng.uniform(0.1, 1.2) * height
    pick = rng.random()
    if pick < 0.5:
        angles = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 8))))
        radii = size * rng.uniform(0.4, 1, len(angles))
        corners = centre + np.stack((np.cos(angles), np.sin(angles)), axis=1) * radii[:, None]
        cv2.fillPoly(picture, [corners.astype(np.int32)], colour, cv2.LINE_AA)
    elif pick < 0.7:
        axes = (max(1, int(size / 2)), max(1, int(size * rng.uniform(0.2, 0.5))))
        thick = -1 if rng.random() < 0.6 else int(rng.integers(1, 8))
        spot = (int(centre[0]), int(centre[1]))
        cv2.ellipse(picture, spot, axes, float(rng.uniform(0, 180)), 0, 360, colour, thick, cv2.LINE_AA)
    else:
        end = rng.uniform((-0.1 * width, -0.1 * height), (1.1 * width, 1.1 * height)).astype(int).tolist()
        cv2.line(picture, centre.astype(int).tolist(), end, colour, int(rng.integers(1, 10)), cv2.LINE_AA)
