"""Reading a page: each word by the reader of its script."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache

import cv2
import numpy as np

from scriptkd_page.page import Page, shares
from scriptkd_page.ppocr import PpOcr
from scriptkd_page.tesseract import Tesseract
from scriptkd_sdk.errors import ScriptkdError
from scriptkd_sdk.images import ImageInput, Pixels, load_image
from scriptkd_sdk.regions import cut
from scriptkd_sdk.scripts import UNKNOWN

Reader = Callable[[Sequence[Pixels]], Sequence[str]]
"""Takes upright words of one script, each uint8 [h, w, 3] RGB or [h, w] gray, and returns the text of each."""

PPOCR = ("Han", "Kana", "Latin")
RIM = 3  # a word gets a plain rim of 1/3 of its height, since readers of pages expect a rim


def read_page(page: Page, image: ImageInput, readers: Mapping[str, Reader] | None = None) -> Page:
    """Hand each word of a page to the reader of its script.

    A word of script "unknown", such as a number, goes to the reader of the page's main script. If the page has Kana,
    Han goes to the reader of Kana, since it is Japanese.

    Args:
        page: as WordFinder.find returns it.
        image: the image in which the words were found.
        readers: by the script's name. All other scripts have the reader that `reader_of` returns. A reader that raises
            ScriptkdError leaves its words unread, and the page gets its message as a note.

    Returns:
        The page with text.

    Raises:
        ImageError: an image that cannot be read.
        ValueError: a reader returned more or fewer texts than it was given words.
    """
    if not page.words:
        return page
    pixels = load_image(image, page.name)
    groups: defaultdict[str, list[int]] = defaultdict(list)
    most = shares(page.words)[0].script
    japanese = any(word.script == "Kana" for word in page.words)
    for number, word in enumerate(page.words):
        script = most if word.code == UNKNOWN.code else word.script
        groups["Kana" if japanese and script == "Han" else script].append(number)
    words, notes = list(page.words), list(page.notes)
    for script, numbers in groups.items():
        reader = (readers or {}).get(script) or reader_of(script)
        if reader is None:
            notes.append(f"there is no reader for the script {script}")
            continue
        try:
            texts = reader([framed(cut(pixels, words[number].corners)) for number in numbers])
        except ScriptkdError as error:
            notes.append(str(error))
            continue
        for number, text in zip(numbers, texts, strict=True):
            words[number] = replace(words[number], text=text)
    return replace(page, words=tuple(words), notes=tuple(dict.fromkeys(notes)))


def reader_of(script: str) -> Reader | None:
    """Return the default reader of a script; None if there is none.

    PP-OCR reads Latin, Han and Kana. Tesseract reads all others, with a model for each. On the page set of
    benchmarks/pages, PP-OCR misreads its three scripts less than Tesseract does, in a third of the time.

    Args:
        script: by name, such as "Devanagari".
    """
    return _ppocr().read if script in PPOCR else Tesseract.for_script(script)


@cache
def _ppocr() -> PpOcr:
    return PpOcr()


def framed(crop: Pixels) -> Pixels:
    """Return a word with a plain rim in its background's colour.

    Args:
        crop: uint8 [H, W, 3] RGB or [H, W] gray.
    """
    edge = np.concatenate([crop[0], crop[-1], crop[:, 0], crop[:, -1]])
    ground = np.median(edge, axis=0)
    rim = max(4, crop.shape[0] // RIM)
    value = np.atleast_1d(ground).tolist()
    return np.asarray(cv2.copyMakeBorder(crop, rim, rim, rim, rim, cv2.BORDER_CONSTANT, value=value), np.uint8)
