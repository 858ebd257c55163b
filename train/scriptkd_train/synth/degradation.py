"""Degradation as by a camera, a scanner or a video frame: light, blur, noise, resolution, JPEG.

The strength of each degradation is bounded so that it alone leaves a word legible. Several together make a few words
illegible.
"""

from __future__ import annotations

import cv2
import numpy as np

from scriptkd_train.synth.textures import FloatImage, gradient, texture


def _clipped(picture: np.ndarray) -> FloatImage:
    clipped: FloatImage = np.clip(picture, 0, 255)
    return clipped


def vary_light(rng: np.random.Generator, picture: FloatImage) -> FloatImage:
    """Uneven light: a shadow's or a lamp's gradient, glare, gamma, faded or washed-out contrast."""
    height, width = picture.shape[:2]
    if rng.random() < 0.3:
        picture = picture * (1 + gradient(rng, height, width) * rng.uniform(0.05, 0.35))[..., None]
    if rng.random() < 0.08:
        spot = np.maximum(texture(rng, height, width), 0) * rng.uniform(20, 70)
        picture = picture + spot[..., None]
    if rng.random() < 0.35:
        level = np.clip(picture, 0, 255) * np.float32(1 / 255)
        picture = np.power(level, np.float32(np.exp(np.clip(rng.normal(0, 0.3), -0.6, 0.6)))) * 255
    if rng.random() < 0.45:  # haze, exposure and tint
        pick = rng.random()
        if pick < 0.06:  # dusk, a lamp gone out
            gain, lift = rng.uniform(0.2, 0.5), rng.uniform(0, 10)
        elif pick < 0.12:  # washed out by sun, fog or years
            gain, lift = rng.uniform(0.2, 0.45), rng.uniform(70, 150)
        else:
            gain, lift = rng.uniform(0.5, 1.15), rng.uniform(-10, 70)
        tint = (1 + rng.normal(0, 0.05, 3)).astype(np.float32)
        picture = picture * np.float32(gain) * tint + np.float32(lift)
    return _clipped(picture)


def blur(rng: np.random.Generator, picture: FloatImage, text_height: float, strength: float) -> FloatImage:
    """Defocus or motion blur, bounded by the height of the text, so that letters stay apart."""
    pick = rng.random()
    if pick < 0.5:
        # Mostly slightly out of focus; some crops show a board that was not in the camera's focus.
        far_off = pick < 0.04 * strength
        share = rng.uniform(0.05, 0.1) if far_off else min(abs(rng.normal(0, 0.022 * strength)), 0.065)
        sigma = share * text_height
        return cv2.GaussianBlur(picture, (0, 0), sigma) if sigma > 0.25 else picture
    if pick < 0.65:
        length = min(abs(rng.normal(0, 0.06 * strength)), 0.14) * text_height
        size = int(length) | 1
        if size < 3:
            return picture
        kernel = np.zeros((size, size), np.float32)
        angle = rng.uniform(0, np.pi)
        dx, dy = np.cos(angle) * size / 2, np.sin(angle) * size / 2
        centre = size / 2 - 0.5
        cv2.line(
            kernel,
            (round(centre - dx), round(centre - dy)),
            (round(centre + dx), round(centre + dy)),
            1.0,
        )
        return cv2.filter2D(picture, -1, kernel / kernel.sum())
    return picture


def noise(rng: np.random.Generator, picture: FloatImage, strength: float) -> FloatImage:
    """Sensor noise: gray or coloured grain, of pixel size or coarser."""
    sigma = abs(rng.normal(0, 7 * strength))
    if sigma < 1:
        return picture
    height, width = picture.shape[:2]
    grain: np.ndarray
    if rng.random() < 0.5:
        grain = rng.standard_normal((height, width, 1), np.float32)
    else:
        grain = rng.standard_normal((height, width, 3), np.float32)
    if rng.random() < 0.4:
        grain = cv2.GaussianBlur(grain, (3, 3), 0.8).reshape(grain.shape) * 2
    noisy: FloatImage = picture + grain * np.float32(sigma)
    return noisy


