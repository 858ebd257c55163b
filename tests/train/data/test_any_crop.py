"""Splits for networks that take any crop: all orientations, tall words, lines."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from scriptkd_sdk.crop import crops
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.data.augment import half_turn
from scriptkd_train.data.folder import Item
from scriptkd_train.data.in_memory import InMemoryDataset, load_in_memory

ANY_CROP = Preprocessing(1, 16, 16, 64, 8, square_height=24)


def picture(height: int, width: int) -> np.ndarray:
    """Noise, uint8 [H, W], so that nothing of it is a margin."""
    return np.random.default_rng(height * 1000 + width).integers(0, 256, (height, width), np.uint8)


def load(folder: Path, images: list[np.ndarray], labels: list[str]) -> InMemoryDataset:
    items = []
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        path = folder / f"{number}.png"
        cv2.imwrite(str(path), image)
        items.append(Item(path, label))
    return load_in_memory(items, sorted({*labels} - {"none"}), ANY_CROP)


def flat(dataset: InMemoryDataset) -> dict[int, tuple[torch.Tensor, int]]:
    """Place in the split -> the input and its way up."""
    assert dataset.orientation is not None
    found = {}
    for size, index in dataset.index.items():
        for row, place in enumerate(index.tolist()):
            found[place] = dataset.images[size][row], int(dataset.orientation[size][row])
    return found


@pytest.mark.parametrize("size", [(20, 60), (20, 24), (60, 20)])
def test_the_way_up_is_that_of_the_input(tmp_path: Path, size: tuple[int, int]) -> None:
    """What the SDK makes of the picture, turned back by as many quarter turns, is the upright input."""
    image = picture(*size)
    for place, (pixels, way) in flat(load(tmp_path, [image] * 4, ["Latin"] * 4)).items():
        turned = np.rot90(image, -1 if size == (20, 24) and place // 2 % 2 else 0)
        turned = np.rot90(turned, 2 if place % 2 else 0)
        (crop,), rows, angle = crops(turned, ANY_CROP)
        assert np.array_equal(ANY_CROP.apply(crop, rows), pixels.numpy())
        clockwise = 90 * (2 * (place % 2) + (size == (20, 24) and place // 2 % 2))
        assert (90 * way + angle) % 360 == clockwise % 360


def test_all_ways_up_occur_and_pictures_without_text_have_none(tmp_path: Path) -> None:
    images = [picture(20, 24)] * 8 + [picture(20, 60)] * 4
    ways = [way for _, way in flat(load(tmp_path, images, ["Latin"] * 10 + ["none"] * 2)).values()]
    assert set(ways) == {-1, 0, 1, 2, 3}
    assert ways.count(-1) == 2


def test_a_line_is_seen_by_its_middle_window(tmp_path: Path) -> None:
    image = picture(16, 16 * 12)
    ((pixels, _),) = flat(load(tmp_path, [image], ["Latin"])).values()
    assert torch.equal(pixels[0], torch.from_numpy(image[:, 64:128]))


def test_half_a_turn_moves_pixels_and_way_together() -> None:
    images = torch.arange(2 * 3 * 4, dtype=torch.uint8).view(1, 2, 3, 4).repeat(40, 1, 1, 1)
    orientation = torch.arange(40) % 5 - 1
    turned, ways = half_turn(images, orientation, torch.Generator().manual_seed(0))
    upside_down = (turned != images).flatten(1).any(dim=1)
    assert 5 < int(upside_down.sum()) < 35
    for before, after, image, changed in zip(orientation.tolist(), ways.tolist(), turned, upside_down, strict=True):
        assert torch.equal(image, images[0].flip(1, 2) if changed else images[0])
        assert after == (-1 if before < 0 else (before + 2 * int(changed)) % 4)
