"""`scriptkd bench compare A.json B.json`: compares two measurements, such as two devices or two versions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from scriptkd_sdk.errors import ArgumentError


def compare(paths: tuple[Path, Path], console: Console) -> None:
    """Print a comparison of two files: the facts that differ, and the latencies of the models that are in both.

    Raises ArgumentError for a file that `scriptkd bench` did not write.
    """
    one, two = (load_report(path) for path in paths)
    names = _names(paths)
    console.print(_facts(one, two, names))
    console.print(_latencies(one, two, names))


def load_report(path: Path) -> dict[str, Any]:
    """What `scriptkd bench` wrote to a JSON file: `facts` by name, and `rows`, one for each model.

    Raises ArgumentError for a file that `scriptkd bench` did not write.
    """
    try:
        report = json.loads(path.read_text("utf-8"))
        _cells(report)
        dict(report["facts"])
    except OSError as error:
        raise ArgumentError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ArgumentError(f"{path}: not a JSON file that `scriptkd bench` wrote") from error
    return dict(report)


def _names(paths: tuple[Path, Path]) -> list[str]:
    stems = [path.stem for path in paths]
    return stems if stems[0] != stems[1] else [str(path) for path in paths]


def _facts(one: dict[str, Any], two: dict[str, Any], names: list[str]) -> Table:
    table = Table("", *names, box=box.SIMPLE_HEAD, pad_edge=False)
    for name in [*one["facts"], *(name for name in two["facts"] if name not in one["facts"])]:
        facts = [str(report["facts"].get(name, "–")) for report in (one, two)]
        if facts[0] != facts[1]:
            table.add_row(name, *facts)
    return table


def _latencies(one: dict[str, Any], two: dict[str, Any], names: list[str]) -> Table:
    heads = ("model", "precision", "what", f"{names[0]} p50/p95 ms", f"{names[1]} p50/p95 ms", "times as fast")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, head in enumerate(heads):
        table.add_column(head, justify="left" if number < 3 else "right")
    first, second = _cells(one), _cells(two)
    for key in [*first, *(key for key in second if key not in first)]:
        a, b = first.get(key), second.get(key)
        ratio = f"{a[0] / b[0]:.2f}" if a and b and b[0] > 0 else "–"
        table.add_row(*key, _text(a), _text(b), ratio)
    return table


def _cells(report: dict[str, Any]) -> dict[tuple[str, str, str], tuple[float, float]]:
    """Return p50 and p95 in milliseconds by (model, precision, what)."""
    cells = {}
    for row in report["rows"]:
        for what, field in (("run", "run"), ("array", "identify_array"), ("path", "identify_path")):
            cells[row["model"], row["precision"], what] = _latency(row["timing"][field])
    for row in report.get("device", []):
        threads = f"{row['threads']} thread{'s' * (row['threads'] > 1)}"
        cells[row["model"], row["precision"], threads] = _latency(row["run"])
    return cells


def _latency(values: dict[str, Any]) -> tuple[float, float]:
    return float(values["p50"]), float(values["p95"])


def _text(latency: tuple[float, float] | None) -> str:
    return "–" if latency is None else f"{latency[0]:.3g}/{latency[1]:.3g}"
