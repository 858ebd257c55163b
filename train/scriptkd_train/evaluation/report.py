"""What an evaluation found out, as values. Shares are in 0..1; one that has nothing to be a share of is None."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Accuracy:
    """Images of a group, and the share of them that is right."""

    images: int
    accuracy: float


@dataclass(frozen=True)
class ScriptFigures:
    """How well one script is told from the others."""

    images: int
    precision: float | None
    recall: float | None
    f: float | None


@dataclass(frozen=True)
class ThresholdFigures:
    """What a model's threshold does: whose answers stay, and whose become `unknown`."""

    threshold: float
    right_words_kept: float | None
    wrong_words_unknown: float | None
    non_text_unknown: float | None


@dataclass(frozen=True)
class EvaluationReport:
    """All figures of one model on one data set.

    Attributes:
        model: name of the model's file.
        data: name of the data set's folder.
        split: which split was measured; None for a data set without splits.
        task: CVSI-2015's task, if only one's scripts were measured.
        images: how many images the figures are of.
        accuracy: of all images.
        macro_accuracy: mean of the recalls of the scripts that occur.
        calibration_error: expected calibration error of the top scores.
        scripts: script -> its figures, in the model's order.
        confusion: counts, a row for each true and a column for each predicted script, in the order of `scripts`.
        threshold: what the model's threshold does.
        unknown_labels: label that the model does not know -> images, which were left out.
        unreadable: file -> why it was left out.
        notes: what differs from CVSI-2015, where the data set has its layout.
        tasks: CVSI-2015's task -> accuracy; None where the data set is another, or one task was asked for.
        group_by: column of the manifest that `groups` are of; None without a manifest.
        groups: script -> value of that column -> accuracy.
        apart: kind of image that is no word -> images, which are in `groups` alone.
        non_text_roc_area: words against images without text by top score; None without such images.
    """

    model: str
    data: str
    split: str | None
    task: str | None
    images: int
    accuracy: float
    macro_accuracy: float
    calibration_error: float
    scripts: Mapping[str, ScriptFigures]
    confusion: list[list[int]]
    threshold: ThresholdFigures
    unknown_labels: Mapping[str, int] = field(default_factory=dict)
    unreadable: Mapping[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    tasks: Mapping[str, Accuracy] | None = None
    group_by: str | None = None
    groups: Mapping[str, Mapping[str, Accuracy]] = field(default_factory=dict)
    apart: Mapping[str, int] = field(default_factory=dict)
    non_text_roc_area: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON holds it; what was not measured at all has no key."""
        content = asdict(self)
        threshold = content.pop("threshold")
        absent = [key for key in ("tasks", "group_by", "non_text_roc_area") if content[key] is None]
        if self.group_by is None:
            absent += ["groups", "apart"]
        return {key: value for key, value in content.items() if key not in absent} | {"threshold": threshold}
