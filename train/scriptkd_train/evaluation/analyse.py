"""Error analysis: a model's errors by image properties, compared with another data set.

It is for people who make training data. It shows which images fail together, and of which images the other set has too
few.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.preprocess import luma
from scriptkd_train.data.dataset import NON_TEXT, Item, read_split_or_all
from scriptkd_train.evaluation.evaluate import EXCLUDED_KINDS, predict_scores, read_manifest
from scriptkd_train.utils.contact_sheet import Tile, contact_sheet, write_png
from scriptkd_train.utils.files import printable, write_figure, write_file, write_json
from scriptkd_train.utils.markdown import markdown_table

ROWS = 32  # height in pixels at which sharpness and clutter are measured, so that crops of all sizes compare
COLUMNS = ("kind", "source")  # optional columns of manifest.csv
SHEET_COLUMNS, SHEET_TILES = 8, 96
CONFUSIONS = 20  # number of pairs listed
BANDS: dict[str, tuple[str, tuple[float, ...]]] = {
    "length": ("word length: width / height; 1 is about half a letter to a letter", (0.8, 1.2, 1.7, 2.4, 3.4, 5)),
    "height": ("height in pixels", (16, 24, 32, 48, 64, 96)),
    "sharpness": (f"sharpness: variance of the Laplacian at {ROWS} pixels", (100, 200, 400, 1600, 6400)),
    "contrast": ("contrast: 5th to 95th percentile of the luma", (40, 60, 90, 120, 160)),
    "clutter": ("clutter: deviation of the luma along the upper and lower edge", (5, 10, 20, 30, 45)),
}
"""Measured property -> its title, and the borders between its bands."""


@dataclass(frozen=True)
class ImageTraits:
    """Properties of an image that do not depend on its script, in the units of BANDS."""

    length: float
    height: float
    sharpness: float
    contrast: float
    clutter: float


@dataclass(frozen=True)
class WordResult:
    """One answered image. score: its top score, 0 to 1. columns: its values of COLUMNS in the manifest."""

    item: Item
    predicted: str
    second: str
    score: float
    traits: ImageTraits
    columns: dict[str, str]

    @property
    def correct(self) -> bool:
        """Whether the model's best script is the true one."""
        return self.predicted == self.item.label


@dataclass(frozen=True)
class ModelResults:
    """A model's answers to all words of a data set, and to its pictures without text."""

    model: str
    data: str
    words: list[WordResult]
    non_text: list[WordResult]


def run_model(
    model: str | Path, root: str | Path, split: str = "test", progress: Callable[[int, int], None] | None = None
) -> ModelResults:
    """Run a model on a data set, without unreadable images, unknown labels and kinds in EXCLUDED_KINDS.

    Args:
        model: a checkpoint, a model file, or a bundled model's name.
        root: the data set.
        split: train, val or test, if the data set has splits.
        progress: called now and then with the number of images done and the total.

    Raises:
        ArgumentError: no word is left to analyse.
        ModelError: the model cannot be read.
    """
    root = Path(root)
    items = read_split_or_all(root, split)
    manifest = read_manifest(root, "kind")
    labels, scores, failures = predict_scores(model, items, progress)
    words: list[WordResult] = []
    non_text: list[WordResult] = []
    for i, (item, row) in enumerate(zip(items, scores, strict=True)):
        fields = manifest.get(item.path.relative_to(root).as_posix(), {})
        without_text = item.label == NON_TEXT and NON_TEXT not in labels
        known = item.label in labels and fields.get("kind") not in EXCLUDED_KINDS
        if i in failures or not (known or without_text):
            continue
        best, second = np.argsort(-row, kind="stable")[:2] if len(labels) > 1 else (0, 0)
        columns = {name: fields[name] for name in COLUMNS if name in fields}
        traits = measure_image(item.load())
        word = WordResult(item, labels[best], labels[second], float(row[best]), traits, columns)
        (non_text if without_text else words).append(word)
    if not words:
        raise ArgumentError(f"nothing to analyse in {root}: it holds no word of {', '.join(labels)}")
    return ModelResults(Path(model).name, root.resolve().name, words, non_text)


