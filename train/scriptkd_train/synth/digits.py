"""scikit-learn's handwritten digits as a data set: a task that has nothing to do with scripts.

1,797 gray images of 8x8 pixels, the test part of the UCI set "Optical Recognition of Handwritten Digits" (Alpaydin and
Kaynak 1998). They come with scikit-learn; MNIST, which they resemble, would have to be downloaded.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from scriptkd_train.synth.unfinished import require_new
from scriptkd_train.utils.files import write_file

_BRIGHTEST = 16  # of scikit-learn's pixels: how many of 16 dots were ink
_VAL, _TEST = 0.1, 0.2  # shares of the images


def write_digits(out: Path) -> dict[str, int]:
    """Writes `out/<train|val|test>/<digit>/<hash>.png`, light ink on dark; returns the number of images by split.

    An image's SHA-256 is its name and decides on its split: always the same one, and equal images are one file.

    Raises:
        ArgumentError: `out` holds something already.
        OSError: it cannot be written to.
    """
    from sklearn.datasets import load_digits  # here: takes a second to load

    require_new(out)
    content = load_digits()
    counts: Counter[str] = Counter()
    for image, digit in zip(content.images, content.target, strict=True):
        pixels = (image * (255 / _BRIGHTEST)).round().astype(np.uint8)
        name, split = _place(pixels)
        path = out / split / str(digit) / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        counts[split] += not path.exists()
        write_file(path, cv2.imencode(".png", pixels)[1].tobytes())
    return dict(counts)


def _place(pixels: NDArray[np.uint8]) -> tuple[str, str]:
    """An image's name, and the split that it belongs to."""
    digest = hashlib.sha256(pixels.tobytes()).hexdigest()
    share = int(digest[:8], 16) / 16**8
    return digest[:16], "val" if share < _VAL else "test" if share < _VAL + _TEST else "train"
