"""Stroke augmentation: changes as by a painter's hand or a worn press, so that few typefaces look like many.

Strokes become heavier or lighter. Some are drawn with another pen or with a brush, full or dry. Corners become round,
stems or bars thick. Letters dance, wobble, or get cuts and inlines. Head lines get gaps or vanish. A change that would
close a letter's counters or break its strokes is discarded, so that the word stays the same.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from scriptkd_train.synth.typeset import Mask

_PAD = 7  # margin in pixels for growing strokes
HEADLINE = ("Bengali", "Devanagari", "Gurmukhi")
"""Scripts whose letters hang from a head line (shirorekha)."""
_HEADLINE_CHANGED = 0.06  # share of these scripts' words with a changed head line, if the letters allow it


def augment_strokes(rng: np.random.Generator, mask: Mask, headline: bool = False) -> np.ndarray:
    """float32 [H, W, 2]: the ink as painted, and the ink as typeset, which a reader should still see.

    headline: whether the script is in `HEADLINE`.
    """
    if headline and rng.random() < _HEADLINE_CHANGED:
        mask = _change_headline(rng, mask)
    if rng.random() < 0.10:
        mask = _jitter_letters(rng, mask)
    clean = mask
    pick = rng.random()
    augment = next((change for share, change in _AUGMENTATIONS if pick < share), None)
    if augment is not None:
        padded = np.pad(mask, _PAD)
        changed = augment(rng, padded)
        if _topology_kept(padded, changed):
            mask = clean = changed
    pick = rng.random()
    if pick < 0.025:
        mask = _stencil(rng, mask)
    elif pick < 0.05:
        mask = _inline(rng, mask)
    elif pick < 0.065:
        mask = _dry_brush(rng, mask)
    layers = np.dstack((mask, clean))
    return _elastic_distortion(rng, layers) if rng.random() < 0.25 else layers


def _stroke_weight(rng: np.random.Generator, mask: Mask) -> Mask:
    """Bolder or thinner strokes, in all directions or in one."""
    reach = 2 + int(rng.random() < 0.4) + int(rng.random() < 0.15)
    shape = [(reach, reach), (reach, 1), (1, reach)][int(rng.integers(3))]
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, shape)
    return cv2.dilate(mask, kernel) if rng.random() < 0.7 else cv2.erode(mask, kernel)


def _ink_spread(rng: np.random.Generator, mask: Mask) -> Mask:
    """Running ink, or a brush that rounds corners: blur and draw a new edge. A low level makes strokes bolder."""
    depth, ridge = _medial_axis(mask)
    half_stroke = float(np.median(depth[ridge])) if ridge.any() else 1.0
    blurred = cv2.GaussianBlur(mask, (0, 0), max(0.8, rng.uniform(0.4, 0.9) * half_stroke))
    return _sharpen(blurred, rng.uniform(0.3, 0.52))


def _bold_paint(rng: np.random.Generator, mask: Mask) -> Mask:
    """A sign painter's fat letters with round corners, as heavy as their counters allow."""
    for reach in (9, 7, 5, 4):
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
        fat = _sharpen(cv2.GaussianBlur(cv2.dilate(mask, kernel), (0, 0), rng.uniform(1.0, 2.0)), 0.5)
        if _topology_kept(mask, fat):
            return fat
    return mask


