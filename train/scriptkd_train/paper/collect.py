"""Reads what `scriptkd reproduce` left in a folder: no checkpoint is opened, so it is quick and needs no GPU."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.engine.run import read_run
from scriptkd_train.evaluation.metrics import Floats, Ints, ScriptScores, accuracy, confusion_matrix, script_scores
from scriptkd_train.paper.estimate import Estimate, estimate


@dataclass(frozen=True)
class Measured:
    """One network on the test split. files [N], truth [N], scores [N, K]; facts: as `reproduce` writes them.

    history: the epochs that were trained for it here.
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

    @cached_property
    def confusion(self) -> Ints:
        """Counts [K, K]: rows are the true scripts, columns the predicted ones."""
        return confusion_matrix(self.truth, self.predicted, len(self.labels))

    @cached_property
    def by_script(self) -> ScriptScores:
        """Precision, recall and F of each script."""
        return script_scores(self.confusion)


@dataclass(frozen=True)
class Matrix:
    """kind, rows, seeds: what was asked for. recipes: row -> stage -> settings, of any seed that began.

    networks: (row, seed, stage) -> what was measured. missing: one line for each job that is not done.
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
        """Readable test images."""
        return len(next(iter(self.networks.values())).truth)

    def stages(self, row: str) -> list[str]:
        """The stages that were measured in a row, in the order of training."""
        found = {stage for name, _, stage in self.networks if name == row}
        return [stage for stage in self.recipes.get(row, {}) if stage in found]

    def last(self, row: str) -> str:
        """The stage that a row is about; empty for a row that never began."""
        return next(reversed(self.recipes.get(row, {})), "")

    def runs(self, row: str, stage: str) -> dict[int, Measured]:
        """Seed -> network."""
        found = ((seed, self.networks.get((row, seed, stage))) for seed in self.seeds)
        return {seed: network for seed, network in found if network is not None}

    def accuracy(self, row: str, stage: str) -> Estimate:
        """In per cent."""
        return estimate([100 * accuracy(network.confusion) for network in self.runs(row, stage).values()])

    def gain(self, row: str, over: str) -> Estimate:
        """Points that a row's last network is better than another row's, seed by seed."""
        mine, theirs = self.runs(row, self.last(row)), self.runs(over, self.last(over))
        common = [seed for seed in mine if seed in theirs]
        return estimate([100 * (accuracy(mine[s].confusion) - accuracy(theirs[s].confusion)) for s in common])

    def script(self, row: str, stage: str, label: str, what: str) -> Estimate:
        """A script's `precision`, `recall` or `f`, 0 to 1."""
        runs = self.runs(row, stage).values()
        return estimate(
            [float(getattr(n.by_script, what)[n.labels.index(label)]) if label in n.labels else math.nan for n in runs]
        )


def collect(folder: Path) -> Matrix:
    """Reads a folder of `scriptkd reproduce`, finished or not.

    Raises:
        ArgumentError: it is no such folder, a run.json in it is damaged, or nothing in it has been measured yet.
    """
    path = folder / "matrix.json"
    if not path.is_file():
        raise ArgumentError(f"{folder} holds no matrix.json: give the --out folder of a `scriptkd reproduce`")
    matrix = json.loads(path.read_text())
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
    data = json.loads(facts.read_text()) if facts.is_file() else {}
    return Matrix(
        matrix["kind"], matrix["rows"], matrix["seeds"], Path(matrix["data"]), data, recipes, networks, missing
    )


def _read(run: Path, stage: str) -> Measured:
    with np.load(run / f"{stage}.test.npz") as content:
        labels, files, truth, scores = (content[name] for name in ("labels", "files", "truth", "scores"))
    facts = json.loads((run / f"{stage}.test.json").read_text())
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
    """How far an unfinished run is."""
    states = []
    for stage in stages:
        if (run / f"{stage}.pt").is_file():
            states.append(f"{stage} trained")
        elif epochs := _epochs(run, stage):
            states.append(f"{stage} after epoch {len(epochs)}")
    return ", ".join(states) or "begun"
