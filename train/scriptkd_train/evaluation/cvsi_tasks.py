"""The four tasks of CVSI-2015 and how well a model of all ten scripts does on each.

The groups are the competition's own (its page, http://www.ict.griffith.edu.au/cvsi2015/): task 1 is eight triplets,
each of English, Hindi and a third script; task 2 the seven scripts of the north, task 3 the five of the south, task 4
all ten. English and Hindi are in every group. A system was told the task, so a model's scores count for the task's
scripts only. Accuracy is the share of right images; the test words of tasks 1 to 3 are task 4's of the same scripts.
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
"""Name -> scripts; "1-Tamil" is task 1's triplet of English, Hindi and Tamil."""


def task_scripts(task: str) -> tuple[str, ...]:
    """The scripts of a task by its name; ArgumentError for an unknown one."""
    if task not in TASKS:
        raise ArgumentError(f"unknown CVSI-2015 task {task!r}: it must be one of {', '.join(TASKS)}")
    return TASKS[task]


def check_known(labels: Sequence[str], scripts: Sequence[str]) -> None:
    """Raise ArgumentError if a model with these labels does not know one of the scripts."""
    if missing := [script for script in scripts if script not in labels]:
        raise ArgumentError(f"the task needs {', '.join(missing)}, which the model does not know")


def restrict(labels: Sequence[str], scores: Floats, scripts: Sequence[str]) -> tuple[list[str], Floats]:
    """A model's labels and scores [N, K] cut down to some scripts, every row's scores summing to 1 again.

    Raises:
        ArgumentError: the model does not know one of the scripts.
    """
    check_known(labels, scripts)
    kept = [i for i, label in enumerate(labels) if label in scripts]
    some = scores[:, kept]
    # A row of zeros (an unreadable image) stays one; a row whose scripts all scored 0 has no preference.
    total = some.sum(axis=1, keepdims=True)
    return [labels[i] for i in kept], some / np.where(total > 0, total, 1)


def task_accuracies(labels: Sequence[str], scores: Floats, truth: Ints) -> dict[str, Accuracy]:
    """Images and accuracy (0..1) of every task, "1" being the mean of its eight triplets; empty if labels are missing.

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
