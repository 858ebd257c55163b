"""The CVSI-2015 protocol, on rendered folders in its layout: four tasks, counts, and duplicates across splits."""

import hashlib
import json
import shutil
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import torch
from typer import Typer
from typer.testing import CliRunner

from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.images import load_image
from scriptkd_sdk.modelfile import METADATA_KEY, MODELS
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.commands.card import card
from scriptkd_train.commands.data import app as data_app
from scriptkd_train.commands.evaluate import evaluate as evaluate_command
from scriptkd_train.data.dataset import fingerprint, read_dataset, splits_of
from scriptkd_train.data.inspect import inspect
from scriptkd_train.data.sets.cvsi import PREFIXES, TEST_COUNTS, TOTALS
from scriptkd_train.evaluation.cvsi_tasks import TASKS, restrict, task_accuracies, task_scripts
from scriptkd_train.evaluation.evaluate import evaluate
from scriptkd_train.evaluation.report import Accuracy
from scriptkd_train.models.checkpoint import Checkpoint, save_checkpoint
from scriptkd_train.models.networks import build_network
from scriptkd_train.synth import cvsi_like
from scriptkd_train.synth.cvsi_like import CvsiPlan, render_cvsi

evaluate_app, card_app = Typer(), Typer()
evaluate_app.command()(evaluate_command)
card_app.command()(card)

LABELS = sorted(PREFIXES.values())
PREPROCESSING = Preprocessing(channels=1, height=16, width_min=16, width_max=64, width_step=16)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("cvsi") / "tree"
    render_cvsi(CvsiPlan(seed=1, share=0.004), root, workers=1)
    return root


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    network = build_network("textnet", 10, PREPROCESSING, width=0.25).eval()
    path = tmp_path_factory.mktemp("model") / "net.pt"
    save_checkpoint(path, Checkpoint("textnet", {"width": 0.25}, LABELS, PREPROCESSING, network.state_dict()))
    return path


def test_the_whole_plan_has_the_published_counts() -> None:
    plan = CvsiPlan(0)
    assert plan.counts("test") == TEST_COUNTS
    assert {split: sum(plan.counts(split).values()) for split in TOTALS} == TOTALS
    assert plan.total == 6412 + 1069 + 3207
    for share in (0.001, 0.01, 0.37):
        small = CvsiPlan(0, share)
        assert all(min(small.counts(split).values()) >= 1 for split in TOTALS)
        assert sum(small.counts("train").values()) == max(10, round(6412 * share))


def test_rendered_tree_reads_as_cvsi(tree: Path) -> None:
    assert splits_of(tree) == ["train", "val", "test"]
    plan = CvsiPlan(1, 0.004)
    for split in TOTALS:
        assert Counter(item.label for item in read_dataset(tree, split)) == plan.counts(split)
    assert (tree / "TrainDataset_CVSI2015" / "Gujrathi" / "GUJ_001.jpg").is_file()
    assert (tree / "GroundTruth_TestDataset_CVSI2015" / "Task4" / "TEL_001.jpg").is_file()
    sizes = np.array([load_image(item.path).shape[:2] for item in read_dataset(tree, "train")])
    assert 34 <= np.median(sizes[:, 0]) <= 46 and 85 <= np.median(sizes[:, 1]) <= 145
    families = json.loads((tree / "dataset.json").read_text())["families"]
    for splits in families.values():
        assert sum(map(len, splits.values())) == len(set().union(*splits.values()))


def test_same_bytes_on_any_number_of_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cvsi_like, "PREFIXES", {"ORI": "Oriya", "ENG": "Latin"})
    digests = []
    for workers, chunk in ((1, 100), (2, 3)):
        monkeypatch.setattr(cvsi_like, "_CHUNK", chunk)
        root = tmp_path / str(workers)
        render_cvsi(CvsiPlan(seed=1, share=0.004), root, workers)
        paths = sorted(root.rglob("*.jpg"))
        digests.append([(p.relative_to(root), hashlib.sha256(p.read_bytes()).hexdigest()) for p in paths])
    assert digests[0] == digests[1] and len({digest for _, digest in digests[0]}) == len(digests[0])
    with pytest.raises(ArgumentError, match="not an empty folder"):
        render_cvsi(CvsiPlan(1, 0.004), root, 1)


def test_differences_and_duplicates_are_reported(tree: Path, tmp_path: Path) -> None:
    root = tmp_path / "tree"
    shutil.copytree(tree, root)
    test = root / "GroundTruth_TestDataset_CVSI2015" / "Task4"
    shutil.copy(root / "TrainDataset_CVSI2015" / "Tamil" / "TAM_001.jpg", test / "TAM_901.jpg")
    image = cv2.imread(str(root / "ValidationDataset_CVSI2015" / "Hindi" / "HIN_001.jpg"))
    assert image is not None
    cv2.imwrite(str(test / "HIN_901.jpg"), image, (cv2.IMWRITE_JPEG_QUALITY, 70))
    report = inspect(root)
    tamil = CvsiPlan(1, 0.004).counts("test")["Tamil"] + 1
    assert f"test holds {tamil} Tamil images, CVSI-2015 published 321" in report.notes
    assert [(pair.first.name, pair.second.name) for pair in report.exact] == [("TAM_001.jpg", "TAM_901.jpg")]
    assert ("HIN_001.jpg", "HIN_901.jpg") in [(pair.first.name, pair.second.name) for pair in report.near]


