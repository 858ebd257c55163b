"""PP-OCR's text detector and recogniser, from the `rapidocr` wheel, run by that library's own code."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from scriptkd_sdk.errors import ModelError
from scriptkd_sdk.images import Pixels
from scriptkd_sdk.pins import pinned

PACKAGE = "rapidocr"
DETECTOR = "PP-OCRv6_det_small.onnx", "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f"
RECOGNISER = "PP-OCRv6_rec_small.onnx", "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884"

# The library enlarges a page until its shorter side has 736 pixels. A long strip would grow to hundreds of megapixels.
SLIMMEST = 4
SMALLEST = 64  # pixels


class PpOcr:
    """PP-OCR's two networks, each opened at its first use. Not for use by several threads at once."""

    def __init__(self, threads: int | None = None) -> None:
        """Nothing is opened yet.

        Args:
            threads: how many one run may use; None means one for each core.
        """
        self._threads = threads
        self._detector: Any = None
        self._recogniser: Any = None

    def detect(self, page: Pixels) -> npt.NDArray[np.float64]:
        """Return where text is, [N, 4, 2]: for each word or line its top left, top right, bottom right, bottom left.

        Args:
            page: uint8 [H, W, 3] RGB or [H, W] gray.

        Raises:
            ModelError: the wheel is not installed in the pinned version, or its file was changed.
        """
        if self._detector is None:
            self._detector = _engine("Det", *DETECTOR, self._threads)
        boxes = self._detector(_padded(_bgr(page))).boxes
        if boxes is None:
            return np.empty((0, 4, 2))
        height, width = page.shape[:2]
        return np.clip(np.asarray(boxes, np.float64), 0, (width, height))

    def recognise(self, crop: Pixels) -> tuple[str, float]:
        """Return the text of an upright word or line in Latin, Greek, Han or Kana letters or digits, and its score.

        Args:
            crop: uint8 [H, W, 3] RGB or [H, W] gray.

        Raises:
            ModelError: as in `detect`.
        """
        if self._recogniser is None:
            self._recogniser = _engine("Rec", *RECOGNISER, self._threads)
        read = self._recogniser(_bgr(crop))
        return str(read.txts[0]), float(read.scores[0])

    def read(self, crops: Sequence[Pixels]) -> list[str]:
        """Read words, as a Reader for `read_page`.

        Args:
            crops: upright, uint8 [h, w, 3] RGB or [h, w] gray, of Latin, Han or Kana.

        Returns:
            The text of each.

        Raises:
            ModelError: as in `detect`.
        """
        return [self.recognise(crop)[0] for crop in crops]


def _bgr(pixels: Pixels) -> Pixels:
    code = cv2.COLOR_RGB2BGR if pixels.ndim == 3 else cv2.COLOR_GRAY2BGR
    return np.asarray(cv2.cvtColor(pixels, code), np.uint8)


def _padded(page: Pixels) -> Pixels:
    """Return the page. A strip is padded at its right or its bottom, so that boxes keep their places."""
    height, width = page.shape[:2]
    right = max(0, max(height // SLIMMEST, SMALLEST) - width)
    below = max(0, max(width // SLIMMEST, SMALLEST) - height)
    if not right and not below:
        return page
    ground = np.median(page, axis=(0, 1)).tolist()
    return np.asarray(cv2.copyMakeBorder(page, 0, below, 0, right, cv2.BORDER_CONSTANT, value=ground), np.uint8)


def _engine(task: str, file: str, sha256: str, threads: int | None) -> Any:
    """Return the library's engine for one task, "Det" or "Rec"."""
    import rapidocr  # here: it takes a second

    path = Path(rapidocr.__file__).parent / "models" / file
    needed = pinned(PACKAGE)
    if (found := version(PACKAGE)) != needed:
        raise ModelError(
            f"{PACKAGE} {found} is installed, but {needed} is needed; run: pip install {PACKAGE}=={needed}"
        )
    if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
        raise ModelError(
            f"{path} is missing, damaged or not the file that is known here; run: "
            f"pip install --force-reinstall --no-deps {PACKAGE}=={needed}"
        )
    return rapidocr.RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.use_det": task == "Det",
            "Global.use_cls": False,
            "Global.use_rec": task == "Rec",
            f"{task}.model_path": str(path),
            "EngineConfig.onnxruntime.intra_op_num_threads": threads or -1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )
