"""The readers of data sets: the folder layout, flat folders and CVSI-2015's own layout."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.images import load_image
from scriptkd_train.data.dataset import fingerprint, read_dataset, splits_of
from scriptkd_train.data.folder import Item, read_folder
from scriptkd_train.data.sets import cvsi
from scriptkd_train.data.sets.cvsi import CVSI_2015
from scriptkd_train.engine.run import read_training_data

CVSI_FOLDERS = ["Arabic", "Bengali", "English", "Gujrathi", "Hindi", "Kannada", "Oriya", "Punjabi", "Tamil", "Telegu"]


def write(*paths: Path, value: int = 128) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(path), np.full((4, 6), value, np.uint8))


def cvsi_tree(root: Path) -> Path:
    for split in ("TrainDataset_CVSI2015", "ValidationDataset_CVSI2015"):
        for folder, prefix in zip(CVSI_FOLDERS, cvsi.PREFIXES, strict=True):
            write(root / split / folder / f"{prefix}_001.jpg", root / split / folder / f"{prefix}_002.jpg")
    write(*(root / "GroundTruth_TestDataset_CVSI2015" / "Task4" / f"{prefix}_007.jpg" for prefix in cvsi.PREFIXES))
    return root


def test_folder_reads_every_format_sorted_and_passes_over_the_rest(tmp_path: Path) -> None:
    names = ["b.png", "a.jpg", "c.jpeg", "d.bmp", "e.webp", "F.PNG", "g.tif", "h.tiff"]
    write(*(tmp_path / "train" / "Tamil" / name for name in names), tmp_path / "train" / "Arabic" / "z.png")
    Image.new("L", (6, 4)).save(tmp_path / "train" / "Tamil" / "i.gif")
    (tmp_path / "train" / "Tamil" / "notes.txt").write_text("no image")
    (tmp_path / "train" / "Tamil" / "._a.jpg").write_bytes(b"macOS")
    (tmp_path / "train" / "Empty").mkdir()
    items = read_dataset(tmp_path, "train")
    assert [item.label for item in items] == ["Arabic"] + ["Tamil"] * 9
    assert [item.path.name for item in items[1:]] == sorted([*names, "i.gif"])
    assert all(load_image(item.path).shape[:2] == (4, 6) for item in items)
    assert splits_of(tmp_path) == ["train"]


def test_folder_names_are_aliases_codes_or_labels_of_their_own(tmp_path: Path) -> None:
    write(*(tmp_path / "train" / name / "1.png" for name in ("Hindi", "Devanagari", "latn", "Klingon")))
    labels = [item.label for item in read_folder(tmp_path, "train")]
    assert labels == ["Devanagari", "Devanagari", "Klingon", "Latin"]


def test_flat_folder(tmp_path: Path) -> None:
    write(tmp_path / "Tamil" / "1.png", tmp_path / "none" / "1.png")
    (tmp_path / "manifest.csv").write_text("file,script\n")
    assert splits_of(tmp_path) == []
    assert read_dataset(tmp_path, None) == [
        Item(tmp_path / "Tamil" / "1.png", "Tamil"),
        Item(tmp_path / "none" / "1.png", "none"),
    ]


def test_a_script_that_train_lacks_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "train" / "Tamil" / "1.png", tmp_path / "val" / "Tamil" / "1.png")
    write(tmp_path / "val" / "Oriya" / "1.png")
    (tmp_path / "train" / "Oriya").mkdir()
    with pytest.raises(ArgumentError, match=r"val of .* holds Oriya, which train lacks: train has Tamil"):
        read_dataset(tmp_path, "val")


def test_a_test_set_alone_needs_no_train(tmp_path: Path) -> None:
    write(tmp_path / "test" / "Oriya" / "1.png")
    assert len(read_dataset(tmp_path, "test")) == 1


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ("dev", "unknown split 'dev': it must be one of train, val, test"),
        ("val", r"no folder .*val: expected .*<train\|val\|test>/<script>/\*\.png, found test/, train/ in "),
        ("test", r"no images in .*test: expected .*test/<script>/\*\.<png\|.*\|tiff>, found Tamil/ in "),
        (None, r"has splits: say which of train, test to read"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path: Path, split: str | None, message: str) -> None:
    write(tmp_path / "train" / "Tamil" / "1.png")
    (tmp_path / "test" / "Tamil").mkdir(parents=True)
    with pytest.raises(ArgumentError, match=message):
        read_dataset(tmp_path, split)


def test_missing_root_and_empty_root(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"cannot read a data set from .*nowhere: it is missing"):
        read_dataset(tmp_path / "nowhere", "train")
    with pytest.raises(ArgumentError, match="found nothing in"):
        read_dataset(tmp_path, None)


def test_cvsi_layout(tmp_path: Path) -> None:
    cvsi_tree(tmp_path)
    assert splits_of(tmp_path) == ["train", "val", "test"]
    labels = list(cvsi.PREFIXES.values())
    for split in ("train", "val"):
        assert [item.label for item in read_dataset(tmp_path, split)] == sorted(2 * labels)
    test = read_dataset(tmp_path, "test")
    assert [item.label for item in test] == sorted(labels)
    assert {item.path.name[:3]: item.label for item in test} == cvsi.PREFIXES


def test_cvsi_errors(tmp_path: Path) -> None:
    cvsi_tree(tmp_path)
    (tmp_path / "empty").mkdir()
    write(tmp_path / "GroundTruth_TestDataset_CVSI2015" / "Task4" / "URD_1.jpg")
    with pytest.raises(ArgumentError, match=r"URD_1\.jpg: its name must begin with one of ARB, BEN"):
        CVSI_2015.read(tmp_path, "test")
    write(tmp_path / "ValidationDataset_CVSI2015" / "Urdu" / "URD_1.jpg")
    with pytest.raises(ArgumentError, match="holds Urdu, which train lacks"):
        CVSI_2015.read(tmp_path, "val")
    with pytest.raises(ArgumentError, match="keeps train in TrainDataset_CVSI2015, found nothing"):
        CVSI_2015.read(tmp_path / "empty", "train")


def test_cvsi_counts(tmp_path: Path) -> None:
    assert sum(cvsi.TEST_COUNTS.values()) == cvsi.TOTALS["test"]
    folder = tmp_path / "GroundTruth_TestDataset_CVSI2015" / "Task4"
    folder.mkdir(parents=True)
    prefix_of = {label: prefix for prefix, label in cvsi.PREFIXES.items()}
    for label, count in cvsi.TEST_COUNTS.items():
        for number in range(count):
            (folder / f"{prefix_of[label]}_{number}.jpg").touch()
    assert CVSI_2015.count_differences(tmp_path, "test") == []
    (folder / "ARB_0.jpg").unlink()
    assert CVSI_2015.count_differences(tmp_path, "test") == [
        "test holds 3,206 images, CVSI-2015 published 3,207",
        "test holds 302 Arabic images, CVSI-2015 published 303",
    ]
    cvsi_tree(tmp_path)
    assert CVSI_2015.count_differences(tmp_path, "val") == ["val holds 20 images, CVSI-2015 published 1,069"]


def test_fingerprint_follows_content_and_labels_but_not_place(tmp_path: Path) -> None:
    for root in ("a", "b"):
        write(tmp_path / root / "train" / "Tamil" / "1.png", tmp_path / root / "train" / "Latin" / "1.png")
    first, second = (read_dataset(tmp_path / root, "train") for root in ("a", "b"))
    assert fingerprint(first) == fingerprint(second)
    write(second[0].path, value=3)
    assert fingerprint(first) != fingerprint(second)
    relabelled = [Item(first[0].path, "Oriya"), first[1]]
    assert fingerprint(relabelled) != fingerprint(first)
    with pytest.raises(ArgumentError, match=r"cannot read .*gone"):
        fingerprint([Item(tmp_path / "gone.png", "Tamil")])


def test_what_is_not_read_is_said_in_one_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    train = tmp_path / "train"
    write(
        *(train / "Tamil" / name for name in ("1.png", "batch/2.png", "batch/deeper/3.png", "._4.png", ".hidden/5.png"))
    )
    write(train / "6.png", train / "Latin" / "7.png")
    for name in ("a.heic", "b.HEIC", "c.jfif", "d.jpe", "e"):
        (train / "Latin" / name).write_bytes(b"some picture")
    assert [item.path.name for item in read_dataset(tmp_path, "train")] == ["7.png", "1.png"]
    assert [record.getMessage() for record in caplog.records] == [
        f"not read in {train}: 1 image beside its class folders, 2 images in folders inside its class folders, "
        "2 of .heic, 1 of .jfif, 1 of .jpe, 1 of no suffix (such as 6.png, Tamil/batch/2.png)"
    ]


def test_nothing_is_said_where_all_is_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(tmp_path / "Tamil" / "1.png", tmp_path / "none" / "1.png")
    (tmp_path / "manifest.csv").write_text("file,script\n")
    read_dataset(tmp_path, None)
    read_dataset(cvsi_tree(tmp_path / "cvsi"), "test")
    assert not caplog.records


def test_cvsi_says_what_it_does_not_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    root = cvsi_tree(tmp_path)
    (root / "TrainDataset_CVSI2015" / "Hindi" / "Thumbs.db").write_bytes(b"")
    read_dataset(root, "train")
    assert [record.getMessage() for record in caplog.records] == [
        f"not read in {root / 'TrainDataset_CVSI2015'}: 1 of .db"
    ]


@pytest.mark.parametrize("name", ["None", "NONE", "none"])
def test_none_is_none(tmp_path: Path, name: str) -> None:
    write(tmp_path / "train" / name / "1.png", tmp_path / "train" / "Tamil" / "1.png")
    assert [item.label for item in read_dataset(tmp_path, "train")] == ["Tamil", "none"]


@pytest.mark.parametrize("name", ["unknown", "Unknown"])
def test_no_class_is_called_unknown(tmp_path: Path, name: str) -> None:
    (tmp_path / "train" / name).mkdir(parents=True)
    write(tmp_path / "train" / "Tamil" / "1.png")
    assert len(read_dataset(tmp_path, "train")) == 1  # without images it is no class
    write(tmp_path / "train" / name / "1.png")
    with pytest.raises(
        ArgumentError, match=f"no class can be called '{name}', which is a model's answer if it is unsure"
    ):
        read_dataset(tmp_path, "train")


def test_case_and_unicodes_forms_make_no_other_class(tmp_path: Path) -> None:
    """Of a name in two cases the train split's counts, and of two in one split the first in order."""
    composed, decomposed = "\u00c5land", "A\u030aland"
    write(*(tmp_path / "train" / name / "1.png" for name in (composed, decomposed, "Klingon", "klingon", "tamil")))
    write(*(tmp_path / "val" / name / "1.png" for name in (decomposed.lower(), "KLINGON", "TAMIL")))
    assert [item.label for item in read_dataset(tmp_path, "train")] == [
        "Klingon",
        "Klingon",
        "Tamil",
        composed,
        composed,
    ]
    assert [item.label for item in read_dataset(tmp_path, "val")] == ["Klingon", "Tamil", composed]


def test_names_of_files_that_are_not_utf_8(tmp_path: Path) -> None:
    folder = tmp_path / "train" / "Tamil"
    write(folder / "1.png")
    os.rename(folder / "1.png", os.path.join(os.fsencode(folder), b"\xe9.png"))
    assert len(fingerprint(read_dataset(tmp_path, "train"))) == 64
    os.rename(folder, os.path.join(os.fsencode(tmp_path / "train"), b"Tam\xefl"))
    with pytest.raises(ArgumentError, match=r"the folder b'Tam\\xefl' is not named in UTF-8: give it another name"):
        read_dataset(tmp_path, "train")


def test_one_class_alone_is_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(*(tmp_path / split / name / "1.png" for split in ("train", "val") for name in ("Tamil", "none")))
    assert read_training_data(tmp_path).labels == ["Tamil"]
    assert [record.getMessage() for record in caplog.records] == [
        f"the train split of {tmp_path} holds only one class, Tamil: a model has nothing to tell apart"
    ]