def test_a_card_of_a_model_that_learned_from_the_tree(tree: Path, tmp_path: Path) -> None:
    """The rendered tree is the renderer's own, and its test split is of unseen fonts, not of real words."""
    model = onnx.load(MODELS / "upright.onnx")
    (entry,) = (each for each in model.metadata_props if each.key == METADATA_KEY)
    facts = json.loads(entry.value)
    facts["provenance"]["data_sha256"] = fingerprint(read_dataset(tree, "train"))
    entry.value = json.dumps(facts)
    onnx.save(model, tmp_path / "mine.onnx")
    result = CliRunner().invoke(card_app, [str(tmp_path / "mine.onnx"), "--data", str(tree)])
    assert result.exit_code == 0, result.output
    text = (tmp_path / "mine.md").read_text("utf-8")
    assert "in the layout and size of CVSI-2015 (seed 1), made by `scriptkd data render --like cvsi`." in text
    assert "| script | rendered, unseen fonts (images) |" in text and "real words (images)" not in text
    families = json.loads((tree / "dataset.json").read_text())["families"]["Oriya"]
    counts = " | ".join(str(len(families[split])) for split in TOTALS)
    assert f"| Oriya | not recorded | {counts} | not recorded |" in text


def test_tasks_are_the_competition_s() -> None:
    triplets = [scripts for task, scripts in TASKS.items() if task.startswith("1-")]
    assert len(triplets) == 8 and all({"Latin", "Devanagari"} < set(scripts) for scripts in triplets)
    assert set().union(*triplets) == set(LABELS) == set(TASKS["4"])
    assert len(TASKS["2"]) == 7 and "Arabic" in TASKS["2"]
    assert set(TASKS["3"]) == {"Latin", "Devanagari", "Kannada", "Tamil", "Telugu"}
    with pytest.raises(ArgumentError, match="unknown CVSI-2015 task '5': it must be one of 1-Bengali, "):
        task_scripts("5")


def test_restricted_scores() -> None:
    scores = np.array([[0.5, 0.3, 0.2], [0.0, 0.0, 1.0]])
    labels, some = restrict(["a", "b", "c"], scores, ["b", "a"])
    assert labels == ["a", "b"]
    np.testing.assert_allclose(some, [[0.625, 0.375], [0.0, 0.0]])
    with pytest.raises(ArgumentError, match="the task needs d, which the model does not know"):
        restrict(["a"], scores, ["d"])


def test_task_accuracies_by_hand() -> None:
    # Two words: Telugu called Bengali (right wherever Bengali is no answer), and Latin called Latin.
    scores = np.zeros((2, 10))
    scores[0, [LABELS.index("Bengali"), LABELS.index("Telugu")]] = 0.6, 0.4
    scores[1, LABELS.index("Latin")] = 1
    truth = np.array([LABELS.index("Telugu"), LABELS.index("Latin")])
    found = task_accuracies(LABELS, scores, truth)
    assert found["4"] == Accuracy(2, 0.5)
    assert found["3"] == found["1-Telugu"] == Accuracy(2, 1.0)
    assert found["2"] == found["1-Oriya"] == Accuracy(1, 1.0)
    assert found["1"].accuracy == 1.0
    assert task_accuracies(LABELS[1:], scores[:, 1:], truth - 1) == {}


def test_evaluation_by_task(tree: Path, checkpoint: Path) -> None:
    whole = evaluate(checkpoint, tree).report
    assert whole.tasks is not None and list(whole.tasks) == ["1", *TASKS]
    assert whole.tasks["4"].images == whole.images
    assert whole.tasks["4"].accuracy == pytest.approx(whole.accuracy)
    for task in ("1-Tamil", "2", "3"):
        report = evaluate(checkpoint, tree, task=task).report
        assert set(report.scripts) == set(TASKS[task]) and report.tasks is None
        assert whole.tasks[task].images == report.images
        assert whole.tasks[task].accuracy == pytest.approx(report.accuracy)
        assert "test holds" in report.notes[0]


def test_commands(tree: Path, checkpoint: Path) -> None:
    said = CliRunner().invoke(evaluate_app, [str(checkpoint), str(tree)]).output
    assert "CVSI-2015 task" in said and "1, mean of the triplets" in said and "1-Kannada" in said
    said = CliRunner().invoke(evaluate_app, [str(checkpoint), str(tree), "--task", "3"]).output
    assert "Telugu" in said and "Oriya" not in said.split("script")[1] and "macro accuracy over 5 scripts" in said
    result = CliRunner().invoke(evaluate_app, [str(checkpoint), str(tree), "--task", "7"])
    assert isinstance(result.exception, ArgumentError) and "unknown CVSI-2015 task '7'" in str(result.exception)
    result = CliRunner().invoke(data_app, ["render", "--like", "cvsi", "--out", str(tree)])
    assert isinstance(result.exception, ArgumentError) and "is not an empty folder" in str(result.exception)
