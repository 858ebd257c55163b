"""Textures and colours of words and grounds: paper, paint, light. No photographs are used."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

FloatImage = np.ndarray
"""float32 [H, W, 3], RGB in 0..255."""

LUMA = np.array([0.299, 0.587, 0.114], np.float32)


@lru_cache(maxsize=1)
def _tiles() -> list[np.ndarray]:
    """A fixed set of 256x256 gray textures with mean 0 and range about -1..1: clouds, grain, fibres, blobs, edges.

    They are made once per process from a fixed seed, so that a word's picture depends only on the word's seed.
    """
    rng = np.random.default_rng(20260101)
    tiles = []
    for number in range(48):
        total = np.zeros((256, 256), np.float32)
        decay = rng.uniform(0.45, 0.8)
        stretch = (1, 1) if number % 3 else ((1, 6) if rng.random() < 0.5 else (6, 1))
        for octave in range(1, 7):
            cells = (max(2, 2**octave // stretch[0]), max(2, 2**octave // stretch[1]))
            noise = rng.standard_normal(cells).astype(np.float32)
            total += decay**octave * cv2.resize(noise, (256, 256), interpolation=cv2.INTER_CUBIC)
        if number % 4 == 1:  # hard-edged blobs: peeling paint, leaves, shadows
            total = np.tanh(6 * total)
        if number % 4 == 2:  # things in the background: boxes and lines
            for _ in range(int(rng.integers(3, 12))):
                x, y, w, h = (int(v) for v in rng.integers(0, 256, 4))
                tone, thick = float(rng.uniform(-2, 2)), int(rng.choice([-1, 1, 3]))
                cv2.rectangle(total, (x, y), (x + w // 2, y + h // 3), tone, thick)
        total -= total.mean()
        tiles.append(total / (2 * total.std() + 1e-6))
    return tiles


def texture(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """float32 [H, W] of mean about 0 and range about -1..1."""
    tile = _tiles()[int(rng.integers(48))]
    side_y, side_x = (int(v) for v in rng.integers(24, 200, 2))
    y, x = int(rng.integers(256 - side_y)), int(rng.integers(256 - side_x))
    return cv2.resize(tile[y : y + side_y, x : x + side_x], (width, height), interpolation=cv2.INTER_LINEAR)


def luma(colour: np.ndarray) -> float:
    """Brightness of an RGB colour, 0..255."""
    return float(colour @ LUMA)


def _colour(rng: np.random.Generator) -> np.ndarray:
    """A colour of paint: mostly strong hues, whites, blacks and grays."""
    pick = rng.random()
    if pick < 0.22:
        base = np.full(3, rng.uniform(205, 255))
    elif pick < 0.40:
        base = np.full(3, rng.uniform(0, 60))
    elif pick < 0.52:
        base = np.full(3, rng.uniform(60, 205))
    else:  # a hue at full saturation, darkened or washed out
        hue = rng.uniform(0, 6)
        base = 255 * np.clip(np.abs((hue + np.array([0, 4, 2])) % 6 - 3) - 1, 0, 1)
        base = base * rng.uniform(0.35, 1) if rng.random() < 0.5 else base + (255 - base) * rng.uniform(0, 0.7)
    return np.clip(base + rng.normal(0, 9, 3), 0, 255).astype(np.float32)


def colour_pair(rng: np.random.Generator, low: float = 45.0) -> tuple[np.ndarray, np.ndarray]:
    """Ink and ground whose brightness differs by at least `low` of 255; most pairs differ by far more."""
    wanted = low if rng.random() < 0.15 else max(low, 85.0)
    for _ in range(12):
        ink, ground = _colour(rng), _colour(rng)
        if abs(luma(ink) - luma(ground)) >= wanted:
            return ink, ground
    dark, light = np.full(3, rng.uniform(0, 70), np.float32), np.full(3, rng.uniform(180, 255), np.float32)
    return (dark, light) if rng.random() < 0.5 else (light, dark)


def print_colours(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Ink and paper of a printed page: dark on light, tinted by lamp light."""
    paper = rng.uniform(110, 255)
    tint = 1 + rng.normal(0, 0.05, 3)
    ink = rng.uniform(0, 0.55) * paper
    colour = np.full(3, ink) if rng.random() < 0.85 else np.clip(ink + rng.normal(0, 45, 3), 0, 0.7 * paper)
    return np.clip(colour * tint, 0, 255).astype(np.float32), np.clip(paper * tint, 0, 255).astype(np.float32)


