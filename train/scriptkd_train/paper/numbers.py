"""The report's figures as values for other programs, the content of report.json."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from scriptkd_train.paper.collect import Matrix
from scriptkd_train.paper.estimate import Estimate


def numbers(matrix: Matrix, pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The figures of a matrix for JSON: accuracies in per cent and gains in points, each with its 95 % interval.

    Args:
        matrix: the results.
        pairs: pairs of a row and the row that it is compared with.

    Returns:
        rows: for each row's last network, accuracies by seed, their mean, deviation and interval. gains: the same for
            each pair, with the conclusion. Missing numbers are None.
    """
    rows = {}
    for row in matrix.rows:
        stage = matrix.last(row)
        runs = matrix.runs(row, stage)
        parameters = next((network.facts["parameters"] for network in runs.values()), None)
        rows[row] = {"stage": stage, "parameters": parameters, **_values(matrix.accuracy(row, stage), list(runs))}
    gains = []
    for row, over in pairs:
        theirs = matrix.runs(over, matrix.last(over))
        seeds = [seed for seed in matrix.runs(row, matrix.last(row)) if seed in theirs]
        gain = matrix.gain(row, over)
        gains.append({"row": row, "over": over, **_values(gain, seeds), "shown": gain.verdict()})
    return {
        "kind": matrix.kind,
        "data": matrix.data.get("name"),
        "test_images": matrix.images,
        "seeds": matrix.seeds,
        "rows": rows,
        "gains": gains,
        "missing": matrix.missing,
    }


def _values(found: Estimate, seeds: Sequence[int]) -> dict[str, Any]:
    by_seed = {str(seed): value for seed, value in zip(seeds, found.values, strict=True)}
    figures = {"mean": found.mean, "deviation": found.deviation, "low": found.low, "high": found.high}
    return {"by_seed": by_seed} | {name: None if math.isnan(value) else value for name, value in figures.items()}