def _brush(rng: np.random.Generator, mask: Mask) -> Mask:
    """Strokes that swell and thin with the pressure of a brush, upright or leaning."""
    height, width = mask.shape
    if rng.random() < 0.5:
        lean = rng.uniform(0.1, 0.35)
        wider = int(width + lean * height)
        mask = cv2.warpAffine(mask, np.array([[1, -lean, lean * height], [0, 1, 0]], np.float32), (wider, height))
        width = wider
    depth, ridge = _medial_axis(mask)
    half_stroke = float(np.median(depth[ridge])) if ridge.any() else 1.0
    cells = (5, max(5, round(5 * width / height)))
    press = cv2.resize(rng.standard_normal(cells).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    blurred = cv2.GaussianBlur(mask, (0, 0), max(1.0, rng.uniform(0.6, 1.0) * half_stroke))
    return _sharpen(blurred, 0.38 + np.clip(press * 0.1, -0.18, 0.14))


def _dry_brush(rng: np.random.Generator, mask: Mask) -> Mask:
    """Streaks of the ground along the line, where a brush runs dry."""
    height, width = mask.shape
    hairs = cv2.resize(rng.random((height, max(2, width // 24)), np.float32), (width, height))
    dry = cv2.resize(rng.random((2, 3), np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    return mask * (1 - np.float32(rng.uniform(0.5, 0.9)) * (hairs > np.float32(1.35) - dry * np.float32(0.8)))


def find_headline(mask: Mask) -> tuple[int, int] | None:
    """First and end row of the head line, the rows of the upper half that are nearly full of ink; None without one."""
    full = (mask > 0.5).mean(axis=1)
    peak = int(full[: max(1, 6 * len(full) // 10)].argmax())
    if full[peak] < 0.6:
        return None
    top = bottom = peak
    while top > 0 and full[top - 1] > 0.75 * full[peak]:
        top -= 1
    while bottom < len(full) and full[bottom] > 0.75 * full[peak]:
        bottom += 1
    return (top, bottom) if bottom - top < 0.25 * len(full) else None


def _change_headline(rng: np.random.Generator, mask: Mask) -> Mask:
    """A head line with gaps between letters, or none, as in lettering."""
    rows = find_headline(mask)
    if rows is None:
        return mask
    top, bottom = rows
    changed = mask.copy()
    if rng.random() < 0.5:
        changed[max(0, top - 1) : bottom + 1] = 0
        return _cut_to_ink(changed)
    # Gaps lie where little ink hangs from the line: between letters, and sometimes beside a letter's stem.
    below = mask[bottom : bottom + max(3, mask.shape[0] // 3)].mean(axis=0)
    free = np.pad((below < 0.08).astype(np.int8), 1)
    spans = np.flatnonzero(np.diff(free)).reshape(-1, 2)
    for start, stop in spans:
        if rng.random() < 0.8:
            width = min(stop - start, max(2, round(mask.shape[0] * rng.uniform(0.06, 0.16))))
            x = (start + stop - width) // 2
            changed[max(0, top - 1) : bottom + 1, x : x + width] = 0
    return changed


def _cut_to_ink(mask: Mask) -> Mask:
    rows, columns = np.flatnonzero(mask.max(axis=1) > 0.2), np.flatnonzero(mask.max(axis=0) > 0.2)
    if not len(rows):
        return mask
    return np.ascontiguousarray(mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def _stroke_contrast(rng: np.random.Generator, mask: Mask) -> Mask:
    """Thick stems and thin bars, or thick bars and thin stems."""
    grow, shrink = int(rng.integers(3, 6)), 2
    along, across = ((grow, 1), (1, shrink)) if rng.random() < 0.6 else ((1, grow), (shrink, 1))
    return cv2.erode(cv2.dilate(mask, np.ones(along[::-1], np.uint8)), np.ones(across[::-1], np.uint8))


def _redraw_with_pen(rng: np.random.Generator, mask: Mask) -> Mask:
    """The letters' centre lines, redrawn with a round pen or a slanted broad nib."""
    depth, ridge = _medial_axis(mask)
    if not ridge.any():
        return mask
    width = 2 * float(np.median(depth[ridge])) * rng.uniform(0.5, 1.15)
    size = int(np.clip(round(width - 1.5), 2, 11))  # less the width of the ridge, one or two pixels
    if rng.random() < 0.5:
        nib = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    else:
        nib = np.zeros((size + 2, size + 2), np.uint8)
        middle, angle = (size + 2) // 2, np.radians(rng.uniform(20, 70) * rng.choice((-1, 1)))
        reach = 0.6 * size * np.array([np.cos(angle), np.sin(angle)])
        ends = [tuple(int(v) for v in np.round(middle + sign * reach)) for sign in (-1, 1)]
        cv2.line(nib, ends[0], ends[1], 1, 2)
    return _sharpen(cv2.GaussianBlur(cv2.dilate(ridge.astype(np.float32), nib), (0, 0), 1.4), 0.5)


def _sharpen(blurred: np.ndarray, level: float | np.ndarray) -> Mask:
    """An edge, a few pixels soft, where `blurred` crosses `level`."""
    return np.clip((blurred - np.asarray(level, np.float32)) * 4 + np.float32(0.5), 0, 1)


def _medial_axis(mask: Mask) -> tuple[np.ndarray, np.ndarray]:
    """Distance of ink to paper, float32 [H, W], and its ridges, the centre lines of strokes, bool."""
    depth = cv2.distanceTransform((mask > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    return depth, (cv2.Laplacian(depth, cv2.CV_32F, ksize=1) < -0.75) & (depth > 0.9)


_AUGMENTATIONS: tuple[tuple[float, Callable[[np.random.Generator, Mask], Mask]], ...] = (
    (0.22, _stroke_weight),
    (0.34, _ink_spread),
    (0.41, _stroke_contrast),
    (0.45, _redraw_with_pen),
    (0.51, _bold_paint),
    (0.56, _brush),
)
"""Pairs of the cumulative share of words and the change."""


def _topology_kept(before: Mask, after: Mask) -> bool:
    """Whether counters are still open, strokes unbroken, and the amount of ink similar."""
    ink, changed = (before > 0.5).astype(np.uint8), (after > 0.5).astype(np.uint8)
    if not 0.4 * ink.sum() < changed.sum() < 2.2 * ink.sum():
        return False
    holes, holes_left = (cv2.connectedComponents(1 - each, connectivity=4)[0] - 2 for each in (ink, changed))
    parts, parts_now = (cv2.connectedComponents(each, connectivity=8)[0] - 1 for each in (ink, changed))
    return holes_left >= 0.75 * holes and 0.5 * parts <= parts_now <= 1.3 * parts + 0.5


def _jitter_letters(rng: np.random.Generator, mask: Mask) -> Mask:
    """Letters in separate columns, each slightly turned, raised, scaled and shifted.

    Letters joined by a head line or by their script stay together.
    """
    inked = np.pad(mask.max(axis=0) > 0.2, 1)
    edges = np.flatnonzero(np.diff(inked.astype(np.int8)))
    spans = edges.reshape(-1, 2)
    if len(spans) < 2:
        return mask
    height, width = mask.shape
    strength = rng.uniform(0.3, 1.0)
    apart = rng.uniform(-0.02, 0.12) * height
    rise = int(0.2 * height) + 2
    canvas = np.zeros((height + 2 * rise, int(width * 1.2 + max(apart, 0) * len(spans)) + 4 * rise), np.float32)
    shift = float(rise)
    for start, stop in spans:
        letter = mask[:, start:stop]
        turn = rng.normal(0, 5) * strength
        scale = float(np.exp(rng.normal(0, 0.09) * strength))
        matrix = cv2.getRotationMatrix2D(((stop - start) / 2, height / 2), turn, scale)
        matrix[0, 2] += start + shift
        matrix[1, 2] += rise + float(np.clip(rng.normal(0, 0.05) * strength, -0.12, 0.12)) * height
        placed = cv2.warpAffine(letter, matrix, canvas.shape[::-1], flags=cv2.INTER_LINEAR)
        np.maximum(canvas, placed, out=canvas)
        shift += apart
    return _cut_to_ink(canvas)


def _stencil(rng: np.random.Generator, mask: Mask) -> Mask:
    """Bridges of a stencil: thin slanted gaps through the letters, one for every one or two letters."""
    height, width = mask.shape
    gaps = np.ones_like(mask)
    slant = rng.normal(0, 0.15) * height
    x = rng.uniform(0.1, 0.6) * height
    while x < width:
        cv2.line(gaps, (int(x - slant), 0), (int(x + slant), height), 0.0, max(2, round(0.035 * height)), cv2.LINE_AA)
        x += rng.uniform(0.8, 1.6) * height
    cut: Mask = mask * gaps
    return cut


def _inline(rng: np.random.Generator, mask: Mask) -> Mask:
    """A thin line of the ground inside bold strokes. Light strokes have no room for it."""
    depth, ridge = _medial_axis(mask)
    line = cv2.dilate((ridge & (depth > 3.2)).astype(np.float32), np.ones((2, 2), np.uint8))
    lined: Mask = mask * (1 - np.float32(rng.uniform(0.6, 1.0)) * line)
    return lined


def _elastic_distortion(rng: np.random.Generator, layers: np.ndarray) -> np.ndarray:
    """Wavering strokes: slowly from letter to letter, or with the tremor of a brush."""
    height, width = layers.shape[:2]
    fine = rng.random() < 0.3
    reach = rng.uniform(0.008, 0.02) * height if fine else rng.uniform(0.015, 0.05) * height
    rows = 7 if fine else 3
    cells = (rows, max(rows, round(rows * width / height)))
    shift = [
        cv2.resize(rng.standard_normal(cells).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
        for _ in range(2)
    ]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return cv2.remap(layers, x + shift[0] * np.float32(reach), y + shift[1] * np.float32(reach), cv2.INTER_LINEAR)
