"""The image that all timings use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from scriptkd_sdk.crop import crops
from scriptkd_sdk.images import Pixels, load_image
from scriptkd_sdk.modelfile import ModelInfo

CVSI_HEIGHT, CVSI_WIDTH = 39, 114  # pixels: the median crop of CVSI-2015


@dataclass(frozen=True)
class Crop:
    """The timed image. path: its file. pixels: its decoded content. source: its origin, for people."""

    path: Path
    pixels: Pixels
    source: str


def median_crop(paths: Sequence[Path], source: str) -> Crop:
    """Return the image with the median number of pixels. Raises ImageError for an unreadable image."""
    areas = [(load_image(path).size, path) for path in paths]
    path = sorted(areas)[len(areas) // 2][1]
    pixels = load_image(path)
    return Crop(path, pixels, f"the median crop of {source}, {pixels.shape[1]}x{pixels.shape[0]} pixels")


def drawn_crop(folder: Path) -> Crop:
    """Draw a word as large as the median crop of CVSI-2015, and write it into `folder` as a JPEG."""
    image = np.full((CVSI_HEIGHT, CVSI_WIDTH, 3), 215, np.uint8)
    cv2.putText(image, "Script", (6, 28), cv2.FONT_HERSHEY_COMPLEX, 0.95, (40, 50, 60), 2, cv2.LINE_AA)
    path = folder / "word.jpg"
    cv2.imwrite(str(path), image)
    return Crop(
        path, load_image(path), f"a drawn word of {CVSI_WIDTH}x{CVSI_HEIGHT} pixels, as CVSI-2015's median crop"
    )


def network_input(info: ModelInfo, pixels: Pixels) -> Pixels:
    """Return a bare session.run's input: a crop's windows, or the image itself if the graph does the pre-processing."""
    if info.any_size:
        return pixels
    seen, rows, _ = crops(pixels, info.preprocessing)
    return np.stack([info.preprocessing.apply(crop, rows) for crop in seen])
