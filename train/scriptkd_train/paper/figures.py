"""The report's pictures, as PNG files. Each function returns whether there was something to draw."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from scriptkd_sdk.errors import ArgumentError, ImageError
from scriptkd_train.data.dataset import Item, read_dataset
from scriptkd_train.evaluation.plots import plot_confusion
from scriptkd_train.paper.collect import Matrix, Measured
from scriptkd_train.utils.contact_sheet import PAPER, Tile, contact_sheet, write_png
from scriptkd_train.utils.files import write_figure

_OURS, _PAPERS = "#2a6f97", "#c9c9c9"
_DRAW = 0  # seed of the draw of example images


def accuracy_bars(matrix: Matrix, titles: Mapping[str, str], papers: Mapping[str, float], path: Path) -> bool:
    """Figure 6: the accuracy of each row's last network, with the 95 % interval, beside the paper's if known.

    The axis does not start at 0, so that differences are visible.
    """
    rows = [row for row in titles if matrix.accuracy(row, matrix.last(row)).values or row in papers]
    if not rows:
        return False
    figure = Figure(figsize=(8.5, 1.1 + 0.55 * len(rows)), layout="constrained")
    axes = figure.add_subplot()
    thick = 0.4 if papers else 0.6
    lowest, highest = 100.0, 0.0
    for place, row in enumerate(rows):
        ours = matrix.accuracy(row, matrix.last(row))
        if row in papers:
            axes.barh(place + thick / 2, papers[row], thick, color=_PAPERS)
            axes.annotate(f"{papers[row]:.2f}", (papers[row], place + thick / 2), **_BESIDE)
            lowest, highest = min(lowest, papers[row]), max(highest, papers[row])
        if ours.values:
            at = place - thick / 2 if papers else place
            low, high = max(ours.low, 0), min(ours.high, 100)
            margins = [[max(ours.mean - low, 0)], [max(high - ours.mean, 0)]]  # rounding may put the mean outside
            axes.barh(at, ours.mean, thick, xerr=margins, color=_OURS, ecolor="black", capsize=3)
            axes.annotate(f"{ours.mean:.2f}", (high, at), **_BESIDE)
            lowest, highest = min(lowest, low), max(highest, high)
    low = max(0, 10 * math.floor((lowest - 5) / 10))
    axes.set_xlim(low, min(109, highest + 0.08 * (highest - low) + 1))
    axes.set_yticks(range(len(rows)), [titles[row] for row in rows])
    axes.invert_yaxis()
    axes.set_xlabel("accuracy, %")
    axes.spines[["top", "right"]].set_visible(False)
    if papers:
        keys = [Patch(color=_OURS, label="ours, with 95 % interval"), Patch(color=_PAPERS, label="paper")]
        axes.legend(handles=keys, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False)
    write_figure(path, figure, dpi=110)
    return True


_BESIDE: dict[str, Any] = {"xytext": (4, 0), "textcoords": "offset points", "va": "center", "fontsize": 9}


def confusions(matrix: Matrix, stage: str, titles: Mapping[str, str], path: Path) -> bool:
    """The confusion matrices of one stage in all rows that have it, with counts summed over seeds."""
    found = {row: matrix.runs(row, stage) for row in titles}
    found = {row: runs for row, runs in found.items() if runs}
    if not found:
        return False
    columns = min(len(found), 3)
    side = 1.8 + 0.42 * len(matrix.labels)
    lines = math.ceil(len(found) / columns)
    figure = Figure(figsize=(columns * side, lines * (side + 0.2)), layout="constrained")
    for place, (row, runs) in enumerate(found.items()):
        axes = figure.add_subplot(lines, columns, place + 1)
        counts = np.sum([network.confusion for network in runs.values()], axis=0)
        plot_confusion(axes, matrix.labels, counts)
        share = 100 * np.trace(counts) / counts.sum()
        axes.set_title(f"{titles[row]}: {share:.1f} %", loc="right", fontsize=10)
    write_figure(path, figure, dpi=90)
    return True


def examples(matrix: Matrix, titles: Mapping[str, str], right: bool, path: Path) -> bool:
    """Figures 4 and 5: right, or wrong, images of each row's last network of the first seed, one for each script.

    The images are drawn at random with a fixed seed, so they are not the best or the worst ones.
    """
    sheet, names = [], []
    items = _test_items(matrix)
    for row, title in titles.items():
        runs = matrix.runs(row, matrix.last(row))
        if runs:
            sheet.append(_tiles(items, runs[min(runs)], right))
            names.append(title)
    if not any(tile.caption for tiles in sheet for tile in tiles):
        path.unlink(missing_ok=True)  # of an earlier report
        return False
    write_png(path, contact_sheet(sheet, names))
    return True


def _test_items(matrix: Matrix) -> dict[str, Item]:
    """The test images by their names in the results; empty if the data set has been moved."""
    try:
        items = read_dataset(matrix.data_root, "test")
    except ArgumentError:
        return {}
    return {item.identity.relative_to(matrix.data_root).as_posix(): item for item in items}


def _tiles(items: Mapping[str, Item], network: Measured, right: bool) -> list[Tile]:
    """A tile for each script, so that each script has a column; blank if there is no image."""
    random = np.random.default_rng(_DRAW)
    tiles = [Tile(np.full((1, 1, 3), PAPER, np.uint8))] * len(network.labels)
    for index, label in enumerate(network.labels):
        fitting = np.flatnonzero((network.truth == index) & ((network.predicted == index) == right))
        for i in random.permutation(fitting)[:1]:
            try:
                image = items[str(network.files[i])].load()
            except (KeyError, ImageError):  # the image has been moved
                continue
            tiles[index] = Tile(image, label if right else f"{label} > {network.labels[network.predicted[i]]}")
    return tiles
