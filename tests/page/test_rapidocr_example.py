"""The example for RapidOCR, with that library and Tesseract."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest
from rapidocr import RapidOCR
from rapidocr.utils.output import RapidOCROutput

from scriptkd_page import tesseract

QUIET = {"Global.log_level": "critical"}


@pytest.fixture(scope="module")
def example(load_example: Callable[[str], ModuleType]) -> ModuleType:
    return load_example("rapidocr_scripts")


@pytest.fixture(scope="module")
def reader(example: ModuleType) -> Any:
    return example.ScriptOCR(params=QUIET)


def plain_rapidocr(page: np.ndarray) -> Any:
    return RapidOCR(params=QUIET)(page)


def plain(text: str) -> str:
    """Without the joiner, which is not to be seen, that Tesseract sets behind some words."""
    return text.replace("\u200c", "")


def bgr(page: Any) -> np.ndarray:
    return cv2.cvtColor(page.pixels, cv2.COLOR_GRAY2BGR)


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("tesseract") is None or any(tesseract.local_name(model) is None for model in ("Devanagari", "Tamil")),
    reason="Tesseract or its models of Devanagari and Tamil are not installed",
)
def test_each_line_is_read_by_the_reader_of_its_script(reader: Any, render: Any) -> None:
    rows = [[("नमस्ते", "Devanagari"), ("Welcome", "Latin")], [("வணக்கம்", "Tamil"), ("110001", "Latin")]]
    page = render(rows)
    alone, read = plain_rapidocr(bgr(page)), reader(bgr(page))
    assert sorted(plain(text) for text in read.txts) == sorted(page.texts)
    assert len(read.boxes) == len(read.scores) == 4
    assert {"Welcome", "110001"} <= set(alone.txts) and not {"नमस्ते", "வணக்கம்"} & set(alone.txts)
    assert len(reader(bgr(page), return_word_box=True).txts) == 4
    assert "नमस्ते" in read.to_markdown()
    assert isinstance(read, RapidOCROutput)


@pytest.mark.slow
def test_lines_of_other_readers_are_left_to_rapidocr(reader: Any, render: Any) -> None:
    page = bgr(render([[("Welcome", "Latin"), ("home", "Latin")]]))
    alone, read = plain_rapidocr(page), reader(page)
    assert read.txts == alone.txts and read.scores == alone.scores


@pytest.mark.slow
def test_a_missing_model_is_named_and_the_rest_is_read(
    reader: Any, render: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tesseract, "local_name", lambda model: None)
    with caplog.at_level(logging.WARNING):
        read = reader(bgr(render([[("Welcome", "Latin"), ("வணக்கம்", "Tamil")]])))
    assert read.txts == ("Welcome",)
    assert "1 lines in Tamil were left out: tesseract's model Tamil is missing; install the package" in caplog.text