def measure_image(image: NDArray[np.uint8]) -> ImageTraits:
    """Measure an image, uint8 RGB [H, W, 3] or gray [H, W]."""
    gray = luma(image) if image.ndim == 3 else image
    height, width = gray.shape
    shrink = height > ROWS
    size = max(1, round(width * ROWS / height)), ROWS
    small = cv2.resize(gray, size, interpolation=cv2.INTER_AREA if shrink else cv2.INTER_LINEAR).astype(np.float32)
    low, high = np.percentile(small, (5, 95))
    edges = np.concatenate([small[:3], small[-3:]])
    return ImageTraits(
        length=width / height,
        height=float(height),
        sharpness=float(cv2.Laplacian(small, cv2.CV_32F).var()),
        contrast=float(high - low),
        clutter=float(edges.std()),
    )


@dataclass(frozen=True)
class Confusion:
    """A confusion: how many words of one script were predicted as another."""

    true: str
    predicted: str
    count: int


@dataclass(frozen=True)
class Group:
    """Figures of a group of words. share: the group's part of all words, 0..1."""

    group: str
    images: int
    share: float
    wrong: int
    accuracy: float
    confusions: list[Confusion]


@dataclass(frozen=True)
class Analysis:
    """The figures of a model on a data set; shares are in 0..1.

    Attributes:
        model: name of the model's file.
        data: name of the data set's folder.
        images: number of measured words.
        wrong: number of wrongly predicted words.
        accuracy: over all words.
        macro_accuracy: mean accuracy over the scripts.
        score_of_wrong: percentile ("10 %") -> top score of the wrong words; empty if there are none.
        second_is_true: share of the wrong words whose true script comes second; None if there are none.
        confusions: the most frequent confusions.
        tables: grouping -> groups, in reading order.
    """

    model: str
    data: str
    images: int
    wrong: int
    accuracy: float
    macro_accuracy: float
    score_of_wrong: dict[str, float]
    second_is_true: float | None
    confusions: list[Confusion]
    tables: dict[str, list[Group]]

    def to_dict(self) -> dict[str, Any]:
        """The analysis for JSON. A confusion is a list of true script, predicted script and count."""
        content = asdict(self)
        for holder in (content, *(group for groups in content["tables"].values() for group in groups)):
            holder["confusions"] = [list(confusion.values()) for confusion in holder["confusions"]]
        return content


def summarise(found: ModelResults) -> Analysis:
    """Compute the figures of a data set."""
    words = found.words
    wrong = [word for word in words if not word.correct]
    by_script = _grouped(words, lambda word: word.item.label)
    tables = {"script": by_script}
    for name in COLUMNS:
        if any(name in word.columns for word in words):
            tables[name] = _grouped(words, _column(name))
    for name, (_, edges) in BANDS.items():
        tables[name] = _banded(words, name, edges)
    scores = [word.score for word in wrong]
    return Analysis(
        model=found.model,
        data=found.data,
        images=len(words),
        wrong=len(wrong),
        accuracy=1 - len(wrong) / len(words),
        macro_accuracy=float(np.mean([group.accuracy for group in by_script])),
        score_of_wrong={f"{q} %": float(np.percentile(scores, q)) for q in (10, 50, 90)} if wrong else {},
        second_is_true=sum(word.second == word.item.label for word in wrong) / len(wrong) if wrong else None,
        confusions=_confusions(wrong, CONFUSIONS),
        tables=tables,
    )


