"""An OCRmyPDF plugin: Tesseract reads each page with the models of the scripts that scriptkd finds on it.

    pip install '.[page]' ocrmypdf
    sudo apt-get install tesseract-ocr tesseract-ocr-script-latn tesseract-ocr-script-deva
    ocrmypdf --plugin sdk/examples/ocrmypdf_scripts.py in.pdf out.pdf

With --rotate-pages, scriptkd also tells a page's orientation. A page is read in the languages of `-l` if it has no
letters, or if no model of its scripts is installed.
"""

import logging
from collections import Counter
from functools import cache
from pathlib import Path
from threading import Lock

from ocrmypdf import OcrOptions, hookimpl
from ocrmypdf.builtin_plugins.tesseract_ocr import TesseractOcrEngine
from ocrmypdf.pluginspec import OrientationConfidence

from scriptkd_page import Word, WordFinder
from scriptkd_page.page import shares
from scriptkd_page.tesseract import MODELS, local_name
from scriptkd_sdk import ImageError

LEAST = 0.02  # share of the words' area; a script with less may be a single word whose script was mistaken
SURE = 15.0  # what OCRmyPDF calls very confident

log = logging.getLogger(__name__)
finding = Lock()  # OCRmyPDF's workers may be threads, and a finder is for one at a time


@cache
def finder() -> WordFinder:
    return WordFinder(threads=1)  # each worker has one processor


def find(image: Path) -> tuple[Word, ...]:
    with finding:
        try:
            return finder().find(image).words
        except ImageError as error:  # more pixels than scriptkd takes
            log.warning("scriptkd: %s", error.reason)
            return ()


def models(image: Path) -> list[str]:
    """Tesseract's models for a page: that of the script with the largest share first."""
    scripts = [each.script for each in shares(find(image)) if each.share >= LEAST and each.script in MODELS]
    if "Kana" in scripts:
        scripts = [script for script in scripts if script != "Han"]  # the model of Japanese reads Kana and Han
    names = []
    for script in scripts:
        model, code = MODELS[script]
        name = local_name(model)
        if name is None:
            log.warning("a page has %s: install the package tesseract-ocr-script-%s", script, code)
        else:
            names.append(name)
    return names


class ScriptEngine(TesseractOcrEngine):
    @staticmethod
    def get_orientation(input_file: Path, options: OcrOptions) -> OrientationConfidence:
        areas: Counter[int] = Counter()
        for word in find(input_file):
            if word.orientation is not None:
                areas[word.orientation] += word.area
        if not areas:
            return OrientationConfidence(0, 0.0)
        way, most = areas.most_common(1)[0]
        return OrientationConfidence(way, SURE * most / areas.total())  # OCRmyPDF turns the page back by it

    @staticmethod
    def generate_hocr(input_file: Path, output_hocr: Path, output_text: Path, options: OcrOptions) -> None:
        TesseractOcrEngine.generate_hocr(input_file, output_hocr, output_text, with_models(input_file, options))

    @staticmethod
    def generate_pdf(input_file: Path, output_pdf: Path, output_text: Path, options: OcrOptions) -> None:
        TesseractOcrEngine.generate_pdf(input_file, output_pdf, output_text, with_models(input_file, options))


def with_models(image: Path, options: OcrOptions) -> OcrOptions:
    return options.model_copy(update={"languages": models(image) or options.languages})


@hookimpl
def get_ocr_engine(options: OcrOptions | None) -> ScriptEngine | None:
    return ScriptEngine() if options is None or options.ocr_engine in ("auto", "tesseract") else None