def resample(picture: FloatImage, height: int) -> FloatImage:
    """Scale to `height` pixels with the aspect kept. A picture that shrinks is averaged by area."""
    width = max(2, round(picture.shape[1] * height / picture.shape[0]))
    shrink = height < picture.shape[0]
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA if shrink else cv2.INTER_LINEAR)


def jpeg(rng: np.random.Generator, picture: FloatImage, lowest: int) -> FloatImage:
    """One round of JPEG compression with 4:2:0 chroma."""
    pixels = np.clip(picture, 0, 255).astype(np.uint8)
    quality = int(rng.integers(lowest, 96))
    _, data = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert decoded is not None  # it was encoded above
    return decoded[..., ::-1].astype(np.float32)


def interlace(rng: np.random.Generator, picture: FloatImage) -> FloatImage:
    """Shift every other line, as in an interlaced frame of a moving caption."""
    shifted = picture.copy()
    shifted[1::2] = np.roll(picture[1::2], int(rng.integers(1, 3)), axis=1)
    return shifted


def photograph(rng: np.random.Generator, picture: FloatImage, height: int, lines: float = 1.0) -> FloatImage:
    """A camera: light, blur, then sensor pixels with noise, sometimes upscaled, sharpened and compressed.

    lines: the picture's height in text lines, which bounds blur and loss of resolution.
    """
    picture = vary_light(rng, picture)
    if rng.random() < 0.03:  # a distant road sign seen from a car: few pixels, and a shaking camera
        picture = highway(rng, picture, lines)
    else:
        picture = blur(rng, picture, picture.shape[0] * 0.75 / lines, 1.0)
    if rng.random() < 0.3:  # upscaled: zoomed in, or a frame of low resolution
        picture = resample(picture, int(np.clip(height * rng.uniform(0.4, 0.9), 14 * lines, picture.shape[0])))
        if rng.random() < 0.5:
            picture = jpeg(rng, picture, 35)
    picture = noise(rng, resample(picture, height), 1.0)
    if rng.random() < 0.12:
        soft = cv2.GaussianBlur(picture, (0, 0), 1.0)
        picture = picture + (picture - soft) * np.float32(rng.uniform(0.4, 1.5))
    if rng.random() < 0.7:
        picture = jpeg(rng, picture, 30)
    return _clipped(picture)


def highway(rng: np.random.Generator, picture: FloatImage, lines: float) -> FloatImage:
    """A road sign from a car: few pixels per letter, motion blur, and reflective sheeting that glows in lamp light."""
    picture = resample(picture, int(np.clip(rng.uniform(13, 20) * lines, 13, picture.shape[0])))
    reach = int(rng.integers(1, 4))
    kernel = np.ones((1, reach) if rng.random() < 0.7 else (reach, 1), np.float32) / reach
    picture = cv2.GaussianBlur(cv2.filter2D(picture, -1, kernel), (0, 0), rng.uniform(0.4, 0.8))
    if rng.random() < 0.3:
        glow = cv2.GaussianBlur(np.maximum(picture - 150, 0), (0, 0), 2.0)
        picture = np.clip(picture + glow * np.float32(rng.uniform(0.3, 0.8)), 0, 255)
    return picture


def video(rng: np.random.Generator, picture: FloatImage, height: int, lines: float = 1.0) -> FloatImage:
    """A frame of broadcast video: few lines, interlacing, strong compression. lines: see `photograph`."""
    small = int(np.clip(height * rng.uniform(0.45, 1.0), 14 * lines, 48 * lines))
    picture = resample(blur(rng, vary_light(rng, picture), picture.shape[0] * 0.75 / lines, 0.8), small)
    if rng.random() < 0.25:
        picture = interlace(rng, picture)
    picture = noise(rng, jpeg(rng, picture, 25), 0.6)
    return _clipped(resample(picture, height))


