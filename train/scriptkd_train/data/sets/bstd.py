"""BSTD (Bharat Scene Text Dataset, De et al. 2025, arXiv 2511.23071): signs of India in eleven languages and English.

Its page (https://github.com/Bhashini-IITJ/BharatSceneTextDataset, README) describes two archives. Both are read.

- `Recognition`: words that are cut out, `<train|test>/<language>/A_image_1005_0.jpg`. Beside these folders lie
  `train_recognition_data.json` and `test_recognition_data.json`: {"A_image_1005_0.jpg": {"path":
  "Recognition/train/english/A_image_1005_0.jpg", "language": "english", "text": ...}}. The page says that the 12-way
  script identification is measured on these words, by their `language`. The set's first release had `train.csv` and
  `test.csv` instead, which are not read.
- `Detection`: pictures `A/image_xx.jpg` to `M/`, and `BSTD_v17.57.json` (the first release: `BSTD_release_v1.json`):
  {"A_image_1005": {"annotations": {"polygon_0": {"coordinates": [[x, y], ...], "text": ..., "script_language": ...}},
  "image_name": "A/image_1005.jpg", "split": "train", ...}}. How the words of `Recognition` were cut is not published.
  The authors' IndicPhotoOCR cuts the upright box around a polygon, and blackens the rest of the box. Here a word is the
  whole box.

The page publishes the number of words by language, and of polygons. The 12 classes are languages, but scriptkd tells
scripts apart. Assamese and Bengali are both Bengali, Hindi and Marathi both Devanagari, which leaves ten. Words of Urdu
and Meitei are left out, as by the authors. So are words without a language ("unk", "na"). Some languages in `Detection`
are misspelled: the spellings below are read, others are left out.

There is no validation split: a tenth of the training pictures is held out.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scriptkd_train.data.folder import Item
from scriptkd_train.data.sets.research_set import Part, Published, ResearchSet, collect
from scriptkd_train.data.sets.truth import broken_entry, read_json

LABELS: dict[str, str | None] = {
    "assamese": "Bengali",
    "bengali": "Bengali",
    "english": "Latin",
    "gujarati": "Gujarati",
    "hindi": "Devanagari",
    "kannada": "Kannada",
    "malayalam": "Malayalam",
    "marathi": "Devanagari",
    "odia": "Oriya",
    "punjabi": "Gurmukhi",
    "tamil": "Tamil",
    "telugu": "Telugu",
}
"""Class of the set -> label. Others are left out."""

MISSPELLED = {"engish": "english", "engilsh": "english", "hini": "hindi", "bengalibengali": "bengali"}
WORDS = {"train": "train_recognition_data.json", "test": "test_recognition_data.json"}
SCENES = ("BSTD_v17.57.json", "BSTD_release_v1.json")  # the newer one first
TRAIN_COUNTS = dict(
    zip(LABELS, (2627, 4936, 29123, 1884, 14927, 2208, 2393, 3917, 3148, 8319, 2029, 2215), strict=True)
)
TEST_COUNTS = dict(zip(LABELS, (1505, 1368, 12573, 1015, 4846, 720, 547, 1196, 1044, 2880, 513, 545), strict=True))
SMALLEST = 2  # pixels that each side of a word must have

Box = tuple[float, float, float, float]

_POLYGON = 'a polygon: {"coordinates": [[x, y], three or more of them], "script_language": "hindi"}'


def _read_words(root: Path, part: str) -> Part:
    return collect(_words(root, root / WORDS[part]), LABELS)


def _words(root: Path, truth: Path) -> Iterator[tuple[Path, str]]:
    for key, entry in read_json(truth).items():
        path, language = (entry.get("path"), entry.get("language")) if isinstance(entry, dict) else (None, None)
        if not isinstance(path, str) or not isinstance(language, str) or len(Path(path).parts) < 3:
            wanted = '{"path": "Recognition/train/english/A_image_1005_0.jpg", "language": "english"}'
            raise broken_entry(truth, key, entry, wanted)
        yield root.joinpath(*Path(path).parts[-3:]), _language(language)


def _scene_truth(root: Path) -> Path | None:
    return next((root / name for name in SCENES if (root / name).is_file()), None)


def _read_scenes(root: Path, part: str) -> Part:
    truth = _scene_truth(root)
    assert truth is not None  # `parts` has seen it
    found = Part([], Counter())
    there: dict[Path, bool] = {}
    for path, name, language, box in _polygons(root, truth, part):
        found.classes[language] += 1
        label = LABELS.get(language)
        if label is None:
            found.left_out["of other languages, or of none"] += 1
        elif not there.setdefault(path, path.is_file()):
            found.left_out["listed without a file"] += 1
        elif min(box[2] - box[0], box[3] - box[1]) < SMALLEST:
            found.left_out[f"smaller than {SMALLEST}x{SMALLEST} pixels"] += 1
        else:
            found.items.append(Item(path, label, box, name))
    return found


def _polygons(root: Path, truth: Path, part: str) -> Iterator[tuple[Path, str, str, Box]]:
    """The polygons of a part: picture, name, language and upright box."""
    for key, scene in read_json(truth).items():
        polygons = scene.get("annotations") if isinstance(scene, dict) else None
        if not isinstance(polygons, dict) or not isinstance(scene.get("image_name"), str):
            raise broken_entry(truth, key, scene, 'a picture: {"annotations": {...}, "image_name": "A/image_1.jpg"}')
        if scene.get("split") not in WORDS:
            raise broken_entry(truth, key, scene.get("split"), "a split: train or test", "split")
        for name, polygon in polygons.items() if scene["split"] == part else ():
            box = _box(polygon)
            if box is None or not isinstance(polygon.get("script_language", ""), str):
                raise broken_entry(truth, key, polygon, _POLYGON, name)
            yield root / scene["image_name"], name, _language(polygon.get("script_language", "")), box


def _box(polygon: Any) -> Box | None:
    """The upright box around a polygon; None if the value is not a polygon."""
    try:
        points = [(float(x), float(y)) for x, y in polygon["coordinates"]]
    except (TypeError, ValueError, KeyError):
        return None
    if len(points) < 3 or not all(map(math.isfinite, (value for point in points for value in point))):
        return None
    across, down = zip(*points, strict=True)
    return min(across), min(down), max(across), max(down)


def _language(spelled: str) -> str:
    name = spelled.strip().casefold()
    return MISSPELLED.get(name, name)


_PROTOCOL = (
    "Published results tell 12 languages apart. Ours tell ten scripts apart, which is easier: Assamese counts as "
    "Bengali, Marathi as Devanagari."
)

BSTD_WORDS = ResearchSet(
    name="BSTD",
    parts=lambda root: [part for part, name in WORDS.items() if (root / name).is_file()],
    read_part=_read_words,
    published={
        "train": Published(sum(TRAIN_COUNTS.values()), TRAIN_COUNTS),
        "test": Published(sum(TEST_COUNTS.values()), TEST_COUNTS),
    },
    where={
        "train": f"BSTD lists it in {WORDS['train']}",
        "val": f"BSTD has none, and its {WORDS['train']}, from which a tenth would be held out, is not there",
        "test": f"BSTD lists it in {WORDS['test']}",
    },
    protocol=_PROTOCOL,
    scene=lambda item: item.path.stem.rpartition("_")[0],
)

BSTD_SCENES = ResearchSet(
    name="BSTD (scenes)",
    parts=lambda root: ["train", "test"] if _scene_truth(root) else [],
    read_part=_read_scenes,
    published={"train": Published(94128), "test": Published(32164)},
    where=dict.fromkeys(("train", "val", "test"), f"BSTD lists all splits in {SCENES[0]}"),
    protocol=_PROTOCOL + " Our words are cut by the box around each polygon; the authors' are cut already.",
    scene=lambda item: item.path.as_posix(),
)
