"""Cutting a line of several scripts into parts of one script. The detector may put a whole line into one box."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import cv2
import numpy as np
import numpy.typing as npt

from scriptkd_sdk import Prediction
from scriptkd_sdk.images import Pixels

LONG = 3  # times as wide as high: narrower boxes are taken for single words
GAP = 0.2  # of the height: the least width of a space between words
SHORT = 0.6  # of the height: a narrower piece, such as a dash, joins a neighbour


def pieces(line: Pixels) -> list[tuple[float, float]]:
    """Return the pieces at which a line may be cut: start and end of each, as shares of the width, 0 to 1.

    The pieces cover the whole line. A short line, or a line without gaps, is one piece.

    Args:
        line: upright, uint8 [H, W, 3] RGB or [H, W] gray.
    """
    height, width = line.shape[:2]
    if width < LONG * height:
        return [(0.0, 1.0)]
    gray = line if line.ndim == 2 else cv2.cvtColor(line, cv2.COLOR_RGB2GRAY)
    _, light = cv2.threshold(gray, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    ink = light if 2 * light.sum() < light.size else 1 - light  # letters cover less than their ground
    columns = ink.sum(axis=0) > height // 20  # a speck is no letter
    cuts, start = [0], 0
    for blank, run in groupby(columns, key=lambda each: not each):
        stop = start + len(list(run))
        middle = (start + stop) // 2
        if (
            blank
            and stop - start >= GAP * height
            and start > 0
            and stop < width
            and middle - cuts[-1] >= SHORT * height
        ):
            cuts.append(middle)
        start = stop
    if len(cuts) > 1 and width - cuts[-1] < SHORT * height:
        cuts.pop()
    return [(a / width, b / width) for a, b in zip(cuts, [*cuts[1:], width], strict=True)]


def part(corners: npt.NDArray[np.float64], start: float, stop: float) -> npt.NDArray[np.float64]:
    """Return the corners of a part of a line. start, stop: shares of its width, 0 to 1."""
    above, below = corners[1] - corners[0], corners[2] - corners[3]
    return np.stack(
        [corners[0] + start * above, corners[0] + stop * above, corners[3] + stop * below, corners[3] + start * below]
    )


def runs(answers: Sequence[Prediction | None], sure: float) -> list[tuple[int, int, Prediction]]:
    """Group a line's pieces by script. Return each group's first piece, its end (exclusive), and its best answer.

    Only pieces with a sure answer make a group. The others join the group before them, or at the start the next one.

    Args:
        answers: for each piece; None where there is none.
        sure: the least score of a sure answer.
    """
    told = [(index, each) for index, each in enumerate(answers) if each and each.known and each.score >= sure]
    groups = [list(group) for _, group in groupby(told, key=lambda pair: pair[1].code)]
    starts = [0, *(group[0][0] for group in groups[1:]), len(answers)]
    return [
        (starts[i], starts[i + 1], max((answer for _, answer in group), key=lambda answer: answer.score))
        for i, group in enumerate(groups)
    ]
