"""SIW-13 (Shi, Bai and Yao: script identification in the wild): 13 scripts of street views, words and lines.

Its folder holds 13 folders of scripts and two lists, `train-list.txt` and `test-list.txt`. These have a line for each
image, `Arabic/arabic_000141_2.jpg 1`. The number is the script's place, from 1, among the sorted names
(https://github.com/lluisgomez/script_identification, ECN/data/orig/README.txt, ECN/scripts and the label file;
https://github.com/ccx1997/Patch-Aggregator-for-Script-Identification, SIW). The middle of a file's name tells the
picture from which the words were cut. SIW/main.py there counts 9,791 training images, by script. In all there are
16,291 images (https://github.com/williaby/image-preprocessing-detector, docs/datasets/source/siw13.md), which leaves
500 per script for the test. The same page describes a mirror with folders `Training` and `Testing`. The mirror is split
differently, and is not read.

There is no validation split: a tenth of the training pictures is held out. Japanese and Mongolian stay classes of their
own. Words in Japanese are Han, Kana or both, and no bundled model knows Mongolian.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from scriptkd_train.data.sets.research_set import Part, Published, ResearchSet, collect
from scriptkd_train.data.sets.truth import broken_line, numbered_lines

LABELS: dict[str, str | None] = {
    "Arabic": "Arabic",
    "Cambodian": "Khmer",
    "Chinese": "Han",
    "English": "Latin",
    "Greek": "Greek",
    "Hebrew": "Hebrew",
    "Japanese": "Japanese",
    "Kannada": "Kannada",
    "Korean": "Hangul",
    "Mongolian": "Mongolian",
    "Russian": "Cyrillic",
    "Thai": "Thai",
    "Tibetan": "Tibetan",
}
"""Class of the set, in the order of its numbers -> label."""

LISTS = {"train": "train-list.txt", "test": "test-list.txt"}
TRAIN_COUNTS = dict(zip(LABELS, (502, 583, 798, 721, 518, 742, 715, 529, 1061, 692, 531, 1722, 677), strict=True))
TEST_COUNTS = dict.fromkeys(LABELS, 500)

_NUMBERS = {name: str(number) for number, name in enumerate(LABELS, 1)}


def _read_part(root: Path, part: str) -> Part:
    return collect(_words(root, root / LISTS[part]), LABELS)


def _words(root: Path, truth: Path) -> Iterator[tuple[Path, str]]:
    for number, line in numbered_lines(truth):
        file, *code = line.rsplit(maxsplit=1)
        name, _, rest = file.partition("/")
        if not rest or code != [_NUMBERS.get(name)]:
            wanted = "'Arabic/arabic_000141_2.jpg 1', a file and the number of its script (1 is Arabic, 13 Tibetan)"
            raise broken_line(truth, number, line, wanted)
        yield root / name / rest, name


SIW_13 = ResearchSet(
    name="SIW-13",
    parts=lambda root: [part for part, name in LISTS.items() if (root / name).is_file()],
    read_part=_read_part,
    published={
        "train": Published(sum(TRAIN_COUNTS.values()), TRAIN_COUNTS),
        "test": Published(sum(TEST_COUNTS.values()), TEST_COUNTS),
    },
    where={
        "train": "SIW-13 lists it in train-list.txt",
        "val": "SIW-13 has none, and its train-list.txt, from which a tenth would be held out, is not there",
        "test": "SIW-13 lists it in test-list.txt",
    },
    protocol="Published results are of all 13 classes of the test list, Japanese and Mongolian too.",
    scene=lambda item: item.path.stem.rpartition("_")[0],
)
