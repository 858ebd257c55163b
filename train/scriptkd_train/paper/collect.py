"""Read the results of `scriptkd reproduce` from a folder. No checkpoint is opened, so this is fast and needs no GPU."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.engine.run import read_run
from scriptkd_train.evaluation.intervals import interval
from scriptkd_train.evaluation.metrics import Floats, Ints, ScriptScores, confusion_matrix, script_scores
from scriptkd_train.paper.estimate import Estimate, estimate


@dataclass(frozen=True)
class Measured:
    """A network's results on the test split. files [N], truth [N], scores [N, K]; facts: as written by `reproduce`.

    history: a row for each epoch in which this run trained the network.
    """

    labels: list[str]
    files: NDArray[np.str_]
    truth: Ints
    scores: Floats
    facts: dict[str, Any]
    history: list[dict[str, float]]

    @property
    def predicted(self) -> Ints:
        """Index of each image's best label [N]."""
        best: Ints = self.scores.argmax(axis=1)
        return best

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether each image's best label is right [N]."""
        right: NDArray[np.bool_] = self.predicted == self.truth
        return right

    @property
    def scripts(self) -> NDArray[np.str_]:
        """Each image's script [N]."""
        return np.array(self.labels)[self.truth]

    @cached_property
    def confusion(self) -> Ints:
        """Counts [K, K]: rows are true scripts, columns are predicted scripts."""
        return confusion_matrix(self.truth, self.predicted, len(self.labels))

    @cached_property
    def by_script(self) -> ScriptScores:
        """Precision, recall and F of each script."""
        return script_scores(self.confusion)


@dataclass(frozen=True)
class Matrix:
    """kind, rows, seeds: as requested. recipes: row -> stage -> settings, from any seed that has begun.

    networks: (row, seed, stage) -> results. missing: one line for each unfinished job.
    """

    kind: str
    rows: list[str]
    seeds: list[int]
    data_root: Path
    data: dict[str, Any]
    recipes: dict[str, dict[str, Any]]
    networks: dict[tuple[str, int, str], Measured]
    missing: list[str]

    @property
    def labels(self) -> list[str]:
        """The K scripts, in the networks' order."""
        return next(iter(self.networks.values())).labels

    @property
    def images(self) -> int:
        """Number of readable test images."""
        return len(next(iter(self.networks.values())).truth)

    def stages(self, row: str) -> list[str]:
        """The measured stages of a row, in order of training."""
        found = {stage for name, _, stage in self.networks if name == row}
        return [stage for stage in self.recipes.get(row, {}) if stage in found]

    def last(self, row: str) -> str:
        """The last stage of a row, whose network the row reports. Empty if the row has not begun."""
        return next(reversed(self.recipes.get(row, {})), "")

    def runs(self, row: str, stage: str) -> dict[int, Measured]:
        """Seed -> network."""
        found = ((seed, self.networks.get((row, seed, stage))) for seed in self.seeds)
        return {seed: network for seed, network in found if network is not None}

    def accuracy(self, row: str, stage: str) -> Estimate:
        """Accuracy of a row's stage in per cent, over seeds."""
        return self._accuracies.get((row, stage), Estimate(()))

    @cached_property
    def _accuracies(self) -> dict[tuple[str, str], Estimate]:
        """Accuracies of all measured stages, computed once, since intervals take long."""
        pairs = dict.fromkeys((row, stage) for row, _, stage in self.networks)
        runs = {pair: list(self.runs(*pair).values()) for pair in pairs}
        return {pair: _estimate([each.right for each in found], found[0].scripts) for pair, found in runs.items()}

    def gain(self, row: str, over: str) -> Estimate:
        """Gain of a row's last network over another row's in points, paired by image and by seed."""
        mine, theirs = self.runs(row, self.last(row)), self.runs(over, self.last(over))
        pairs = [(mine[seed], theirs[seed]) for seed in mine if seed in theirs]
        if not pairs:
            return Estimate(())
        differences = [one.right.astype(float) - other.right for one, other in pairs]
        return _estimate(differences, pairs[0][0].scripts)

    def script(self, row: str, stage: str, label: str, what: str) -> Estimate:
        """A script's `precision`, `recall` or `f`, 0 to 1."""
        runs = self.runs(row, stage).values()
        return estimate(
            [float(getattr(n.by_script, what)[n.labels.index(label)]) if label in n.labels else math.nan for n in runs]
        )


