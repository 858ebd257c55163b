"""Machines without something: room on the disk, a temporary folder, an encoding, names in UTF-8."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scriptkd_export import cli
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


@contextmanager
def room(size: int) -> Iterator[None]:
    """Inside no file can grow beyond so many bytes: the system refuses to write on, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("options", [(), ("--quantize", "int8-weights"), ("--quantize", "auto"), ("--ort",)])
def test_a_full_disk(
    options: tuple[str, ...],
    ckpt: Path,
    data: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    wishes = ("--ckpt", ckpt, "--count", 20, "--data", data, *options)
    assert run(monkeypatch, *wishes) == 0
    before = {path.name: path.read_bytes() for path in ckpt.parent.iterdir()}
    capfd.readouterr()
    with room(10_000):
        assert run(monkeypatch, *wishes) == 2
    err = capfd.readouterr().err
    assert err.startswith(f"error: {ckpt.parent}/") and err.endswith(": File too large\n") and err.count("\n") == 1
    assert {path.name: path.read_bytes() for path in ckpt.parent.iterdir()} == before
    assert run(monkeypatch, *wishes) == 0  # goes on after room is made


def test_a_report_that_cannot_be_written_leaves_the_older_one(
    ckpt: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--ckpt", ckpt, "--count", 20) == 0
    before = {path.name: path.read_bytes() for path in ckpt.parent.iterdir()}
    monkeypatch.setattr(Path, "write_text", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    assert run(monkeypatch, "--ckpt", ckpt, "--count", 20) == 2
    assert capfd.readouterr().err == f"error: {ckpt.with_name('student.onnx')}: No space left on device\n"
    assert {path.name: path.read_bytes() for path in ckpt.parent.iterdir()} == before


def test_a_full_temporary_folder(
    ckpt: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Quantizing passes through it; .ort files too, which onnxruntime itself writes without a reason given."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for options in (("--quantize", "int8"), ("--quantize", "int8", "--ort")):
        with room(10_000):
            assert run(monkeypatch, "--ckpt", ckpt, "--data", data, "--count", 20, *options) == 2
        err = capfd.readouterr().err
        assert err.startswith(f"error: {tmp_path}/tmp") and err.endswith(": File too large\n") and err.count("\n") == 1


def test_no_temporary_folder(
    ckpt: Path, data: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as inside:  # pytest needs one too
        inside.setattr("tempfile.tempdir", None)
        inside.setattr("tempfile._candidate_tempdir_list", lambda: ["/nowhere"])
        assert run(inside, "--ckpt", ckpt, "--data", data, "--count", 20, "--quantize", "int8") == 2
    assert capfd.readouterr().err == "error: No usable temporary directory found in ['/nowhere']\n"


@pytest.mark.parametrize(
    ("folder", "encoding", "shown"),
    [
        ("प्रयोग".encode(), "cp1252", r"\u092a\u094d\u0930\u092f\u094b\u0917"),
        (b"caf\xe9", "utf-8", r"caf\udce9"),
    ],
)
def test_names_that_the_output_cannot_show(
    folder: bytes, encoding: str, shown: str, textnet: Checkpoint, data: Path, tmp_path: Path
) -> None:
    """Neither an encoding without the letters nor a name that is not UTF-8 keeps a file from being written."""
    place = tmp_path / os.fsdecode(folder)
    place.mkdir()
    save_checkpoint(place / "student.pt", textnet)
    (place / "words").symlink_to(data)
    wishes: list[str | Path] = ["--ckpt", place / "student.pt", "--data", place / "words", "--count", "20"]
    wishes += ["--ort", "--quantize", "int8"]
    done = subprocess.run(
        [sys.executable, "-c", "from scriptkd_export.cli import main; main()", *wishes],
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert shown.encode() in done.stdout and b"Written" in done.stdout
    assert {path.name for path in place.iterdir()} == {
        "student.pt",
        "words",
        *(f"student.int8.{suffix}{end}" for suffix in ("onnx", "ort") for end in ("", ".parity.json")),
        "student.int8.required_operators_and_types.config",
    }