def gradient(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """float32 [H, W] ramp from -1 to 1 in a random direction."""
    angle = rng.uniform(0, 2 * np.pi)
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None] * np.float32(np.sin(angle))
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :] * np.float32(np.cos(angle))
    return np.clip(y + x, -1, 1)


def textured_background(
    rng: np.random.Generator, colour: np.ndarray, height: int, width: int, roughness: float
) -> FloatImage:
    """Draw a surface of one colour. Chance may add a gradient and a texture."""
    surface = np.empty((height, width, 3), np.float32)
    surface[:] = colour
    if rng.random() < 0.4:
        surface += (gradient(rng, height, width) * rng.uniform(4, 45) * roughness)[..., None]
    if rng.random() < 0.6:
        shade = texture(rng, height, width)
        amount = rng.uniform(2, 40) * roughness
        if rng.random() < 0.4:  # coloured variation: posters, scenery
            surface += shade[..., None] * rng.normal(0, amount, 3).astype(np.float32)
        else:
            surface += (shade * amount)[..., None]
    return surface


def pattern(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Lines of stripes, a grid or bricks, straight or turned: float32 [H, W], 0..1, with 1 on the lines."""
    angle = 0.0 if rng.random() < 0.5 else rng.uniform(0, np.pi)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    period = rng.uniform(4, 40)
    line = (np.mod(along, period) / period < rng.uniform(0.08, 0.6)).astype(np.float32)
    if rng.random() < 0.5:
        second = rng.uniform(4, 40)
        shift = period / 2 * np.mod(np.floor(across / second), 2) if rng.random() < 0.5 else 0  # bricks
        line = (np.mod(along + shift, period) / period < 0.12).astype(np.float32)
        line = np.maximum(line, (np.mod(across, second) / second < rng.uniform(0.08, 0.3)).astype(np.float32))
    blurred: np.ndarray = cv2.GaussianBlur(line, (0, 0), rng.uniform(0.4, 1.2))
    return blurred


def shutter(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Shading of a shutter's slats or of corrugated iron, float32 [H, W], about -1..1."""
    period = height * rng.uniform(0.06, 0.3)
    slat = np.mod(np.arange(height, dtype=np.float32) / np.float32(period) + np.float32(rng.random()), 1)
    round_slat = np.sin(2 * np.pi * slat) if rng.random() < 0.5 else 1 - 2 * slat
    groove = -2 * (slat < 0.12).astype(np.float32)
    lit = np.clip(round_slat * np.float32(rng.uniform(0.2, 0.7)) + groove * np.float32(rng.uniform(0, 0.5)), -1, 1)
    return np.repeat(lit.astype(np.float32)[:, None], width, axis=1)


def wall_of_bricks(rng: np.random.Generator, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Joints between bricks, float32 [H, W] in 0..1, and the shade of each brick, float32 [H, W], about -1..1."""
    course = height * rng.uniform(0.15, 0.4)
    length = course * rng.uniform(2.0, 3.5)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    level = y / course + rng.random()
    row = np.floor(level)
    shifted = x / length + 0.5 * np.mod(row, 2) + rng.random()
    joint = np.maximum(np.mod(level, 1) < 0.1, np.mod(shifted, 1) < 0.1 * course / length)
    rows = (row - row.min()).astype(np.intp)
    columns = np.floor(shifted).astype(np.intp)
    shade = rng.standard_normal((rows.max() + 1, columns.max() + 1)).astype(np.float32)[rows, columns]
    return cv2.GaussianBlur(joint.astype(np.float32), (0, 0), 0.7), np.clip(0.5 * shade, -1, 1)
