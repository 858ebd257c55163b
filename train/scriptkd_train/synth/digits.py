"""scikit-learn's handwritten digits as a data set: a task unrelated to scripts.

They are 1,797 gray images of 8x8 pixels, the test part of the UCI set "Optical Recognition of Handwritten Digits"
(Alpaydin and Kaynak 1998). They come with scikit-learn. MNIST, which is similar, would have to be downloaded.
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

_BRIGHTEST = 16  # largest pixel value in scikit-learn: a pixel counts the ink dots in a block of 16
_VAL, _TEST = 0.1, 0.2  # shares of the images


def write_digits(out: Path) -> dict[str, int]:
    """Write `out/<train|val|test>/<digit>/<hash>.png`, light ink on dark. Returns the number of images by split.

    An image's name is its SHA-256, which also determines its split. Equal images are one file.

    Raises:
        ArgumentError: `out` is not empty.
        OSError: `out` cannot be written to.
    """
    from sklearn.datasets import load_digits  # imported here, since it takes a second

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
    """The name of an image, and its split."""
    digest = hashlib.sha256(pixels.tobytes()).hexdigest()
    share = int(digest[:8], 16) / 16**8
    return digest[:16], "val" if share < _VAL else "test" if share < _VAL + _TEST else "train"
