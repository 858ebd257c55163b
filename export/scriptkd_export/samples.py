"""Word images for comparison and calibration: from a data set's validation split, from a folder, or drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from string import ascii_letters

import cv2
import numpy as np
from numpy.typing import NDArray

from scriptkd_sdk.crop import crops
from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.images import SUFFIXES, load_image
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.data.dataset import NON_TEXT, read_dataset

Image = NDArray[np.uint8]
"""uint8 [H, W, 3] RGB, or [H, W] gray."""


@dataclass(frozen=True)
class Samples:
    """Word images for comparison or calibration.

    Attributes:
        images: each of its own size, uint8 [H, W, 3] RGB or [H, W] gray.
        source: their origin, as a text for people.
        labels: their scripts; None if unknown.
    """

    images: list[Image]
    source: str
    labels: list[str] | None = None


def read_samples(root: Path, count: int) -> tuple[Samples, Samples]:
    """Read images of a data set's validation split.

    They are spread evenly over the split, so all labels occur. If the split has fewer than twice
    `count` images, each of the two sets gets half.

    Args:
        root: the data set's folder.
        count: how many images for comparison, and as many others for calibration.

    Returns:
        The images for comparison, and the images for calibration.

    Raises:
        ArgumentError: there is no validation split, or `count` is below 1.
        ImageError: an unreadable image.
    """
    items = [item for item in read_dataset(root, "val") if item.label != NON_TEXT]
    return _split(
        [item.load for item in items], [item.label for item in items], count, f"validation images of {root.name}"
    )


def read_images(folder: Path, count: int) -> tuple[Samples, Samples]:
    """Read the image files of unknown script in a folder and its subfolders.

    They are spread evenly over the files. If the folder has fewer than twice `count` images,
    each of the two sets gets half.

    Args:
        folder: the folder of the images.
        count: how many images for comparison, and as many others for calibration.

    Returns:
        The images for comparison, and the images for calibration.

    Raises:
        ArgumentError: the folder has no images, or `count` is below 1.
        ImageError: an unreadable image.
    """
    if not folder.is_dir():
        raise ArgumentError(f"cannot read images from {folder}: it is {'a file' if folder.exists() else 'missing'}")
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if not paths:
        raise ArgumentError(f"{folder} holds no image files ({' '.join(SUFFIXES)})")
    return _split([partial(load_image, path) for path in paths], None, count, f"images of {folder.name}")


def _split(
    readers: Sequence[Callable[[], Image]], labels: list[str] | None, count: int, source: str
) -> tuple[Samples, Samples]:
    if count < 1:
        raise ArgumentError(f"the number of images must be at least 1, not {count}")
    total = min(len(readers), 2 * count)
    chosen = [i * len(readers) // total for i in range(total)]
    compared = chosen[::2]
    calibrated = chosen[1::2] or compared  # a single image serves for both

    def load(indices: list[int]) -> Samples:
        images = [readers[i]() for i in indices]
        return Samples(images, f"{len(images)} {source}", [labels[i] for i in indices] if labels else None)

    return load(compared), load(calibrated)


def draw_samples(count: int, seed: int = 0) -> Samples:
    """Draw Latin words of many sizes, dark on light and light on dark.

    Args:
        count: how many.
        seed: the same seed gives the same words.

    Returns:
        The words' images, uint8 [H, W, 3] RGB, each of its own size.
    """
    random = np.random.default_rng(seed)
    images = []
    for _ in range(count):
        text = "".join(random.choice(list(ascii_letters), random.integers(2, 14)))
        height = int(random.integers(20, 80))
        scale, width = height / 40, int(height * (0.5 + 0.5 * len(text)))
        tones = random.permutation([(0, 90), (150, 256)])
        paper, ink = (random.integers(low, high, 3).tolist() for low, high in tones.tolist())
        image = np.full((height, width, 3), paper, np.uint8)
        font = int(random.choice([cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_TRIPLEX]))
        cv2.putText(image, text, (height // 6, 3 * height // 4), font, scale, ink, max(1, height // 16), cv2.LINE_AA)
        noise = random.normal(0, 6, image.shape)
        images.append(np.clip(image + noise, 0, 255).astype(np.uint8))
    return Samples(images, f"{count} drawn words (no --data or --images given)")


def all_ways_up(samples: Samples) -> Samples:
    """Return the samples, turned in rotation by 0, 90, 180 and 270 degrees."""
    return replace(samples, images=[np.rot90(image, -index) for index, image in enumerate(samples.images)])


def network_input(image: Image, preprocessing: Preprocessing) -> NDArray[np.uint8]:
    """Return the network's input for an image, uint8 [C, H, W]; for a line, its middle window."""
    windows, rows, _ = crops(image, preprocessing)
    return preprocessing.apply(windows[len(windows) // 2], rows)


def by_size(samples: Samples, preprocessing: Preprocessing) -> list[tuple[list[int], NDArray[np.uint8]]]:
    """Return the network's inputs, grouped by height and width in ascending order.

    Returns:
        For each size, the indices of its images among the samples, and the inputs, uint8 [n, C, H, W].
    """
    groups: dict[tuple[int, ...], list[tuple[int, NDArray[np.uint8]]]] = {}
    for index, image in enumerate(samples.images):
        pixels = network_input(image, preprocessing)
        groups.setdefault(pixels.shape, []).append((index, pixels))
    return [([i for i, _ in group], np.stack([pixels for _, pixels in group])) for _, group in sorted(groups.items())]


def batches(samples: Samples, preprocessing: Preprocessing, size: int) -> Iterator[NDArray[np.uint8]]:
    """Yield the network's inputs, uint8 [n, C, H, W], in batches of one image size and at most `size` images."""
    for _, group in by_size(samples, preprocessing):
        for start in range(0, len(group), size):
            yield group[start : start + size]
