"""Images for comparison and calibration."""

from pathlib import Path

import numpy as np
import pytest

from scriptkd_export import draw_samples, read_images, read_samples
from scriptkd_export.samples import batches
from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.preprocess import Preprocessing


def test_read_samples_takes_others_for_calibration(data: Path) -> None:
    compared, calibration = read_samples(data, 30)
    assert (len(compared.images), len(calibration.images)) == (30, 30)
    assert compared.source == f"30 validation images of {data.name}"
    known = {image.tobytes() for image in compared.images}
    assert not any(image.tobytes() in known for image in calibration.images)


def test_read_samples_shares_a_small_split(data: Path) -> None:
    compared, calibration = read_samples(data, 1000)
    assert len(compared.images) + len(calibration.images) == 180


def test_read_samples_refuses(data: Path, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="at least 1"):
        read_samples(data, 0)
    with pytest.raises(ArgumentError, match="val"):
        read_samples(tmp_path, 10)


def test_labels_go_with_their_images(data: Path) -> None:
    compared, calibration = read_samples(data, 30)
    for samples in (compared, calibration):
        assert samples.labels is not None and len(samples.labels) == len(samples.images)
        assert set(samples.labels) == {"Arabic", "Latin", "runes"}


def test_images_of_a_folder_need_no_labels(data: Path, tmp_path: Path) -> None:
    compared, calibration = read_images(data / "val", 30)
    assert (len(compared.images), len(calibration.images)) == (30, 30)
    assert compared.source == "30 images of val" and compared.labels is None
    with pytest.raises(ArgumentError, match="holds no image files"):
        read_images(tmp_path, 30)


def test_drawn_words_are_the_same_for_the_same_seed() -> None:
    first, again, other = draw_samples(8), draw_samples(8), draw_samples(8, seed=1)
    assert all(np.array_equal(a, b) for a, b in zip(first.images, again.images, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first.images, other.images, strict=True))
    assert all(np.ptp(image) > 60 for image in first.images)
    assert "no --data or --images given" in first.source


def test_batches_have_one_width_each() -> None:
    preprocessing = Preprocessing(1, 32, 32, 128, 16)
    samples = draw_samples(40)
    found = list(batches(samples, preprocessing, 4))
    assert sum(map(len, found)) == 40
    assert all(batch.dtype == np.uint8 and 1 <= len(batch) <= 4 for batch in found)
    assert len({batch.shape[3] for batch in found}) > 2
