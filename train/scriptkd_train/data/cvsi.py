"""CVSI-2015 (ICDAR 2015 competition on video script identification) in its own layout, task 4: all ten scripts."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.data.folder import (
    SPLITS,
    Item,
    check_labels,
    found_in,
    image_files,
    read_class_folders,
    warn_of_unread,
)

SPLIT_FOLDERS = {
    "train": "TrainDataset_CVSI2015",
    "val": "ValidationDataset_CVSI2015",
    "test": "GroundTruth_TestDataset_CVSI2015/Task4",
}

# The test images lie in one folder; the first three letters of a file's name say its script.
PREFIXES = {
    "ARB": "Arabic",
    "BEN": "Bengali",
    "ENG": "Latin",
    "GUJ": "Gujarati",
    "HIN": "Devanagari",
    "KAN": "Kannada",
    "ORI": "Oriya",
    "PUN": "Gurmukhi",
    "TAM": "Tamil",
    "TEL": "Telugu",
}

# Published numbers of images; for train and val only the totals are.
TOTALS = {"train": 6412, "val": 1069, "test": 3207}
TEST_COUNTS = {
    "Arabic": 303,
    "Bengali": 310,
    "Devanagari": 326,
    "Gujarati": 327,
    "Gurmukhi": 316,
    "Kannada": 314,
    "Latin": 341,
    "Oriya": 326,
    "Tamil": 321,
    "Telugu": 323,
}


def is_cvsi(root: str | Path) -> bool:
    """Whether a folder holds one of CVSI-2015's own folders."""
    return any((Path(root) / folder).is_dir() for folder in SPLIT_FOLDERS.values())


def read_cvsi(root: str | Path, split: str) -> list[Item]:
    """Read one split ("train", "val" or "test") of CVSI-2015, task 4, as it is distributed.

    Returns items sorted by label, then file name, labelled with the script's name ("English" -> "Latin").
    Raises ArgumentError if the folder is missing, holds no images, holds a script that train
    lacks, or a test image whose name begins with no known prefix.
    """
    root = Path(root)
    if split not in SPLITS:
        raise ArgumentError(f"unknown split {split!r}: it must be one of {', '.join(SPLITS)}")
    folder = root / SPLIT_FOLDERS[split]
    if not folder.is_dir():
        raise ArgumentError(f"no folder {folder}: CVSI-2015 keeps {split} in {SPLIT_FOLDERS[split]}, {found_in(root)}")
    if split == "test":
        items = [Item(path, _label_of_file(path)) for path in image_files(folder)]
        warn_of_unread(folder.parent, [folder])
    else:
        classes = read_class_folders(folder)
        items = classes.items
        warn_of_unread(folder, list(classes.images))
    if not items:
        raise ArgumentError(f"no images in {folder}, {found_in(folder)}")
    train = root / SPLIT_FOLDERS["train"]
    if split != "train" and train.is_dir():
        check_labels({item.label for item in items}, set(read_class_folders(train).labels.values()), split, root)
    return sorted(items, key=lambda item: (item.label, item.path.name))


def count_differences(items: list[Item], split: str) -> list[str]:
    """Say, one sentence each, how the numbers of images differ from CVSI-2015's published ones (none: empty list).

    Published are the counts per script of the test split and the totals of all three. A mirror is known to hold
    3,234 test files instead of 3,207.
    """
    differences = []
    if len(items) != TOTALS[split]:
        differences.append(f"{split} holds {len(items):,} images, CVSI-2015 published {TOTALS[split]:,}")
    counts = Counter(item.label for item in items)
    for label, published in TEST_COUNTS.items() if split == "test" else ():
        if counts[label] != published:
            differences.append(f"{split} holds {counts[label]:,} {label} images, CVSI-2015 published {published:,}")
    return differences


def _label_of_file(path: Path) -> str:
    prefix = path.name[:3].upper()
    if prefix not in PREFIXES:
        raise ArgumentError(f"cannot tell the script of {path}: its name must begin with one of {', '.join(PREFIXES)}")
    return PREFIXES[prefix]
