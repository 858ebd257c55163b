"""The four tasks of CVSI-2015, and the accuracy on each task of a model that knows all ten scripts.

The groups are from the competition's page, http://www.ict.griffith.edu.au/cvsi2015/. Task 1 has eight triplets, each of
English, Hindi and a third script. Task 2 has the seven scripts of the north, task 3 the five of the south, and task 4
all ten. English and Hindi are in every group. A system was told the task, so only the scores of the task's scripts
count. Accuracy is the share of right images. Tasks 1 to 3 have no test words of their own: they use task 4's
words in their scripts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.evaluation.metrics import Floats, Ints
from scriptkd_train.evaluation.report import Accuracy

_EVERYWHERE = ("Latin", "Devanagari")
_NORTH = ("Bengali", "Oriya", "Gujarati", "Gurmukhi", "Arabic")
_SOUTH = ("Kannada", "Tamil", "Telugu")

TASKS: dict[str, tuple[str, ...]] = {
    **{f"1-{third}": (*_EVERYWHERE, third) for third in (*_NORTH[:4], *_SOUTH, _NORTH[4])},
    "2": (*_EVERYWHERE, *_NORTH),
    "3": (*_EVERYWHERE, *_SOUTH),
    "4": (*_EVERYWHERE, *_NORTH, *_SOUTH),
}
"""Name -> scripts. "1-Tamil" is the triplet of English, Hindi and Tamil in task 1."""


def task_scripts(task: str) -> tuple[str, ...]:
    """The scripts of a task, by its name. Raises ArgumentError for an unknown name."""
    if task not in TASKS:
        raise ArgumentError(f"unknown CVSI-2015 task {task!r}: it must be one of {', '.join(TASKS)}")
    return TASKS[task]


def check_known(labels: Sequence[str], scripts: Sequence[str]) -> None:
    """Raise ArgumentError if one of the scripts is not among a model's labels."""
    if missing := [script for script in scripts if script not in labels]:
        raise ArgumentError(f"the task needs {', '.join(missing)}, which the model does not know")


def restrict(labels: Sequence[str], scores: Floats, scripts: Sequence[str]) -> tuple[list[str], Floats]:
    """A model's labels and scores [N, K] restricted to some scripts, with each row normalised to 1.

    Raises:
        ArgumentError: the model does not know one of the scripts.
    """
    check_known(labels, scripts)
    kept = [i for i, label in enumerate(labels) if label in scripts]
    some = scores[:, kept]
    # A row of zeros, for an unreadable image, stays. A row whose allowed scripts all scored 0 gets equal scores.
    total = some.sum(axis=1, keepdims=True)
    return [labels[i] for i in kept], some / np.where(total > 0, total, 1)


def task_accuracies(labels: Sequence[str], scores: Floats, truth: Ints) -> dict[str, Accuracy]:
    """Images and accuracy, 0..1, of each task; "1" is the mean of its triplets. Empty if labels are missing.

    scores: [N, K]; truth: index of each image's label [N].
    """
    if not set(TASKS["4"]) <= set(labels):
        return {}
    names: NDArray[np.str_] = np.array(labels)[truth]
    result = {}
    for task, scripts in TASKS.items():
        mine = np.isin(names, scripts)
        if not mine.any():
            continue
        kept, some = restrict(labels, scores[mine], scripts)
        right = np.array(kept)[some.argmax(axis=1)] == names[mine]
        result[task] = Accuracy(int(mine.sum()), float(right.mean()))
    triplets = [row for task, row in result.items() if task.startswith("1-")]
    if not triplets:
        return result
    mean = sum(row.accuracy for row in triplets) / len(triplets)
    return {"1": Accuracy(sum(row.images for row in triplets), mean), **result}
