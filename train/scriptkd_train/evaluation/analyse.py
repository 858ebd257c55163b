"""Where a model goes wrong: its errors by what the images are like, and how far that lies from another data set's.

It is for the people who make the training data: what fails together, and what the other set has too little of.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.images import load_image
from scriptkd_sdk.preprocess import luma
from scriptkd_train.data.dataset import NON_TEXT, Item, read_split_or_all
from scriptkd_train.evaluation.evaluate import EXCLUDED_KINDS, predict_scores, read_manifest
from scriptkd_train.utils.contact_sheet import Tile, contact_sheet, write_png

ROWS = 32  # pixels: sharpness and clutter are measured at this height, so that large crops compare with small ones
COLUMNS = ("kind", "source")  # of manifest.csv, where it has them
SHEET_COLUMNS, SHEET_TILES = 8, 96
CONFUSIONS = 20  # pairs listed
BANDS: dict[str, tuple[str, tuple[float, ...]]] = {
    "length": ("word length: width / height, about half a letter to a letter each", (0.8, 1.2, 1.7, 2.4, 3.4, 5)),
    "height": ("height in pixels", (16, 24, 32, 48, 64, 96)),
    "sharpness": (f"sharpness: variance of the Laplacian at {ROWS} pixels", (100, 200, 400, 1600, 6400)),
    "contrast": ("contrast: 5th to 95th percentile of the luma", (40, 60, 90, 120, 160)),
    "clutter": ("clutter: deviation of the luma along the upper and lower edge", (5, 10, 20, 30, 45)),
}
"""What is measured of an image: a title, and where one band ends and the next begins."""


@dataclass(frozen=True)
class ImageTraits:
    """What an image is like, whatever is written in it; the units are those of BANDS."""

    length: float
    height: float
    sharpness: float
    contrast: float
    clutter: float


@dataclass(frozen=True)
class WordResult:
    """One answered image. score: its top score, 0 to 1. columns: of the data set's manifest, those in COLUMNS."""

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
    """A model's answers to all words of a data set, and to its pictures without text, which have no right answer."""

    model: str
    data: str
    words: list[WordResult]
    non_text: list[WordResult]


