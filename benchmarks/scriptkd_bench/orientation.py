"""Orientation of words: models for any crop compared with PP-OCR's classifier of 0 and 180 degrees, in one run.

Most text recognition programs use this classifier: 0.6 MB, from the package rapidocr. Its input is a word 48 pixels
high and at most 192 wide, padded with gray. The pre-processing follows RapidOCR's TextClassifier.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from rich import box
from rich.table import Table

from scriptkd_sdk import Prediction, ScriptIdentifier
from scriptkd_sdk.errors import ArgumentError, ImageError
from scriptkd_sdk.images import load_image
from scriptkd_sdk.modelfile import read_content
from scriptkd_sdk.pins import pinned
from scriptkd_sdk.runtime import cpu_session
from scriptkd_train.data.dataset import Item
from scriptkd_train.evaluation.changes import Image
from scriptkd_train.models.packages import PackagedFile

PPOCR = PackagedFile(
    "rapidocr",
    pinned("rapidocr"),
    "rapidocr/models/ch_ppocr_mobile_v2.0_cls_mobile.onnx",
    "e47acedf663230f8863ff1ab0e64dd2d82b838fceb5957146dab185a89d6215c",
    "Apache-2.0",
)
WAYS = (0, 180)
_HEIGHT, _WIDTH = 48, 192  # of the classifier's input
_LEAST_RATIO = 2  # width over height: the orientation of narrower words often cannot be told

Answer = Callable[[Image], int | None]
"""A word's clockwise rotation in degrees; None if undecided."""


@dataclass(frozen=True)
class OrientationRow:
    """One method's accuracy of orientation, on words and on the same words turned by 180 degrees.

    right: script -> share of its words whose orientation is right, 0..1. p50, p95: median and 95th percentile of a call
    in milliseconds, from pixels to answer on one thread.
    """

    name: str
    kilobytes: float
    right: dict[str, float]
    p50: float
    p95: float

    @property
    def macro(self) -> float:
        """The mean over scripts, 0..1."""
        return float(np.mean(list(self.right.values())))


def compare_orientation(
    models: Sequence[str | Path], words: Sequence[Item], progress: Callable[[int, int], None]
) -> list[OrientationRow]:
    """Run all methods on every word, in turns, so that other load affects all of them alike.

    Args:
        models: bundled names or files of models that tell orientation.
        words: upright words. Words less than twice as wide as high, and unreadable ones, are left out.
        progress: called with the numbers of words done and in all.

    Returns:
        A row for each model, then one for the classifier.

    Raises:
        ArgumentError: a model tells no orientation, no word is wide enough, or the package rapidocr is missing.
    """
    packaged = PPOCR.read()
    answers: list[Answer] = [*map(_model, models), _ppocr(packaged)]
    took: list[list[float]] = [[] for _ in answers]
    right: list[dict[str, list[bool]]] = [defaultdict(list) for _ in answers]
    for done, word in enumerate(words):
        for way, picture in _both_ways(word):
            for place, answer in enumerate(answers):
                start = time.perf_counter()
                found = answer(picture)
                took[place].append(1000 * (time.perf_counter() - start))
                right[place][word.label].append(found == way)
        progress(done + 1, len(words))
    if not took[0]:
        raise ArgumentError(f"none of the {len(words):,} images is at least {_LEAST_RATIO} times as wide as high")
    files = [read_content(model) for model in models]
    sizes = [len(content) for _, content in files] + [len(packaged)]
    names = [Path(name).stem for name, _ in files] + [f"PP-OCR's classifier, {PPOCR.package} {PPOCR.version}"]
    return [
        OrientationRow(
            name,
            size / 1000,
            {label: float(np.mean(hits)) for label, hits in sorted(own.items())},
            *(float(each) for each in np.percentile(times, (50, 95))),
        )
        for name, size, own, times in zip(names, sizes, right, took, strict=True)
    ]


def orientation_table(rows: Sequence[OrientationRow]) -> Table:
    """Return a table of all figures, then of each script's accuracy."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    for row in rows:
        table.add_column(row.name, justify="right")
    table.add_row("right, mean over scripts", *(f"{100 * row.macro:.1f} %" for row in rows))
    table.add_row("a word takes, p50 / p95", *(f"{row.p50:.2f} / {row.p95:.2f} ms" for row in rows))
    table.add_row("file", *(f"{row.kilobytes:,.0f} KB" for row in rows), end_section=True)
    for label in rows[0].right:
        table.add_row(label, *(f"{100 * row.right[label]:.1f} %" for row in rows))
    return table


def _both_ways(word: Item) -> list[tuple[int, Image]]:
    """Return (degrees, picture) of a wide word, upright and turned; empty for another word or an unreadable one."""
    try:
        picture = load_image(word.path)
    except ImageError:
        return []
    height, width = picture.shape[:2]
    if width < _LEAST_RATIO * height:
        return []
    return [(way, np.ascontiguousarray(np.rot90(picture, way // 90))) for way in WAYS]


def _model(model: str | Path) -> Answer:
    identifier = ScriptIdentifier(model, threads=1)
    if identifier.info.orientation_temperature is None:
        raise ArgumentError(f"{model} tells no orientation: give models for any crop, of format 3")

    def answer(picture: Image) -> int | None:
        found: Prediction = identifier.identify(picture)
        return found.orientation

    return answer


def _ppocr(content: bytes) -> Answer:
    session = cpu_session(content)
    name = session.get_inputs()[0].name

    def answer(picture: Image) -> int:
        bgr = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR) if picture.ndim == 2 else picture[..., ::-1]
        height, width = picture.shape[:2]
        columns = min(_WIDTH, math.ceil(_HEIGHT * width / height))
        resized = cv2.resize(np.ascontiguousarray(bgr), (columns, _HEIGHT), interpolation=cv2.INTER_LINEAR)
        pixels = np.zeros((1, 3, _HEIGHT, _WIDTH), np.float32)
        pixels[0, :, :, :columns] = resized.transpose(2, 0, 1) / np.float32(127.5) - np.float32(1)
        return WAYS[int(session.run(None, {name: pixels})[0].argmax())]

    return answer
