"""Published results on research data sets, from `published_results.csv` beside this module.

A row names a set as in `data.sets`, a method, its accuracy in per cent, a note and the source. A figure is given only
if its source was read; otherwise the method is listed without a figure.
"""

from __future__ import annotations

import csv
from pathlib import Path

from scriptkd_train.evaluation.report import PublishedResult

_FILE = Path(__file__).with_suffix(".csv")


def published_results(research_set: str) -> list[PublishedResult]:
    """The results on a set, the best first, those without a figure last."""
    with _FILE.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["set"] == research_set]
    results = [
        PublishedResult(row["method"], float(row["accuracy"]) if row["accuracy"] else None, row["note"], row["source"])
        for row in rows
    ]
    return sorted(results, key=lambda each: -(each.accuracy or 0))
