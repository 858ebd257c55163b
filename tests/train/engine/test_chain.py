"""Three stages on tiny data: they learn, resume bit for bit after a kill, stop at NaN, and spare other runs."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest
import torch
import yaml
from lightning_fabric import Fabric

from scriptkd_sdk.errors import ArgumentError, ModelError
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.data.dataset import read_dataset
from scriptkd_train.data.in_memory import load_in_memory
from scriptkd_train.engine.calibration import compute_logits, fit_temperature
from scriptkd_train.engine.chain import train_chain
from scriptkd_train.engine.distiller import Distiller, Teacher
from scriptkd_train.engine.run import open_fabric
from scriptkd_train.engine.stage import TrainingError
from scriptkd_train.losses import SOFT_LOSSES
from scriptkd_train.models.checkpoint import load_checkpoint
from scriptkd_train.models.networks import build_network
from scriptkd_train.recipe import parse_recipe

TEXT = {"channels": 1, "height": 16, "width_min": 16, "width_max": 48, "width_step": 16}
FIXED = {"channels": 3, "height": 32, "width_min": 32, "width_max": 32}
ADAM = {"name": "adamw", "lr": 0.003, "schedule": "cosine", "warmup": 0.5}
TEACHER = {"network": {"name": "timm", "arguments": {"model": "test_resnet"}}, "input": FIXED, "epochs": 2,
           "batch_size": 16, "optimizer": {"name": "sgd", "lr": 0.01}, "augment": "photometric"}  # fmt: skip
ASSISTANT = {"network": {"name": "assistant", "arguments": {"hidden": 8}}, "input": FIXED, "epochs": 1,
             "batch_size": 16, "optimizer": ADAM, "distil": {"teacher": "teacher"}}  # fmt: skip
STUDENT = {"network": {"name": "textnet", "arguments": {"width": 0.25, "dropout": 0.1}}, "input": TEXT, "epochs": 4,
           "batch_size": 16, "optimizer": ADAM, "augment": "text", "ema": 0.9,
           "distil": {"teacher": "assistant", "match": {"features": {"loss": "kl", "weight": 0.4}}}}  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Two "scripts" that a tiny network can tell apart: upright and level bars, words of several widths."""
    root = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    for split, count in (("train", 48), ("val", 16), ("test", 8)):
        for name in ("Latin", "Tamil"):
            (root / split / name).mkdir(parents=True)
            for i in range(count):
                image = np.full((24, int(rng.integers(24, 72)), 3), 230, np.uint8)
                for at in range(2, image.shape[1 if name == "Latin" else 0], 6):
                    if name == "Latin":
                        image[4:20, at : at + 2] = 30
                    else:
                        image[at : at + 2, 3:-3] = 30
                noisy = np.clip(image + rng.normal(0, 12, image.shape), 0, 255).astype(np.uint8)
                cv2.imwrite(str(root / split / name / f"{i:03}.png"), noisy)
    return root


def recipe(**stages):
    return parse_recipe({"seed": 3, "stages": stages}, "test")


def test_three_stages(data, tmp_path):
    out = tmp_path / "run"
    chain = recipe(teacher=TEACHER, assistant=ASSISTANT, student=STUDENT)
    result = train_chain(chain, "test", data, out)
    assert list(result) == ["teacher", "assistant", "student"]
    student = load_checkpoint(out / "student.pt")
    assert student.metrics["val_accuracy"] > 0.9
    assert student.labels == ["Latin", "Tamil"]
    assert student.provenance["recipe"] == "test"
    assert student.provenance["train_images"] == 96
    assert student.preprocessing.to_dict() == {**TEXT}
    assert student.build()(torch.zeros(1, 1, 16, 32, dtype=torch.uint8)).shape == (1, 2)
    with (out / "student" / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3", "4"]
    assert list((out / "student").glob("events.out.tfevents.*"))
    # The best epoch on validation is what is kept.
    assert student.metrics["val_accuracy"] == max(float(row["val_accuracy"]) for row in rows)
    # A second run finds all done and changes nothing.
    before = (out / "student.pt").stat().st_mtime_ns
    train_chain(chain, "test", data, out)
    assert (out / "student.pt").stat().st_mtime_ns == before


def test_killed_and_resumed_ends_with_the_same_weights(data, tmp_path):
    stage = {**STUDENT, "epochs": 6, "distil": None}
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump({"seed": 3, "stages": {"student": stage}}))
    command = [
        sys.executable, "-c",
        "import sys, torch; torch.set_num_threads(1); from pathlib import Path;"
        "from scriptkd_train.engine.chain import train_chain; from scriptkd_train.recipe import load_recipe;"
        "train_chain(load_recipe(sys.argv[1]), 'r', Path(sys.argv[2]), Path(sys.argv[3]))",
        str(tmp_path / "recipe.yaml"), str(data),
    ]  # fmt: skip
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    subprocess.run([*command, str(whole)], check=True)
    process = subprocess.Popen([*command, str(broken)])
    deadline = time.monotonic() + 120
    while not (broken / "student" / "last.pt").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (broken / "student.pt").exists(), "the run ended before it could be killed"
    subprocess.run([*command, str(broken)], check=True)
    a, b = load_checkpoint(whole / "student.pt"), load_checkpoint(broken / "student.pt")
    assert a.state_dict.keys() == b.state_dict.keys()
    for name, weights in a.state_dict.items():
        assert torch.equal(weights, b.state_dict[name]), name
    assert a.temperature == b.temperature


