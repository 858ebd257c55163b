"""Tesseract as a reader: one process for all words of a script on a page, so that its model is loaded once."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from functools import cache

import cv2

from scriptkd_sdk.errors import ScriptkdError
from scriptkd_sdk.images import Pixels

# Script: Tesseract's model of it, and the code in the name of its Debian package. Kana stands beside Han in Japanese
# text, and the model `Japanese` reads both.
MODELS = {
    "Arabic": ("Arabic", "arab"),
    "Armenian": ("Armenian", "armn"),
    "Bengali": ("Bengali", "beng"),
    "Cyrillic": ("Cyrillic", "cyrl"),
    "Devanagari": ("Devanagari", "deva"),
    "Ethiopic": ("Ethiopic", "ethi"),
    "Georgian": ("Georgian", "geor"),
    "Greek": ("Greek", "grek"),
    "Gujarati": ("Gujarati", "gujr"),
    "Gurmukhi": ("Gurmukhi", "guru"),
    "Han": ("HanS", "hans"),
    "Hangul": ("Hangul", "hang"),
    "Hebrew": ("Hebrew", "hebr"),
    "Kana": ("Japanese", "jpan"),
    "Kannada": ("Kannada", "knda"),
    "Khmer": ("Khmer", "khmr"),
    "Lao": ("Lao", "laoo"),
    "Latin": ("Latin", "latn"),
    "Malayalam": ("Malayalam", "mlym"),
    "Myanmar": ("Myanmar", "mymr"),
    "Oriya": ("Oriya", "orya"),
    "Sinhala": ("Sinhala", "sinh"),
    "Tamil": ("Tamil", "taml"),
    "Telugu": ("Telugu", "telu"),
    "Thai": ("Thai", "thai"),
    "Tibetan": ("Tibetan", "tibt"),
}

LINE = "7"  # the page segmentation mode "treat the image as a single text line"
# Else Tesseract sets a space between any two letters of scripts that have none between words, such as Han and Thai.
NO_SPACES = ("-c", "preserve_interword_spaces=1")
PATIENCE = 10.0  # seconds for a word, at the most


class Tesseract:
    """Reads words with the program `tesseract` and its model of one script.

    In Debian, the program is in the package tesseract-ocr, and each model in its own, such as
    tesseract-ocr-script-deva.
    """

    def __init__(self, model: str, package: str) -> None:
        """Name a model. The file is looked for when the first words are read.

        Args:
            model: a file in Tesseract's folder of models or in its `script`, such as "Devanagari" or "eng".
            package: the Debian package that has it, for the error.
        """
        self.model = model
        self.package = package

    @classmethod
    def for_script(cls, script: str) -> Tesseract | None:
        """Return the reader of a script; None if Tesseract has no model of it.

        Args:
            script: by name, such as "Devanagari".
        """
        if script not in MODELS:
            return None
        model, code = MODELS[script]
        return cls(model, f"tesseract-ocr-script-{code}")

    def __call__(self, crops: Sequence[Pixels]) -> list[str]:
        """Read words.

        Args:
            crops: upright, uint8 [h, w, 3] RGB or [h, w] gray.

        Returns:
            The text of each, on one line; empty if nothing was read.

        Raises:
            ScriptkdError: no tesseract, no such model, or tesseract failed.
        """
        model = local_name(self.model)
        if model is None:
            raise ScriptkdError(f"tesseract's model {self.model} is missing; install the package {self.package}")
        pages = [cv2.cvtColor(crop, cv2.COLOR_RGB2BGR) if crop.ndim == 3 else crop for crop in crops]
        encoded, tiff = cv2.imencodemulti(".tiff", pages)
        if not encoded:
            raise ScriptkdError("OpenCV could not write the words for tesseract")
        command = ["tesseract", "stdin", "stdout", "-l", model, "--psm", LINE, *NO_SPACES]
        answer = run(command, tiff.tobytes(), 30 + PATIENCE * len(crops))
        texts = answer.split("\f")  # stands between pages; in other versions also behind the last
        if len(texts) == len(crops) + 1 and not texts[-1]:
            texts.pop()
        if len(texts) != len(crops):
            raise ScriptkdError(f"tesseract read {len(texts)} of {len(crops)} words")
        return [" ".join(text.split()) for text in texts]


def local_name(model: str) -> str | None:
    """Return the local name of a model; None if it is not installed.

    Debian keeps the scripts' models beside those of languages. Tesseract's own installation keeps them in `script`.

    Raises:
        ScriptkdError: no tesseract, or it failed.
    """
    return next((name for name in (model, f"script/{model}") if name in installed()), None)


@cache
def installed() -> frozenset[str]:
    """The names of Tesseract's models that are installed.

    Raises:
        ScriptkdError: no tesseract, or it failed.
    """
    return frozenset(run(["tesseract", "--list-langs"], b"", 30).splitlines()[1:])


def run(command: list[str], given: bytes, seconds: float) -> str:
    """Run tesseract on one thread, and return its output.

    Args:
        command: its own name and its arguments.
        given: its standard input.
        seconds: how long it may take.

    Raises:
        ScriptkdError: no tesseract, it failed, or it took longer.
    """
    try:
        # More threads than one make it slower, as its lines are small.
        environment = os.environ | {"OMP_THREAD_LIMIT": "1"}
        done = subprocess.run(command, input=given, capture_output=True, timeout=seconds, check=True, env=environment)
    except FileNotFoundError as error:
        raise ScriptkdError("the program tesseract is missing; install the package tesseract-ocr") from error
    except subprocess.TimeoutExpired as error:
        raise ScriptkdError(f"tesseract took longer than {seconds:.0f} s") from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode("utf-8", "replace").split("\n")[0]
        raise ScriptkdError(f"tesseract failed: {said or f'exit status {error.returncode}'}") from error
    return done.stdout.decode("utf-8", "replace")
