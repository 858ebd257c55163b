"""How a model does on changed pictures: turned, loose, lines; and whether it knows which way up they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from scriptkd_sdk import Prediction, ScriptIdentifier
from scriptkd_sdk.errors import ArgumentError, ImageError
from scriptkd_sdk.images import load_image
from scriptkd_train.data.dataset import Item
from scriptkd_train.evaluation.changes import CHANGES, GROUPS, QUARTERS, RATIOS, Image, line
from scriptkd_train.evaluation.report import ChangeFigures, OrientationFigures

LINES = 60  # of each script and length
UNCHANGED = "as they are"
_SEED = 24

Answers = Sequence[Prediction | ImageError]


def check_groups(groups: Collection[str]) -> None:
    """Raise ArgumentError for a group of changes that there is not."""
    if unknown := [group for group in groups if group not in GROUPS]:
        raise ArgumentError(f"unknown changes {unknown[0]!r}: they must be of {', '.join(GROUPS)}")


def measure_changes(
    identifier: ScriptIdentifier,
    words: Sequence[Item],
    answers: Answers,
    groups: Collection[str],
    allow: Collection[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[list[ChangeFigures], list[OrientationFigures]]:
    """Measure a model on changed pictures of words; every picture is the same in every run.

    Args:
        identifier: the model.
        words: what is changed, upright and readable.
        answers: the model's to the words as they are.
        groups: of `changes.GROUPS`.
        allow: scripts that may be answered; None: all.
        progress: called with the numbers of pictures done and in all.

    Returns:
        A row for the words as they are and for each change; no row without a group. And where the words are turned and
        the model tells orientation, a row for those at least twice as wide as high (if there are any) and one for all.
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
        found = identify(
            change(np.random.default_rng([_SEED, index]), load_image(word.path)) for index, word in enumerate(words)
        )
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
    """The figures of answers to pictures whose scripts are known; pictures that could not be used are left out."""
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
    """by_way: degrees that the words were turned by -> the answers to them."""
    right = np.array(
        [
            [isinstance(answer, Prediction) and answer.orientation == degrees for answer in answers]
            for degrees, answers in sorted(by_way.items())
        ]
    )
    sizes = [load_image(word.path).shape[:2] for word in words]
    wide = np.array([width >= 2 * height for height, width in sizes])
    groups = {"at least twice as wide as high": wide, "all": np.ones(len(words), bool)}
    return [_orientation_figures(name, right[:, kept]) for name, kept in groups.items() if kept.any()]


def _orientation_figures(words: str, right: NDArray[np.bool_]) -> OrientationFigures:
    """right: [4, N], of the words upright and turned by 90, 180 and 270 degrees."""
    return OrientationFigures(words, right.shape[1], float(right[[0, 2]].mean()), float(right.mean()))


def _lines(words: Sequence[Item], ratio: int, truth: list[str]) -> Iterator[Image]:
    """Lines of each script's words, `ratio` times as wide as high; `truth` gets the script of each.

    No word is twice in a line. A script whose words do not fill a line has none.
    """
    paths = defaultdict(list)
    for word in words:
        paths[word.label].append(word.path)
    for label, own in paths.items():
        for number in range(LINES):
            rng = np.random.default_rng([_SEED, ratio, number, *label.encode()])
            picture = line((load_image(own[index]) for index in rng.permutation(len(own))), ratio)
            if picture is None:
                break
            truth.append(label)
            yield picture
