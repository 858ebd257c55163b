"""The results of an evaluation as value objects. Shares are in 0..1, or None if undefined."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

_OPTIONAL = ("tasks", "group_by", "non_text_roc_area", "research_set", "protocol", "closed_accuracy")


@dataclass(frozen=True)
class Accuracy:
    """Number of images in a group, and the share of right answers."""

    images: int
    accuracy: float


@dataclass(frozen=True)
class ScriptFigures:
    """Figures of one script against the others."""

    images: int
    precision: float | None
    recall: float | None
    f: float | None


@dataclass(frozen=True)
class ThresholdFigures:
    """The effect of a model's threshold: shares of answers that stay, and that become `unknown`."""

    threshold: float
    right_words_kept: float | None
    wrong_words_unknown: float | None
    non_text_unknown: float | None


@dataclass(frozen=True)
class NonTextFigures:
    """A model's answers, with its threshold, to one kind of pictures that show none of its scripts.

    unknown: share answered `unknown`. unknown_or_latin: for foreign words and numbers, share answered `unknown` or
    Latin; None for other kinds, and for models without Latin.
    """

    kind: str
    images: int
    unknown: float
    unknown_or_latin: float | None


@dataclass(frozen=True)
class ChangeFigures:
    """Accuracy on pictures with one kind of change.

    Macro accuracies are means over the scripts that occur. Thresholded figures count `unknown` as wrong. The others are
    of the best script, whatever its score.
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
    """Share of words with the right orientation. An undecided answer counts as wrong.

    words: name of the group. images: number of words, each turned in all four ways. half_turns: share right at 0 and
    180 degrees. quarter_turns: share right at 0, 90, 180 and 270 degrees.
    """

    words: str
    images: int
    half_turns: float
    quarter_turns: float


@dataclass(frozen=True)
class MixtureFigures:
    """A label that stands for several of the model's scripts: how often one of them is answered.

    label: for example Japanese. scripts: its scripts, for example Han and Kana. images: number of its images. answered:
    share of them whose best script is one of `scripts`.
    """

    label: str
    scripts: tuple[str, ...]
    images: int
    answered: float


@dataclass(frozen=True)
class PublishedResult:
    """A published result on a data set. accuracy: in per cent; None if no source for a figure was found.

    method: its name. note: the test data, or the size of the network. source: where the result was published.
    """

    method: str
    accuracy: float | None
    note: str
    source: str


@dataclass(frozen=True)
class EvaluationReport:
    """All figures of one model on one data set.

    Attributes:
        model: name of the model's file.
        data: name of the data set's folder.
        split: the measured split; None for a data set without splits.
        task: the task of CVSI-2015, if one was chosen.
        images: number of counted images.
        accuracy: over all counted images.
        macro_accuracy: mean of the recalls of the scripts that occur.
        calibration_error: expected calibration error of the top scores.
        scripts: script -> its figures, in the model's order.
        confusion: counts, a row for each true and a column for each predicted script, in the order of `scripts`.
        threshold: the effect of the model's threshold.
        unknown_labels: label that the model does not know -> number of images left out.
        unreadable: file -> why it was left out.
        notes: differences between a research data set on disk and its publication.
        tasks: task of CVSI-2015 -> accuracy; None for other data sets, or if one task was chosen.
        group_by: the manifest's column for `groups`; None without a manifest.
        groups: script -> value of that column -> accuracy.
        apart: kind of image that is not a word -> number of images, which are counted only in `groups`.
        non_text_roc_area: area under the ROC of words against images without text, by top score; None without such
            images.
        non_text: answers to pictures that show none of the scripts, a row for each kind.
        changes: accuracies on changed pictures, if requested; the first row is of the unchanged pictures.
        orientation: accuracy of orientation, if the words were turned and the model tells orientation.
        mixtures: labels that stand for several of the model's scripts; their images are not counted.
        research_set: the name of the research data set, if the data is one.
        protocol: how the set's published results compare with these figures.
        published: the published results.
        closed_accuracy: accuracy if only the set's own scripts are allowed, as in the published methods.
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
    mixtures: list[MixtureFigures] = field(default_factory=list)
    research_set: str | None = None
    protocol: str | None = None
    published: list[PublishedResult] = field(default_factory=list)
    closed_accuracy: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """The report for JSON, without keys for what was not measured."""
        content = asdict(self)
        threshold = content.pop("threshold")
        absent = [key for key in _OPTIONAL if content[key] is None]
        if self.group_by is None:
            absent += ["groups", "apart"]
        absent += [key for key in ("non_text", "changes", "orientation", "mixtures", "published") if not content[key]]
        return {key: value for key, value in content.items() if key not in absent} | {"threshold": threshold}