def _estimate(values: Sequence[NDArray[np.generic]], scripts: NDArray[np.str_]) -> Estimate:
    """An estimate in per cent, from each seed's result for each image, [N]."""
    table = 100 * np.array(values, np.float64)
    found = interval(table, scripts)
    return Estimate(tuple(table.mean(axis=1).tolist()), found.low, found.high)


def collect(folder: Path) -> Matrix:
    """Read a folder of `scriptkd reproduce`, finished or not.

    Raises:
        ArgumentError: the folder is not from `reproduce`, a file in it is damaged, networks were measured on different
            images, or nothing has been measured yet.
    """
    path = folder / "matrix.json"
    if not path.is_file():
        raise ArgumentError(f"{folder} holds no matrix.json: give the --out folder of a `scriptkd reproduce`")
    matrix = read_facts(path)
    recipes: dict[str, dict[str, Any]] = {}
    networks: dict[tuple[str, int, str], Measured] = {}
    missing = []
    for row in matrix["rows"]:
        for seed in matrix["seeds"]:
            run = folder / f"seed-{seed}" / row
            if not (run / "run.json").is_file():
                missing.append(f"seed {seed}, {row}: not begun")
                continue
            stages = read_run(run / "run.json")[1].model_dump(mode="json")["stages"]
            recipes.setdefault(row, stages)
            for stage in stages:
                if (run / f"{stage}.test.npz").is_file():
                    networks[row, seed, stage] = _read(run, stage)
            if (row, seed, next(reversed(stages))) not in networks:
                missing.append(f"seed {seed}, {row}: {_progress(run, stages)}")
    if not networks:
        raise ArgumentError(f"nothing in {folder} has been measured yet; {'; '.join(missing[:3])}")
    facts = folder / "data.json"
    data = read_facts(facts) if facts.is_file() else {}
    _check_images(folder, networks)
    return Matrix(
        matrix["kind"], matrix["rows"], matrix["seeds"], Path(matrix["data"]), data, recipes, networks, missing
    )


def read_facts(path: Path) -> dict[str, Any]:
    """Read a JSON file of a matrix. Raises ArgumentError if it was not written by `reproduce`."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ArgumentError(f"{path} is not what `scriptkd reproduce` wrote: {error}") from error
    if not isinstance(content, dict):
        raise ArgumentError(f"{path} is not what `scriptkd reproduce` wrote: it holds no JSON object")
    return content


def _check_images(folder: Path, networks: Mapping[tuple[str, int, str], Measured]) -> None:
    """Raise ArgumentError if networks were measured on different images: figures are compared image by image."""
    (first, expected), *others = networks.items()
    for key, network in others:
        if not np.array_equal(network.files, expected.files):
            (row, seed, stage), (other, number, _) = key, first
            raise ArgumentError(
                f"seed {seed}, {row} was not measured on the images that seed {number}, {other} was: delete "
                f"{folder / f'seed-{seed}' / row / stage}.test.npz, and start `scriptkd reproduce` again"
            )


def _read(run: Path, stage: str) -> Measured:
    path = run / f"{stage}.test.npz"
    try:
        with np.load(path) as content:
            labels, files, truth, scores = (content[name] for name in ("labels", "files", "truth", "scores"))
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise ArgumentError(f"{path} is damaged: delete it, and start `scriptkd reproduce` again") from error
    facts = read_facts(run / f"{stage}.test.json")
    return Measured(
        labels.tolist(), files, truth.astype(np.int64), scores.astype(np.float64), facts, _epochs(run, stage)
    )


def _epochs(run: Path, stage: str) -> list[dict[str, float]]:
    path = run / stage / "metrics.csv"
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]


def _progress(run: Path, stages: Iterable[str]) -> str:
    """The progress of an unfinished run, as a text."""
    states = []
    for stage in stages:
        if (run / f"{stage}.pt").is_file():
            states.append(f"{stage} trained")
        elif epochs := _epochs(run, stage):
            states.append(f"{stage} after epoch {len(epochs)}")
    return ", ".join(states) or "begun"
