"""A split in memory, pre-processed for a network and grouped for batches.

Word images have many sizes and a batch has one, so images are grouped by size. Pixels are uint8: 100,000 words of 32x96
take 300 MB.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from scriptkd_sdk.crop import crops
from scriptkd_sdk.errors import ArgumentError, ImageError
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_sdk.processes import worker_pool
from scriptkd_train.data.dataset import NON_TEXT, Item
from scriptkd_train.utils.cores import cores

_CHUNK = 500

Size = tuple[int, int]
"""Height and width of an input in pixels."""


@dataclass(frozen=True)
class Batch:
    """A batch. images: uint8 [N, C, H, W]; target: int64 [N], -1 without text; index: int64 [N], places in the split.

    orientation: int64 [N], quarter turns clockwise of the letters in the input, -1 without text; None for networks that
    do not learn it.
    """

    images: Tensor
    target: Tensor
    index: Tensor
    orientation: Tensor | None = None


@dataclass(frozen=True)
class InMemoryDataset:
    """A split, by size. images[H, W]: uint8 [n, C, H, W]. target, index and orientation: int64 [n] (see Batch)."""

    images: dict[Size, Tensor]
    target: dict[Size, Tensor]
    index: dict[Size, Tensor]
    orientation: dict[Size, Tensor] | None = None

    def __len__(self) -> int:
        return sum(len(target) for target in self.target.values())

    def batches(
        self, size: int, generator: torch.Generator | None = None, rank: int = 0, world: int = 1
    ) -> Iterator[Batch]:
        """All images, in batches of one size each: in order, or shuffled for training if a generator is given.

        Process `rank` of `world` gets its share. In each round all processes read the same size, and their numbers of
        images differ by one at most, since all wait for the slowest. In training, the remaining images of a size are
        dropped if there are fewer than two for each process: batch statistics need two.
        """
        rounds: list[tuple[Size, Tensor]] = []
        for key, target in self.target.items():
            shuffled = generator is not None
            order = torch.randperm(len(target), generator=generator) if shuffled else torch.arange(len(target))
            parts = torch.split(order, size * world)
            rounds += [(key, part) for part in parts if len(part) >= 2 * world or not shuffled]
        if generator is not None:
            rounds = [rounds[i] for i in torch.randperm(len(rounds), generator=generator).tolist()]
        for key, whole in rounds:
            part = whole.tensor_split(world)[rank]
            orientation = self.orientation[key][part] if self.orientation is not None else None
            yield Batch(self.images[key][part], self.target[key][part], self.index[key][part], orientation)

    def batch_count(self, size: int, world: int = 1) -> int:
        """The number of batches in an epoch of `batches(size, generator, rank, world)`."""
        whole, least = size * world, 2 * world
        return sum(len(target) // whole + (len(target) % whole >= least) for target in self.target.values())


def load_in_memory(items: list[Item], labels: list[str], preprocessing: Preprocessing) -> InMemoryDataset:
    """Read and pre-process a split on all cores.

    An image that is damaged or too narrow raises an error: training data must be complete.

    Args:
        items: the split's images.
        labels: the scripts in the order of the network's outputs.
        preprocessing: how an image becomes the network's input.

    Returns:
        The inputs, grouped by size, with their targets.

    Raises:
        ArgumentError: a label is not among `labels`, an image is unreadable, or there are no images.
    """
    if not items:
        raise ArgumentError("the split holds no images")
    if unknown := sorted({item.label for item in items} - {*labels, NON_TEXT}):
        raise ArgumentError(f"label {unknown[0]!r} is not among the labels {', '.join(labels)}")
    number = {NON_TEXT: -1} | {label: i for i, label in enumerate(labels)}
    target = torch.tensor([number[item.label] for item in items])
    if (
        preprocessing.fixed_width and preprocessing.square_height is None
    ):  # filled image by image, so that the split is not in memory twice
        size = preprocessing.height, preprocessing.width_min
        pixels = torch.empty(len(items), preprocessing.channels, *size, dtype=torch.uint8)
        for place, (array, _) in enumerate(_read_all(items, preprocessing)):
            pixels[place] = torch.from_numpy(array)
        return InMemoryDataset({size: pixels}, {size: target}, {size: torch.arange(len(items))})
    by_size: dict[Size, tuple[list[int], list[np.ndarray], list[int]]] = {}
    for position, (array, way) in enumerate(_read_all(items, preprocessing)):
        positions, arrays, ways = by_size.setdefault(array.shape[1:], ([], [], []))
        positions.append(position)
        arrays.append(array)
        ways.append(way)
    images, targets, index, orientation = {}, {}, {}, {}
    for size in sorted(by_size):
        positions, arrays, ways = by_size.pop(size)  # freed size by size, so that the split is not in memory twice
        images[size] = torch.from_numpy(np.stack(arrays))
        targets[size] = target[positions]
        index[size] = torch.tensor(positions)
        orientation[size] = torch.where(target[positions] < 0, -1, torch.tensor(ways))
    any_crop = preprocessing.square_height is not None
    return InMemoryDataset(images, targets, index, orientation if any_crop else None)


def _read_all(items: list[Item], preprocessing: Preprocessing) -> Iterator[tuple[np.ndarray, int]]:
    """The images in order, uint8 [C, H, W], and their orientations (see Batch), read on all cores."""
    starts = range(0, len(items), _CHUNK)
    chunks = [items[start : start + _CHUNK] for start in starts]
    if len(chunks) == 1:
        yield from _read(chunks[0], preprocessing, 0)
        return
    # Forking is unsafe once torch's threads run. Spawned workers import only what this module needs.
    with worker_pool(cores()) as pool:
        for part in pool.map(_read, chunks, [preprocessing] * len(chunks), starts):
            yield from part


def _read(items: list[Item], preprocessing: Preprocessing, first: int) -> list[tuple[np.ndarray, int]]:
    cv2.setNumThreads(1)
    try:
        return [_prepare(item.load(), preprocessing, place) for place, item in enumerate(items, first)]
    except ImageError as error:
        raise ArgumentError(f"training data must be readable: {error}") from error


def _prepare(image: np.ndarray, preprocessing: Preprocessing, place: int) -> tuple[np.ndarray, int]:
    """The input for an upright image, uint8 [C, H, W], and its orientation in quarter turns clockwise.

    For any crop (format 3), images are turned, so that a split holds all orientations. Every second image is turned
    upside down. Of each four images in a row, the last two are also turned on their side if they are nearly square. A
    wide word is only used upright or upside down: on its side it would be a tall crop, which the contract lays on its
    side again. A line is cut to its middle window.
    """
    if preprocessing.square_height is None:
        return preprocessing.apply(image), 0
    seen, rows, turned = crops(image, preprocessing)
    crop, way = seen[len(seen) // 2], -turned // 90
    height, width = crop.shape[:2]
    if 2 * width < 3 * height and place // 2 % 2:
        crop, way = np.rot90(crop, -1), way + 1
    if place % 2:
        crop, way = np.rot90(crop, 2), way + 2
    return preprocessing.apply(crop, rows), way % 4
