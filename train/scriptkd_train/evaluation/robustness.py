"""Accuracy on changed pictures, turned, loose or joined to lines, and accuracy of the orientation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from scriptkd_sdk import Prediction, ScriptIdentifier
from scriptkd_sdk.errors import ArgumentError, ImageError
from scriptkd_train.data.dataset import Item
from scriptkd_train.evaluation.changes import CHANGES, GROUPS, QUARTERS, RATIOS, Image, line
from scriptkd_train.evaluation.report import ChangeFigures, OrientationFigures

LINES = 60  # number of lines for each script and length
UNCHANGED = "as they are"
_SEED = 24

Answers = Sequence[Prediction | ImageError]


def check_groups(groups: Collection[str]) -> None:
    """Raise ArgumentError for an unknown group of changes."""
    if unknown := [group for group in groups if group not in GROUPS]:
        raise ArgumentError(f"unknown changes {unknown[0]!r}: allowed are {', '.join(GROUPS)}")


def measure_changes(
    identifier: ScriptIdentifier,
    words: Sequence[Item],
    answers: Answers,
    groups: Collection[str],
    allow: Collection[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[list[ChangeFigures], list[OrientationFigures]]:
    """Measure a model on changed pictures of words. Every run uses the same pictures.

    Args:
        identifier: the model.
        words: the words to change, upright and readable.
        answers: the model's answers to the unchanged words.
        groups: groups of `changes.GROUPS`.
        allow: scripts that may be answered; None allows all.
        progress: called with the number of pictures done and the total.

    Returns:
        A row for the unchanged words and for each change; no rows if `groups` is empty. If words are turned and the
            model tells orientation, also rows for orientation: one for words at least twice as wide as high, if any,
            and one for all words.
    """
    if not groups:
        return [], []
    labels = [word.label for word in words]
    changes = {name: change for group in CHANGES if group in groups for name, change in CHANGES[group].items()}
    ratios = RATIOS if "lines" in groups else {}
    done, total = 0, len(changes) * len(words) + len(ratios) * len(set(labels)) * LINES

    def identify(pictures: Iterable[Image]) -> Answers:
        def counted() -> Iterator[Image]:
            nonlocal done
            for picture in pictures:
                yield picture
                done += 1
                if progress:
                    progress(done, total)

        return identifier.identify_batch(counted(), allow=allow)

    rows = [change_figures(UNCHANGED, labels, answers)]
    by_way: dict[int, Answers] = {0: answers}
    ways = {name: degrees for degrees, name in QUARTERS.items()}
    for name, change in changes.items():
        found = identify(change(np.random.default_rng([_SEED, index]), word.load()) for index, word in enumerate(words))
        rows.append(change_figures(name, labels, found))
        if name in ways:
            by_way[ways[name]] = found
    for name, ratio in ratios.items():
        truth: list[str] = []
        found = identify(_lines(words, ratio, truth))
        rows.append(change_figures(name, truth, found))
    tells = "turned" in groups and identifier.info.orientation_temperature is not None
    return [row for row in rows if row.images], _orientation_rows(words, by_way) if tells else []


def change_figures(change: str, truth: Sequence[str], answers: Answers) -> ChangeFigures:
    """The figures of answers to pictures of known script. Unusable pictures are left out."""
    hits: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    for label, answer in zip(truth, answers, strict=True):
        if isinstance(answer, Prediction):
            hits[label].append((answer.best == label, answer.script == label))
    everything = [pair for pairs in hits.values() for pair in pairs]
    if not everything:
        return ChangeFigures(change, 0, 0, 0.0, 0.0, 0.0, 0.0)
    best, thresholded = np.mean(everything, axis=0)
    macro_best, macro_thresholded = np.mean([np.mean(pairs, axis=0) for pairs in hits.values()], axis=0)
    return ChangeFigures(
        change=change,
        images=len(everything),
        scripts=len(hits),
        macro_accuracy=float(macro_best),
        accuracy=float(best),
        thresholded_macro_accuracy=float(macro_thresholded),
        thresholded_accuracy=float(thresholded),
    )


def _orientation_rows(words: Sequence[Item], by_way: dict[int, Answers]) -> list[OrientationFigures]:
    """by_way: degrees by which the words were turned -> the answers."""
    right = np.array(
        [
            [isinstance(answer, Prediction) and answer.orientation == degrees for answer in answers]
            for degrees, answers in sorted(by_way.items())
        ]
    )
    sizes = [word.load().shape[:2] for word in words]
    wide = np.array([width >= 2 * height for height, width in sizes])
    groups = {"at least twice as wide as high": wide, "all": np.ones(len(words), bool)}
    return [_orientation_figures(name, right[:, kept]) for name, kept in groups.items() if kept.any()]


def _orientation_figures(words: str, right: NDArray[np.bool_]) -> OrientationFigures:
    """right: [4, N], for the words turned by 0, 90, 180 and 270 degrees."""
    return OrientationFigures(words, right.shape[1], float(right[[0, 2]].mean()), float(right.mean()))


def _lines(words: Sequence[Item], ratio: int, truth: list[str]) -> Iterator[Image]:
    """Lines of each script's words, `ratio` times as wide as high. The script of each line is appended to `truth`.

    No word is twice in a line. A script with too few words for a line has no lines.
    """
    words_of = defaultdict(list)
    for word in words:
        words_of[word.label].append(word)
    for label, own in words_of.items():
        for number in range(LINES):
            rng = np.random.default_rng([_SEED, ratio, number, *label.encode()])
            picture = line((own[index].load() for index in rng.permutation(len(own))), ratio)
            if picture is None:
                break
            truth.append(label)
            yield picture
