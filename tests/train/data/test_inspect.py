"""`scriptkd data inspect`: counts, sizes, broken files, duplicates across splits, the contact sheet."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer import Typer
from typer.testing import CliRunner

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.data import inspect as inspect_module
from scriptkd_train.data.inspect import inspect, inspect_command, perceptual_hash, sample_sheet
from scriptkd_train.utils.contact_sheet import TILE_HEIGHT, Tile, contact_sheet

WORDS = ["river", "I'll", "melon", "up", "oxygen", "at", "stone", "by", "lighter", "of", "quay", "we", "hyphen", "so"]

app = Typer()
app.command()(inspect_command)


def word(text: str) -> np.ndarray:
    """A gray picture of a word on uneven paper, no two alike."""
    random = np.random.default_rng(list(text.encode()))
    paper = cv2.resize(random.integers(150, 230, (3, 5), np.uint8), (120, 40), interpolation=cv2.INTER_CUBIC)
    return cv2.putText(paper, text, (6, 28), cv2.FONT_HERSHEY_COMPLEX, 0.8, 20, 2, cv2.LINE_AA)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Three splits of two scripts with one exact and one near duplicate and a broken file."""
    root = tmp_path / "data"
    words = iter(WORDS)
    for split, count in (("train", 3), ("val", 2), ("test", 2)):
        for label in ("Latin", "Tamil"):
            (root / split / label).mkdir(parents=True)
            for i in range(count):
                cv2.imwrite(str(root / split / label / f"{i}.png"), word(next(words)))
    shutil.copy(root / "train" / "Latin" / "0.png", root / "test" / "Latin" / "copy.png")
    image = cv2.imread(str(root / "train" / "Tamil" / "1.png"), cv2.IMREAD_GRAYSCALE)
    assert image is not None
    cv2.imwrite(str(root / "val" / "Tamil" / "again.jpg"), image, (cv2.IMWRITE_JPEG_QUALITY, 60))
    (root / "val" / "Latin" / "broken.png").write_bytes(b"no image")
    return root


def test_report(data: Path) -> None:
    calls: list[tuple[int, int]] = []
    report = inspect(data, lambda done, total: calls.append((done, total)))
    assert report.labels == ["Latin", "Tamil"]
    assert {split: dict(report.counts(split)) for split in report.items} == {
        "train": {"Latin": 3, "Tamil": 3},
        "val": {"Latin": 3, "Tamil": 3},
        "test": {"Latin": 3, "Tamil": 2},
    }
    assert set(report.widths["val"]) == {120} and len(report.heights["val"]) == 5
    ((broken, reason),) = report.unreadable.items()
    assert broken == data / "val" / "Latin" / "broken.png" and reason.startswith("not a PNG")
    assert [(pair.first, pair.second) for pair in report.exact] == [
        (data / "train" / "Latin" / "0.png", data / "test" / "Latin" / "copy.png")
    ]
    assert [(pair.first, pair.second) for pair in report.near] == [
        (data / "train" / "Tamil" / "1.png", data / "val" / "Tamil" / "again.jpg")
    ]
    assert calls[-1] == (17, 17)


def test_command_prints_and_writes_the_sheet(data: Path, tmp_path: Path) -> None:
    sheets = tmp_path / "a.png", tmp_path / "new" / "b.png"
    for sheet in sheets:
        result = CliRunner().invoke(app, [str(data), "--sheet", str(sheet)])
        assert result.exit_code == 0, result.output
    for said in (
        "1 unreadable files",
        "broken.png",
        "1 exact duplicates",
        "copy.png",
        "1 near duplicates",
        "again.jpg",
    ):
        assert said in result.output
    assert sheets[0].read_bytes() == sheets[1].read_bytes()  # drawn with a fixed seed
    drawn = cv2.imread(str(sheets[0]))
    assert drawn is not None and drawn.shape[0] > 2 * TILE_HEIGHT


def test_flat_folder(data: Path) -> None:
    report = inspect(data / "test")
    assert list(report.items) == ["all"] and report.exact == report.near == []
    assert sample_sheet(report).dtype == np.uint8


def test_cvsi_counts_are_compared(tmp_path: Path) -> None:
    folder = tmp_path / "GroundTruth_TestDataset_CVSI2015" / "Task4"
    folder.mkdir(parents=True)
    cv2.imwrite(str(folder / "ARB_001.jpg"), word("abc"))
    assert "test holds 1 images, CVSI-2015 published 3,207" in inspect(tmp_path).notes


def test_no_data(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="no images in"):
        inspect(tmp_path)


def test_hash_outlives_compression_but_tells_words_apart() -> None:
    first, second = word("river"), word("raven")
    jpeg = cv2.imdecode(cv2.imencode(".jpg", first, (cv2.IMWRITE_JPEG_QUALITY, 50))[1], cv2.IMREAD_GRAYSCALE)
    assert jpeg is not None
    dim = (first * 0.7 + 10).astype(np.uint8)

    def distance(a: np.ndarray, b: np.ndarray) -> int:
        return (perceptual_hash(a) ^ perceptual_hash(b)).bit_count()

    assert (
        max(distance(first, jpeg), distance(first, dim)) <= inspect_module.NEAR_DUPLICATE_BITS < distance(first, second)
    )


def test_contact_sheet_takes_any_size_and_keeps_the_aspect() -> None:
    wide, tall, gray = np.zeros((10, 900, 3), np.uint8), np.zeros((900, 10, 3), np.uint8), np.zeros((1, 1), np.uint8)
    sheet = contact_sheet([[Tile(wide, "true>said 0.98"), Tile(tall)], [Tile(gray, "தமிழ்")]], ["Latin", "Tamil"])
    assert sheet.shape[2] == 3 and sheet.dtype == np.uint8
    black = (sheet == 0).all(axis=2)
    assert black.sum() == pytest.approx(148 * 2 + 56 * 1 + 2 * 2, abs=3)
    with pytest.raises(ArgumentError, match="at least one image"):
        contact_sheet([])
