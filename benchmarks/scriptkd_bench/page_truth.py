"""Pages with their text. Beside NAME.jpg lies NAME.json, as `scriptkd page --read` writes it, or plain NAME.txt."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fontTools import unicodedata

from scriptkd_page import Page, Word
from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.images import SUFFIXES
from scriptkd_sdk.scripts import WORLD

_BY_CODE = {script.code: script.name for script in WORLD} | {"Hira": "Kana", "Kana": "Kana"}


@dataclass(frozen=True)
class Truth:
    """A page and its text.

    Attributes:
        image: its file.
        texts: its words or lines, in any order.
        scripts: names of its letters' scripts, the most frequent first.
        words: with boxes and scripts; empty if only the text is known.
    """

    image: Path
    texts: tuple[str, ...]
    scripts: tuple[str, ...]
    words: tuple[Word, ...] = ()


def read_truths(folder: Path) -> list[Truth]:
    """Return the pages of a folder that have a text beside them, sorted by name.

    Raises:
        ArgumentError: the folder is missing or holds no such page, or a text cannot be used.
    """
    if not folder.is_dir():
        raise ArgumentError(f"{folder} is not a folder of pages")
    images = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    truths = [truth for truth in map(_truth, images) if truth is not None]
    if not truths:
        raise ArgumentError(
            f"{folder} holds no page with its text beside it: NAME.json, as `scriptkd page` writes it, or NAME.txt"
        )
    if twice := {
        truth.image.stem for truth in truths if sum(truth.image.stem == each.image.stem for each in truths) > 1
    }:
        raise ArgumentError(f"{folder} holds two images called {min(twice)}, which would share one text")
    return truths


def scripts_of(texts: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the letters' scripts, the most frequent first, without scripts that no model knows."""
    counts: dict[str, int] = {}
    for name in (_BY_CODE.get(unicodedata.script(c)) for text in texts for c in text):
        if name:
            counts[name] = counts.get(name, 0) + 1
    return tuple(sorted(counts, key=lambda name: -counts[name]))


def _truth(image: Path) -> Truth | None:
    told, plain = image.with_suffix(".json"), image.with_suffix(".txt")
    try:
        if told.is_file():
            words = Page.from_dict(json.loads(told.read_text("utf-8"))).words
            unread = next((word for word in words if word.text is None), None)
            if unread is not None:
                raise ArgumentError(f"{told} has a word without text, at {unread.corners[0]}")
            texts = tuple(word.text for word in words if word.text)
            return Truth(image, texts, scripts_of(texts), words)
        if plain.is_file():
            texts = tuple(line for line in plain.read_text("utf-8").splitlines() if line.strip())
            return Truth(image, texts, scripts_of(texts))
    except (ValueError, KeyError, TypeError) as error:  # not JSON, not a page's JSON, or not UTF-8
        raise ArgumentError(f"{told if told.is_file() else plain} is not a page's text: {error!r}") from error
    return None
