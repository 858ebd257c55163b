"""ICDAR MLT-2017 and MLT-2019 (RRC-MLT): their cropped words for script identification, task 2.

MLT-2017 has the archives `ch8_training_word_images_gt_part_1.zip` to `_3` (words 1 to 23,000, to 46,000, to 68,613),
`ch8_training_word_gt_v2.zip`, `ch8_validation_word_images_gt.zip` (16,255 words) and `ch8_validation_word_gt_v2.zip`.
Sources: the downloads and tasks pages of https://rrc.cvc.uab.es/?ch=8, and the reader in
https://github.com/ccx1997/Patch-Aggregator-for-Script-Identification, MLT2017/dataset. Each archive is read from a
folder of its name. Words are `word_<number>.png`. The ground truth is `gt.txt` in UTF-8, with a line for each word,
`word_1.png,Arabic,transcription`. The transcription is all that follows the second comma. The `v2` file is used if it
exists, else the one that comes with the images. The seven classes are Arabic, Latin, Chinese, Japanese, Korean, Bangla
and Symbols. Their numbers of training words are from the same reader, MLT2017/main.py, and add up to 68,613.

MLT-2019 (tasks page of https://rrc.cvc.uab.es/?ch=15) has the same lines, with one more class, Hindi. The competition
counts eight classes. A competitor's description (method 57692 of task 2) also names Mixed and None among the classes of
the training words. There are 111,998 training words, in two archives (PaddleOCR's page on data sets). The names of the
archives of words were not found. So a folder that is not MLT-2017 is taken for MLT-2019 if it holds the ground truth: a
file `*gt*.txt`, there or in a subfolder, that begins with such a line. The words are looked for in the same places.

Only the competition's server has the labels of the test words. 2019 has no validation split: a tenth of the training
words is held out by their names. It is not known from which picture a word was cut, so both splits may have words of
one picture.

Symbols (digits and signs of no script) and Mixed become `none`. Words labelled None, whose script nobody could tell,
are left out. Japanese stays a class of its own: its words are Han, Kana or both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.data.folder import NON_TEXT, image_files, subfolders
from scriptkd_train.data.sets.research_set import Part, Published, ResearchSet, collect
from scriptkd_train.data.sets.truth import broken_line, numbered_lines

LABELS: dict[str, str | None] = {
    "Arabic": "Arabic",
    "Bangla": "Bengali",
    "Chinese": "Han",
    "Hindi": "Devanagari",
    "Japanese": "Japanese",
    "Korean": "Hangul",
    "Latin": "Latin",
    "Symbols": NON_TEXT,
    "Mixed": NON_TEXT,
    "None": None,
}
"""Class of the competitions -> label. None means that its words are left out."""

FOLDERS_2017 = {
    "train": tuple(f"ch8_training_word_images_gt_part_{number}" for number in (1, 2, 3)),
    "val": ("ch8_validation_word_images_gt",),
}
TRUTH_2017 = {"train": "ch8_training_word_gt_v2", "val": "ch8_validation_word_gt_v2"}
TRAIN_2017 = {
    "Arabic": 3711,
    "Latin": 47452,
    "Chinese": 2702,
    "Japanese": 4633,
    "Korean": 5631,
    "Bangla": 3237,
    "Symbols": 1247,
}

_LINE = re.compile(r"(word_\d+\.\w+),\s*([A-Za-z]+)\s*(?:,|$)")
_WANTED = f"'word_1.png,script,transcription' with a script of {', '.join(LABELS)}"


def _parts_2017(root: Path) -> list[str]:
    return [part for part, folders in FOLDERS_2017.items() if any((root / folder).is_dir() for folder in folders)]


def _read_2017(root: Path, part: str) -> Part:
    folders = [root / folder for folder in FOLDERS_2017[part] if (root / folder).is_dir()]
    second = root / TRUTH_2017[part] / "gt.txt"
    truths = [second] if second.is_file() else [path for folder in folders if (path := folder / "gt.txt").is_file()]
    if not truths:
        raise ArgumentError(
            f"no ground truth of {part} in {root}: MLT-2017 keeps it in {TRUTH_2017[part]}/gt.txt, or in gt.txt beside "
            "the words"
        )
    return _read_words(truths, folders)


def _truths_2019(root: Path) -> list[Path]:
    if _parts_2017(root):
        return []
    return [path for path in sorted([*root.glob("*gt*.txt"), *root.glob("*/*gt*.txt")]) if _is_truth(path)]


def _is_truth(path: Path) -> bool:
    try:
        return _LINE.match(next(iter(numbered_lines(path)))[1]) is not None
    except (ArgumentError, StopIteration):
        return False


def _read_2019(root: Path, part: str) -> Part:
    return _read_words(_truths_2019(root), [root, *subfolders(root)])


def _read_words(truths: list[Path], folders: list[Path]) -> Part:
    files = {path.name: path for folder in folders for path in image_files(folder)}
    classes = {word: name for truth in truths for word, name in _lines(truth)}
    return collect(((files.get(word), name) for word, name in classes.items()), LABELS)


def _lines(truth: Path) -> Iterator[tuple[str, str]]:
    for number, line in numbered_lines(truth):
        found = _LINE.match(line)
        if found is None or found[2] not in LABELS:
            raise broken_line(truth, number, line, _WANTED)
        yield found[1], found[2]


_HIDDEN = "'s test words have no public ground truth, as the competition's server measures them; measure the split val"
_PROTOCOL = (
    "Published results are of the test words, which the competition's server measures, with Symbols as one more class. "
    "Ours leave Symbols out, and call Chinese Han."
)

MLT_2017 = ResearchSet(
    name="MLT-2017",
    parts=_parts_2017,
    read_part=_read_2017,
    published={"train": Published(68613, TRAIN_2017), "val": Published(16255)},
    where={
        **{part: f"MLT-2017 keeps {part} in {folders[0]}" for part, folders in FOLDERS_2017.items()},
        "test": f"MLT-2017{_HIDDEN}",
    },
    protocol=_PROTOCOL,
)

MLT_2019 = ResearchSet(
    name="MLT-2019",
    parts=lambda root: ["train"] if _truths_2019(root) else [],
    read_part=_read_2019,
    published={"train": Published(111998)},
    where={"train": "MLT-2019 keeps it in gt.txt", "val": "MLT-2019 has none", "test": f"MLT-2019{_HIDDEN}"},
    protocol=_PROTOCOL,
    scene=lambda item: item.path.name,
)