def write_analysis(found: ModelResults, out: str | Path, against: ModelResults | None = None) -> list[Path]:
    """Write analysis.md, analysis.json, bands.png, and for each script a sheet of wrong words.

    Args:
        found: a model's results.
        out: the folder; it is created if needed.
        against: the same model's results on other data, such as rendered words in unseen fonts.

    Returns:
        The paths written.

    Raises:
        OSError: the folder cannot be written to.
    """
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob("wrong-*.png"):  # of an earlier run
        old.unlink()
    mine, other = summarise(found), summarise(against) if against else None
    sheets = _write_sheets(found, out)
    report, text, figure = out / "analysis.json", out / "analysis.md", out / "bands.png"
    write_json(report, mine.to_dict() | ({"against": other.to_dict()} if other else {}))
    write_file(text, markdown(mine, other, [path.name for path in sheets]))
    _draw_bands(mine, other, figure)
    return [text, report, figure, *sheets]


def markdown(mine: Analysis, other: Analysis | None, sheets: Sequence[str] = ()) -> str:
    """The analysis as Markdown, compared with another data set's if given. sheets: names of pictures to show."""
    lines = [f"# Errors of {mine.model} on {mine.data}", ""]
    lines.append(
        f"{mine.wrong:,} of {mine.images:,} words wrong: accuracy {_percent(mine.accuracy)} %, "
        f"macro accuracy {_percent(mine.macro_accuracy)} %."
    )
    if mine.wrong:
        scores = ", ".join(f"{share} up to {score:.2f}" for share, score in mine.score_of_wrong.items())
        lines.append(
            f"Top scores of the wrong words: {scores}. "
            f"The true script comes second in {_percent(mine.second_is_true)} % of them."
        )
        lines += ["", f"Confusions (true > predicted): {_listed(mine.confusions)}."]
    for name, groups in mine.tables.items():
        lines += ["", f"## By {BANDS[name][0] if name in BANDS else name}", ""]
        lines += _table(groups, name, other)
    if other:
        lines += ["", f"## The gap to {other.data}", ""]
        lines.append(
            f"Macro accuracy: {_percent(other.macro_accuracy)} % on {other.data} ({other.images:,} words), "
            f"{_percent(mine.macro_accuracy)} % on {mine.data}: a gap of "
            f"{100 * (other.macro_accuracy - mine.macro_accuracy):.1f} points. In the tables, `share` is the "
            f"part of a data set's words that a row holds. If a row has a far larger share of {mine.data}, then "
            f"{other.data} has too few such words. If only the row's accuracies differ, the words differ in a property "
            "that this table does not measure."
        )
    lines += ["", "![Accuracy and shares by band](bands.png)"]
    for sheet in sheets:
        lines += ["", f"![{sheet.removesuffix('.png')}]({sheet})"]
    return "\n".join(lines) + "\n"


def _column(name: str) -> Callable[[WordResult], str]:
    return lambda word: word.columns.get(name, "not in manifest.csv")


def _grouped(words: Sequence[WordResult], key: Callable[[WordResult], str]) -> list[Group]:
    """Figures of the words grouped by their value of `key`, sorted by that value."""
    groups: dict[str, list[WordResult]] = defaultdict(list)
    for word in words:
        groups[key(word)].append(word)
    return [_group(name, groups[name], len(words)) for name in sorted(groups)]


def _banded(words: Sequence[WordResult], trait: str, edges: Sequence[float]) -> list[Group]:
    """Figures of the words grouped by the bands of a trait."""
    bands: dict[int, list[WordResult]] = defaultdict(list)
    for word in words:
        bands[sum(getattr(word.traits, trait) >= edge for edge in edges)].append(word)
    return [_group(_band(number, edges), bands[number], len(words)) for number in sorted(bands)]


def _group(name: str, words: Sequence[WordResult], total: int) -> Group:
    wrong = [word for word in words if not word.correct]
    images = len(words)
    return Group(name, images, images / total, len(wrong), 1 - len(wrong) / images, _confusions(wrong, 3))


