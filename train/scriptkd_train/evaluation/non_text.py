"""How often a model answers `unknown` to pictures that show none of its scripts, by kind."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from scriptkd_sdk import Prediction
from scriptkd_sdk.errors import ArgumentError, ImageError
from scriptkd_sdk.scripts import UNKNOWN, script
from scriptkd_train.data.dataset import NON_TEXT
from scriptkd_train.evaluation.report import NonTextFigures
from scriptkd_train.synth.kinds import FOREIGN, HELD_OUT_FOREIGN, NEGATIVES, UNSEEN

PLAIN_KIND = "non-text"  # kind of a picture whose kind is not given
OR_LATIN = (FOREIGN, UNSEEN, "number")
"""Kinds for which Latin is an acceptable answer: their letters may look Latin, and Latin text has the same digits."""


def non_text_kind(path: Path, label: str, manifest_kind: str | None, labels: Collection[str]) -> str | None:
    """The kind of a picture that shows none of a model's scripts; None for its scripts and for other labels.

    The kind of a picture labelled `none` comes from the manifest, or else from the beginning of a rendered file's name.
    A word of a script that the model does not know is `foreign`, or `unseen` for the scripts of HELD_OUT_FOREIGN.
    """
    if label in labels:
        return None
    if label == NON_TEXT:
        prefix = path.name.partition("-")[0]
        return manifest_kind or (prefix if prefix in (*NEGATIVES, UNSEEN) else PLAIN_KIND)
    try:
        name = script(label).name
    except ArgumentError:
        return None
    return UNSEEN if name in HELD_OUT_FOREIGN else FOREIGN


def non_text_figures(
    kinds: Sequence[str | None], found: Sequence[Prediction | ImageError], labels: Collection[str]
) -> list[NonTextFigures]:
    """A row for each kind, in the order of their names.

    Args:
        kinds: for each picture its kind, None to skip it. Unreadable pictures are skipped too.
        found: the model's answers.
        labels: the scripts that may be answered.
    """
    answers: dict[str, list[str]] = {}
    for kind, prediction in zip(kinds, found, strict=True):
        if kind is not None and isinstance(prediction, Prediction):
            answers.setdefault(kind, []).append(prediction.script)
    latin = "Latin" in labels
    return [
        NonTextFigures(
            kind=kind,
            images=len(said),
            unknown=_share(said, (UNKNOWN.name,)),
            unknown_or_latin=_share(said, (UNKNOWN.name, "Latin")) if latin and kind in OR_LATIN else None,
        )
        for kind, said in sorted(answers.items())
    ]


def _share(said: list[str], allowed: tuple[str, ...]) -> float:
    return sum(name in allowed for name in said) / len(said)
