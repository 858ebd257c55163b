"""The SDK's answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from scriptkd_sdk.scripts import UNKNOWN


@dataclass(frozen=True)
class Prediction:
    """The script of one image.

    Predictions can be members of sets and keys of dicts.

    Attributes:
        script: name of the best script, or "unknown" if its score is below the threshold.
        code: the script's ISO 15924 code, or "Zyyy" if the script is "unknown".
        score: the best script's probability, 0 to 1, also if the answer is "unknown".
        scores: every allowed script's probability by name, best first; the sum is 1.
        best: the best script's name, whatever the threshold.
        orientation: the letters' clockwise rotation from upright in degrees: 0, 90 (a word reads from top to bottom),
            180 or 270. Turning the picture counterclockwise by as much makes the word upright. Upright letters one
            below the other are orientation 0. None if the model cannot tell, and for models of formats 1 and 2.
        orientation_score: the orientation's probability, 0 to 1; None for models of formats 1 and 2.
        shares: each script's share of the windows that a line is cut into, in descending order; the sum is 1. Windows
            whose score is below the threshold count as "unknown".
    """

    script: str
    code: str
    score: float
    scores: dict[str, float] = field(hash=False)  # a dict has no hash, and the other fields suffice
    best: str
    orientation: int | None = None
    orientation_score: float | None = None
    shares: dict[str, float] = field(default_factory=dict, hash=False)

    @property
    def known(self) -> bool:
        """Whether the score reached the threshold, so that `script` is `best`."""
        return self.code != UNKNOWN.code

    def top(self, count: int) -> list[tuple[str, float]]:
        """Return the best scripts.

        Args:
            count: how many scripts to return; fewer are returned if there are fewer.

        Returns:
            Pairs of a script's name and its score, best first.
        """
        return list(self.scores.items())[: max(count, 0)]

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, ready for JSON."""
        return {
            "script": self.script,
            "code": self.code,
            "score": self.score,
            "best": self.best,
            "orientation": self.orientation,
            "orientation_score": self.orientation_score,
            "shares": dict(self.shares),
            "scores": dict(self.scores),
        }