def run_model(
    model: str | Path, root: str | Path, split: str = "test", progress: Callable[[int, int], None] | None = None
) -> ModelResults:
    """Run a model over a data set; unreadable images, unknown labels and kinds in EXCLUDED_KINDS are passed over.

    Raises ArgumentError if no word is left, ModelError if the model cannot be read.
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
        traits = measure_image(load_image(item.path))
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


def summarise(found: ModelResults) -> dict[str, Any]:
    """The figures of a data set, ready for JSON: shares in 0..1, groups in the order in which people read them."""
    words = found.words
    wrong = [word for word in words if not word.correct]
    by_script = _grouped(words, lambda word: word.item.label)
    tables = {"script": by_script}
    for name in COLUMNS:
        if any(name in word.columns for word in words):
            tables[name] = _grouped(words, lambda word, name=name: word.columns.get(name, "not in manifest.csv"))
    for name, (_, edges) in BANDS.items():
        tables[name] = _grouped(words, lambda word, name=name: getattr(word.traits, name), edges)
    scores = [word.score for word in wrong]
    return {
        "model": found.model,
        "data": found.data,
        "images": len(words),
        "wrong": len(wrong),
        "accuracy": 1 - len(wrong) / len(words),
        "macro_accuracy": float(np.mean([row["accuracy"] for row in by_script])),
        "score_of_wrong": {f"{q} %": float(np.percentile(scores, q)) for q in (10, 50, 90)} if wrong else {},
        "second_is_true": sum(word.second == word.item.label for word in wrong) / len(wrong) if wrong else None,
        "confusions": _confusions(wrong, CONFUSIONS),
        "tables": tables,
    }


def write_analysis(found: ModelResults, out: str | Path, against: ModelResults | None = None) -> list[Path]:
    """Write analysis.md, analysis.json, bands.png and a sheet of wrong words a script; returns the paths.

    against: the same model's answers to other data, such as rendered words in fonts that training never saw.
    Raises OSError if the folder cannot be written to.
    """
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob("wrong-*.png"):  # an earlier run's
        old.unlink()
    mine, other = summarise(found), summarise(against) if against else None
    sheets = _write_sheets(found, out)
    figure = out / "bands.png"
    _draw_bands(mine, other, figure)
    report, text = out / "analysis.json", out / "analysis.md"
    content = mine | ({"against": other} if other else {})
    report.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")
    text.write_text(markdown(mine, other, [path.name for path in sheets]), "utf-8")
    return [text, report, figure, *sheets]


def markdown(mine: dict[str, Any], other: dict[str, Any] | None, sheets: Sequence[str] = ()) -> str:
    """The analysis as Markdown; `mine` and `other` are summaries, `sheets` names of pictures beside the file."""
    lines = [f"# Errors of {mine['model']} on {mine['data']}", ""]
    lines.append(
        f"{mine['wrong']:,} of {mine['images']:,} words wrong: accuracy {_percent(mine['accuracy'])} %, "
        f"macro accuracy {_percent(mine['macro_accuracy'])} %."
    )
    if mine["wrong"]:
        scores = ", ".join(f"{share} up to {score:.2f}" for share, score in mine["score_of_wrong"].items())
        lines.append(
            f"Top scores of the wrong words: {scores}. "
            f"The true script comes second in {_percent(mine['second_is_true'])} % of them."
        )
        lines += ["", "Confusions (true > predicted): "]
        lines[-1] += ", ".join(f"{true} > {predicted} {count}" for true, predicted, count in mine["confusions"]) + "."
    for name, rows in mine["tables"].items():
        lines += ["", f"## By {BANDS[name][0] if name in BANDS else name}", ""]
        lines += _table(rows, {row["group"]: row for row in other["tables"].get(name, [])} if other else None, other)
    if other:
        lines += ["", f"## The gap to {other['data']}", ""]
        lines.append(
            f"Macro accuracy: {_percent(other['macro_accuracy'])} % on {other['data']} ({other['images']:,} words), "
            f"{_percent(mine['macro_accuracy'])} % on {mine['data']}: a gap of "
            f"{100 * (other['macro_accuracy'] - mine['macro_accuracy']):.1f} points. In the tables, `share` is the "
            f"part of a data set's words that a row holds. A row with a far larger share of {mine['data']} shows what "
            f"{other['data']} has too little of; one whose accuracies differ looks alike by this measure, and differs "
            "in something else."
        )
    lines += ["", "![Accuracy and shares by band](bands.png)"]
    for sheet in sheets:
        lines += ["", f"![{sheet.removesuffix('.png')}]({sheet})"]
    return "\n".join(lines) + "\n"


def _grouped(
    words: Sequence[WordResult], key: Callable[[WordResult], Any], edges: Sequence[float] | None = None
) -> list[dict[str, Any]]:
    """Figures of the words by `key`: by its value, or with `edges` by the band that its number lies in."""
    groups: dict[Any, list[WordResult]] = defaultdict(list)
    for word in words:
        value = key(word)
        groups[sum(value >= edge for edge in edges) if edges else value].append(word)
    rows = []
    for group in sorted(groups):
        wrong = [word for word in groups[group] if not word.correct]
        rows.append(
            {
                "group": _band(group, edges) if edges else group,
                "images": len(groups[group]),
                "share": len(groups[group]) / len(words),
                "wrong": len(wrong),
                "accuracy": 1 - len(wrong) / len(groups[group]),
                "confusions": _confusions(wrong, 3),
            }
        )
    return rows


def _band(number: int, edges: Sequence[float]) -> str:
    if number == 0:
        return f"< {edges[0]:g}"
    return f"{edges[number - 1]:g}–{edges[number]:g}" if number < len(edges) else f">= {edges[-1]:g}"


def _confusions(wrong: Sequence[WordResult], most: int) -> list[tuple[str, str, int]]:
    """The commonest pairs of a true and a predicted script, with their counts."""
    counts = Counter((word.item.label, word.predicted) for word in wrong)
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [(true, predicted, count) for (true, predicted), count in ordered[:most]]


def _table(
    rows: list[dict[str, Any]], theirs: dict[str, dict[str, Any]] | None, other: dict[str, Any] | None
) -> list[str]:
    """A Markdown table of one grouping, with the other data set's columns if its rows are given."""
    heads = ["", "words", "share %", "wrong", "accuracy %"]
    if theirs and other:
        heads += [f"{other['data']}: share %", "accuracy %"]
    heads.append("confusions")
    ends = len(heads) - 2
    lines = [f"| {' | '.join(heads)} |", "|---|" + "---:|" * ends + "---|"]
    for row in rows:
        cells = [
            row["group"],
            f"{row['images']:,}",
            _percent(row["share"]),
            str(row["wrong"]),
            _percent(row["accuracy"]),
        ]
        if theirs and other:
            their = theirs.get(row["group"])
            cells += [_percent(their["share"]), _percent(their["accuracy"])] if their else ["0.0", "–"]
        cells.append(", ".join(f"{true} > {predicted} {count}" for true, predicted, count in row["confusions"]))
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _write_sheets(found: ModelResults, out: Path) -> list[Path]:
    """Sheets of wrong words, one a script, the most confident first; and one of the most confident non-text."""
    wrong = defaultdict(list)
    for word in found.words:
        if not word.correct:
            wrong[word.item.label].append(word)
    if found.non_text:
        wrong[NON_TEXT] = found.non_text
    paths = []
    for label, words in sorted(wrong.items()):
        words = sorted(words, key=lambda word: -word.score)[:SHEET_TILES]
        tiles = [Tile(load_image(word.item.path), f"{label}>{word.predicted} {word.score:.2f}") for word in words]
        path = out / f"wrong-{label}.png"
        rows = [tiles[i : i + SHEET_COLUMNS] for i in range(0, len(tiles), SHEET_COLUMNS)]
        write_png(path, contact_sheet(rows))
        paths.append(path)
    return paths


