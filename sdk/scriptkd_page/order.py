"""Putting the words of a page into lines, and the lines into order, in any orientation of the page."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def in_lines(corners: Floats, right_to_left: Sequence[bool]) -> list[list[int]]:
    """Return the lines, first to last, each a list of word numbers in reading order.

    Columns are not told apart: words side by side are one line.

    Args:
        corners: [N, 4, 2], in pixels: each word's top left, top right, bottom right and bottom left as it is read. So
            their upper edges tell the page's orientation and tilt.
        right_to_left: for each word, whether its script is written from right to left. The majority decides for a line.
    """
    if not len(corners):
        return []
    # The direction of most of the text. Long words count more, since short words have less exact edges.
    run = (corners[:, 1] - corners[:, 0] + corners[:, 2] - corners[:, 3]).sum(axis=0)
    length = float(np.hypot(*run))
    along = run / length if length > 0 else np.array([1.0, 0.0])
    down = np.array([-along[1], along[0]])
    centres = corners.mean(axis=1)
    heights = np.hypot(*(corners[:, 3] - corners[:, 0]).T)
    lines: list[list[int]] = []
    for word in np.argsort(centres @ down, kind="stable").tolist():
        line = lines[-1] if lines else []
        # Words come from the top down. A word half a height or more below the middle of the line begins a new line.
        if line and _beside(word, line, centres @ down, heights):
            line.append(word)
        else:
            lines.append([word])
    for line in lines:
        line.sort(key=lambda word: float(centres[word] @ along))
        if 2 * sum(right_to_left[word] for word in line) > len(line):
            line.reverse()
    return lines


def _beside(word: int, line: list[int], places: Floats, heights: Floats) -> bool:
    middle = float(np.mean(places[line]))
    return bool(places[word] - middle < min(heights[word], float(np.mean(heights[line]))) / 2)
