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
class NonTextFigures:
    """What a model says, at its threshold, of one kind of pictures that show none of its scripts.

    unknown: share answered `unknown`. unknown_or_latin: share answered `unknown` or Latin, of foreign words and
    numbers; None for other kinds and for models that do not know Latin.
    """

    kind: str
    images: int
    unknown: float
    unknown_or_latin: float | None


@dataclass(frozen=True)
class ChangeFigures:
    """How well scripts are told on pictures that were changed in one way.

    Macro accuracies are means over the scripts that occur. The thresholded ones count `unknown` as wrong; the others
    are of the best script, whatever the threshold says.
    """

    change: str
    images: int
    scripts: int
    macro_accuracy: float
    accuracy: float
    thresholded_macro_accuracy: float
    thresholded_accuracy: float


@dataclass(frozen=True)
class OrientationFigures:
    """Share of words whose orientation is told rightly; an answer that there is no telling counts as wrong.

    words: which ones. images: how many, each of which was seen every way. half_turns: right of those upright and
    turned by 180 degrees. quarter_turns: right of those turned by 0, 90, 180 and 270 degrees.
    """

    words: str
    images: int
    half_turns: float
    quarter_turns: float


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
        non_text: what is said of pictures that show none of the scripts, a row for each kind.
        changes: accuracies on changed pictures, where they were asked for; the first row is of the unchanged ones.
        orientation: where the words were turned and the model tells orientation.
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
    non_text: list[NonTextFigures] = field(default_factory=list)
    changes: list[ChangeFigures] = field(default_factory=list)
    orientation: list[OrientationFigures] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON holds it; what was not measured at all has no key."""
        content = asdict(self)
        threshold = content.pop("threshold")
        absent = [key for key in ("tasks", "group_by", "non_text_roc_area") if content[key] is None]
        if self.group_by is None:
            absent += ["groups", "apart"]
        absent += [key for key in ("non_text", "changes", "orientation") if not content[key]]
        return {key: value for key, value in content.items() if key not in absent} | {"threshold": threshold}
