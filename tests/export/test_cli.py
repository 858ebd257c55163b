"""`scriptkd-export` on the command line: its output, its files and its exit status."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

import scriptkd_export
from scriptkd_export import ExportError, Precision, Samples, cli, conversion, convert, export, export_graph
from scriptkd_export.auto import Trial, trial_lines, warning_of_few
from scriptkd_sdk import ScriptIdentifier
from scriptkd_train.models.checkpoint import Checkpoint, save_checkpoint


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


def test_all_precisions(
    ckpt: Path, data: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    precisions = ["fp32", "fp16", "fp16-compute", "int8", "int8-u8", "int8-weights"]
    wishes = [word for precision in precisions for word in ("--quantize", precision)]
    assert run(monkeypatch, "--ckpt", ckpt, "--data", data, *wishes, "--count", 40) == 0
    models = ["student.onnx", *(f"student.{precision}.onnx" for precision in precisions[1:])]
    reports = [f"{name}.parity.json" for name in models]
    assert {path.name for path in ckpt.parent.iterdir()} == {"student.pt", *models, *reports}
    out, err = capfd.readouterr()
    assert err == ""  # torch's exporter and onnxruntime's quantizer have been silenced
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
    made: list[Precision] = []

    def counted(precision: Precision, *arguments: Any) -> onnx.ModelProto:
        made.append(precision)
        return convert(precision, *arguments)

    monkeypatch.setattr(export, "convert", counted)
    assert run(monkeypatch, "--ckpt", ckpt, "--data", data, "--quantize", "auto", "--count", 40) == 0
    out, err = capfd.readouterr()
    assert err == "" and "warning: 40 images cannot show a drop of 0.5 points: a single image is worth 2.5\n" in out
    rows = table(out)
    assert list(rows) == ["fp32", "fp16", "int8", "int8-u8", "int4-u8", "int8-weights", "int4-weights"]
    kept = [precision for precision, row in rows.items() if row.endswith(" kept")]
    assert len(kept) == 1
    name = "student.onnx" if kept == ["fp32"] else f"student.{kept[0]}.onnx"
    assert {path.name for path in ckpt.parent.iterdir()} == {"student.pt", name, f"{name}.parity.json"}
    assert made == list(rows)  # the one that is kept is not made again
    content = (ckpt.parent / name).read_bytes()
    report = json.loads((ckpt.parent / f"{name}.parity.json").read_text("utf-8"))
    assert (report["file"], report["sha256"]) == (name, hashlib.sha256(content).hexdigest())


def table(out: str) -> dict[str, str]:
    """The lines of auto's table by precision."""
    return {
        line.split()[0]: line.rstrip()
        for line in out.splitlines()
        if line.startswith(("fp32 ", "fp16 ", "int8", "int4"))
    }


