"""The choice of a reader for each word, and Tesseract itself, if it is installed."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scriptkd_page import Page, Tesseract, Word, read_page, tesseract
from scriptkd_sdk import ScriptkdError
from scriptkd_sdk.scripts import WORLD

HEIGHT, WIDTH = 200, 400


def a_page(*scripts: str) -> tuple[Page, np.ndarray]:
    """A page of bars 20 pixels high, the first 40 wide, each 10 wider than the one before, so that readers can tell."""
    pixels = np.full((HEIGHT, WIDTH, 3), 200, np.uint8)
    words = []
    for number, script in enumerate(scripts):
        left, top, right, bottom = 10, 10 + 30 * number, 50 + 10 * number, 30 + 30 * number
        pixels[top + 5 : bottom - 5, left + 5 : right - 5] = 0
        corners = ((left, top), (right, top), (right, bottom), (left, bottom))
        code = "Zyyy" if script == "unknown" else next(each.code for each in WORLD if each.name == script)
        words.append(Word(corners, script, code, 1.0, 0, number))
    return Page("bars", WIDTH, HEIGHT, tuple(words)), pixels


class Spy:
    """A reader that tells the widths of what it was given."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []

    def __call__(self, crops: Sequence[np.ndarray]) -> list[str]:
        self.calls.append([crop.shape[1] - 2 * ((crop.shape[0] - 20) // 2) for crop in crops])
        return [f"bar of {width}" for width in self.calls[-1]]


def test_each_script_has_its_reader_which_is_called_once() -> None:
    page, pixels = a_page("Latin", "Tamil", "Latin")
    latin, tamil = Spy(), Spy()
    read = read_page(page, pixels, {"Latin": latin, "Tamil": tamil})
    assert (latin.calls, tamil.calls) == ([[40, 60]], [[50]])
    assert [word.text for word in read.words] == ["bar of 40", "bar of 50", "bar of 60"]
    assert read.text == "bar of 40\nbar of 50\nbar of 60"


def test_a_word_without_a_script_goes_where_most_of_the_page_goes() -> None:
    page, pixels = a_page("Tamil", "unknown", "Tamil", "Latin")
    tamil = Spy()
    read_page(page, pixels, {"Latin": Spy(), "Tamil": tamil})
    assert tamil.calls == [[40, 50, 60]]


def test_han_is_read_as_japanese_beside_kana_and_as_chinese_else() -> None:
    japanese, chinese = Spy(), Spy()
    for scripts in (("Han", "Kana"), ("Han", "Latin")):
        page, pixels = a_page(*scripts)
        read_page(page, pixels, {"Han": chinese, "Kana": japanese, "Latin": Spy()})
    assert (japanese.calls, chinese.calls) == ([[40, 50]], [[40]])


def test_words_are_handed_over_upright() -> None:
    page, pixels = a_page("Latin")
    (word,) = page.words
    pixels[10:20, 10:30] = 90  # the top left of the word
    turned = replace(page, words=(replace(word, corners=word.corners[2:] + word.corners[:2], orientation=180),))
    seen: list[np.ndarray] = []

    def reader(crops: Sequence[np.ndarray]) -> list[str]:
        seen.extend(crops)
        return [""]

    read_page(page, pixels, {"Latin": reader})
    read_page(turned, pixels, {"Latin": reader})
    assert np.abs(seen[0].astype(int) - seen[1][::-1, ::-1]).max() <= 1


def test_a_reader_that_is_missing_leaves_its_words_and_reads_the_rest() -> None:
    def missing(crops: Sequence[np.ndarray]) -> list[str]:
        raise ScriptkdError("install the package x")

    page, pixels = a_page("Latin", "Tamil", "Tamil")
    read = read_page(page, pixels, {"Latin": Spy(), "Tamil": missing})
    assert [word.text for word in read.words] == ["bar of 40", None, None]
    assert read.notes == ("install the package x",)


def test_a_reader_that_loses_words_is_an_error() -> None:
    page, pixels = a_page("Latin", "Latin")
    with pytest.raises(ValueError, match="shorter"):
        read_page(page, pixels, {"Latin": lambda crops: ["one"]})


def test_every_script_of_the_world_has_a_reader() -> None:
    for script in WORLD:
        reader = Tesseract.for_script(script.name)
        assert reader is not None and reader.package.startswith("tesseract-ocr-script-")
    assert Tesseract.for_script("Klingon") is None


@pytest.fixture
def fresh() -> Any:
    """The list of Tesseract's models is asked for once in a process: anew in this test, and again after it."""
    tesseract.installed.cache_clear()
    yield
    tesseract.installed.cache_clear()


def program(folder: Path, body: str) -> None:
    """A program `tesseract` of our own, to see what becomes of its answers."""
    path = folder / "tesseract"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


WORD = np.zeros((20, 40), np.uint8)


def refusal(reader: Tesseract) -> str:
    with pytest.raises(ScriptkdError) as caught:
        reader([WORD])
    return str(caught.value)


def test_a_missing_program_or_model_is_one_sentence_with_the_packages_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh: None
) -> None:
    reader = Tesseract.for_script("Oriya")
    assert reader
    monkeypatch.setenv("PATH", str(tmp_path))
    assert refusal(reader) == "the program tesseract is missing; install the package tesseract-ocr"
    program(tmp_path, "echo 'List of available languages (1):'; echo eng")
    assert refusal(reader) == "tesseract's model Oriya is missing; install the package tesseract-ocr-script-orya"


def test_a_tesseract_that_fails_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh: None) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    listing = "if [ $1 = --list-langs ]; then echo Languages; echo script/Tamil; exit; fi; cat > /dev/null"
    program(tmp_path, f"{listing}; echo 'no memory' >&2; exit 3")
    reader = Tesseract("Tamil", "x")
    assert refusal(reader) == "tesseract failed: no memory"
    program(tmp_path, f"{listing}; printf 'a\\fb\\fc'")
    assert refusal(reader) == "tesseract read 3 of 1 words"
    for answer in ("a\\fb c\\n", "a\\fb c\\n\\f"):  # versions differ in what stands behind the last page
        program(tmp_path, f"{listing}; printf '{answer}'")
        assert reader([WORD, WORD]) == ["a", "b c"]
    program(tmp_path, f"{listing}; printf '%s ' $*")  # no spaces between the letters of Thai and Han
    assert "-c preserve_interword_spaces=1" in reader([WORD])[0]


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("tesseract") is None, reason="tesseract is not installed: apt-get install tesseract-ocr"
)
def test_tesseract_reads_words_of_its_script(render: Any) -> None:
    """By the model that its Debian package brings along; those of scripts are many packages."""
    words = render([[("Welcome", "Latin"), ("Exit", "Latin"), ("garden", "Latin")]])
    crops = [
        np.pad(words.pixels[top:bottom, left:right], 15, constant_values=235)
        for _, _, (left, top, right, bottom) in words.words
    ]
    assert Tesseract("eng", "tesseract-ocr")(crops) == ["Welcome", "Exit", "garden"]
