"""What the SDK answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from scriptkd_sdk.scripts import UNKNOWN


@dataclass(frozen=True)
class Prediction:
    """The script of one image.

    script, code: name and ISO 15924 code of the best script, or "unknown" and "Zyyy" where its score lies below the
    threshold. score: the best script's probability, 0 to 1, also where the answer is "unknown".
    scores: every allowed script's probability by name, best first; they sum to 1. best: the best script's name,
    whatever the threshold says. Predictions can be members of sets and keys of dicts.
    """

    script: str
    code: str
    score: float
    scores: dict[str, float] = field(hash=False)  # a dict has no hash; the other fields suffice
    best: str

    @property
    def known(self) -> bool:
        """Whether the score reached the threshold, so that `script` is `best`."""
        return self.code != UNKNOWN.code

    def top(self, count: int) -> list[tuple[str, float]]:
        """Return the `count` best scripts (fewer if there are fewer) with their scores, best first."""
        return list(self.scores.items())[: max(count, 0)]

    def to_dict(self) -> dict[str, Any]:
        """Return the five fields, ready for JSON."""
        return {
            "script": self.script,
            "code": self.code,
            "score": self.score,
            "best": self.best,
            "scores": dict(self.scores),
        }
