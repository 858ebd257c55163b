"""MLe2e (Gomez and Karatzas: multi-language end-to-end): text lines of street scenes in four scripts, cut out.

Unpacked, `MLe2e_Dataset_v02.zip` is `MLe2e_Dataset_v02/MLe2e/<train|test>/croped/`, spelled so, with the images
`box_367.jpg` and so on, and `GT_labels.txt`. This file has a line for each image: the file, a blank, and the script.
All this is known from a public program that reads such a folder; the set's page is
https://github.com/lluisgomez/script_identification. The program names three empty files in train, box_367.jpg,
box_415.jpg and box_556.jpg, which are left out. The exact spelling of the scripts was not found. The program's
spellings are Chinese, Hangul, Kannada and Latin. Korean counts as Hangul. Case does not matter.

The published counts are those of a mirror without the empty files: 1,174 for training, by script, and 642 for the test
(https://github.com/williaby/image-preprocessing-detector, docs/datasets/source/mle2e.md). The authors' own counts were
not found.

There is no validation split: a tenth of the training lines is held out by their names. It is not known from which
picture a line was cut.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from scriptkd_train.data.sets.research_set import Part, Published, ResearchSet, collect
from scriptkd_train.data.sets.truth import broken_line, numbered_lines

LABELS: dict[str, str | None] = {"Chinese": "Han", "Hangul": "Hangul", "Kannada": "Kannada", "Latin": "Latin"}
TRAIN_COUNTS = {"Chinese": 301, "Hangul": 225, "Kannada": 152, "Latin": 496}
PLACES = (".", "MLe2e", "MLe2e_Dataset_v02/MLe2e")  # where in the given folder the parts may lie

_SPELLINGS = {name.casefold(): name for name in LABELS} | {"korean": "Hangul"}


def _folder(root: Path, part: str) -> Path | None:
    folders = (root / place / part / "croped" for place in PLACES)
    return next((folder for folder in folders if folder.is_dir()), None)


def _read_part(root: Path, part: str) -> Part:
    folder = _folder(root, part)
    assert folder is not None  # `_parts` has seen it
    found = collect(_words(folder), LABELS)
    empty = Counter(name for path, name in _words(folder) if path.is_file() and not path.stat().st_size)
    return Part(found.items, found.classes - empty, found.left_out)


def _words(folder: Path) -> Iterator[tuple[Path, str]]:
    truth = folder / "GT_labels.txt"
    for number, line in numbered_lines(truth):
        file, *columns = line.split()  # what follows the script is not read
        name = _SPELLINGS.get(columns[0].casefold()) if columns else None
        if name is None:
            raise broken_line(truth, number, line, f"'box_1.jpg Latin' with a script of {', '.join(LABELS)}")
        yield folder / file, name


MLE2E = ResearchSet(
    name="MLe2e",
    parts=lambda root: [part for part in ("train", "test") if _folder(root, part)],
    read_part=_read_part,
    published={"train": Published(1174, TRAIN_COUNTS), "test": Published(642)},
    where={
        "train": "MLe2e keeps it in MLe2e/train/croped",
        "val": "MLe2e has none, and its MLe2e/train/croped, from which a tenth would be held out, is not there",
        "test": "MLe2e keeps it in MLe2e/test/croped",
    },
    protocol="Published results are of the lines that were cut out for the test, in all four classes.",
    scene=lambda item: item.path.name,
)
