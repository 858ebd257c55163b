"""MNIST's layout: scikit-learn's digits in IDX files are read, inspected, learned and compared."""

import gzip
import struct
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from rich.console import Console
from sklearn.datasets import load_digits

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.commands.evaluate import print_report
from scriptkd_train.data.dataset import fingerprint, read_dataset, splits_of
from scriptkd_train.data.inspect import inspect, sample_sheet
from scriptkd_train.data.sets import find_set, mnist
from scriptkd_train.evaluation.evaluate import evaluate
from scriptkd_train.paper.collect import collect
from scriptkd_train.paper.report import write_report
from scriptkd_train.paper.reproduce import reproduce
from scriptkd_train.recipe import Recipe, load_recipe

COUNTS = {"train": 480, "t10k": 150}


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


def write_tree(root: Path, zipped: bool = True, dot: str = "-") -> Path:
    content = load_digits()
    large = np.array([cv2.resize(image * 15.9, (28, 28)) for image in content.images])
    root.mkdir()
    start = 0
    for part, count in COUNTS.items():
        for what, array in (("images-idx3", large), ("labels-idx1", content.target)):
            data = idx(array[start : start + count])
            name = f"{part}-{what.replace('-', dot)}-ubyte"
            (root / (name + ".gz" if zipped else name)).write_bytes(gzip.compress(data) if zipped else data)
        start += count
    return root


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tree(tmp_path_factory.mktemp("mnist") / "MNIST")


def test_it_is_known_and_read(tree: Path) -> None:
    found = find_set(tree)
    assert found is not None and found.name == "MNIST" and splits_of(tree) == ["train", "val", "test"]
    splits = {split: read_dataset(tree, split) for split in ("train", "val", "test")}
    assert {split: len(items) for split, items in splits.items()} == {"train": 432, "val": 48, "test": 150}
    places = {split: {item.name for item in splits[split]} for split in ("train", "val")}
    assert len(places["train"] | places["val"]) == 480, "an image is in train and in val"
    content = load_digits()
    for item in splits["test"][::20]:
        place = COUNTS["train"] + int(item.name)
        assert item.label == str(content.target[place])
        assert np.array_equal(item.load(), cv2.resize(content.images[place] * 15.9, (28, 28)).astype(np.uint8))
    assert len(fingerprint(splits["val"])) == 64
    report = inspect(tree)
    assert report.notes[:2] == ["read as MNIST", "train holds 480 images, MNIST published 60,000"]
    assert not report.unreadable and report.widths["test"].tolist() == [28] * 150
    assert sample_sheet(report).dtype == np.uint8


@pytest.mark.parametrize(("zipped", "dot"), [(False, "-"), (True, "."), (False, ".")])
def test_spellings_of_the_files(tree: Path, tmp_path: Path, zipped: bool, dot: str) -> None:
    other = write_tree(tmp_path / "other", zipped, dot)
    pairs = zip(read_dataset(tree, "val"), read_dataset(other, "val"), strict=True)
    assert all(a.label == b.label and np.array_equal(a.load(), b.load()) for a, b in pairs)


def test_published_counts_are_those_of_the_set() -> None:
    assert (sum(mnist.TRAIN_COUNTS.values()), sum(mnist.TEST_COUNTS.values())) == (60000, 10000)


def brief(width: float) -> Recipe:
    """The recipe `digits`, its student alone, in seconds."""
    recipe = load_recipe("digits")
    student = recipe.stages["student"]
    network = student.network.model_copy(update={"arguments": {"width": width}}) if student.network else None
    changes = {"distil": None, "epochs": 10, "ema": 0.9, "network": network}
    return recipe.model_copy(update={"stages": {"student": student.model_copy(update=changes)}})


def test_from_its_files_to_a_table(tree: Path, tmp_path: Path) -> None:
    rows = {"narrow": brief(0.25), "wide": brief(0.5)}
    reproduce(rows, (1,), tree, tmp_path / "out", "recipes", Console(quiet=True))
    matrix = collect(tmp_path / "out")
    assert matrix.images == 150 and matrix.accuracy("wide", "student").mean > 60
    paths = write_report(matrix, tmp_path / "report")
    assert "examples-right.png" in {path.name for path in paths}, "images of an IDX file are not shown"
    assert "| wide |" in paths[0].read_text("utf-8")

    report = evaluate(tmp_path / "out" / "seed-1" / "wide" / "student.pt", tree).report
    assert report.research_set == "MNIST" and list(report.scripts) == mnist.DIGITS
    assert 100 * report.accuracy == pytest.approx(matrix.accuracy("wide", "student").values[0])
    console = Console(record=True, width=200)
    print_report(report, console)
    assert "MNIST, published" in console.export_text()


def test_what_is_broken_is_named(tree: Path, tmp_path: Path) -> None:
    def change(name: str, content: bytes) -> str:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ArgumentError) as error:
            read_dataset(tmp_path, "test")
        assert "\n" not in str(error.value)
        return str(error.value)

    labels = np.arange(5)
    images = idx(np.zeros((5, 28, 28)))
    assert "no labels of test" in change("t10k-images-idx3-ubyte", images)
    name = "t10k-labels-idx1-ubyte.gz"
    assert "cannot read" in change(name, b"no gzip")
    assert "cannot read" in change(name, gzip.compress(idx(labels))[:-9])
    assert "no IDX file of unsigned bytes with 1 side" in change(name, gzip.compress(images))
    assert "holds 4 labels" in change(name, gzip.compress(idx(labels[:4])))
    (tmp_path / name).write_bytes(gzip.compress(idx(labels)))
    assert "is damaged: it says 5x28x28 bytes and holds 3,919" in change("t10k-images-idx3-ubyte", images[:-1])
    assert "no IDX file" in change("t10k-images-idx3-ubyte", b"\0\0")
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(images)
    assert Counter(item.label for item in read_dataset(tmp_path, "test")) == Counter("01234")
    with pytest.raises(ArgumentError, match=r"no val in .*: MNIST has none, and its train-images-idx3-ubyte"):
        read_dataset(tmp_path, "val")
