"""`scriptkd-export` from the command line: what it prints, writes and exits with."""

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import pytest

from scriptkd_export import cli, export_graph
from scriptkd_sdk import ScriptIdentifier
from scriptkd_train.checkpoint import Checkpoint, save_checkpoint


@pytest.fixture
def ckpt(textnet: Checkpoint, tmp_path: Path) -> Path:
    path = tmp_path / "run" / "student.pt"
    save_checkpoint(path, textnet)
    return path


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["scriptkd-export", *map(str, arguments)])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    return int(caught.value.code or 0)


def test_all_forms(ckpt: Path, data: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    forms = ["fp32", "fp16", "fp16-compute", "int8", "int8-u8", "int8-weights"]
    wishes = [word for form in forms for word in ("--quantize", form)]
    assert run(monkeypatch, "--ckpt", ckpt, "--data", data, *wishes, "--count", 40) == 0
    models = ["student.onnx", *(f"student.{form}.onnx" for form in forms[1:])]
    reports = [f"{name}.parity.json" for name in models]
    assert {path.name for path in ckpt.parent.iterdir()} == {"student.pt", *models, *reports}
    out, err = capfd.readouterr()
    assert err == ""  # torch's exporter and onnxruntime's quantiser have been silenced
    for text in ("top-1 agreement: 100.00% on 40 validation images", "widths 32, 48, 96, 128", "KB", " s; "):
        assert text in out
    for name in ("student.pt", *models):
        assert hashlib.sha256((ckpt.parent / name).read_bytes()).hexdigest() in out
    assert out.splitlines()[-1].strip().startswith("scriptkd model show ")
    assert "FAILED" not in out


def test_any_size_and_ort(
    ckpt: Path, data: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    options = ("--images", data / "val", "--quantize", "int8", "--any-size", "--ort", "--count", 40)
    assert run(monkeypatch, "--ckpt", ckpt, *options) == 0
    out, err = capfd.readouterr()
    assert err == "" and "on 40 images of val" in out
    image = next((data / "val" / "Latin").iterdir())
    scores = []
    for suffix in (".onnx", ".any-size.onnx", ".ort", ".any-size.ort"):
        identifier = ScriptIdentifier(ckpt.parent / f"student.int8{suffix}")
        assert identifier.info.any_size == ("any-size" in suffix)
        scores.append(list(identifier.identify(image).scores.values()))
    assert np.ptp(scores, axis=0).max() < 0.01
    assert not (ckpt.parent / "student.onnx").exists()  # it was not asked for


def test_auto_keeps_one_file_and_says_why(
    ckpt: Path, data: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--ckpt", ckpt, "--data", data, "--quantize", "auto", "--count", 40) == 0
    out, err = capfd.readouterr()
    assert err == ""
    table = [line.split() for line in out.splitlines() if line.startswith(("fp32 ", "fp16 ", "int8", "int4"))]
    assert [row[0] for row in table] == ["fp32", "fp16", "int8", "int8-u8", "int4-u8", "int8-weights", "int4-weights"]
    kept = [row[0] for row in table if row[-1] == "kept"]
    assert len(kept) == 1
    name = "student.onnx" if kept == ["fp32"] else f"student.{kept[0]}.onnx"
    assert {path.name for path in ckpt.parent.iterdir()} == {"student.pt", name, f"{name}.parity.json"}


def test_without_data_it_says_so_and_writes_where_told(
    ckpt: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--ckpt", ckpt, "--out", tmp_path / "models", "--count", 20) == 0
    assert {path.name for path in (tmp_path / "models").iterdir()} == {"student.onnx", "student.onnx.parity.json"}
    assert "20 drawn words (no --data or --images given)" in capfd.readouterr().out


def test_a_failed_check_exits_1_and_leaves_no_file(
    ckpt: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def sabotaged(checkpoint: Checkpoint) -> onnx.ModelProto:
        model = export_graph(checkpoint)
        weight = next(weight for weight in model.graph.initializer if len(weight.dims) == 4)
        values = onnx.numpy_helper.to_array(weight)
        weight.CopyFrom(onnx.numpy_helper.from_array(np.flip(values, 3).copy(), weight.name))
        return model

    monkeypatch.setattr(cli, "export_graph", sabotaged)
    assert run(monkeypatch, "--ckpt", ckpt, "--count", 20) == 1
    out, err = capfd.readouterr()
    assert "FAILED difference" in out
    assert err.startswith("error: student.onnx failed its check of difference") and err.count("\n") == 1
    assert {path.name for path in ckpt.parent.iterdir()} == {"student.pt", "student.onnx.parity-failed.json"}
    report = json.loads((ckpt.parent / "student.onnx.parity-failed.json").read_text("utf-8"))
    assert not report["passed"]
    difference = next(check for check in report["checks"] if check["name"] == "difference")
    assert not difference["passed"] and difference["value"] > difference["limit"]
    monkeypatch.undo()
    assert run(monkeypatch, "--ckpt", ckpt, "--count", 20) == 0  # a good file takes the bad report away
    assert {path.name for path in ckpt.parent.iterdir()} == {"student.pt", "student.onnx", "student.onnx.parity.json"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--quantize", "int8"), "--quantize int8 is calibrated on real images: add --data DATASET or --images FOLDER"),
        (("--quantize", "auto"), "--quantize auto is calibrated on real images: add --data DATASET or --images FOLDER"),
        (("--quantize", "auto", "--quantize", "fp16"), "--quantize auto chooses the form itself: give it alone"),
        (("--data", "d", "--images", "i"), "--data and --images are two sources of the same: give one"),
        (("--images", "nowhere"), "cannot read images from nowhere: it is missing"),
        (
            ("--quantize", "fp16", "--ort"),
            "--ort cannot keep fp16: onnxruntime restores the weights before it writes an .ort file; "
            "allowed are fp32, int8, int8-u8, int8-dynamic",
        ),
    ],
)
def test_wishes_that_do_not_go_together(
    options: tuple[str, ...],
    message: str,
    ckpt: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert run(monkeypatch, "--ckpt", ckpt, *options) == 2
    assert capfd.readouterr().err == f"error: {message}\n"
    assert [path.name for path in ckpt.parent.iterdir()] == ["student.pt"]


def test_dynamic_int8_wants_something_to_quantise(
    ckpt: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--ckpt", ckpt, "--quantize", "int8-dynamic", "--count", 20) == 1
    assert "LSTM or a hidden linear layer" in capfd.readouterr().err
