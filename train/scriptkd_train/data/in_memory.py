"""A split in memory, pre-processed as the network will see it, ready to be cut into batches.

Word images have many widths and a batch has one, so images are kept by width. Everything is uint8: 100,000 words at
32 x 96 take 300 MB.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from scriptkd_sdk.errors import ArgumentError, ImageError
from scriptkd_sdk.images import load_image
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.data.dataset import NON_TEXT, Item
from scriptkd_train.utils.cores import cores

_CHUNK = 500


@dataclass(frozen=True)
class Batch:
    """images: uint8 [N, C, H, W]; target: int64 [N], -1 without text; index: int64 [N], places in the split."""

    images: Tensor
    target: Tensor
    index: Tensor


@dataclass(frozen=True)
class InMemoryDataset:
    """A split by width: images[w] is uint8 [n, C, H, w], target[w] and index[w] are int64 [n]."""

    images: dict[int, Tensor]
    target: dict[int, Tensor]
    index: dict[int, Tensor]

    def __len__(self) -> int:
        return sum(len(target) for target in self.target.values())

    def batches(
        self, size: int, generator: torch.Generator | None = None, rank: int = 0, world: int = 1
    ) -> Iterator[Batch]:
        """All images in batches of one width each: in order, or with a generator shuffled for training.

        `rank` of `world` processes gets its share. In a round all of them read the same width and as many images, but
        for one, since all wait for the slowest. For training a width's left-over of fewer than two images for each
        process is dropped: batch statistics need two.
        """
        rounds: list[tuple[int, Tensor]] = []
        for width, target in self.target.items():
            shuffled = generator is not None
            order = torch.randperm(len(target), generator=generator) if shuffled else torch.arange(len(target))
            rounds += [(width, part) for part in order.split(size * world) if len(part) >= 2 * world or not shuffled]
        if generator is not None:
            rounds = [rounds[i] for i in torch.randperm(len(rounds), generator=generator).tolist()]
        for width, whole in rounds:
            part = whole.tensor_split(world)[rank]
            yield Batch(self.images[width][part], self.target[width][part], self.index[width][part])

    def batch_count(self, size: int, world: int = 1) -> int:
        """How many batches an epoch of `batches(size, generator, rank, world)` has."""
        whole, least = size * world, 2 * world
        return sum(len(target) // whole + (len(target) % whole >= least) for target in self.target.values())


def load_in_memory(items: list[Item], labels: list[str], preprocessing: Preprocessing) -> InMemoryDataset:
    """Reads and pre-processes a split on all cores. Images too narrow or damaged end it: training data must be whole.

    Raises:
        ArgumentError: a label that is not among `labels`, an unreadable image, or no images at all.
    """
    if not items:
        raise ArgumentError("the split holds no images")
    if unknown := sorted({item.label for item in items} - {*labels, NON_TEXT}):
        raise ArgumentError(f"label {unknown[0]!r} is not among the labels {', '.join(labels)}")
    number = {NON_TEXT: -1} | {label: i for i, label in enumerate(labels)}
    target = torch.tensor([number[item.label] for item in items])
    if preprocessing.fixed_width:  # filled as the images come, for the same reason as below
        width = preprocessing.width_min
        pixels = torch.empty(len(items), preprocessing.channels, preprocessing.height, width, dtype=torch.uint8)
        for place, array in enumerate(_read_all(items, preprocessing)):
            pixels[place] = torch.from_numpy(array)
        return InMemoryDataset({width: pixels}, {width: target}, {width: torch.arange(len(items))})
    by_width: dict[int, tuple[list[int], list[np.ndarray]]] = {}
    for position, array in enumerate(_read_all(items, preprocessing)):
        positions, arrays = by_width.setdefault(array.shape[2], ([], []))
        positions.append(position)
        arrays.append(array)
    images, targets, index = {}, {}, {}
    for width in sorted(by_width):
        positions, arrays = by_width.pop(width)  # freed width by width: a split must not be in memory twice
        images[width] = torch.from_numpy(np.stack(arrays))
        targets[width] = target[positions]
        index[width] = torch.tensor(positions)
    return InMemoryDataset(images, targets, index)


def _read_all(items: list[Item], preprocessing: Preprocessing) -> Iterator[np.ndarray]:
    """The images in order, uint8 [C, H, W] each, read by all cores."""
    chunks = [items[start : start + _CHUNK] for start in range(0, len(items), _CHUNK)]
    if len(chunks) == 1:
        yield from _read(chunks[0], preprocessing)
        return
    # Forking is unsafe once torch's threads run; spawned workers import only what this module needs.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(cores(), context) as pool:
        for part in pool.map(_read, chunks, [preprocessing] * len(chunks)):
            yield from part


def _read(items: list[Item], preprocessing: Preprocessing) -> list[np.ndarray]:
    cv2.setNumThreads(1)
    try:
        return [preprocessing.apply(load_image(item.path)) for item in items]
    except ImageError as error:
        raise ArgumentError(f"training data must be readable: {error}") from error