def _draw_bands(mine: dict[str, Any], other: dict[str, Any] | None, path: Path) -> None:
    """For each measure: accuracy by band as lines, and shares of the words as bars."""
    from matplotlib.figure import Figure  # here: takes a second to load

    sets = [mine] + ([other] if other else [])
    figure = Figure(figsize=(11, 2.9 * ((len(BANDS) + 1) // 2)), layout="constrained")
    for place, (name, (title, edges)) in enumerate(BANDS.items(), 1):
        axes = figure.add_subplot((len(BANDS) + 1) // 2, 2, place)
        names = [_band(number, edges) for number in range(len(edges) + 1)]
        for number, each in enumerate(sets):
            rows = {row["group"]: row for row in each["tables"][name]}
            shares = [100 * rows[band]["share"] if band in rows else 0 for band in names]
            accuracies = [100 * rows[band]["accuracy"] if band in rows else np.nan for band in names]
            places, colour = np.arange(len(names)), f"C{number}"
            offset = (number - (len(sets) - 1) / 2) * 0.4
            axes.bar(places + offset, shares, 0.4, color=colour, alpha=0.25)
            axes.plot(places, accuracies, "o-", color=colour, label=each["data"])
        axes.set_xticks(range(len(names)), names, fontsize=8)
        axes.set_ylim(0, 102)
        axes.set_title(title, fontsize=9)
        axes.set_ylabel("%: accuracy (line), share (bars)", fontsize=8)
    figure.axes[0].legend(fontsize=8, loc="center right")
    figure.savefig(path, dpi=100)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f}"
