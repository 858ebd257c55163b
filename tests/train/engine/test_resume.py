"""Runs killed at any moment lose nothing: during an epoch, while a file is written, while a teacher answers."""

import csv
import os
import random
import re
import signal
import subprocess
import sys

import cv2
import numpy as np
import pytest
import torch
import yaml
from lightning_fabric import Fabric

from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.data.in_memory import Batch, InMemoryDataset
from scriptkd_train.engine import pace as pace_module
from scriptkd_train.engine import soft_labels
from scriptkd_train.engine.chain import train_chain
from scriptkd_train.engine.pace import Pace
from scriptkd_train.engine.place import Place
from scriptkd_train.engine.soft_labels import SoftLabelFolder, make_soft_labels
from scriptkd_train.engine.trainer import Trainer
from scriptkd_train.models.checkpoint import load_checkpoint, remove_drafts, save_checkpoint
from scriptkd_train.models.networks import build_network
from scriptkd_train.recipe import ResolvedStage, parse_recipe

INPUT = {"channels": 1, "height": 16, "width_min": 16, "width_max": 32, "width_step": 16}
TEACHER = {"network": {"name": "textnet", "arguments": {"width": 0.25, "dropout": 0.2}}, "input": INPUT, "epochs": 2,
           "batch_size": 8, "optimizer": {"name": "adamw", "lr": 0.003, "schedule": "cosine", "warmup": 0.5},
           "augment": "text", "ema": 0.9}  # fmt: skip
STUDENT = {**TEACHER, "distil": {"teacher": "teacher"}}
STAGES = {"teacher": TEACHER, "student": STUDENT}

# `scriptkd train` that saves whenever it may, and that kills itself with SIGKILL at a count of something: at that step;
# before that piece of soft labels is written; half-way through that file.
PROGRAM = """
import os, signal, sys
from scriptkd_sdk.cli import main
from scriptkd_train.engine import pace, soft_labels, trainer
from scriptkd_train.models import checkpoint

pace.SAVE_SECONDS = pace.LOOK_SECONDS = soft_labels.PIECE_SECONDS = 0.0
pace._SAVING_SHARE = float("inf")
what, count = os.environ["DIE_AT"].split()
left = int(count)

def die_in_time(owner, name, before=lambda *arguments: None):
    original = getattr(owner, name)
    def counted(*arguments):
        global left
        left -= 1
        if left == 0:
            before(*arguments)
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*arguments)
    setattr(owner, name, counted)

def half(content, file):
    file.write(b"half a file")
    file.flush()

if os.environ.get("LOCAL_RANK", "0") == "0":
    if what == "step":
        die_in_time(trainer.Trainer, "step")
    elif what == "piece":
        die_in_time(soft_labels.SoftLabelFolder, "write")
    elif what == "file":
        die_in_time(checkpoint, "_save", half)
sys.exit(main())
"""


def write_words(root, labels=("Latin", "Tamil"), count=20):
    rng = np.random.default_rng(0)
    for split in ("train", "val"):
        for label in labels:
            (root / split / label).mkdir(parents=True)
            for i in range(count):
                image = rng.integers(0, 256, (16, 16 + 16 * (i % 2)), np.uint8)
                cv2.imwrite(str(root / split / label / f"foreign-{i:02}.png"), image)
    return root


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_words(tmp_path_factory.mktemp("data"))


def recipe(**stages):
    return parse_recipe({"seed": 3, "stages": stages}, "test")


def rows(path):
    """The rows of metrics.csv without the one column that two runs never share."""
    with path.open(newline="") as file:
        return [{key: value for key, value in row.items() if key != "seconds"} for row in csv.DictReader(file)]