def test_a_damaged_state_is_named(data, tmp_path):
    stages = {"student": {**STUDENT, "distil": None}}
    train_chain(recipe(**stages), "damaged", data, tmp_path / "run")
    (tmp_path / "run" / "student.pt").unlink()
    last = tmp_path / "run" / "student" / "last.pt"
    last.write_bytes(last.read_bytes()[:1000])
    with pytest.raises(ArgumentError, match=r"last\.pt is damaged and cannot be read"):
        train_chain(recipe(**stages), "damaged", data, tmp_path / "run")
    torch.save({"epoch": 3}, last)
    with pytest.raises(ArgumentError, match=r"last\.pt was written by another version"):
        train_chain(recipe(**stages), "damaged", data, tmp_path / "run")


def test_nan_stops_with_a_sentence(data, tmp_path):
    stage = {**STUDENT, "distil": None, "optimizer": {"name": "sgd", "lr": 10.0, "momentum": 0.99}, "ema": 0.0,
             "network": {"name": "assistant", "arguments": {"hidden": 8}}, "augment": "none", "input": FIXED,
             "epochs": 30}  # fmt: skip
    stage["optimizer"]["weight_decay"] = 0.99
    with pytest.raises(TrainingError, match="loss of stage student became NaN or infinite in epoch"):
        train_chain(recipe(student=stage), "nan", data, tmp_path / "run")
    assert not (tmp_path / "run" / "student.pt").exists()


def test_online_labels(data, tmp_path):
    teacher = {**STUDENT, "distil": None, "epochs": 1}
    student = {**STUDENT, "distil": {"teacher": "teacher", "labels": "online"}, "epochs": 1}
    result = train_chain(recipe(teacher=teacher, student=student), "online", data, tmp_path / "run")
    assert 0.0 <= result["student"].metrics["val_accuracy"] <= 1.0


def test_cached_soft_labels_are_fresh_ones_bit_for_bit(data):
    """And of the teacher in eval mode, on its own input, whatever the student's is."""
    items = read_dataset(data, "train")
    size = Preprocessing(3, 32, 32, 32, 1)
    mine, theirs = (load_in_memory(items, ["Latin", "Tamil"], p) for p in (Preprocessing(**TEXT), size))
    teacher = Teacher(build_network("timm", 2, size, model="test_resnet").train(), size, theirs)
    distil = {"teacher": "teacher", "match": {"features": {"loss": "kl"}}}
    stages = recipe(teacher=TEACHER, student={**STUDENT, "distil": distil}).stages
    distiller = Distiller(Fabric(accelerator="cpu"), [teacher], stages["student"].distil, 16, torch.Generator())
    assert not teacher.network.training
    assert not any(p.requires_grad for p in teacher.network.parameters())
    for fresh in theirs.batches(16):
        cached = distiller.teacher_outputs(fresh, fresh.images)
        logits, features = teacher.network.forward_features(fresh.images)
        assert torch.equal(cached.logits[0], logits)
        assert torch.equal(cached.feature_maps["features"], features)
    # In a batch of another size torch may add in another order, so there they agree but for the last bits.
    for batch in mine.batches(16, torch.Generator().manual_seed(0)):
        (logits,) = distiller.teacher_outputs(batch, batch.images).logits
        torch.testing.assert_close(logits, teacher.network(theirs.images[32, 32][batch.index]))


def test_several_teachers_and_another_loss(data, tmp_path):
    one, other = {**STUDENT, "distil": None, "epochs": 1}, {**TEACHER, "epochs": 1}
    distil = {"teacher": {"one": 3, "other": 1}, "loss": "dkd", "arguments": {"beta": 2}}
    stages = {"one": one, "other": other, "student": {**STUDENT, "distil": distil, "epochs": 4}}
    result = train_chain(recipe(**stages), "several", data, tmp_path / "run")
    assert result["student"].metrics["val_accuracy"] > 0.8
    assert result["student"].provenance["settings"]["distil"]["teacher"] == {"one": 3, "other": 1}


