"""Finding the words of a page and telling their scripts."""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from scriptkd_page.order import in_lines
from scriptkd_page.page import RIGHT_TO_LEFT, Page, Word
from scriptkd_page.ppocr import PpOcr
from scriptkd_page.splitting import part, pieces, runs
from scriptkd_sdk import Prediction, ScriptIdentifier
from scriptkd_sdk.errors import ImageError
from scriptkd_sdk.images import ImageInput, Pixels, load_image
from scriptkd_sdk.modelfile import ModelInfo
from scriptkd_sdk.regions import cut
from scriptkd_sdk.scripts import UNKNOWN

MODEL = "world-upright"
WAY_UP = "student"  # helps to tell the page's orientation if the script model takes only upright words
WAYS = (0, 90, 180, 270)

# Digits and signs belong to every script, but a model must answer with one of its own. No model that was tried gave
# digits a score as high as this. Words with a lower score are looked at again by a reader that knows digits.
SURE = 0.9

NO_TEXT = "no text was found"
ONLY_SIGNS = "only digits and signs were found, which belong to no one script"


@dataclass(frozen=True)
class _Found:
    """A word that has no line yet. corners: [4, 2], in pixels, as it is read."""

    corners: npt.NDArray[np.float64]
    script: str
    code: str
    score: float
    orientation: int | None

    def word(self, line: int) -> Word:
        places = tuple((x, y) for x, y in np.round(self.corners, 1).tolist())
        return Word(places, self.script, self.code, round(self.score, 6), self.orientation, line)


class WordFinder:
    """Finds words and tells their scripts. Opening the networks takes time, so reuse a finder, in one thread at a time.

    Attributes:
        info: what the script model's file says about itself.
    """

    def __init__(self, model: str | Path | ScriptIdentifier = MODEL, *, threads: int | None = None) -> None:
        """Open the script model; the detector is opened at the first page.

        Args:
            model: as ScriptIdentifier takes it, or an open ScriptIdentifier. A model of format 3, such as "student",
                tells the orientation of each word. With other models, all words get the orientation with the best
                scores.
            threads: how many the detector may use; None leaves it to onnxruntime, which takes one for each core.

        Raises:
            ModelError: a model that is missing or unfit.
        """
        self._identifier = model if isinstance(model, ScriptIdentifier) else ScriptIdentifier(model)
        tells = self._identifier.info.orientation_temperature is not None
        self._way_up = None if tells else ScriptIdentifier(WAY_UP)
        self._ppocr = PpOcr(threads)
        self.info: ModelInfo = self._identifier.info

    def find(self, image: ImageInput, name: str | None = None) -> Page:
        """Find the words of one page.

        Args:
            image: as ScriptIdentifier.identify takes it.
            name: the page's name in results and errors; a path is its own name.

        Returns:
            The page. If it has no text, or only digits and signs, it has no words, and a note says so.

        Raises:
            ImageError: an image that cannot be read or used.
            ModelError: the detector is missing.
        """
        pixels = load_image(image, name)
        name = name or (str(image) if isinstance(image, (str, Path)) else "page")
        height, width = pixels.shape[:2]
        boxes = list(self._ppocr.detect(pixels))
        answers, doubtful = self._identify(pixels, boxes)
        found = [
            (box, answer)
            for box, answer in zip(boxes, answers, strict=True)
            if isinstance(answer, Prediction)  # else fewer than 2x2 pixels of the box lie within the page
        ]
        if not found:
            return Page(name, width, height, (), (NO_TEXT,))
        unsure = [each.score < SURE for _, each in found]
        signs = _Signs(self._ppocr, pixels, [box for box, _ in found])
        if (doubtful or all(unsure)) and all(signs.way(number) is not None for number in range(len(found))):
            return Page(name, width, height, (), (ONLY_SIGNS,))
        ways = [
            signs.way(number, answer.orientation if self._way_up else None) if unsure[number] else None
            for number, (_, answer) in enumerate(found)
        ]
        told = [each.orientation if way is None else way for way, (_, each) in zip(ways, found, strict=True)]
        most = _commonest(told)
        words: list[_Found] = []
        for (box, answer), way, turn in zip(found, ways, told, strict=True):
            corners = _as_read(box, most if turn is None else turn)
            if way is None:
                words += self._parts(pixels, _Found(corners, answer.script, answer.code, answer.score, turn))
            else:
                words.append(_Found(corners, UNKNOWN.name, UNKNOWN.code, answer.score, turn))
        lines = in_lines(np.stack([each.corners for each in words]), [each.code in RIGHT_TO_LEFT for each in words])
        return Page(name, width, height, tuple(words[i].word(n) for n, line in enumerate(lines) for i in line))

    def _identify(
        self, pixels: Pixels, boxes: list[npt.NDArray[np.float64]]
    ) -> tuple[list[Prediction | ImageError], bool]:
        """Return the answer to each box, and whether the page's orientation remains uncertain."""
        if self._way_up is None:
            return self._identifier.identify_regions(pixels, boxes), False
        helped = self._way_up.identify_regions(pixels, boxes)
        # Digits get as good a score upside down. So only the words with a sure answer decide, if there are any. The
        # helper is never sure of digits. It is sure of words, as it takes other scripts for one of its ten.
        known = [i for i, each in enumerate(helped) if isinstance(each, Prediction) and each.score >= SURE]
        answers = {
            way: self._identifier.identify_regions(pixels, [_as_read(box, way) for box in boxes]) for way in WAYS
        }
        scores = {way: [each.score if isinstance(each, Prediction) else 0.0 for each in answers[way]] for way in WAYS}
        way = max(WAYS, key=lambda way: sum(scores[way][i] for i in known or range(len(boxes))))
        found = [replace(each, orientation=way) if isinstance(each, Prediction) else each for each in answers[way]]
        return found, not known

    def _parts(self, pixels: Pixels, line: _Found) -> list[_Found]:
        """Return a line, or its parts if it surely has several scripts."""
        cuts = pieces(cut(pixels, line.corners))
        if len(cuts) == 1:
            return [line]
        regions = [part(line.corners, *each) for each in cuts]
        answers = self._identifier.identify_regions(pixels, regions)
        groups = runs([each if isinstance(each, Prediction) else None for each in answers], SURE)
        if len(groups) < 2:
            return [line]
        return [
            _Found(
                part(line.corners, cuts[start][0], cuts[stop - 1][1]),
                answer.script,
                answer.code,
                answer.score,
                line.orientation,
            )
            for start, stop, answer in groups
        ]


