"""Pictures of no script that the model knows, by kind."""

from pathlib import Path

import pytest

from scriptkd_sdk import Prediction
from scriptkd_sdk.errors import ImageError
from scriptkd_train.evaluation.non_text import non_text_figures, non_text_kind
from scriptkd_train.evaluation.report import NonTextFigures

LABELS = ("Latin", "Tamil")


@pytest.mark.parametrize(
    ("name", "label", "manifest", "kind"),
    [
        ("foreign-greek-000003.jpg", "none", None, "foreign"),
        ("unseen-hebrew-000001.jpg", "none", None, "unseen"),
        ("number-000001.jpg", "none", None, "number"),
        ("symbol-000001.jpg", "none", None, "symbol"),
        ("background-000001.jpg", "none", None, "background"),
        ("wall-1.jpg", "none", None, "non-text"),
        ("number-000001.jpg", "none", "leaves", "leaves"),
        ("number-000001.jpg", "Tamil", None, None),
        ("a.jpg", "Greek", "scan", "foreign"),
        ("a.jpg", "Khmer", "scan", "unseen"),
        ("a.jpg", "cats", None, None),
    ],
)
def test_kinds(name: str, label: str, manifest: str | None, kind: str | None) -> None:
    assert non_text_kind(Path("none", name), label, manifest, LABELS) == kind


def says(script: str) -> Prediction:
    return Prediction(script, script[:4], 0.5, {}, "Tamil" if script == "unknown" else script)


def test_shares() -> None:
    kinds = ["number", "number", "number", "number", None, "symbol", "symbol"]
    answers: list[Prediction | ImageError] = [
        *map(says, ("unknown", "unknown", "Latin", "Tamil", "Tamil", "Latin")),
        ImageError("broken"),
    ]
    assert non_text_figures(kinds, answers, LABELS) == [
        NonTextFigures("number", 4, unknown=0.5, unknown_or_latin=0.75),
        NonTextFigures("symbol", 1, unknown=0.0, unknown_or_latin=None),
    ]
    (number,) = non_text_figures(kinds[:2], answers[:2], ("Tamil",))
    assert number.unknown == 1 and number.unknown_or_latin is None