def _band(number: int, edges: Sequence[float]) -> str:
    if number == 0:
        return f"< {edges[0]:g}"
    return f"{edges[number - 1]:g}–{edges[number]:g}" if number < len(edges) else f">= {edges[-1]:g}"


def _confusions(wrong: Sequence[WordResult], most: int) -> list[Confusion]:
    """The most frequent confusions, with their counts."""
    counts = Counter((word.item.label, word.predicted) for word in wrong)
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [Confusion(true, predicted, count) for (true, predicted), count in ordered[:most]]


def _listed(confusions: Sequence[Confusion]) -> str:
    return ", ".join(f"{each.true} > {each.predicted} {each.count}" for each in confusions)


def _table(groups: Sequence[Group], name: str, other: Analysis | None) -> list[str]:
    """A Markdown table of one grouping, with columns of the other data set if it has the same grouping."""
    theirs = {group.group: group for group in other.tables.get(name, [])} if other else {}
    heads = ["", "words", "share %", "wrong", "accuracy %"]
    if other and theirs:
        heads += [f"{other.data}: share %", "accuracy %"]
    rows = []
    for group in groups:
        cells = [group.group, f"{group.images:,}", _percent(group.share), str(group.wrong), _percent(group.accuracy)]
        if theirs:
            their = theirs.get(group.group)
            cells += [_percent(their.share), _percent(their.accuracy)] if their else ["0.0", "–"]
        rows.append([*cells, _listed(group.confusions)])
    return markdown_table([*heads, "confusions"], rows, {0, len(heads)})


def _write_sheets(found: ModelResults, out: Path) -> list[Path]:
    """A sheet of wrong words for each script, the most confident first, and a sheet of the most confident non-text."""
    wrong = defaultdict(list)
    for word in found.words:
        if not word.correct:
            wrong[word.item.label].append(word)
    if found.non_text:
        wrong[NON_TEXT] = found.non_text
    paths = []
    for label, words in sorted(wrong.items()):
        words = sorted(words, key=lambda word: -word.score)[:SHEET_TILES]
        tiles = [Tile(word.item.load(), f"{label}>{word.predicted} {word.score:.2f}") for word in words]
        path = out / f"wrong-{label}.png"
        rows = [tiles[i : i + SHEET_COLUMNS] for i in range(0, len(tiles), SHEET_COLUMNS)]
        write_png(path, contact_sheet(rows))
        paths.append(path)
    return paths


def _draw_bands(mine: Analysis, other: Analysis | None, path: Path) -> None:
    """Plot each property: accuracy by band as lines, and shares of the words as bars."""
    from matplotlib.figure import Figure  # imported here, since it takes a second

    sets = [mine] + ([other] if other else [])
    figure = Figure(figsize=(11, 2.9 * ((len(BANDS) + 1) // 2)), layout="constrained")
    for place, (name, (title, edges)) in enumerate(BANDS.items(), 1):
        axes = figure.add_subplot((len(BANDS) + 1) // 2, 2, place)
        names = [_band(number, edges) for number in range(len(edges) + 1)]
        for number, each in enumerate(sets):
            groups = {group.group: group for group in each.tables[name]}
            shares = [100 * groups[band].share if band in groups else 0 for band in names]
            accuracies = [100 * groups[band].accuracy if band in groups else np.nan for band in names]
            places, colour = np.arange(len(names)), f"C{number}"
            offset = (number - (len(sets) - 1) / 2) * 0.4
            axes.bar(places + offset, shares, 0.4, color=colour, alpha=0.25)
            axes.plot(places, accuracies, "o-", color=colour, label=printable(each.data))
        axes.set_xticks(range(len(names)), names, fontsize=8)
        axes.set_ylim(0, 102)
        axes.set_title(title, fontsize=9)
        axes.set_ylabel("%: accuracy (line), share (bars)", fontsize=8)
    figure.axes[0].legend(fontsize=8, loc="center right")
    write_figure(path, figure, dpi=100)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f}"
