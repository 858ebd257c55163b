"""Research sets: drawn images in each set's layout are inspected, read, evaluated and learned."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from rich.console import Console

from scriptkd_sdk import ScriptIdentifier
from scriptkd_sdk.errors import ArgumentError, ImageError
from scriptkd_sdk.scripts import WORLD
from scriptkd_train.commands.evaluate import print_report
from scriptkd_train.data.dataset import NON_TEXT, fingerprint, read_dataset, splits_of
from scriptkd_train.data.in_memory import load_in_memory
from scriptkd_train.data.inspect import inspect, sample_sheet
from scriptkd_train.data.sets import SETS, bstd, find_set, mle2e, mlt, siw13
from scriptkd_train.engine.run import read_training_data
from scriptkd_train.evaluation.evaluate import evaluate, write_evaluation
from scriptkd_train.evaluation.mixtures import MIXTURES
from scriptkd_train.evaluation.paired import compare_paired
from scriptkd_train.evaluation.published_results import published_results

Tree = Callable[[Path], Path]

KNOWN = {script.name for script in WORLD} | {NON_TEXT, "Japanese", "Mongolian"}


def drawn(text: str) -> np.ndarray:
    """A gray picture of a word, 40 pixels high, no two alike."""
    random = np.random.default_rng(list(text.encode()))
    paper = cv2.resize(random.integers(170, 230, (3, 5), np.uint8), (160, 40), interpolation=cv2.INTER_CUBIC)
    return cv2.putText(paper, text, (6, 28), cv2.FONT_HERSHEY_COMPLEX, 0.8, 20, 2, cv2.LINE_AA)


def word(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), drawn(text))


def mlt_words(folder: Path, truth: Path, classes: list[str], first: int = 1) -> None:
    lines = []
    for number, name in enumerate(classes, first):
        word(folder / f"word_{number}.png", f"{name[:4]}{folder.name[4]}{number}")
        lines.append(f"word_{number}.png,{name},some, text\u2028\r\n")
    truth.parent.mkdir(parents=True, exist_ok=True)
    with truth.open("a", encoding="utf-8-sig" if not truth.exists() else "utf-8", newline="") as file:
        file.writelines(lines)


def mlt_2017(root: Path) -> Path:
    classes = [name for name in mlt.TRAIN_2017 for _ in range(2)]
    truth = root / "ch8_training_word_gt_v2" / "gt.txt"
    mlt_words(root / "ch8_training_word_images_gt_part_1", truth, classes)
    mlt_words(root / "ch8_training_word_images_gt_part_2", truth, ["Latin", "Bangla"], 23001)
    (root / "ch8_training_word_images_gt_part_1" / "coords.txt").write_text("word_1.png,0,0,9,0,9,9,0,9\n")
    (root / "ch8_training_word_images_gt_part_1" / "gt.txt").write_text("word_1.png,Korean,the first version\n")
    folder = root / "ch8_validation_word_images_gt"
    mlt_words(folder, folder / "gt.txt", [*mlt.TRAIN_2017, "Latin"])
    word(root / "ch8_test_word_images" / "word_1.png", "hidden")
    return root


def mlt_2019(root: Path) -> Path:
    mlt_words(root / "words", root / "gt.txt", [name for name in mlt.LABELS for _ in range(4)])
    (root / "coords.txt").write_text("word_1.png,0,0,9,0,9,9,0,9\n")
    return root


def siw_13(root: Path) -> Path:
    for name, scenes in (("train-list.txt", range(1, 5)), ("test-list.txt", range(5, 7))):
        lines = []
        for number, script in enumerate(siw13.LABELS, 1):
            for scene in scenes:
                for place in (1, 2):
                    file = f"{script}/{script.lower()}_{scene:06}_{place}.jpg"
                    word(root / file, f"{script[:4]}{scene}{place}")
                    lines.append(f"{file} {number}\n" if place == 1 else f"{file}\t{number}\n")
        (root / name).write_text("".join(lines))
    return root


def mle_2e(root: Path) -> Path:
    for part, count in (("train", 6), ("test", 3)):
        folder = root / "MLe2e" / part / "croped"
        lines = []
        for number in range(count * len(mle2e.LABELS)):
            name = list(mle2e.LABELS)[number % len(mle2e.LABELS)]
            word(folder / f"box_{number}.jpg", f"{part[:2]}{name[:3]}{number}")
            lines.append(f"box_{number}.jpg {name.lower() if number % 2 else name} a text\n")
        (folder / "GT_labels.txt").write_text("".join(lines))
    (root / "MLe2e" / "train" / "croped" / "box_0.jpg").write_bytes(b"")
    return root


def bstd_words(root: Path) -> Path:
    for part, scenes in (("train", range(20)), ("test", range(20, 22))):
        content = {}
        for scene in scenes:
            for place, language in enumerate([*bstd.LABELS, "urdu"]):
                file = f"A_image_{scene}_{place}.jpg"
                word(root / part / language / file, f"{language[:4]}{scene}")
                content[file] = {"path": f"Recognition/{part}/{language}/{file}", "language": language, "text": "..."}
        (root / f"{part}_recognition_data.json").write_text(json.dumps(content, indent=1))
    return root


def bstd_scenes(root: Path) -> Path:
    """Pictures of four words one below the other; the last has a polygon of five points, and one is out of sight."""
    content: dict[str, dict[str, object]] = {}
    spelled = ["english", "Hini", "tamil ", "unk"]
    for scene in range(12):
        key, file = f"B_image_{scene}", root / "B" / f"image_{scene}.JPG"
        file.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(file), np.vstack([drawn(f"{language[:3]}{scene}") for language in spelled]))
        polygons = {}
        for place, language in enumerate(spelled):
            top = 40 * place
            corners = [[0, top], [160, top - 3], [160, top + 40], [80, top + 39], [-4, top + 40]]
            polygons[f"polygon_{place}"] = {"coordinates": corners, "text": "...", "script_language": language}
        split = "train" if scene < 10 else "test"
        content[key] = {"annotations": polygons, "image_name": f"B/image_{scene}.JPG", "split": split}
    (root / bstd.SCENES[0]).write_text(json.dumps(content, indent=1))
    return root


TREES: dict[str, Tree] = {
    "MLT-2017": mlt_2017,
    "MLT-2019": mlt_2019,
    "SIW-13": siw_13,
    "MLe2e": mle_2e,
    "BSTD": bstd_words,
    "BSTD (scenes)": bstd_scenes,
}
SPLITS = {"MLT-2017": ["train", "val"], "MLT-2019": ["train", "val"]}


def test_every_set_has_a_tree() -> None:
    assert {each.name for each in SETS} == {*TREES, "CVSI-2015", "MNIST"}  # these two have test files of their own


@pytest.mark.parametrize("name", TREES)
def test_a_set_is_known_read_inspected_and_evaluated(tmp_path: Path, name: str) -> None:
    root = TREES[name](tmp_path / "set")
    found = find_set(root)
    assert found is not None and found.name == name
    assert splits_of(root) == SPLITS.get(name, ["train", "val", "test"])
    for split in splits_of(root):
        items = read_dataset(root, split)
        assert items and {item.label for item in items} <= KNOWN
        assert len({item.identity for item in items}) == len(items)
        assert all(item.load().shape[0] >= 38 for item in items)
        assert len(fingerprint(items)) == 64

    report = inspect(root)
    assert not report.unreadable and not report.exact
    assert report.notes[0] == f"read as {name}"
    assert any(f"{name} published {published.total:,}" in note for note in report.notes for published in
               found.published.values())  # fmt: skip
    assert sample_sheet(report).dtype == np.uint8

    split = splits_of(root)[-1]
    evaluation = evaluate("world", root, split)
    measured = evaluation.report
    assert measured.research_set == name and measured.protocol
    assert measured.closed_accuracy is not None and measured.closed_accuracy >= measured.accuracy
    assert measured.published == published_results(name)
    counts = Counter(item.label for item in read_dataset(root, split))
    assert measured.images == sum(counts[script.name] for script in WORLD)
    assert {row.label: row.images for row in measured.mixtures} == {
        label: counts[label] for label in MIXTURES if counts[label]
    }
    if counts["Latin"]:  # what is drawn is in Latin letters, whatever its label
        assert measured.scripts["Latin"].recall == 1
    console = Console(record=True, width=200)
    print_report(measured, console)
    shown = console.export_text()
    assert f"{name}, published" in shown and "world (this report)" in shown
    assert all(each.method in shown for each in measured.published)
    assert json.loads(write_evaluation(evaluation, tmp_path / "out")[0].read_text())["research_set"] == name


@pytest.mark.parametrize("name", TREES)
def test_a_set_can_be_trained_on(tmp_path: Path, name: str) -> None:
    root = TREES[name](tmp_path)
    data = read_training_data(root)
    assert {item.label for item in data.val} <= {item.label for item in data.train}
    assert not {item.identity for item in data.train} & {item.identity for item in data.val}


def test_no_scene_has_words_in_train_and_in_val(tmp_path: Path) -> None:
    for name in ("SIW-13", "BSTD", "BSTD (scenes)"):
        root = TREES[name](tmp_path / name)
        found = find_set(root)
        assert found is not None and found.scene is not None
        train, val = ({found.scene(item) for item in read_dataset(root, split)} for split in ("train", "val"))
        assert train and val and not train & val
        assert len(val) == max(1, (len(train) + len(val)) // 10)


def test_labels_of_mlt(tmp_path: Path) -> None:
    root = mlt_2017(tmp_path)
    train = read_dataset(root, "train")
    assert Counter(item.label for item in train) == {
        "Arabic": 2, "Latin": 3, "Han": 2, "Japanese": 2, "Hangul": 2, "Bengali": 3, NON_TEXT: 2,
    }  # fmt: skip
    assert {item.path.parent.name for item in train} == {f"ch8_training_word_images_gt_part_{i}" for i in (1, 2)}
    assert sum(mlt.TRAIN_2017.values()) == 68613
    with pytest.raises(ArgumentError, match=r"no test in .*: MLT-2017's test words have no public ground truth"):
        read_dataset(root, "test")


def test_the_first_truth_of_mlt_counts_where_there_is_no_other(tmp_path: Path) -> None:
    root = mlt_2017(tmp_path)
    (root / "ch8_training_word_gt_v2" / "gt.txt").unlink()
    assert [item.label for item in read_dataset(root, "train")] == ["Hangul"]
    (root / "ch8_training_word_images_gt_part_1" / "gt.txt").unlink()
    with pytest.raises(
        ArgumentError, match=r"no ground truth of train in .*: MLT-2017 keeps it in ch8_training_word_gt"
    ):
        read_dataset(root, "train")


def test_what_is_left_out_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    root = mlt_2019(tmp_path)
    (root / "words" / "word_1.png").unlink()
    (root / "words" / "word_2.png").write_bytes(b"")
    read_dataset(root, "train")
    assert [record.getMessage() for record in caplog.records] == [
        f"left out of train of {root}: 4 labelled None, 1 listed without a file, 1 with an empty file"
    ]
    assert inspect(root).notes[1] == "train holds 40 images, MLT-2019 published 111,998"


def test_published_counts_are_those_of_the_set() -> None:
    assert sum(siw13.TRAIN_COUNTS.values()) == 9791
    assert sum(siw13.TRAIN_COUNTS.values()) + sum(siw13.TEST_COUNTS.values()) == 16291
    assert (sum(bstd.TRAIN_COUNTS.values()), sum(bstd.TEST_COUNTS.values())) == (77726, 28752)
    assert sum(mle2e.TRAIN_COUNTS.values()) == 1174


def test_empty_files_of_mle2e_do_not_count(tmp_path: Path) -> None:
    notes = inspect(mle_2e(tmp_path)).notes
    assert "train holds 23 images, MLe2e published 1,174" in notes
    assert "train holds 5 Chinese images, MLe2e published 301" in notes


def test_polygons_become_boxes_within_the_picture(tmp_path: Path) -> None:
    root = bstd_scenes(tmp_path)
    test = read_dataset(root, "test")
    assert Counter(item.label for item in test) == {"Latin": 2, "Devanagari": 2, "Tamil": 2}
    first = next(item for item in test if item.label == "Devanagari")
    assert first.region == (-4, 37, 160, 80) and first.identity == root / "B" / "image_10.JPG" / "polygon_1"
    scene = cv2.imread(str(first.path), cv2.IMREAD_GRAYSCALE)
    assert scene is not None
    assert first.load().shape[:2] == (43, 160)


def test_a_polygon_outside_of_the_picture(tmp_path: Path) -> None:
    root = bstd_scenes(tmp_path)
    truth = root / bstd.SCENES[0]
    content = json.loads(truth.read_text())
    for scene in content.values():
        scene["annotations"]["polygon_0"]["coordinates"] = [[900, 900], [990, 900], [990, 950]]
        scene["annotations"]["polygon_2"]["coordinates"] = [[5, 5], [6, 5], [6, 6]]
    truth.write_text(json.dumps(content))
    found = r"image_10\.JPG.polygon_0: the region .* is outside the image of 160x160 pixels"
    with pytest.raises(ImageError, match=found):
        read_dataset(root, "test")[2].load()
    assert len(inspect(root).unreadable) == 12
    report = evaluate("world", root).report
    assert report.images == 2 and len(report.unreadable) == 2
    assert str(root / "B" / "image_10.JPG" / "polygon_0") in report.unreadable
    model = evaluate("world", root)
    assert [row.difference for row in compare_paired(model, model)] == [0]
    preprocessing = ScriptIdentifier("world").info.preprocessing
    with pytest.raises(ArgumentError, match=r"training data must be readable: .*polygon_0: the region"):
        load_in_memory(read_dataset(root, "train"), ["Latin", "Devanagari"], preprocessing)


BROKEN: list[tuple[str, Tree, str, str, str]] = [
    ("MLT-2017", mlt_2017, "ch8_validation_word_images_gt/gt.txt", "word_3.png;Latin", r"gt\.txt, line 9: "),
    ("MLT-2017", mlt_2017, "ch8_validation_word_images_gt/gt.txt", "word_3.png,Klingon,x", r"gt\.txt, line 9: "),
    ("MLT-2019", mlt_2019, "gt.txt", "picture", r"gt\.txt, line 41: 'picture' is not 'word_1"),
    ("SIW-13", siw_13, "test-list.txt", "Arabic/arabic_000001_1.jpg 2", r"test-list\.txt, line 53: "),
    ("SIW-13", siw_13, "test-list.txt", "Arabic/arabic_000001_1.jpg", r"test-list\.txt, line 53: "),
    ("MLe2e", mle_2e, "MLe2e/test/croped/GT_labels.txt", "box_1.jpg 3", r"GT_labels\.txt, line 13: 'box_1\.jpg 3'"),
]


@pytest.mark.parametrize(("name", "tree", "file", "line", "message"), BROKEN)
def test_a_broken_line(tmp_path: Path, name: str, tree: Tree, file: str, line: str, message: str) -> None:
    root = tree(tmp_path)
    with (root / file).open("a", encoding="utf-8") as truth:
        truth.write(line + "\n")
    split = "train" if name == "MLT-2019" else splits_of(root)[-1]
    with pytest.raises(ArgumentError, match=message) as error:
        read_dataset(root, split)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("tree", "file", "change", "message"),
    [
        (bstd_words, "test_recognition_data.json", ('"english"', "7"), r"json, line \d+: A_image_20_2\.jpg holds"),
        (bstd_words, "test_recognition_data.json", ("{", "[", 1), r"data\.json, line \d+: it is not JSON"),
        (bstd_scenes, bstd.SCENES[0], ("-4", '"left"'), r"v17\.57\.json, line \d+: B_image_10, polygon_0 holds"),
        (bstd_scenes, bstd.SCENES[0], ('"test"', '"dev"'), r"json, line \d+: B_image_10, split holds 'dev', which is"),
        (bstd_scenes, bstd.SCENES[0], ('"image_name"', '"name"'), r"json, line 2: B_image_0 holds .* a picture"),
    ],
)
def test_a_broken_entry(
    tmp_path: Path, tree: Tree, file: str, change: tuple[str, str] | tuple[str, str, int], message: str
) -> None:
    root = tree(tmp_path)
    text = (root / file).read_text()
    (root / file).write_text(text.replace(*change))
    with pytest.raises(ArgumentError, match=message) as error:
        read_dataset(root, "test")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("tree", "file", "split", "message"),
    [
        (siw_13, "test-list.txt", "test", "no test in .*: SIW-13 lists it in test-list.txt; it has train and val$"),
        (siw_13, "train-list.txt", "val", "no val in .*: SIW-13 has none, and its train-list.txt, from which"),
        (
            mle_2e,
            "MLe2e/test/croped/GT_labels.txt",
            "test",
            "cannot read the ground truth .*GT_labels.txt: No such file",
        ),
        (bstd_words, "test_recognition_data.json", "test", "no test in .*: BSTD lists it in test_recognition_data"),
    ],
)
def test_a_missing_ground_truth(tmp_path: Path, tree: Tree, file: str, split: str, message: str) -> None:
    root = tree(tmp_path)
    (root / file).unlink()
    with pytest.raises(ArgumentError, match=message):
        read_dataset(root, split)


def test_ground_truth_that_is_no_text(tmp_path: Path) -> None:
    root = siw_13(tmp_path)
    (root / "test-list.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(ArgumentError, match=r"cannot read the ground truth .*test-list\.txt: it is not UTF-8"):
        read_dataset(root, "test")


def test_results_are_of_sets_that_there_are() -> None:
    path = Path(published_results.__code__.co_filename).with_suffix(".csv")
    named = {line.split(",")[0] for line in path.read_text().splitlines()[1:]}
    assert named <= {each.name for each in SETS}
    for name in named:
        results = published_results(name)
        assert all(each.source and (each.accuracy is None or 50 < each.accuracy <= 100) for each in results)
        figures = [each.accuracy for each in results if each.accuracy is not None]
        assert figures == sorted(figures, reverse=True)