@pytest.mark.parametrize("devices", [1, 2])
def test_a_run_that_was_killed_ends_with_the_weights_of_one_that_was_not(data, tmp_path, devices):
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump({"seed": 3, "stages": STAGES}, sort_keys=False))
    (tmp_path / "program.py").write_text(PROGRAM)

    def run(out, die_at):
        command = [sys.executable, tmp_path / "program.py", "train", tmp_path / "recipe.yaml", "--data", data,
                   "--out", tmp_path / out, "--devices", str(devices)]  # fmt: skip
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "DIE_AT": die_at}
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        assert done.returncode == (0 if die_at == "never 0" else -signal.SIGKILL), done.stderr
        return done.stdout

    whole = run("whole", "never 0")
    assert "goes on" not in whole
    steps = int(
        torch.load(tmp_path / "whole" / "teacher" / "last.pt", weights_only=True)["trainer"]["average"]["steps"]
    )
    epoch = steps // 2
    assert epoch >= 2
    # The teacher's second epoch, after its first step; a step later, half-way through last.pt; its answers, after two;
    # the student's first epoch, half-way through the last.pt of its second step.
    run("broken", f"step {epoch + 2}")
    said = run("broken", "file 2")
    assert f"teacher: resumes after 1 of 2 epochs and 1 of {epoch} steps, from" in said
    drafts = list((tmp_path / "broken" / "teacher").glob(".last.pt.*"))
    assert [draft.read_bytes() for draft in drafts] == [b"half a file"]
    said = run("broken", "piece 3")
    assert f"teacher: resumes after 1 of 2 epochs and 2 of {epoch} steps, from" in said
    (pieces,) = (tmp_path / "broken" / "soft-labels").iterdir()
    written = {path: path.read_bytes() for path in pieces.iterdir()}
    assert len(written) >= 2
    said = run("broken", "step 3")
    assert re.search(r"student: resumes after \d+ of 40 soft labels, in ", said)
    said = run("broken", "never 0")
    assert f"student: resumes after 0 of 2 epochs and 2 of {epoch} steps, from" in said
    assert "soft labels" not in said
    for path, content in written.items():
        assert path.read_bytes() == content
    assert not list((tmp_path / "broken").rglob(".*.pt.*"))
    for stage in STAGES:
        a, b = (load_checkpoint(tmp_path / out / f"{stage}.pt") for out in ("whole", "broken"))
        assert a.sha256 == b.sha256 and a.temperature == b.temperature and a.metrics == b.metrics
        for name, weights in a.state_dict.items():
            assert torch.equal(weights, b.state_dict[name]), name
        metrics = [rows(tmp_path / out / stage / "metrics.csv") for out in ("whole", "broken")]
        assert metrics[0] == metrics[1] and [row["epoch"] for row in metrics[0]] == ["1", "2"]


def random_split(images=40):
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (images, 1, 16, 16), generator=generator, dtype=torch.uint8)
    return InMemoryDataset({(16, 16): pixels}, {(16, 16): torch.arange(images) % 2}, {(16, 16): torch.arange(images)})


def fabric():
    return Fabric(accelerator="cpu", devices=1)


def test_a_step_draws_from_torch_alone():
    """Why the states of Python's and numpy's generators are not saved."""
    trainer = Trainer(fabric(), "student", ResolvedStage.of(recipe(student=TEACHER).stages["student"]), 2, 0)
    trainer.learner.train()
    before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()
    generator = torch.Generator().manual_seed(0)
    batch = next(random_split().batches(8, generator))
    trainer.step(Batch(batch.images, batch.target, batch.index, torch.zeros(8, dtype=torch.int64)), 0.5, generator)
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before[:2]
    assert not torch.equal(torch.get_rng_state(), before[2])


def test_another_number_of_processes_goes_on_from_as_far_into_the_epoch():
    def place(size):
        return Place(fabric(), random_split(), size, 1, 2)

    begun = place(8)
    for _ in range(3):
        begun.add(torch.tensor(0.5), len(next(begun.batches).target))
    state = begun.state_dict()
    later = place(8)
    later.load_state_dict(state)
    assert torch.equal(next(later.batches).index, next(begun.batches).index)
    two = {**state, "random": [*state["random"], *state["random"]]}
    other = place(4)  # as one of two has eight images between them
    other.load_state_dict(two)
    assert (other.step, other.steps, len(list(other.batches))) == (6, 10, 4)


def test_saves_come_by_the_clock_and_take_a_small_share_of_it(monkeypatch):
    now = 0.0
    monkeypatch.setattr(pace_module.time, "monotonic", lambda: now)
    pace, looks, saves = Pace(fabric()), [], []
    for step in range(20_000):
        now += 0.1
        if pace.look():
            looks.append(step)
            if pace.save_due():
                saves.append(now)

                def slow():
                    nonlocal now
                    now += 12.0 if len(saves) > 2 else 0.5

                pace.save(slow)
    assert looks[0] == 0 and max(np.diff(looks)) == 50
    gaps = np.diff(saves)
    assert 120 <= gaps[0] <= 130 and min(gaps[2:]) >= 12 / 0.02
    now = 0.0
    pace = Pace(fabric())  # steps of a minute are looked at one by one
    for _ in range(5):
        now += 60
        assert pace.look()
        if pace.save_due():
            saves.append(now)
            pace.save(lambda: None)
    assert saves[-2:] == [120, 240]


def ask(teacher, split, folder, batch_size=8):
    return make_soft_labels(fabric(), teacher.eval(), split, batch_size, ["features"], folder)