def test_images_without_text_reach_every_loss(data, tmp_path):
    shutil.copytree(data, tmp_path / "data")
    for split in ("train", "val"):
        (tmp_path / "data" / split / "none").mkdir()
        for i in range(8):
            flat = np.full((24, 48, 3), 30 * i, np.uint8)
            cv2.imwrite(str(tmp_path / "data" / split / "none" / f"{i}.png"), flat)
    teacher = {**STUDENT, "distil": None, "epochs": 3}
    stages = {"teacher": teacher} | {
        loss: {**STUDENT, "epochs": 1, "distil": {"teacher": "teacher", "loss": loss}} for loss in SOFT_LOSSES
    }
    result = train_chain(recipe(**stages), "none", tmp_path / "data", tmp_path / "run")
    for checkpoint in result.values():
        assert checkpoint.labels == ["Latin", "Tamil"]
        assert np.isfinite(checkpoint.metrics["val_loss"])


def train_on_two(stages, data, folder):
    """`scriptkd train --devices 2` into folder/run."""
    (folder / "recipe.yaml").write_text(yaml.safe_dump({"stages": stages}, sort_keys=False))
    command = [
        sys.executable, "-m", "scriptkd_sdk.cli", "train", str(folder / "recipe.yaml"),
        "--data", str(data), "--out", str(folder / "run"), "--devices", "2",
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})


def test_two_processes_share_the_work(data, tmp_path):
    stages = {"teacher": {**STUDENT, "distil": None, "epochs": 2}}
    stages["student"] = {**STUDENT, "distil": {"teacher": "teacher"}, "epochs": 1}
    result = train_on_two(stages, data, tmp_path)
    assert result.returncode == 0, result.stderr
    assert "Starting with 2 processes" in result.stderr
    assert result.stdout.count("teacher 2/2:") == 1  # one of them speaks
    # 96 training images of up to three widths, two batches of 16 of one width a step.
    steps = torch.load(tmp_path / "run" / "teacher" / "last.pt", weights_only=True)["trainer"]["average"]["steps"]
    assert 2 * 2 <= steps <= 2 * 5
    student = load_checkpoint(tmp_path / "run" / "student.pt")
    assert student.labels == ["Latin", "Tamil"]
    # Each validated its half; that is the whole split's figure.
    logits, target = compute_logits(
        student, load_in_memory(read_dataset(data, "val"), student.labels, student.preprocessing), 16
    )
    assert student.metrics["val_accuracy"] == pytest.approx((logits.argmax(axis=1) == target).mean())
    assert not list((tmp_path / "run").glob(".pixels*"))


def test_two_processes_both_stop_at_an_unreadable_image(data, tmp_path):
    shutil.copytree(data, tmp_path / "data")
    (tmp_path / "data" / "train" / "Latin" / "broken.png").write_bytes(b"no image")
    result = train_on_two({"student": {**STUDENT, "distil": None}}, tmp_path / "data", tmp_path)
    assert result.returncode == 2
    assert "must be readable" in result.stderr and "Traceback" not in result.stderr
    assert not list((tmp_path / "run").glob(".pixels*"))


def test_mixed_precision(data, tmp_path):
    stage = {**STUDENT, "distil": None}
    content = {"precision": "bf16-mixed", "stages": {"student": stage}}
    result = train_chain(parse_recipe(content, "half"), "half", data, tmp_path / "run")
    assert result["student"].metrics["val_accuracy"] > 0.8
    assert all(w.dtype != torch.bfloat16 for w in result["student"].state_dict.values())


def test_another_recipe_does_not_overwrite_a_run(data, tmp_path):
    stage = {**STUDENT, "distil": None, "epochs": 1}
    train_chain(recipe(student=stage), "one", data, tmp_path / "run")
    with pytest.raises(ArgumentError, match="holds a run with a different stage student"):
        train_chain(recipe(student={**stage, "epochs": 2}), "two", data, tmp_path / "run")
    with pytest.raises(ArgumentError, match="holds a run with a different precision"):
        half = parse_recipe({"seed": 3, "precision": "bf16-mixed", "stages": {"student": stage}}, "half")
        train_chain(half, "half", data, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "student")  # the checkpoint alone is that of another stage, too
    with pytest.raises(ArgumentError, match="holds a run with a different stage student"):
        train_chain(recipe(student={**stage, "epochs": 2}), "two", data, tmp_path / "run")
    # A stage that has not begun may still be added.
    train_chain(recipe(student=stage, second={**stage, "epochs": 1}), "one", data, tmp_path / "run")
    assert set(json.loads((tmp_path / "run" / "run.json").read_text())["recipe"]["stages"]) == {"student", "second"}
    (tmp_path / "run" / "run.json").write_text("{")
    with pytest.raises(ArgumentError, match=r"run\.json was not written by `scriptkd train`; give another --out"):
        train_chain(recipe(student=stage), "one", data, tmp_path / "run")


