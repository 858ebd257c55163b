"""`scriptkd bench` on tiny models: one table, written as Markdown and JSON."""

import hashlib
import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from scriptkd_bench import cli, models, timing
from scriptkd_bench.cli import bench
from scriptkd_bench.crop import drawn_crop, median_crop
from scriptkd_bench.machine import describe_machine
from scriptkd_bench.report import _digits, append_counts
from scriptkd_export import draw_samples, export_onnx
from scriptkd_export.files import write_verified
from scriptkd_export.graph import export_graph
from scriptkd_sdk import modelfile
from scriptkd_sdk.errors import ArgumentError, ModelError, ScriptkdError
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.models.checkpoint import Checkpoint, save_checkpoint
from scriptkd_train.models.networks import build_network

LABELS = ["Arabic", "Latin"]
TEXTNET = ("textnet", Preprocessing(1, 32, 32, 128, 16), {"width": 0.25})
SQUASHED: tuple[str, Preprocessing, dict[str, float]] = ("student", Preprocessing(3, 32, 32, 32, 1), {})


def checkpoint(kind: tuple[str, Preprocessing, dict[str, float]], seed: int = 0) -> Checkpoint:
    """Random weights, but always for the first label: so int8 agrees, and accuracy is known."""
    name, preprocessing, arguments = kind
    torch.manual_seed(seed)
    network = build_network(name, len(LABELS), preprocessing, **arguments)
    with torch.no_grad():
        *_, bias = network.parameters()  # the head's
        bias.copy_(torch.tensor([5.0, 0.0]))
    return Checkpoint(name, arguments, LABELS, preprocessing, network.state_dict())


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set with 6 Arabic and 2 Latin images a split."""
    root = tmp_path_factory.mktemp("words")
    images = iter(draw_samples(24).images)
    for split in ("train", "val", "test"):
        for label, count in (("Arabic", 6), ("Latin", 2)):
            (root / split / label).mkdir(parents=True)
            for i in range(count):
                cv2.imwrite(str(root / split / label / f"{i}.png"), next(images))
    return root


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "student.onnx"
    export_onnx(checkpoint(TEXTNET), path, draw_samples(8))
    return path


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A training run's folder: a teacher, a student, and a stage that is not finished."""
    folder = tmp_path / "run"
    save_checkpoint(folder / "teacher.pt", checkpoint(SQUASHED))
    save_checkpoint(folder / "student.pt", checkpoint(TEXTNET))
    stages: dict[str, object] = {"teacher": {}, "student": {}, "later": {}}
    (folder / "run.json").write_text(json.dumps({"recipe": {"stages": stages}}))
    return folder


def test_model_files(
    student: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["/some/where/scriptkd", "bench", "student.onnx", "a b.onnx"])
    out = tmp_path / "results" / "RESULTS.md"
    other, copy = tmp_path / "student.onnx", tmp_path / "copy.onnx"
    export_onnx(checkpoint(TEXTNET, seed=1), other, draw_samples(8))
    copy.write_bytes(student.read_bytes())  # measured once
    bench(models=[student, other, copy], data=data, real=data / "test", repeats=20, out=out)
    text, shown = out.read_text(), capsys.readouterr().out
    assert "`scriptkd bench student.onnx 'a b.onnx'`" in text
    for fact in ("processor", "cores", "system", "python", "onnxruntime", "numpy", "opencv", "threads: 1", "date"):
        assert fact in text and fact in shown
    table, threads = text.split("## By threads")
    head, _, first, second = [line for line in table.splitlines() if line.startswith("|")]
    assert threads.count("| student | fp32 | 1 |") == 2
    assert [cell.strip() for cell in head.split("|")[1:-1]] == [
        *("model", "precision", "params", "KB", "input", "run ms", "speed", "array ms", "path ms", "over"),
        *("test %", "real %"),
    ]
    assert first.startswith("| student | fp32 |") and "| 1.00× |" in first and second.count("75.0/50.0") == 2

    content = json.loads(out.with_suffix(".json").read_text())
    row = content["rows"][0]
    assert row["parameters"] == sum(p.numel() for p in checkpoint(TEXTNET).build().parameters())
    assert row["kilobytes"] == pytest.approx(student.stat().st_size / 1000)
    assert row["accuracy"]["test"] == {"accuracy": 0.75, "macro": 0.5, "images": 8}
    times = row["timing"]
    assert times["repeats"] == 20 and times["input_shape"][:2] == [1, 32]
    assert all(0 < times[call]["p50"] <= times[call]["p95"] for call in ("run", "identify_array", "identify_path"))
    assert times["run"]["p50"] < times["identify_array"]["p50"] < times["identify_path"]["p50"]


