"""The Pareto front: accuracy against latency and file size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.utils.files import write_figure


@dataclass(frozen=True)
class Point:
    """One model. milliseconds: p50 of session.run. accuracy: macro accuracy in 0..1 by name of the images."""

    name: str
    milliseconds: float
    kilobytes: float
    accuracy: dict[str, float]


def front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Return the indices of the Pareto-optimal (cost, gain) pairs, the cheapest first."""
    best: list[int] = []
    for i in sorted(range(len(points)), key=lambda i: (points[i][0], -points[i][1])):
        if not best or points[i][1] > points[best[-1]][1]:
            best.append(i)
    return best


def draw_pareto(points: Sequence[Point], path: Path) -> None:
    """Write a PNG. Each set of images has two panels, latency and size, with a line through the Pareto front.

    Raises ArgumentError if no model has an accuracy.
    """
    from adjustText import adjust_text
    from matplotlib.figure import Figure  # imported here, as it takes a second
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    names = list(dict.fromkeys(name for point in points for name in point.accuracy))
    if not names:
        raise ArgumentError("nothing to plot: no model's accuracy was measured; give --data, --real, or both")
    figure = Figure(figsize=(11, 4.2 * len(names)), layout="constrained")
    panels = figure.subplots(len(names), 2, squeeze=False)
    costs = (("session.run, p50 ms", "milliseconds"), ("file, KB", "kilobytes"))
    for row, name in zip(panels, names, strict=True):
        shown = [point for point in points if name in point.accuracy]
        for axes, (title, field) in zip(row, costs, strict=True):
            pairs = [(float(getattr(point, field)), 100 * point.accuracy[name]) for point in shown]
            line = [pairs[i] for i in front(pairs)]
            axes.plot(*zip(*line, strict=True), color="0.75", zorder=0)
            for cost, gain in pairs:
                axes.plot(cost, gain, "o", color="C0" if (cost, gain) in line else "0.5")
            axes.set_xscale("log")
            axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.xaxis.set_major_formatter(FuncFormatter(lambda value, place: f"{value:g}"))
            axes.xaxis.set_minor_formatter(NullFormatter())
            axes.margins(0.15)
            axes.grid(alpha=0.3, which="both")
            axes.set_xlabel(title)
            axes.set_ylabel(f"{name}: macro accuracy, %")
            labels = [axes.text(*pair, point.name, fontsize=8) for point, pair in zip(shown, pairs, strict=True)]
            adjust_text(labels, *zip(*pairs, strict=True), ax=axes, arrowprops={"arrowstyle": "-", "color": "0.6"})
    path.parent.mkdir(parents=True, exist_ok=True)
    write_figure(path, figure, 110)
