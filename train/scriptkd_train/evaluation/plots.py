"""Plots of an evaluation: confusion matrix, words against non-text, and reliability of the scores."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scriptkd_train.evaluation.metrics import Floats, Ints, Reliability, roc_area, roc_curve
from scriptkd_train.evaluation.report import EvaluationReport
from scriptkd_train.utils.files import printable, write_figure


def plot_confusion(axes: Axes, labels: Sequence[str], counts: Ints) -> None:
    """Draw a confusion matrix [K, K] on matplotlib axes. Colours are shares of the true script, numbers are counts."""
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    names = [printable(label) for label in labels]
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(names)), names, rotation=60, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    for row, column in np.argwhere(counts):
        ink = "white" if shares[row, column] > 0.5 else "black"
        axes.text(column, row, f"{counts[row, column]}", ha="center", va="center", color=ink, fontsize=8)


def draw_confusion(report: EvaluationReport, title: str, path: Path) -> None:
    """A report's confusion matrix; writes a PNG."""
    labels = list(report.scripts)
    side = 2.2 + 0.48 * len(labels)
    figure = Figure(figsize=(side, side), layout="constrained")
    axes = figure.add_subplot()
    plot_confusion(axes, labels, np.array(report.confusion))
    axes.set_title(title, loc="right")
    write_figure(path, figure, dpi=110)


def draw_roc(words: Floats, non_text: Floats, threshold: float, title: str, path: Path) -> None:
    """Plot words [N] kept against non-text [M] kept, by top score, with the threshold as a point. Writes a PNG."""
    figure = Figure(figsize=(4.6, 4.6), layout="constrained")
    axes = figure.add_subplot()
    false, true = roc_curve(words, non_text)
    axes.step(100 * false, 100 * true, where="post", label=f"area {roc_area(words, non_text):.3f}")
    axes.plot([0, 100], [0, 100], color="0.8", zorder=0)
    if threshold > 0:
        at = 100 * np.mean(non_text >= threshold), 100 * np.mean(words >= threshold)
        axes.plot(*at, "o", color="C3", label=f"threshold {threshold:.2f}: {at[1]:.1f} % and {at[0]:.1f} %")
    axes.set_xlabel("non-text that gets an answer, %")
    axes.set_ylabel("words that get an answer, %")
    axes.set_title(title, fontsize=10)
    axes.legend(loc="lower right")
    write_figure(path, figure, dpi=110)


def draw_reliability(found: Reliability, error: float, title: str, path: Path) -> None:
    """Plot the share of right answers by top score; calibrated scores lie on the diagonal. Writes a PNG."""
    figure = Figure(figsize=(4.6, 5.2), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    edges = np.linspace(0, 100, len(found.images) + 1)
    middle, width = (edges[:-1] + edges[1:]) / 2, edges[1]
    upper.bar(middle, 100 * np.nan_to_num(found.accuracy), width, color="C0", alpha=0.6, edgecolor="white")
    upper.plot([0, 100], [0, 100], color="0.6")
    filled = found.images > 0
    upper.plot(100 * found.confidence[filled], 100 * found.accuracy[filled], ".", color="C0")
    upper.set_ylabel("right, %")
    upper.set_title(f"{title}\nexpected calibration error {100 * error:.1f} %", fontsize=10)
    lower.bar(middle, 100 * found.images / found.images.sum(), width, color="0.6", edgecolor="white")
    lower.set_ylabel("words, %")
    lower.set_xlabel("top score, %")
    write_figure(path, figure, dpi=110)
