"""A model's cost as a table for the terminal, as CSV, as JSON and as a picture."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from scriptkd_train.utils import files

from .cost import Cost, Layer

FIELDS = ("parameters", "macs", "bytes", "milliseconds")
TITLES = ("parameters", "multiply-adds", "bytes", "ms")
DEAREST = 20  # layers in the terminal's table and in the picture
AGREEMENT = 0.1  # allowed relative difference between the layers' sum and a whole call


def type_table(cost: Cost) -> Table:
    """Return the sums by type, and of all layers."""
    return _table("type", [*cost.types(), cost.total()], cost)


def layer_table(cost: Cost) -> Table:
    """The layers that take most of the time, in the order in which they run."""
    return _table("layer", dearest(cost), cost)


def dearest(cost: Cost) -> list[Layer]:
    """The layers that take most of the time, in the order in which they run."""
    limit = sorted((layer.milliseconds for layer in cost.layers), reverse=True)[:DEAREST][-1]
    return [layer for layer in cost.layers if layer.milliseconds >= limit]


def agreement(cost: Cost) -> str:
    """Compare the layers' sum with a call without profiler, in words."""
    ratio = cost.measured / cost.whole
    busy = "" if abs(ratio - 1) <= AGREEMENT else "; more than 10 % apart: measure again when the machine is less busy"
    return (
        f"the layers add up to {cost.measured:.4g} ms, and a call without the profiler takes {cost.whole:.4g} ms: "
        f"{100 * ratio:.1f} %{busy}"
    )


def shares(layer: Layer, cost: Cost) -> dict[str, float]:
    """Return a layer's shares of the whole, in 0..1, by field."""
    total = cost.total()
    return {field: getattr(layer, field) / (getattr(total, field) or 1) for field in FIELDS}


def write_csv(cost: Cost, path: Path) -> None:
    """Write one row a layer, in the order in which they run."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["name", "type", "operators", *FIELDS, *(f"{field}_share" for field in FIELDS)])
    for layer in cost.layers:
        writer.writerow([*asdict(layer).values(), *(f"{share:.6f}" for share in shares(layer, cost).values())])
    files.write_file(path, text.getvalue())


def write_json(cost: Cost, facts: dict[str, str], path: Path) -> None:
    """Write all figures, with times in milliseconds and shares in 0..1."""

    def rows(layers: Sequence[Layer]) -> list[dict[str, Any]]:
        return [{**asdict(layer), "shares": shares(layer, cost)} for layer in layers]

    content = {
        "facts": facts,
        "whole_milliseconds": cost.whole,
        "measured_milliseconds": cost.measured,
        "types": rows(cost.types()),
        "layers": rows(cost.layers),
    }
    files.write_json(path, content)


def draw(cost: Cost, title: str, path: Path) -> None:
    """Draw a PNG of two panels: each type's shares, and the most expensive layers, coloured by type."""
    from matplotlib.figure import Figure  # imported here, as it takes a second

    types, layers = cost.types()[::-1], dearest(cost)[::-1]
    figure = Figure(figsize=(13, 1.6 + 0.26 * max(len(layers), 3 * len(types))), layout="constrained")
    figure.suptitle(title)
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.2))
    drawn = [("parameters", "parameters", "0.7"), ("multiply-adds", "macs", "C0"), ("time", "milliseconds", "C1")]
    for place, (name, field, colour) in enumerate(drawn):
        values = [100 * shares(each, cost)[field] for each in types]
        rows = [row + 0.27 * (1 - place) for row in range(len(types))]
        bars = left.barh(rows, values, 0.27, color=colour, label=name)
        left.bar_label(bars, [f"{value:.1f}" for value in values], padding=2, fontsize=7)
    left.set_yticks(range(len(types)), [each.type for each in types])
    left.set_xlabel("share of the whole, %")
    left.set_xlim(right=112)
    left.legend(loc="lower right", fontsize=8)
    colours = {each.type: f"C{i % 10}" for i, each in enumerate(cost.types())}
    bars = right.barh(
        [layer.name for layer in layers],
        [layer.milliseconds for layer in layers],
        color=[colours[layer.type] for layer in layers],
    )
    right.bar_label(bars, [layer.type for layer in layers], padding=3, fontsize=7)
    right.tick_params(axis="y", labelsize=8)
    right.margins(x=0.15)
    right.set_xlabel(f"ms of {cost.measured:.3g} on one thread")
    files.write_figure(path, figure, 110)


def _table(head: str, layers: Sequence[Layer], cost: Cost) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column(head, overflow="fold")
    table.add_column("type" if head == "layer" else "", overflow="fold")
    for title in TITLES:
        table.add_column(title, justify="right")
        table.add_column("%", justify="right")
    for layer in layers:
        cells = [layer.name, layer.type if head == "layer" else layer.operators]
        for field, share in shares(layer, cost).items():
            value = getattr(layer, field)
            cells += [f"{value:.4f}" if field == "milliseconds" else f"{value:,}", f"{100 * share:.1f}"]
        table.add_row(*cells)
    return table
