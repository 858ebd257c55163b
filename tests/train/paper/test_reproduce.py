"""A matrix of recipes and seeds: shared, reused and resumed runs, several processes, the paper's seven rows."""

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
from rich.console import Console
from typer import Typer
from typer.testing import CliRunner

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.commands.reproduce import reproduce as command
from scriptkd_train.models.checkpoint import load_checkpoint
from scriptkd_train.paper import reproduce as module
from scriptkd_train.paper.collect import collect
from scriptkd_train.paper.report import write_report
from scriptkd_train.paper.reproduce import paper_rows, plan_jobs, reproduce
from scriptkd_train.recipe import parse_recipe

INPUT = {"channels": 1, "height": 16, "width_min": 32, "width_max": 32}
ADAM = {"name": "adamw", "lr": 0.005}
STAGE = {"network": {"name": "textnet", "arguments": {"width": 0.25}}, "input": INPUT, "epochs": 2, "batch_size": 16,
         "optimizer": ADAM}  # fmt: skip
PAPER_NET = {**STAGE, "network": {"name": "student"}, "epochs": 1}

app = Typer()
app.command()(command)


def recipe(**stages):
    return parse_recipe({"stages": stages}, "test")


CHAIN = recipe(
    teacher=STAGE,
    assistant={**STAGE, "distil": {"teacher": "teacher"}},
    student={**PAPER_NET, "distil": {"teacher": "assistant", "match": {"features": {"loss": "kl", "weight": 0.4}}}},
)
DIRECT = recipe(teacher=STAGE, student={**PAPER_NET, "distil": {"teacher": "teacher"}})
ALONE = recipe(student=PAPER_NET)
LONGER = recipe(teacher=STAGE, student={**PAPER_NET, "distil": {"teacher": "teacher"}, "epochs": 2})


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Upright and level bars, as two scripts."""
    root = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    for split, count in (("train", 24), ("val", 8), ("test", 9)):
        for name in ("Latin", "Tamil"):
            (root / split / name).mkdir(parents=True)
            for i in range(count):
                image = np.full((16, 32), 220, np.uint8)
                for at in range(2, image.shape[name == "Latin"], 6):
                    if name == "Latin":
                        image[:, at : at + 2] = 30
                    else:
                        image[at : at + 2] = 30
                noisy = np.clip(image + rng.normal(0, 20, image.shape), 0, 255).astype(np.uint8)
                cv2.imwrite(str(root / split / name / f"{i:03}.png"), noisy)
    return root


def test_the_paper_s_seven_rows():
    for scale in ("paper", "cpu"):
        rows = paper_rows(scale)
        assert set(rows) == {"alone", *module.TEACHERS, *(f"{name}-direct" for name in module.TEACHERS)}
        alone = rows["alone"].stages["student"]
        assert alone.distil is None
        for name in module.TEACHERS:
            through, direct = rows[name].stages, rows[f"{name}-direct"].stages
            assert list(through) == ["teacher", "assistant", "student"] and list(direct) == ["teacher", "student"]
            assert direct["teacher"] == through["teacher"]
            assert direct["student"].distil.teacher == "teacher" and direct["student"].distil.match == {}
            # The rows differ by who teaches, and by nothing else.
            for student in (through["student"], direct["student"]):
                assert student.model_copy(update={"distil": None}) == alone
    assert set(paper_rows("cpu", ["vgg19"])) == {"vgg19", "vgg19-direct", "alone"}
    with pytest.raises(ArgumentError, match="unknown teacher 'resnet': it must be one of inceptionv3, "):
        paper_rows("cpu", ["resnet"])


def test_equal_stages_are_shared_within_a_seed(tmp_path):
    jobs = plan_jobs({"through": CHAIN, "direct": DIRECT, "alone": ALONE}, (1, 2), tmp_path)
    assert [(job.row, job.seed) for job in jobs][:3] == [("through", 1), ("direct", 1), ("alone", 1)]
    assert jobs[0].own == ["teacher", "assistant", "student"]
    assert jobs[1].shared == {"teacher": tmp_path / "seed-1" / "through"} and jobs[1].own == ["student"]
    assert jobs[4].shared == {"teacher": tmp_path / "seed-2" / "through"}
    assert jobs[2].own == ["student"] and not jobs[2].shared
    assert {job.recipe.seed for job in jobs} == {1, 2}
    other = recipe(teacher={**STAGE, "epochs": 3}, student=DIRECT.stages["student"].model_dump())
    assert not plan_jobs({"through": CHAIN, "other": other}, (1,), tmp_path)[1].shared


def test_a_matrix_and_what_a_second_start_does(data, tmp_path):
    rows = {"through": CHAIN, "direct": DIRECT, "alone": ALONE}
    out, console = tmp_path / "out", Console(quiet=True)
    reproduce(rows, (1,), data, out, "recipes", console)
    one = out / "seed-1"
    teacher = (one / "through" / "teacher.pt").read_bytes()
    assert (one / "direct" / "teacher.pt").read_bytes() == teacher
    assert not (one / "direct" / "teacher").exists(), "it was trained a second time"
    scores = np.load(one / "through" / "student.test.npz")
    assert scores["labels"].tolist() == ["Latin", "Tamil"] and scores["scores"].shape == (18, 2)
    assert scores["files"][0] == "test/Latin/000.png" and scores["truth"].tolist() == [0] * 9 + [1] * 9
    facts = json.loads((one / "alone" / "student.test.json").read_text())
    network = load_checkpoint(one / "alone" / "student.pt").build()
    assert facts["parameters"] == sum(weights.numel() for weights in network.parameters())
    assert json.loads((out / "data.json").read_text())["counts"]["test"] == {"Latin": 9, "Tamil": 9}

    # A lost student is trained again, to the same weights; nothing else is touched.
    before = load_checkpoint(one / "direct" / "student.pt").state_dict
    times = {path: path.stat().st_mtime_ns for path in out.rglob("*.pt") if path.name == "student.pt"}
    for path in (one / "direct").glob("student*"):
        path.unlink() if path.is_file() else [file.unlink() for file in path.iterdir()]
    reproduce(rows, (1,), data, out, "recipes", console)
    after = load_checkpoint(one / "direct" / "student.pt").state_dict
    assert all(torch.equal(weights, after[name]) for name, weights in before.items())
    assert not list(out.rglob(".*.pt")), "drafts"
    assert (one / "through" / "student.pt").stat().st_mtime_ns == times[one / "through" / "student.pt"]

    # A row and a seed may be added; another recipe under an old name, other data or another kind may not be.
    reproduce({"alone": ALONE, "more": recipe(student={**PAPER_NET, "epochs": 2})}, (1,), data, out, "recipes", console)
    assert json.loads((out / "matrix.json").read_text())["rows"] == ["through", "direct", "alone", "more"]
    run = one / "alone" / "run.json"  # as it was written before recipes had `start`
    content = json.loads(run.read_text())
    del content["recipe"]["stages"]["student"]["start"]
    run.write_text(json.dumps(content))
    reproduce({"alone": ALONE}, (1,), data, out, "recipes", console)
    with pytest.raises(ArgumentError, match=r"alone holds another recipe's run"):
        reproduce({"alone": DIRECT}, (1,), data, out, "recipes", console)
    with pytest.raises(ArgumentError, match="holds a matrix of kind 'recipes', not 'paper, cpu'"):
        reproduce(rows, (1,), data, out, "paper, cpu", console)
    path = out / "matrix.json"  # as it was written before val and test were kept
    content = json.loads(path.read_text())
    path.write_text(json.dumps({key: value for key, value in content.items() if key[:4] not in ("val_", "test")}))
    reproduce({"alone": ALONE}, (1,), data, out, "recipes", console)
    assert json.loads(path.read_text()) == content
    shutil.copytree(data, tmp_path / "other")
    (tmp_path / "other" / "test" / "Latin" / "000.png").unlink()
    with pytest.raises(ArgumentError, match="holds runs on another test split; give another --out"):
        reproduce(rows, (1,), tmp_path / "other", out, "recipes", console)

    # A finished matrix does without its weights; a new row that needs them says which one is gone.
    (one / "through" / "teacher.pt").unlink()
    reproduce(rows, (1,), data, out, "recipes", console)
    with pytest.raises(ArgumentError, match=r"through/teacher\.pt is gone, and seed 1, longer needs it: put it back"):
        reproduce({**rows, "longer": LONGER}, (1,), data, out, "recipes", console)
    (one / "through" / "teacher.test.npz").unlink()
    reproduce({**rows, "longer": LONGER}, (1,), data, out, "recipes", console)
    assert (one / "longer" / "student.test.npz").exists()
    (tmp_path / "less").symlink_to(data / "test")
    with pytest.raises(ArgumentError, match="has no train split; train, val and test are needed"):
        reproduce(rows, (1,), tmp_path / "less", out, "recipes", console)


def test_a_damaged_matrix_is_named(data, tmp_path):
    (tmp_path / "matrix.json").write_text("{")
    with pytest.raises(ArgumentError, match=r"matrix\.json is not what `scriptkd reproduce` wrote"):
        reproduce({"alone": ALONE}, (1,), data, tmp_path, "recipes", Console(quiet=True))


def test_a_row_that_is_the_beginning_of_another_is_measured(data, tmp_path):
    rows = {"both": recipe(teacher={**STAGE, "epochs": 1}, student=PAPER_NET)}
    rows["same"], rows["teacher"] = rows["both"], recipe(teacher={**STAGE, "epochs": 1})
    reproduce(rows, (1,), data, tmp_path, "recipes", Console(quiet=True))
    matrix = collect(tmp_path)
    assert not matrix.missing
    assert set(matrix.networks) == {
        ("both", 1, "teacher"), ("both", 1, "student"), ("same", 1, "student"), ("teacher", 1, "teacher")
    }  # fmt: skip
    assert matrix.gain("same", "both").mean == 0 and not (tmp_path / "seed-1" / "same" / "student").exists()
    write_report(matrix, tmp_path / "report")
    reproduce(rows, (1,), data, tmp_path, "recipes", Console(quiet=True))


def start(data, out, folder, launcher=(), **environment):
    for name, content in (("through", CHAIN), ("direct", DIRECT), ("alone", ALONE)):
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(content.model_dump(), sort_keys=False))
    names = [str(folder / f"{name}.yaml") for name in ("through", "direct", "alone")]
    options = [option for name in names for option in ("--recipe", name)]
    words = ["-m", "scriptkd_sdk.cli", "reproduce", *options, "--seeds", "2", "--data", str(data), "--out", str(out)]
    command = [*(launcher or [sys.executable]), *words]
    return subprocess.Popen(
        command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
    )  # fmt: skip


@pytest.mark.slow
def test_two_processes_take_each_job_once_and_one_takes_over_from_a_killed_one(data, tmp_path):
    out = tmp_path / "out"
    victim = start(data, out, tmp_path)
    deadline = time.monotonic() + 240
    while not list(out.glob("seed-1/through/teacher/last.pt")) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(victim.pid, signal.SIGKILL)
    victim.wait()
    processes = [start(data, out, tmp_path) for _ in range(2)]
    texts = [process.communicate(timeout=400)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], texts
    done = [line for text in texts for line in text.splitlines() if ": done in" in line]
    assert len(done) == len(set(done)) == 6
    assert len(list(out.glob("seed-*/*/student.test.npz"))) == 6


@pytest.mark.slow
def test_torchrun_spreads_the_jobs(data, tmp_path):
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    process = start(data, tmp_path / "out", tmp_path, launcher)
    text = process.communicate(timeout=400)[0]
    assert process.returncode == 0, text
    assert text.count(": done in") == 6 and "[1] seed" in text, text
    alone = tmp_path / "alone"
    reproduce({"alone": ALONE}, (1,), data, alone, "recipes", Console(quiet=True))
    # The same epoch as in one process: a job's batches are not shared out among the processes.
    losses = []
    for out in (tmp_path / "out", alone):
        with (out / "seed-1" / "alone" / "student" / "metrics.csv").open(newline="") as file:
            losses.append(float(next(csv.DictReader(file))["train_loss"]))
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_command_refuses_what_makes_no_sense(data, tmp_path):
    for options, message in (
        (["--recipe", "demo", "--teachers", "vgg19"], "exclude each other"),
        (["--recipe", "demo", "--recipe", "demo"], "two of the recipes have the same name"),
        (["--teachers", "resnet"], "unknown teacher 'resnet'"),
    ):
        result = CliRunner().invoke(app, ["--data", str(data), "--out", str(tmp_path / "out"), *options])
        assert isinstance(result.exception, ArgumentError) and message in str(result.exception)
    assert not (tmp_path / "out").exists()
