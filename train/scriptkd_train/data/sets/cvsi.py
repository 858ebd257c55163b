"""CVSI-2015 (ICDAR 2015 competition on video script identification) in its own layout, task 4: all ten scripts.

`TrainDataset_CVSI2015/<Arabic|Bengali|English|Gujrathi|Hindi|Kannada|Oriya|Punjabi|Tamil|Telegu>/ARB_001.jpg`,
`ValidationDataset_CVSI2015` likewise, and `GroundTruth_TestDataset_CVSI2015/Task4/*.jpg` without subfolders. A mirror
is known to hold 3,234 test files instead of 3,207. The competition's page: http://www.ict.griffith.edu.au/cvsi2015/.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.data.folder import Item, check_labels, image_files, read_class_folders
from scriptkd_train.data.sets.research_set import Part, Published, ResearchSet

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

# Published numbers of images. For train and val only the totals are published.
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


def _parts(root: Path) -> list[str]:
    return [part for part, folder in SPLIT_FOLDERS.items() if (root / folder).is_dir()]


def _read_part(root: Path, part: str) -> Part:
    folder = root / SPLIT_FOLDERS[part]
    if part == "test":
        items = [Item(path, _label_of_file(path)) for path in image_files(folder)]
        looked_in, read = folder.parent, [folder]
    else:
        classes = read_class_folders(folder)
        items = classes.items
        looked_in, read = folder, list(classes.images)
    train = root / SPLIT_FOLDERS["train"]
    if part != "train" and train.is_dir():
        check_labels({item.label for item in items}, set(read_class_folders(train).labels.values()), part, root)
    return Part(items, Counter(item.label for item in items), folder=looked_in, read=read)


def _label_of_file(path: Path) -> str:
    prefix = path.name[:3].upper()
    if prefix not in PREFIXES:
        raise ArgumentError(f"cannot tell the script of {path}: its name must begin with one of {', '.join(PREFIXES)}")
    return PREFIXES[prefix]


CVSI_2015 = ResearchSet(
    name="CVSI-2015",
    parts=_parts,
    read_part=_read_part,
    published={part: Published(total, TEST_COUNTS if part == "test" else {}) for part, total in TOTALS.items()},
    where={part: f"CVSI-2015 keeps {part} in {folder}" for part, folder in SPLIT_FOLDERS.items()},
    protocol="Task 4: all ten scripts, the share of right test words.",
)