class _Signs:
    """Finds the boxes of a page that hold only digits and signs. No box is read twice in one orientation."""

    def __init__(self, ppocr: PpOcr, pixels: Pixels, boxes: list[npt.NDArray[np.float64]]) -> None:
        self._ppocr = ppocr
        self._pixels = pixels
        self._boxes = boxes
        self._are_signs: dict[tuple[int, int], bool] = {}

    def way(self, number: int, known: int | None = None) -> int | None:
        """Return the orientation of a box of digits and signs, or None if the box holds anything else.

        known: the page's orientation. With None, the two orientations along the box's longer side are tried.
        """
        box = self._boxes[number]
        width, height = np.hypot(*(box[1] - box[0])), np.hypot(*(box[3] - box[0]))
        both = (0, 180) if width >= height else (90, 270)
        return next((way for way in (both if known is None else (known,)) if self._signs_alone(number, way)), None)

    def _signs_alone(self, number: int, way: int) -> bool:
        if (number, way) not in self._are_signs:
            text, score = self._ppocr.recognise(cut(self._pixels, _as_read(self._boxes[number], way)))
            letters = any(unicodedata.category(c)[0] in "LM" for c in text)
            self._are_signs[number, way] = bool(text) and score >= SURE and not letters
        return self._are_signs[number, way]


def find_words(image: ImageInput, *, model: str | Path = MODEL) -> list[Word]:
    """Find the words of a page, with the script, the score and the orientation of each.

    The networks are kept from call to call.

    Args:
        image: a path, bytes, an open file, an array or a PIL image, as ScriptIdentifier.identify takes it.
        model: the script model, by name or as a file.

    Returns:
        The words in reading order. The list is empty if there is no text, or only digits and signs.

    Raises:
        ImageError: an image that cannot be read or used.
        ModelError: a model that is missing or unfit.
    """
    return list(_finder(model).find(image).words)


@lru_cache(maxsize=1)
def _finder(model: str | Path) -> WordFinder:
    return WordFinder(model)


def _commonest(orientations: list[int | None]) -> int:
    told = Counter(each for each in orientations if each is not None)
    return told.most_common(1)[0][0] if told else 0


def _as_read(box: npt.NDArray[np.float64], orientation: int) -> npt.NDArray[np.float64]:
    """Reorder a box's corners, so that they begin at the top left of letters of this orientation, not of the page."""
    return np.roll(box, -(orientation // 90), axis=0)
