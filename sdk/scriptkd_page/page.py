"""A page and its words. Finding makes them, reading adds text, and every file format is written from them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from scriptkd_sdk.scripts import UNKNOWN

Corners = tuple[tuple[float, float], ...]
RIGHT_TO_LEFT = ("Arab", "Hebr")


@dataclass(frozen=True)
class Word:
    """A word of a page, or a line of words without clear gaps.

    Attributes:
        corners: four (x, y), in pixels of the upright page: the top left, top right, bottom right and bottom left of
            the letters as they are read, in any orientation.
        script: its name, or "unknown" below the model's threshold and for digits and signs, which every script uses.
        code: its ISO 15924 code, "Zyyy" for "unknown".
        score: the best script's probability, 0 to 1.
        orientation: the letters' clockwise rotation in degrees: 0, 90, 180 or 270. None if it cannot be told; then the
            corners follow the orientation of most words on the page.
        line: which line of the page it is in, from 0.
        text: what a reader read; None if no reader did.
    """

    corners: Corners
    script: str
    code: str
    score: float
    orientation: int | None
    line: int
    text: str | None = None

    @property
    def area(self) -> float:
        """The area of its box, in square pixels."""
        x, y = np.asarray(self.corners, np.float64).T
        return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)

    @property
    def box(self) -> tuple[int, int, int, int]:
        """The upright box around it: left, top, right, bottom, in pixels."""
        points: npt.NDArray[np.float64] = np.asarray(self.corners, np.float64)
        (left, top), (right, bottom) = np.floor(points.min(axis=0)), np.ceil(points.max(axis=0))
        return int(left), int(top), int(right), int(bottom)


@dataclass(frozen=True)
class Page:
    """A page with its words in reading order: line by line.

    Attributes:
        name: the user's name for it, such as a path.
        width: of the upright page, in pixels.
        height: of the upright page, in pixels.
        words: in reading order; in a line of a script written from right to left, the rightmost is first.
        notes: sentences on what could not be done, such as why there are no words, or which reader is missing.
    """

    name: str
    width: int
    height: int
    words: tuple[Word, ...]
    notes: tuple[str, ...] = ()

    @property
    def lines(self) -> list[list[Word]]:
        """The words, line by line."""
        lines: defaultdict[int, list[Word]] = defaultdict(list)
        for word in self.words:
            lines[word.line].append(word)
        return list(lines.values())

    @property
    def text(self) -> str:
        """The text that was read, line by line. Words that were not read are left out."""
        read = (" ".join(word.text for word in line if word.text) for line in self.lines)
        return "\n".join(line for line in read if line)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Self:
        """Return the page with these fields, the inverse of `to_dict`.

        Args:
            fields: as `to_dict` returns them, or as JSON gives them back.

        Returns:
            The page.
        """
        words = (Word(**{**word, "corners": tuple((x, y) for x, y in word["corners"])}) for word in fields["words"])
        return cls(fields["name"], fields["width"], fields["height"], tuple(words), tuple(fields["notes"]))


@dataclass(frozen=True)
class Share:
    """A script's part of some words. words: how many. area: of the boxes, in square pixels. share: of all area."""

    script: str
    code: str
    words: int
    area: float
    share: float


def shares(words: tuple[Word, ...] | list[Word]) -> list[Share]:
    """Return the scripts of words by their share of the words' area, the largest first and "unknown" last."""
    groups: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for word in words:
        groups[word.script, word.code].append(word.area)
    total = sum(map(sum, groups.values())) or 1.0
    found = [
        Share(script, code, len(areas), sum(areas), sum(areas) / total) for (script, code), areas in groups.items()
    ]
    return sorted(found, key=lambda each: (each.code == UNKNOWN.code, -each.area))
