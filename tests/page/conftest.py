"""A page from the project's renderer, whose words are known. All tests share one finder, as opening one takes long."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from scriptkd_page import Page, WordFinder

if find_spec("pypdfium2") is None and os.environ.get("SCRIPTKD_REQUIRE_ALL") != "1":
    collect_ignore_glob = ["test_*.py"]  # the extra [page] is not installed

INK, PAPER = 25, 235
EXAMPLES = Path(__file__).parents[2] / "sdk" / "examples"


@dataclass(frozen=True)
class Rendered:
    """A page, uint8 [H, W], and its words in reading order: text, script, box (left, top, right, bottom)."""

    pixels: np.ndarray
    words: list[tuple[str, str, tuple[int, int, int, int]]]

    @property
    def texts(self) -> list[str]:
        return [text for text, _, _ in self.words]


def _render(rows: list[list[tuple[str, str]]], size: int = 40, space: int = 120) -> Rendered:
    """Set rows of (text, script) in Noto's type, `space` pixels between words."""
    from scriptkd_train.synth.fonts import find_faces
    from scriptkd_train.synth.typeset import typeset

    placed, words = [], []
    for row, line in enumerate(rows):
        left = 30
        for text, script in line:
            faces = (face for face in find_faces(script) if face.family.startswith("Noto") and face.covers(text))
            ink = next(mask for face in faces if (mask := typeset(text, face, size)) is not None)
            height, width = ink.shape
            top = 30 + 2 * size * row + (size - height) // 2
            placed.append((ink, top, left))
            words.append((text, script, (left, top, left + width, top + height)))
            left += width + space
    right = max(box[2] for _, _, box in words) + 30
    page = np.full((2 * size * len(rows) + 40, right), PAPER, np.uint8)
    for ink, top, left in placed:
        part = page[top : top + ink.shape[0], left : left + ink.shape[1]]
        part[:] = (INK * ink + part * (1 - ink)).astype(np.uint8)
    return Rendered(page, words)


SQUARE = ((0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0))
TILTED = ((20.5, 0.0), (40.5, 4.0), (38.5, 14.0), (18.5, 10.0))


@pytest.fixture(scope="session")
def page() -> Page:
    """A page that nothing needs to be found for."""
    from scriptkd_page import Page, Word

    words = (
        Word(SQUARE, "Latin", "Latn", 0.9, 0, 0, "one"),
        Word(TILTED, "Tamil", "Taml", 0.8, None, 0, "இரண்டு"),
        Word(SQUARE, "unknown", "Zyyy", 0.2, 180, 1),
        Word(SQUARE, "Latin", "Latn", 0.7, 90, 2, "three"),
    )
    return Page("a.png", 50, 20, words, ("a note",))


@pytest.fixture(scope="session")
def render() -> Callable[..., Rendered]:
    """Set rows of (text, script) in Noto's type."""
    pytest.importorskip("scriptkd_train.synth.typeset")
    return _render


@pytest.fixture(scope="session")
def finder() -> WordFinder:
    from scriptkd_page import WordFinder

    return WordFinder()


@pytest.fixture(scope="session")
def sign(render: Callable[..., Rendered]) -> Rendered:
    return render([[("नमस्ते", "Devanagari"), ("Welcome", "Latin")], [("வணக்கம்", "Tamil"), ("السلام", "Arabic")]])


@pytest.fixture(scope="session")
def found(finder: WordFinder, sign: Rendered) -> Page:
    """The sign's page, found once."""
    return finder.find(sign.pixels, "sign.png")


def _load(name: str) -> ModuleType:
    spec = spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def load_example() -> Callable[[str], ModuleType]:
    """Loads an example by its name, anew at each call: examples are no package."""
    return _load
