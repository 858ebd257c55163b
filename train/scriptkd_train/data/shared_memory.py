"""A split that one training process reads and all processes map, so that it is read once and in memory once."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor

from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.data.dataset import Item
from scriptkd_train.data.in_memory import InMemoryDataset, Size, load_in_memory

_Layout = tuple[dict[Size, torch.Size], dict[Size, Tensor], dict[Size, Tensor], dict[Size, Tensor] | None]


def load_shared(
    fabric: Fabric, items: list[Item], labels: list[str], preprocessing: Preprocessing, scratch: Path
) -> InMemoryDataset:
    """The result of `load_in_memory`, shared by all processes of `fabric` on one machine.

    scratch: a file through which several processes share the pixels. It is as large as the pixels, and is deleted at
    once.

    Raises:
        ArgumentError: as `load_in_memory`, or `scratch` cannot be written. Every process raises it.
    """
    if fabric.is_global_zero:
        scratch.unlink(missing_ok=True)  # left by a killed run
    if fabric.world_size == 1:
        return load_in_memory(items, labels, preprocessing)
    layout: _Layout | None = None
    refused = ""
    if fabric.is_global_zero:
        try:
            layout = _write(load_in_memory(items, labels, preprocessing), scratch)
        except ArgumentError as error:
            refused = str(error)
    # An error in only one process would leave the others waiting.
    layout, refused = fabric.broadcast((layout, refused))
    if layout is None:
        raise ArgumentError(refused)
    dataset = _map(scratch, *layout)
    fabric.barrier()
    if fabric.is_global_zero:
        # Mapped data stays until the last process releases it. On Windows only the next run can delete the file.
        with contextlib.suppress(OSError):
            scratch.unlink()
    return dataset


def _write(dataset: InMemoryDataset, path: Path) -> _Layout:
    """Write all pixels into one file, since each mapped file stays open, and there may be hundreds of sizes."""
    try:
        with path.open("wb") as file:
            for pixels in dataset.images.values():
                file.write(pixels.numpy().data)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise ArgumentError(
            f"the pre-processed images cannot be written to {path}: {error.strerror or error}"
        ) from error
    shapes = {size: pixels.shape for size, pixels in dataset.images.items()}
    return shapes, dataset.target, dataset.index, dataset.orientation


def _map(
    path: Path,
    shapes: dict[Size, torch.Size],
    target: dict[Size, Tensor],
    index: dict[Size, Tensor],
    orientation: dict[Size, Tensor] | None,
) -> InMemoryDataset:
    # Copy-on-write, since a tensor must be writable. No process writes, so all share the pages.
    pixels = torch.from_numpy(np.memmap(path, np.uint8, "c"))
    parts = torch.split(pixels, [shape.numel() for shape in shapes.values()])
    images = {size: part.view(shape) for (size, shape), part in zip(shapes.items(), parts, strict=True)}
    return InMemoryDataset(images, target, index, orientation)
