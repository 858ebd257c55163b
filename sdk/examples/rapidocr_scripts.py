"""RapidOCR that reads every script: scriptkd tells the script of each line that RapidOCR finds.

    pip install '.[page]'
    sudo apt-get install tesseract-ocr tesseract-ocr-script-deva
    python sdk/examples/rapidocr_scripts.py sign.jpg

RapidOCR's own recogniser reads Latin, Han, Kana, digits, and lines whose script is uncertain. Tesseract reads the
others, with the model of their script. The result is RapidOCR's own type, so programs for RapidOCR can use it. The page
must be upright. RapidOCR turns upside-down lines by a classifier, which errs in scripts that it has not learned.
"""

import logging
import sys
from collections import defaultdict
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from rapidocr import RapidOCR
from rapidocr.ch_ppocr_rec import TextRecOutput

from scriptkd_page import Tesseract
from scriptkd_page.reading import PPOCR, framed
from scriptkd_sdk import ImageError, ScriptIdentifier, ScriptkdError

SURE = 0.9  # from this score on, the recogniser is believed if it reads no letters in a line

log = logging.getLogger(__name__)


class ScriptOCR(RapidOCR):
    """RapidOCR with more readers. Lines whose reader is missing are left out, with a warning that names its package."""

    def __init__(self, model: str = "world", params: dict[str, Any] | None = None) -> None:
        super().__init__(params={"Global.use_cls": False, **(params or {})})
        self.identifier = ScriptIdentifier(model)

    def recognize_txt(self, img: list[np.ndarray]) -> TextRecOutput:
        """Read lines, upright and BGR: RapidOCR calls this with the lines that it found."""
        read = super().recognize_txt(img)
        texts, scores = list(read.txts), list(read.scores)
        lines = [cv2.cvtColor(line, cv2.COLOR_BGR2RGB) for line in img]
        groups = defaultdict(list)
        for number, answer in enumerate(self.identifier.identify_batch(lines)):
            if isinstance(answer, ImageError) or not answer.known or answer.script in PPOCR:
                continue
            if scores[number] >= SURE and not any(letter.isalpha() for letter in texts[number]):
                continue  # digits and signs belong to no script, but a model must answer with one
            groups[answer.script].append(number)
            # For a single line Tesseract gives no score, so the line gets the score of its script.
            scores[number] = answer.score
        for script, numbers in groups.items():
            for number, text in zip(numbers, self._by_tesseract(script, [lines[n] for n in numbers]), strict=True):
                texts[number] = text
        # Tesseract also does not say where words stand within a line.
        words = tuple(None for _ in img) if groups else read.word_results
        return replace(read, txts=tuple(texts), scores=tuple(scores), word_results=words)

    def _by_tesseract(self, script: str, lines: list[np.ndarray]) -> list[str]:
        reader = Tesseract.for_script(script)
        try:
            if reader is None:
                raise ScriptkdError(f"Tesseract has no model for {script}")
            return reader([framed(line) for line in lines])
        except ScriptkdError as error:
            log.warning("%d lines in %s were left out: %s", len(lines), script, error)
            return [""] * len(lines)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    reader = ScriptOCR(params={"Global.log_level": "critical"})
    for path in sys.argv[1:]:
        print(*(reader(path).txts or ()), sep="\n")
