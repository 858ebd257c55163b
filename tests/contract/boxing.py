"""Computes boxes from a detector's map as sdk/contract/words.md says, in whole numbers wherever possible."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

LONGEST, STEP = 640, 32  # pixels: of the detector's input
ABOVE = 0.3  # probability: of a pixel of text
THINNEST = 3  # pixels of the map: the shorter side
SUREST = 0.5  # the least mean probability
GROWTH = 1.6  # the detector's training shrank its words so that this undoes it
MOST = 1000  # boxes

Map = NDArray[np.float32]
Point = tuple[int, int]


@dataclass(frozen=True)
class Box:
    """Where text is: four corners (x, y) clockwise from the top left, and the mean probability."""

    corners: tuple[tuple[float, float], ...]
    score: float

    @property
    def centre(self) -> tuple[float, float]:
        """The mean of the corners."""
        (x0, y0), (x1, y1), (x2, y2), (x3, y3) = self.corners
        return (x0 + x1 + x2 + x3) / 4, (y0 + y1 + y2 + y3) / 4

    @property
    def height(self) -> float:
        """The length of the side from the top left to the bottom left."""
        (x0, y0), _, _, (x3, y3) = self.corners
        return math.sqrt((x3 - x0) ** 2 + (y3 - y0) ** 2)


def input_size(width: int, height: int) -> tuple[int, int]:
    """Width and height of the detector's input for a picture of that size, in pixels."""
    longest = max(width, height)

    def side(length: int) -> int:
        return STEP * max(1, (2 * LONGEST * length + STEP * longest) // (2 * STEP * longest))

    return side(width), side(height)


def boxes(probabilities: Map, width: int, height: int) -> list[Box]:
    """The boxes of a map, [H, W], in order, in pixels of the picture of that size."""
    rows, columns = probabilities.shape
    found: list[tuple[float, Box]] = []
    for points in components(probabilities > np.float32(ABOVE)):
        (ex, ey), (a, b, c, d) = rectangle(hull(points))
        length = math.sqrt(ex * ex + ey * ey)
        u, v = (b - a) / length, (d - c) / length
        if min(u, v) < THINNEST:
            continue
        score = mean_within(probabilities, (ex, ey), (a, b, c, d))
        if score < SUREST:
            continue
        grown = GROWTH * u * v / (2 * (u + v)) * length
        a, b, c, d = a - grown, b + grown, c - grown, d + grown  # type: ignore[assignment]
        square = ex * ex + ey * ey
        corners = [
            ((s * ex - t * ey) / square * width / columns, (s * ey + t * ex) / square * height / rows)
            for s, t in ((a, c), (b, c), (b, d), (a, d))
        ]
        first = min(range(4), key=lambda i: (corners[i][0] + corners[i][1], corners[i][1]))
        found.append((u * v, Box(tuple(corners[first:] + corners[:first]), score)))
    found.sort(key=lambda each: -each[0])  # stable, as all sorting here
    return in_lines([box for _, box in found[:MOST]])


def components(text: NDArray[np.bool_]) -> list[list[Point]]:
    """The corners (x, y) of the pixels of text, a list for each component, by its first corner in rows from the top."""
    rows, columns = text.shape
    lattice = np.zeros((rows + 1, columns + 1), np.uint8)
    for down in (0, 1):
        for right in (0, 1):
            lattice[down : down + rows, right : right + columns] |= text
    _, labels = cv2.connectedComponents(lattice, connectivity=8)
    groups: dict[int, list[Point]] = {}
    for y, x in np.argwhere(lattice).tolist():
        groups.setdefault(int(labels[y, x]), []).append((x, y))
    return list(groups.values())


def hull(points: list[Point]) -> list[Point]:
    """The convex hull, clockwise as seen, from the topmost point on, the leftmost of those; no three are in a line."""

    def chain(ordered: list[Point]) -> list[Point]:
        kept: list[Point] = []
        for x, y in ordered:
            while len(kept) > 1 and cross(kept[-2], kept[-1], (x, y)) <= 0:
                kept.pop()
            kept.append((x, y))
        return kept[:-1]

    ordered = sorted(points, key=lambda point: (point[1], point[0]))
    return chain(ordered) + chain(ordered[::-1])


def cross(one: Point, two: Point, three: Point) -> int:
    """Positive where the way over three points turns clockwise as it is seen, y pointing down."""
    return (two[0] - one[0]) * (three[1] - two[1]) - (two[1] - one[1]) * (three[0] - two[0])


def rectangle(corners: list[Point]) -> tuple[Point, tuple[int, int, int, int]]:
    """The least rectangle along an edge e of a hull: e, and the limits a, b of p·e and c, d of p×e."""
    best, least = None, math.inf
    for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
        ex, ey = x1 - x0, y1 - y0
        along = [x * ex + y * ey for x, y in corners]
        across = [y * ex - x * ey for x, y in corners]
        a, b, c, d = min(along), max(along), min(across), max(across)
        area = (b - a) * (d - c) / (ex * ex + ey * ey)
        if area < least:
            best, least = ((ex, ey), (a, b, c, d)), area
    assert best is not None
    return best


def mean_within(probabilities: Map, e: Point, limits: tuple[int, int, int, int]) -> float:
    """The mean over the pixels whose centres are in the rectangle or on its edge."""
    (ex, ey), (a, b, c, d) = e, limits
    y, x = np.indices(probabilities.shape)
    along = (2 * x + 1) * ex + (2 * y + 1) * ey
    across = (2 * y + 1) * ex - (2 * x + 1) * ey
    inside = (2 * a <= along) & (along <= 2 * b) & (2 * c <= across) & (across <= 2 * d)
    return float(probabilities[inside].astype(np.float64).mean())


def in_lines(found: list[Box]) -> list[Box]:
    """The boxes line by line from the top, each line from the left."""
    lines: list[list[Box]] = []
    for box in sorted(found, key=lambda each: each.centre[1]):
        line = lines[-1] if lines else []
        if line:
            middle = sum(each.centre[1] for each in line) / len(line)
            height = sum(each.height for each in line) / len(line)
        if line and box.centre[1] - middle < min(box.height, height) / 2:
            line.append(box)
        else:
            lines.append([box])
    return [box for line in lines for box in sorted(line, key=lambda each: each.centre[0])]
