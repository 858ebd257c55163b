"""The example for OCRmyPDF, with that library and Tesseract. It is skipped if they are not installed."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

pytest.importorskip("ocrmypdf", reason="OCRmyPDF is not installed: sdk/test-ocrmypdf.sh brings it")

import ocrmypdf
from PIL import Image
from pypdfium2 import PdfDocument

from scriptkd_page.tesseract import local_name

EXAMPLE = Path(__file__).parents[2] / "sdk" / "examples" / "ocrmypdf_scripts.py"
MODELS = ("Latin", "Devanagari", "Tamil")

pytestmark = pytest.mark.skipif(
    shutil.which("tesseract") is None or any(local_name(model) is None for model in MODELS),
    reason="Tesseract or its models of Latin, Devanagari and Tamil are not installed",
)


@pytest.fixture(scope="module")
def example(load_example: Callable[[str], ModuleType]) -> ModuleType:
    return load_example("ocrmypdf_scripts")


def a_pdf(path: Path, pages: list[np.ndarray]) -> Path:
    first, *others = [Image.fromarray(page) for page in pages]
    first.save(path, resolution=200, save_all=True, append_images=others)
    return path


@pytest.mark.slow
def test_each_page_is_read_with_the_models_of_its_scripts(tmp_path: Path, render: Any) -> None:
    """Two pages, of which one lies on its side; without the plugin OCRmyPDF would read both in English."""
    hindi = render([[("नमस्ते", "Devanagari"), ("Welcome", "Latin")], [("garden", "Latin"), ("भारत", "Devanagari")]])
    tamil = render([[("வணக்கம்", "Tamil"), ("நாடு", "Tamil")], [("தமிழ்", "Tamil"), ("மரம்", "Tamil")]], size=60)
    upright = np.pad(tamil.pixels, 300, mode="edge")  # Tesseract calls a page of small words without a margin empty
    source = a_pdf(tmp_path / "in.pdf", [hindi.pixels, np.rot90(upright)])
    done, texts = tmp_path / "out.pdf", tmp_path / "out.txt"
    status = ocrmypdf.ocr(
        source,
        done,
        plugins=[EXAMPLE],
        output_type="pdf",
        sidecar=texts,
        rotate_pages=True,
        tesseract_timeout=3000,  # a busy machine is no failure
        tesseract_non_ocr_timeout=3000,
        jobs=1,
        progress_bar=False,
    )
    assert status == 0
    first, second = texts.read_text("utf-8").split("\f")[:2]
    for text in hindi.texts:
        assert text in first
    assert sum(text in second for text in tamil.texts) >= 3
    assert not any("a" <= letter.lower() <= "z" for letter in second)  # the model of Latin had no part in it
    document: Any = PdfDocument(done)
    assert "नमस्ते" in document[0].get_textpage().get_text_range()
    height, width = upright.shape
    page = document[1]
    assert (page.get_width() > page.get_height()) == (width > height)  # it was turned upright


@pytest.mark.slow
def test_what_a_page_has_decides_and_else_the_languages_asked_for(
    example: ModuleType, tmp_path: Path, render: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    options = ocrmypdf.OcrOptions(input_file="a.pdf", output_file="b.pdf", languages=["deu"])

    def languages(name: str, pixels: np.ndarray) -> list[str]:
        Image.fromarray(pixels).save(tmp_path / name)
        return example.with_models(tmp_path / name, options).languages

    sign = render([[("नमस्ते", "Devanagari"), ("வணக்கம்", "Tamil")]]).pixels
    assert sorted(languages("sign.png", sign)) == ["Devanagari", "Tamil"]
    assert languages("digits.png", render([[("2026-11-30", "Latin")], [("4,500.00", "Latin")]]).pixels) == ["deu"]
    monkeypatch.setattr(example, "local_name", lambda model: None if model == "Tamil" else model)
    with caplog.at_level(logging.WARNING):
        assert languages("sign.png", sign) == ["Devanagari"]
    assert "a page has Tamil: install the package tesseract-ocr-script-taml" in caplog.text
    assert options.languages == ["deu"]  # another page's are its own