def test_auto_shows_what_a_precision_below_the_bound_would_give(
    ckpt: Path, data: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def spoiled(precision: Precision, graph: onnx.ModelProto, *arguments: Any) -> onnx.ModelProto:
        model = convert(precision, graph, *arguments)
        if precision is Precision.fp16:  # turns its answers round
            last = next(node for node in model.graph.node if "logits" in node.output)
            last.output[0] = "before"
            model.graph.node.append(onnx.helper.make_node("Neg", ["before"], ["logits"]))
        return model

    def without_int8(*_: Any, **__: Any) -> onnx.ModelProto:
        raise ExportError("nothing to round")

    monkeypatch.setattr(export, "convert", spoiled)
    monkeypatch.setattr(conversion, "quantize_weights", without_int8)
    options = ("--ckpt", ckpt, "--data", data, "--quantize", "auto", "--count", 40, "--max-drop", 100)
    assert run(monkeypatch, *options) == 0
    out = capfd.readouterr().out
    rows = table(out)
    _, accuracy, drop, milliseconds, _, size, *kept = rows["fp16"].split()
    assert float(accuracy) < 50 and float(drop) > 50 and float(milliseconds) > 0 and int(size) > 10
    assert kept == ["not", "taken"]
    reason = next(line for line in out.splitlines() if line.startswith("  fp16: "))
    assert reason.startswith("  fp16: failed a check, which --max-drop does not relax: scores: ")
    assert "; accuracy: " in reason and "; top-1 agreement: " in reason and reason.endswith("(allowed 1%)")
    assert rows["int8-weights"].split() == ["int8-weights", "failed"]  # not measured
    assert "  int8-weights: nothing to round\n" in out
    assert not (ckpt.parent / "student.fp16.onnx").exists()


def test_auto_names_the_limit_that_a_precision_misses() -> None:
    whole, lossy, close = (
        Trial(precision, 1000, accuracy, 1.0)
        for precision, accuracy in ((Precision.fp32, 0.9), (Precision.int8, 0.88), (Precision.fp16, 0.9))
    )
    out = "\n".join(trial_lines([whole, lossy, close], whole, Samples([], "", []), 0.5)) + "\n"
    assert "\n  int8: its drop is above --max-drop 0.5\n" in out
    rows = table(out)
    assert rows["int8"].endswith("not taken") and rows["fp32"].endswith("kept") and rows["fp16"].split()[-1] == "1"


@pytest.mark.parametrize(
    ("images", "max_drop", "warning"),
    [
        (48, 0.5, "warning: 48 images cannot show a drop of 0.5 points: a single image is worth 2.08"),
        (256, 0.25, "warning: 256 images cannot show a drop of 0.25 points: a single image is worth 0.391"),
        (200, 0.5, ""),
        (48, 3.0, ""),
        (48, 0.0, ""),
    ],
)
def test_auto_warns_of_too_few_images(images: int, max_drop: float, warning: str) -> None:
    assert warning_of_few(images, max_drop) == warning


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

    monkeypatch.setattr(export, "export_graph", sabotaged)
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


def test_one_precision_that_fails_does_not_keep_the_others(
    ckpt: Path, data: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def spoiled(precision: Precision, graph: onnx.ModelProto, *arguments: Any) -> onnx.ModelProto:
        if precision is Precision.int8_weights:
            raise ExportError("nothing to round")
        model = convert(precision, graph, *arguments)
        return model if precision is Precision.fp32 else mirrored(model)

    monkeypatch.setattr(export, "convert", spoiled)
    wishes = ("--quantize", "int8", "--quantize", "int8-weights", "--quantize", "fp32")
    assert run(monkeypatch, "--ckpt", ckpt, "--data", data, "--count", 40, *wishes) == 0
    out, err = capfd.readouterr()
    assert "FAILED" in out and "Written, each with its parity report: " in out
    failed, unmade = err.splitlines()
    assert failed.startswith("warning: student.int8.onnx failed its check of ") and failed.endswith("was not written")
    assert unmade == "warning: student.int8-weights.onnx cannot be made: nothing to round"
    reports = {"student.onnx.parity.json", "student.int8.onnx.parity-failed.json"}
    assert {path.name for path in ckpt.parent.iterdir()} == {"student.pt", "student.onnx", *reports}
    assert run(monkeypatch, "--ckpt", ckpt, "--data", data, "--count", 40, *wishes[:4]) == 1
    err = capfd.readouterr().err
    assert err.startswith("error: student.int8.onnx failed its check of ") and err.count("\n") == 1
    assert "student.int8-weights.onnx cannot be made: nothing to round" in err


def mirrored(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model, changed in place, with the kernels of its convolutions mirrored."""
    for weight in model.graph.initializer:
        if len(weight.dims) == 4:
            values = onnx.numpy_helper.to_array(weight)
            weight.CopyFrom(onnx.numpy_helper.from_array(np.flip(values, 3).copy(), weight.name))
    return model


def test_help_needs_no_torch() -> None:
    code = (
        "import sys; sys.argv = ['scriptkd-export', '--help']\n"
        "from scriptkd_sdk.cli import export\n"
        "try: export()\n"
        "finally: print([name for name in ('torch', 'onnx', 'onnxruntime') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "--any-size" in done.stdout and done.stdout.endswith("[]\n")


def test_every_public_name_is_there() -> None:
    for name in scriptkd_export.__all__:
        assert getattr(scriptkd_export, name) is not None
    with pytest.raises(AttributeError, match=r"scriptkd_export.* has no attribute 'nothing'"):
        _ = scriptkd_export.nothing


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ("--quantize", "int8"),
            "--quantize int8 must be calibrated on real images: add --data DATASET or --images FOLDER",
        ),
        (
            ("--quantize", "auto"),
            "--quantize auto must be calibrated on real images: add --data DATASET or --images FOLDER",
        ),
        (
            ("--quantize", "auto", "--quantize", "fp16"),
            "--quantize auto chooses the precision itself: give no other --quantize",
        ),
        (("--data", "d", "--images", "i"), "--data and --images exclude each other: give one"),
        (("--images", "nowhere"), "cannot read images from nowhere: it is missing"),
        (
            ("--quantize", "fp16", "--ort"),
            "--ort cannot keep fp16: onnxruntime unpacks the weights before it writes an .ort file; "
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


def test_dynamic_int8_wants_something_to_quantize(
    ckpt: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--ckpt", ckpt, "--quantize", "int8-dynamic", "--count", 20) == 1
    assert "LSTM or a hidden linear layer" in capfd.readouterr().err
