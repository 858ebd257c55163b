"""Methods to read a page of several scripts: Tesseract and RapidOCR by default, and routing by script."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import rapidocr

from scriptkd_page import Page, PpOcr, Word, WordFinder, read_page
from scriptkd_page import tesseract as tess
from scriptkd_page.reading import PPOCR
from scriptkd_sdk import Prediction, ScriptIdentifier
from scriptkd_sdk.errors import ImageError, ScriptkdError
from scriptkd_sdk.images import ImageInput, Pixels
from scriptkd_sdk.modelfile import read_content
from scriptkd_sdk.regions import Region
from scriptkd_sdk.scripts import UNKNOWN

from .page_truth import Truth

PATIENCE = 900.0  # seconds for a page
PAGE = "1"  # Tesseract's mode "automatic page segmentation with orientation and script detection"
ORIENTATION_AND_SCRIPT = "0"
# Names of scripts in Tesseract's script detection, where its models have other names.
OSD_NAMES = {"Han": "HanS", "Korean": "Hangul", "Fraktur": "Latin"}
NO_ANSWER = "Latin"  # used if the detection finds no script, since Tesseract's default is English

Read = Callable[[Pixels, Truth], "list[str] | None"]


@dataclass(frozen=True)
class Method:
    """A method to read. name: in files. title: in the table. made_of: what its results depend on, ready for JSON.

    read: takes a page, uint8 [H, W, 3] RGB or [H, W] gray, and its truth; returns the lines, or None if the truth lacks
    what the method needs. by_truth: whether the result depends on the truth.
    """

    name: str
    title: str
    made_of: dict[str, object]
    read: Read
    by_truth: bool = False


def methods(model: str | Path) -> list[Method]:
    """Return all methods, with their models loaded.

    Args:
        model: the model that chooses each word's reader, as ScriptIdentifier takes it.

    Raises:
        ScriptkdError: tesseract is missing, or a model is missing or cannot be used.
    """
    own = tess.run(["tesseract", "--version"], b"", 30).splitlines()[0]
    everything = _models(tess.MODELS)
    by_tesseract: dict[str, object] = {"tesseract": own, "models": everything}
    by_rapidocr: dict[str, object] = {"rapidocr": version("rapidocr")}
    name, content = read_content(model)
    routed = WordFinder(model, threads=1)
    oracle = _TrueScripts()
    true = WordFinder(oracle, threads=1)
    ppocr = PpOcr(1)
    ppocr.read([np.full((32, 64), 255, np.uint8)])  # loads the models
    for finder in (routed, true):
        finder.find(np.full((64, 64), 255, np.uint8))  # loads the detector

    def by_truth(page: Pixels, truth: Truth) -> list[str] | None:
        if not truth.words:
            return None
        oracle.words = truth.words
        return _lines(true.find(page), page, ppocr)

    alone = rapidocr.RapidOCR(
        params={
            "Global.log_level": "critical",
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )
    return [
        Method("all", "Tesseract, every script at once", by_tesseract, lambda page, truth: _whole(page, everything)),
        Method("osd", "Tesseract, its own script detection", by_tesseract, lambda page, truth: _by_osd(page)),
        Method("rapidocr", "RapidOCR alone", by_rapidocr, lambda page, truth: _alone(alone, page)),
        Method(
            "routed",
            f"scriptkd, routed by `{Path(name).stem}`",
            by_tesseract | by_rapidocr | {"model": hashlib.sha256(content).hexdigest()},
            lambda page, truth: _lines(routed.find(page), page, ppocr),
        ),
        Method("truth", "scriptkd, routed by the truth", by_tesseract | by_rapidocr, by_truth, True),
        Method(
            "languages",
            "Tesseract, the page's true scripts",
            by_tesseract,
            lambda page, truth: _whole(page, _models(truth.scripts)),
            by_truth=True,
        ),
    ]


def missing(scripts: Iterable[str]) -> list[str]:
    """Return the scripts without installed Tesseract data, each with the package that provides it."""
    lacking = []
    for script in sorted(set(scripts)):
        model, code = tess.MODELS.get(script, (None, None))
        if model is None:
            lacking.append(f"{script} (none exists)")
        elif tess.local_name(model) is None:
            lacking.append(f"{script} (tesseract-ocr-script-{code})")
    return lacking


def _models(scripts: Iterable[str]) -> list[str]:
    """Return the installed models of scripts."""
    names = (tess.local_name(tess.MODELS[script][0]) for script in scripts if script in tess.MODELS)
    return [name for name in names if name]


def _whole(page: Pixels, models: Sequence[str]) -> list[str]:
    if not models:
        return []
    arguments = ["-l", "+".join(models), "--psm", PAGE, *tess.NO_SPACES]
    return tess.run(["tesseract", "stdin", "stdout", *arguments], _png(page), PATIENCE).splitlines()


def _by_osd(page: Pixels) -> list[str]:
    try:
        told = tess.run(["tesseract", "stdin", "stdout", "-l", "osd", "--psm", ORIENTATION_AND_SCRIPT], _png(page), 60)
    except ScriptkdError:  # too few characters
        told = ""
    found = re.search(r"^Script: (\w+)", told, re.MULTILINE)
    script = found[1] if found else NO_ANSWER
    model = tess.local_name(OSD_NAMES.get(script, script)) or tess.local_name(NO_ANSWER)
    return _whole(page, [model] if model else [])


def _alone(engine: Any, page: Pixels) -> list[str]:
    code = cv2.COLOR_RGB2BGR if page.ndim == 3 else cv2.COLOR_GRAY2BGR
    return [str(text) for text in engine(cv2.cvtColor(page, code)).txts or ()]


def _lines(found: Page, page: Pixels, ppocr: PpOcr) -> list[str]:
    return read_page(found, page, dict.fromkeys(PPOCR, ppocr.read)).text.splitlines()


def _png(page: Pixels) -> bytes:
    _, png = cv2.imencode(".png", cv2.cvtColor(page, cv2.COLOR_RGB2BGR) if page.ndim == 3 else page)
    return png.tobytes()


class _TrueScripts(ScriptIdentifier):
    """Answers from the truth in a model's place: a region's script is that of the words with the largest overlap."""

    def __init__(self) -> None:
        super().__init__("student", threads=1)  # this model never runs, but its metadata says that it tells orientation
        self.words: Sequence[Word] = ()

    def identify_regions(
        self, image: ImageInput, regions: Iterable[Region], **options: Any
    ) -> list[Prediction | ImageError]:
        return [self._answer(np.asarray(region, np.float32)) for region in regions]

    def _answer(self, region: np.ndarray) -> Prediction:
        shared: dict[tuple[str, str, int | None], float] = {}
        for word in self.words:
            area, _ = cv2.intersectConvexConvex(region, np.asarray(word.corners, np.float32))
            key = (word.script, word.code, word.orientation)
            shared[key] = shared.get(key, 0.0) + float(area)
        script, code, orientation = max(shared, key=lambda key: shared[key])
        if not shared[script, code, orientation]:  # the region covers no word
            return Prediction(UNKNOWN.name, UNKNOWN.code, 0.0, {}, script)
        return Prediction(script, code, 1.0, {script: 1.0}, script, orientation, 1.0)
