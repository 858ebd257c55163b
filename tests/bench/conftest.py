"""A data set that trains in a second, for the commands that train."""

from pathlib import Path

import cv2
import numpy as np
import pytest


@pytest.fixture
def words(tmp_path: Path) -> Path:
    """Eight noisy pictures of two scripts in each split, which brightness tells apart."""
    root, random = tmp_path / "words", np.random.default_rng(0)
    for split in ("train", "val", "test"):
        for label in ("Arabic", "Latin"):
            folder = root / split / label
            folder.mkdir(parents=True)
            for i in range(8):
                image = random.integers(0, 60, (32, 32), np.uint8) + (150 if label == "Latin" else 0)
                cv2.imwrite(str(folder / f"{i}.png"), image)
    return root
