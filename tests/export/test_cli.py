"""`scriptkd-export` from the command line: what it prints, writes and exits with."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from scriptkd_export import cli, export_graph
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


def test_all_formats(
    ckpt: Path, data: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--ckpt", ckpt, "--data", data, "--int8", "--int8-weights", "--images", 40) == 0
    names = {path.name for path in ckpt.parent.iterdir()}
    assert names == {"student.pt", "student.onnx", "student.int8.onnx", "student.int8-weights.onnx"}
    out, err = capfd.readouterr()
    assert err == ""  # torch's exporter and onnxruntime's quantiser have been silenced
    for text in ("top-1 agreement: 100.00% on 40 validation images", "widths 32, 48, 96, 128", "KB", " s; "):
        assert text in out
    assert out.splitlines()[-1].strip().startswith("scriptkd bench ")
    assert "FAILED" not in out


def test_without_data_it_says_so_and_writes_where_told(
    ckpt: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--ckpt", ckpt, "--out", tmp_path / "models", "--images", 20) == 0
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["student.onnx"]
    assert "20 drawn words (no --data given)" in capfd.readouterr().out


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
    assert run(monkeypatch, "--ckpt", ckpt, "--images", 20) == 1
    out, err = capfd.readouterr()
    assert "FAILED difference" in out
    assert err.startswith("error: student.onnx failed its check of difference") and err.count("\n") == 1
    assert [path.name for path in ckpt.parent.iterdir()] == ["student.pt"]


@pytest.mark.parametrize("content", [b"", b"no pickle", b"PK\x03\x04 broken"])
def test_other_files_get_one_line(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "student.pt"
    path.write_bytes(content)
    assert run(monkeypatch, "--ckpt", path) == 2
    err = capfd.readouterr().err
    assert err.startswith("error: ") and "is not a scriptkd checkpoint" in err and err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["student.pt"]


def test_int8_needs_data(ckpt: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "--ckpt", ckpt, "--int8") == 2
    assert capfd.readouterr().err == "error: --int8 is calibrated on real images: add --data DATASET\n"