def scan(rng: np.random.Generator, mask: np.ndarray, height: int) -> FloatImage:
    """A scanned page: ink that spreads or breaks, in black and white, gray, or on gray paper. Returns gray RGB.

    mask: float32 [H, W], 1 for ink.
    """
    scanned = resample(mask, max(16, min(height, mask.shape[0])))
    rows, columns = scanned.shape
    spread = rng.uniform(0.3, 1.0)
    wear = abs(rng.normal(0, 0.11)) + (rng.uniform(0.0, 0.2) if rng.random() < 0.25 else 0.0)
    ink = cv2.GaussianBlur(scanned, (0, 0), spread)
    # Thin strokes blur to gray. So the threshold of ink follows this word's own strokes, and none vanishes.
    strokes = ink[scanned > 0.5]
    ink = ink / np.float32(max(0.3, strokes.mean() if len(strokes) else 1.0))
    ink = ink + texture(rng, rows, columns) * np.float32(wear * 0.6)
    ink = ink + cv2.GaussianBlur(rng.standard_normal((rows, columns), np.float32), (0, 0), 0.7) * np.float32(wear)
    if rng.random() < 0.6:
        level, soft = rng.uniform(0.35, 0.65), rng.uniform(0.02, 0.25)
        ink = 1 / (1 + np.exp(-np.clip((ink - np.float32(level)) / np.float32(soft * 0.5), -30, 30)))
        ink = cv2.GaussianBlur(ink, (0, 0), rng.uniform(0.3, 0.7))
    if rng.random() < 0.15:  # dirt and dropouts
        for _ in range(int(rng.integers(1, 7))):
            centre = (int(rng.integers(columns)), int(rng.integers(rows)))
            cv2.circle(ink, centre, int(rng.integers(1, 3)), float(rng.integers(0, 2)), -1)
    paper = 255.0 if rng.random() < 0.5 else rng.uniform(150, 250)
    black = 0.0 if rng.random() < 0.4 else rng.uniform(0, 0.45) * paper
    gray = paper + (black - paper) * np.clip(ink, 0, 1)
    if rng.random() < 0.3:
        gray = gray + texture(rng, rows, columns) * np.float32(rng.uniform(2, 14))
    if rng.random() < 0.4:
        gray = gray + rng.standard_normal((rows, columns), np.float32) * np.float32(rng.uniform(1, 10))
    picture = np.repeat(np.clip(gray, 0, 255)[..., None], 3, axis=2).astype(np.float32)
    picture = resample(picture, height)
    if rng.random() < 0.5:
        picture = jpeg(rng, picture, 35)
    return _clipped(picture)


def bilevel_scan(rng: np.random.Generator, mask: np.ndarray, height: int) -> FloatImage:
    """A clean scan in black and white: crisp edges, with random broken strokes and specks. Returns gray RGB."""
    rows = max(24, min(height, mask.shape[0]))
    ink = resample(mask, rows)
    grain = cv2.GaussianBlur(rng.standard_normal(ink.shape, np.float32), (0, 0), 0.8)
    level = rng.uniform(0.3, 0.6) if ink.max() > 0.7 else 0.3
    ink = (ink + grain * np.float32(abs(rng.normal(0, 0.12))) > level).astype(np.float32)
    if rng.random() < 0.3:
        for _ in range(int(rng.integers(1, 6))):
            spot = (int(rng.integers(ink.shape[1])), int(rng.integers(rows)))
            cv2.circle(ink, spot, int(rng.integers(0, 3)), 1.0, -1)
    picture = resample(np.repeat(((1 - ink) * 255)[..., None], 3, axis=2).astype(np.float32), height)
    return _clipped(jpeg(rng, picture, 60) if rng.random() < 0.5 else picture)