def test_a_training_run(run: Path, student: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    beside = run / "student.onnx"
    beside.write_bytes(student.read_bytes())
    before = sorted(path.name for path in run.iterdir())
    bench(run=run, data=data, repeats=20)
    rows = json.loads((run / "RESULTS.json").read_text())["rows"]
    assert [(row["model"], row["precision"]) for row in rows] == [
        ("teacher", "fp32"),
        ("teacher", "int8"),
        ("student", "fp32"),
        ("student", "int8"),
    ]
    shown = capsys.readouterr().out
    assert "teacher: exporting fp32 and int8" in shown and "student: exporting int8" in shown
    # Nothing but the results has been written into the run.
    assert sorted(path.name for path in run.iterdir()) == sorted([*before, "RESULTS.md", "RESULTS.json"])


def test_a_file_older_than_its_checkpoint_is_made_anew(
    run: Path, student: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (run / "student.onnx").write_bytes(student.read_bytes())
    os.utime(run / "student.onnx", (0, 0))
    bench(run=run, repeats=20)
    assert "student: exporting fp32" in capsys.readouterr().out


def test_int8_of_a_run_needs_data(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bench(run=run, repeats=20)
    rows = json.loads((run / "RESULTS.json").read_text())["rows"]
    assert [(row["model"], row["precision"]) for row in rows] == [("teacher", "fp32"), ("student", "fp32")]
    assert "teacher: int8 left out, as it needs images for calibration: give --data" in capsys.readouterr().out


def test_int8_of_a_run_needs_a_validation_split(run: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bench(run=run, data=data / "test", repeats=20)
    rows = json.loads((run / "RESULTS.json").read_text())["rows"]
    assert [row["precision"] for row in rows] == ["fp32", "fp32"]
    assert "student: int8 left out: " in capsys.readouterr().out


def test_int8_that_fails_its_checks_is_left_out(
    run: Path, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(import_module("scriptkd_export.verification"), "SURE_TURNED", -1.0)
    bench(run=run, data=data, repeats=20)
    rows = json.loads((run / "RESULTS.json").read_text())["rows"]
    assert [row["precision"] for row in rows] == ["fp32", "fp32"]
    assert "student: int8 left out: top-1 agreement: 100.00%" in capsys.readouterr().out


def test_an_untrained_teacher_is_timed_only(
    student: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "PAPER_SIDE", 64)
    bench(models=[student], teacher="test_resnet", data=data, repeats=20, out=tmp_path / "r.md")
    teacher, other = json.loads((tmp_path / "r.json").read_text())["rows"]
    assert teacher["model"] == "test_resnet (untrained)" and teacher["accuracy"] == {"test": None}
    assert teacher["timing"]["input_shape"] == [3, 64, 64]
    assert other["accuracy"]["test"]["images"] == 8


def test_model_files_need_no_torch(student: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from scriptkd_bench.cli import bench; "
        f"bench(models=[Path({str(student)!r})], repeats=20, out=Path({str(tmp_path / 'r.md')!r})); "
        "print('loaded:', [name for name in ('torch', 'onnx', 'timm') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "loaded: []"
    assert "drawn word of 114x39 pixels" in done.stdout


def test_counted_instructions_close_the_report(student: Path, tmp_path: Path) -> None:
    """Those of `make bench-arm64` beside it, in place of older ones."""
    out = tmp_path / "RESULTS.md"
    bench(models=[student], repeats=20, out=out)
    plain = out.read_text()
    counts = "# Cost on AArch64\n\nMillions: {}.\n\n## Estimated time\n\nSeconds: {}.\n"
    (tmp_path / "arm64.md").write_text(counts.format(1, 2))
    bench(models=[student], repeats=20, out=out)
    first = out.read_text()
    assert first.startswith("# Benchmark\n") and "\n## By threads\n" in first
    assert first.endswith("\n\n## Cost on AArch64\n\nMillions: 1.\n\n### Estimated time\n\nSeconds: 2.\n")
    append_counts(out, counts.format(3, 4))
    assert out.read_text() == first.replace("Millions: 1", "Millions: 3").replace("Seconds: 2", "Seconds: 4")
    assert "AArch64" not in plain


def test_refusals(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(
        ArgumentError, match=r"must be a model file \(\.onnx\) or .* \(student, upright, world, world-upright\)"
    ):
        bench(models=[run / "student.pt"])
    with pytest.raises(ModelError, match=r"nothing\.onnx: no such model file"):
        bench(models=[tmp_path / "nothing.onnx"])
    assert sorted(tmp_path.rglob("*")) == before  # no folder of results, of which there are none
    with pytest.raises(ArgumentError, match="holds no finished stage"):
        bench(run=tmp_path)
    (run / "run.json").write_text("[]")
    with pytest.raises(ArgumentError, match="is not what `scriptkd train` wrote"):
        bench(run=run)
    monkeypatch.setattr(modelfile, "MODELS", tmp_path / "models")
    with pytest.raises(ArgumentError, match="no model of its own"):
        bench()


def test_a_file_that_takes_whole_images(student: Path, tmp_path: Path) -> None:
    whole, out = tmp_path / "whole.onnx", tmp_path / "RESULTS.md"
    made = checkpoint(TEXTNET)
    write_verified(export_graph(made), whole, made, draw_samples(4), "fp32", any_size=True)
    bench(models=[student, whole], repeats=20, out=out)
    rows = json.loads(out.with_suffix(".json").read_text())["rows"]
    assert [row["timing"]["input_shape"] for row in rows][1] == [39, 114, 3]
    with pytest.raises(ArgumentError, match="takes whole images: give --sdk a file"):
        bench(models=[whole], repeats=20, out=out, sdk=True)


def test_the_bundled_model_is_the_default(student: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "student.onnx").write_bytes(student.read_bytes())
    digest = hashlib.sha256(student.read_bytes()).hexdigest()
    (tmp_path / "models" / "SHA256SUMS").write_text(f"{digest}  student.onnx\n")
    monkeypatch.setattr(modelfile, "MODELS", tmp_path / "models")
    monkeypatch.chdir(tmp_path)
    bench(repeats=20)
    results = tmp_path / "build" / "bench" / "RESULTS.md"
    assert results.is_file() and not (tmp_path / "benchmarks").exists()
    results.unlink()
    bench(models=[Path("student")], repeats=20)  # as well by name
    assert results.is_file()


def test_slow_models_are_called_less_often(student: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "SECONDS", 0.0)
    seen: list[int] = []
    (found,) = timing.time_models([student], drawn_crop(tmp_path), 50, 1, lambda done, total: seen.append(done))
    assert found.repeats == timing.LEAST and seen == list(range(1, 51))


def test_the_median_crop(tmp_path: Path) -> None:
    paths = []
    for side in (10, 50, 20):
        paths.append(tmp_path / f"{side}.png")
        cv2.imwrite(str(paths[-1]), np.zeros((side, 2 * side), np.uint8))
    crop = median_crop(paths, "squares")
    assert crop.path == paths[2] and crop.source == "the median crop of squares, 40x20 pixels"


def test_the_machine_is_described() -> None:
    facts = describe_machine()
    assert all(facts.values()) and int(facts["cores"]) >= 1


@pytest.mark.parametrize(("value", "text"), [(0.12345, "0.123"), (1.2345, "1.23"), (12.345, "12.3"), (123.45, "123")])
def test_three_digits(value: float, text: str) -> None:
    assert _digits(value) == text


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("file/r.md", "file is a file; --out needs a folder there"),
        ("folder", "folder is a folder; --out needs a file"),
        ("folder/r.json", r"the report is Markdown \(.md\); .json and .png files are written beside it"),
    ],
)
def test_where_nothing_can_be_written_nothing_is_measured(
    student: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, message: str
) -> None:
    monkeypatch.setattr(cli, "time_models", None)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(ArgumentError, match=message):
        bench(models=[student], repeats=20, out=tmp_path / name)
    assert list((tmp_path / "folder").iterdir()) == []


def test_images_that_are_missing_are_told_before_anything_is_measured(
    student: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "time_models", None)
    with pytest.raises(ScriptkdError, match="nowhere"):
        bench(models=[student], data=data, real=tmp_path / "nowhere", repeats=20, out=tmp_path / "r.md")
    assert not (tmp_path / "r.md").exists()
