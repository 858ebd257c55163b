"""What the SDK answers."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Prediction:
    """The script of one image.

    script, code: name and ISO 15924 code of the best script, or "unknown" and "Zyyy" where its score lies below the
    model's threshold. score: the best script's probability, 0 to 1, also where the answer is "unknown".
    scores: every script's probability by name, best first; they sum to 1. best: the best script's name, whatever the
    threshold says.
    """

    script: str
    code: str
    score: float
    scores: dict[str, float]
    best: str