def test_unreadable_training_image_is_named(data, tmp_path):
    for split in ("train", "val"):
        for name in ("Latin", "Tamil"):
            folder = tmp_path / "data" / split / name
            folder.mkdir(parents=True)
            source = data / split / name / "000.png"
            (folder / "000.png").write_bytes(source.read_bytes())
    (tmp_path / "data" / "train" / "Latin" / "broken.png").write_bytes(b"no image")
    with pytest.raises(ArgumentError, match=r"must be readable: .*broken\.png"):
        train_chain(recipe(student={**STUDENT, "distil": None}), "x", tmp_path / "data", tmp_path / "run")


@pytest.mark.parametrize(("train", "wordless"), [(["none"], "train"), (["Latin", "none"], "val")])
def test_a_split_without_words_is_named(data, tmp_path, train, wordless):
    for split, names in (("train", train), ("val", ["none"])):
        for name in names:
            shutil.copytree(data / "val" / "Latin", tmp_path / "data" / split / name)
    with pytest.raises(ArgumentError, match=f"the {wordless} split of .*data holds only 'none'; it must hold words"):
        train_chain(recipe(student={**STUDENT, "distil": None}), "x", tmp_path / "data", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_images_that_make_no_batch_are_refused(data, tmp_path):
    shutil.copytree(data, tmp_path / "data")
    for name, size in (("Latin", (16, 16)), ("Tamil", (16, 48))):
        folder = tmp_path / "data" / "train" / name
        shutil.rmtree(folder)
        folder.mkdir()
        cv2.imwrite(str(folder / "0.png"), np.zeros(size, np.uint8))
    stages = {"student": {**STUDENT, "distil": None}}
    with pytest.raises(
        ArgumentError, match=r"\(images: 2, widths: 2\) makes no batch: a batch needs at least 2 images of one"
    ):
        train_chain(recipe(**stages), "x", tmp_path / "data", tmp_path / "run")
    assert not (tmp_path / "run" / "student").exists()


def test_more_devices_than_gpus_are_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(ArgumentError, match="--devices 4: this machine has 2 GPUs; give at most 2"):
        open_fabric(recipe(teacher=TEACHER), 4)


def test_a_row_that_a_kill_kept_from_metrics_is_written_later(data, tmp_path):
    stages = {"student": {**STUDENT, "distil": None, "epochs": 2}}
    train_chain(recipe(**stages), "killed", data, tmp_path / "run")
    metrics = tmp_path / "run" / "student" / "metrics.csv"
    whole = metrics.read_text()
    metrics.write_text("".join(whole.splitlines(keepends=True)[:-1]))
    (tmp_path / "run" / "student.pt").unlink()
    train_chain(recipe(**stages), "killed", data, tmp_path / "run")
    assert metrics.read_text() == whole and [path.name for path in metrics.parent.glob("*metrics*")] == [metrics.name]


def test_temperature_recovers_a_known_one():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (20000, 5))
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    target = (probabilities.cumsum(axis=1) < rng.random((20000, 1))).sum(axis=1)
    assert fit_temperature(logits * 3, target) == pytest.approx(3, rel=0.05)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:200]), "cannot be read as plain tensors"),
        (lambda path: path.write_text("hello"), "cannot be read as plain tensors"),
        (lambda path: path.write_bytes(b"GIF89a"), "cannot be read as plain tensors"),
        (lambda path: torch.save({"a": 1}, path), "has no format version"),
        (lambda path: torch.save({"format": 99}, path), "format 99; this version reads format 1"),
        (lambda path: torch.save({"format": 1}, path), "'network' is missing"),
        (lambda path: path.unlink(), "does not exist"),
        (
            lambda path: _edit(path, lambda c: c["labels"].append("Third")),
            "student.pt: 3 labels, but the head has 2 outputs",
        ),
        (
            lambda path: _edit(path, lambda c: next(iter(c["state_dict"].values())).fill_(float("nan"))),
            "NaN or infinite",
        ),
    ],
)
def test_broken_checkpoints_are_named(data, tmp_path, spoil, message):
    stage = {**STUDENT, "distil": None, "epochs": 1}
    train_chain(recipe(student=stage), "one", data, tmp_path / "run")
    path = tmp_path / "run" / "student.pt"
    spoil(path)
    with pytest.raises(ModelError, match=message):
        load_checkpoint(path).build()


def test_a_checkpoint_runs_no_code(tmp_path):
    class Evil:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "owned"),))

    torch.save({"format": 1, "network": Evil()}, tmp_path / "evil.pt")
    with pytest.raises(ModelError, match="cannot be read as plain tensors"):
        load_checkpoint(tmp_path / "evil.pt")
    assert not (tmp_path / "owned").exists()


def _edit(path, change):
    content = torch.load(path, weights_only=True)
    change(content)
    torch.save(content, path)