def test_soft_labels_on_disk_are_fresh_ones_bit_for_bit(tmp_path, monkeypatch):
    monkeypatch.setattr(soft_labels, "PIECE_SECONDS", 0.0)
    teacher, split, said = build_network("textnet", 2, Preprocessing(1, 16, 16, 16, 1), width=0.25), random_split(), []
    fresh = ask(teacher, split, None)
    assert {name: tuple(value.shape[:1]) for name, value in fresh.items()} == {"logits": (40,), "features": (40,)}
    folder = SoftLabelFolder.of(tmp_path, "teacher", ["a"], said.append)
    for _ in range(2):
        kept = ask(teacher, split, folder)
        assert all(torch.equal(kept[name], fresh[name]) for name in fresh)
        assert said == [f"computes 40 soft labels, in {folder.path}"]  # once
    pieces = sorted(folder.path.iterdir())
    assert [path.name for path in pieces] == [f"{i:06}.pt" for i in range(5)]
    pieces[1].unlink()
    pieces[4].unlink()
    (folder.path / ".000004.pt.123").write_bytes(b"half")  # of a writer that was killed
    kept = ask(teacher, split, folder)
    assert all(torch.equal(kept[name], fresh[name]) for name in fresh)
    assert said[1:] == [f"resumes after 24 of 40 soft labels, in {folder.path}"]
    assert sorted(folder.path.iterdir()) == pieces
    pieces[2].write_bytes(pieces[2].read_bytes()[:100])
    with pytest.raises(
        ArgumentError, match=r"000002\.pt is damaged: delete it, and its soft labels are computed again"
    ):
        ask(teacher, split, folder)
    pieces[2].unlink()
    (folder.path / "000005.pt").write_bytes(pieces[3].read_bytes())
    with pytest.raises(ArgumentError, match="there are 48 soft labels for 40 images"):
        ask(teacher, split, folder)


def test_a_teacher_answers_in_the_runs_precision():
    """A large teacher is almost three times as fast in bfloat16."""
    seen = []
    teacher = build_network("textnet", 2, Preprocessing(**INPUT), width=0.25)
    teacher.body[0][0].register_forward_hook(lambda module, given, map_: seen.append(map_.dtype))
    half = Fabric(accelerator="cpu", devices=1, precision="bf16-mixed")
    answers = make_soft_labels(half, teacher.eval(), random_split(8), 8, [], None)
    assert seen == [torch.bfloat16] and answers["logits"].dtype == torch.float32


def test_soft_labels_belong_to_a_teachers_weights_and_to_a_splits_images(data, tmp_path):
    stages = {"teacher": {**TEACHER, "epochs": 1}, "student": {**STUDENT, "epochs": 1}}
    second = {**stages, "second": {**STUDENT, "epochs": 1, "distil": {"teacher": "teacher", "loss": "dist"}}}
    train_chain(recipe(**stages), "test", data, tmp_path / "run")
    (folder,) = (tmp_path / "run" / "soft-labels").iterdir()
    (piece,) = folder.iterdir()
    written = piece.stat().st_mtime_ns
    train_chain(recipe(**second), "test", data, tmp_path / "run")  # another student of the same teacher asks nothing
    assert list(folder.parent.iterdir()) == [folder] and piece.stat().st_mtime_ns == written
    path = tmp_path / "run" / "teacher.pt"
    teacher = load_checkpoint(path)
    next(iter(teacher.state_dict.values())).view(-1)[0] += 1
    save_checkpoint(path, teacher)
    (tmp_path / "run" / "second.pt").unlink()
    train_chain(recipe(**second), "test", data, tmp_path / "run")
    assert len(list(folder.parent.iterdir())) == 2
    other = write_words(tmp_path / "other", count=19)
    (tmp_path / "once").mkdir()
    (tmp_path / "once" / "teacher.pt").write_bytes(path.read_bytes())
    train_chain(recipe(**stages), "test", other, tmp_path / "once")
    names = {each.name for run in ("run", "once") for each in (tmp_path / run / "soft-labels").iterdir()}
    assert len(names) == 3


def test_a_checkpoints_sum_is_of_all_that_it_answers_by(tmp_path, data):
    train_chain(recipe(teacher={**TEACHER, "epochs": 1}), "test", data, tmp_path / "run")
    path = tmp_path / "run" / "teacher.pt"
    one, again = load_checkpoint(path), load_checkpoint(path)
    assert one.sha256 == again.sha256
    again.labels.reverse()
    assert one.sha256 != again.sha256
    again.labels.reverse()
    again.state_dict[next(iter(again.state_dict))].view(-1)[-1] *= 1.5
    assert one.sha256 != again.sha256


def test_drafts_of_others_stay(tmp_path):
    for name in (".last.pt.1", ".last.pt.22", "last.pt", ".metrics.csv"):
        (tmp_path / name).write_text("x")
    remove_drafts(tmp_path / "last.pt")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".metrics.csv", "last.pt"]
