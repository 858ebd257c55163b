"""Wrong and hostile checkpoints give one clear line. Nothing is written, and none of their code runs."""

import io
import os
import pickle
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from scriptkd_export import cli
from scriptkd_train.models.checkpoint import Checkpoint, save_checkpoint


@pytest.fixture
def content(textnet: Checkpoint, tmp_path: Path) -> dict[str, Any]:
    save_checkpoint(tmp_path / "good" / "student.pt", textnet)
    return torch.load(tmp_path / "good" / "student.pt", weights_only=True)


@pytest.fixture
def refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[[bytes | dict[str, Any]], str]:
    """Exports a checkpoint of this content, which must fail in one line, without a file; returns the line."""

    def run(content: bytes | dict[str, Any]) -> str:
        path = tmp_path / "bad" / "student.pt"
        path.parent.mkdir(exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            torch.save(content, path)
        monkeypatch.setattr("sys.argv", ["scriptkd-export", "--ckpt", str(path), "--count", "4"])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        assert caught.value.code == 2
        out, err = capfd.readouterr()
        assert err.startswith("error: ") and err.count("\n") == 1 and "Traceback" not in out
        assert os.listdir(path.parent) == ["student.pt"]
        return err

    return run


class Bomb:
    """Pickled, it is a call: whoever unpickles it makes a folder."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.folder,)


def test_pickles_with_code_do_not_run(
    content: dict[str, Any], tmp_path: Path, refused: Callable[[bytes | dict[str, Any]], str]
) -> None:
    bomb = Bomb(str(tmp_path / "owned"))
    for hostile in (pickle.dumps(bomb), pickle.dumps({"format": 1, "network": bomb}), {**content, "metrics": bomb}):
        assert "it cannot be read as plain tensors" in refused(hostile)
        assert not (tmp_path / "owned").exists()


def test_truncated_and_foreign_files(
    content: dict[str, Any], tmp_path: Path, refused: Callable[[bytes | dict[str, Any]], str]
) -> None:
    whole = (tmp_path / "good" / "student.pt").read_bytes()
    for size in (1, 100, len(whole) // 2, len(whole) - 30):
        assert "is not a scriptkd checkpoint" in refused(whole[:size])
    for foreign in (b"", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"{}", b"\x80\x04.", b"PK\x05\x06" + bytes(18)):
        assert "is not a scriptkd checkpoint" in refused(foreign)


def test_a_zip_bomb_is_not_unpacked(refused: Callable[[bytes | dict[str, Any]], str]) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("student/data.pkl", bytes(2**24))
    assert "its contents are compressed" in refused(buffer.getvalue())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 2}, "checkpoint format 2; this version reads format 1"),
        ({"format": torch.zeros(3)}, "checkpoint format"),
        ({"labels": None}, "'labels' is missing or not a list"),
        ({"labels": ["Arabic", "Latin"]}, "bad/student.pt: 2 labels, but the head has 3 outputs\n"),
        ({"labels": ["Arabic", "Latin", "Latin"]}, "labels must be distinct texts"),
        ({"labels": ["Arabic", 5, ["x"]]}, "labels must be distinct texts"),
        ({"labels": []}, "labels must be distinct texts"),
        ({"network": "resnet"}, "network 'resnet' is unknown"),
        (
            {"arguments": {"width": 0.25, "depth": 2}},
            "bad/student.pt: its weights do not fit its network 'textnet': "
            "'body.1.2.first.0.weight' is missing (and 29 more)\n",
        ),
        (
            {"arguments": {"width": 0.5}},
            "bad/student.pt: its weights do not fit its network 'textnet': "
            "'body.1.0.0.weight' has the shape [8, 8, 3, 3] instead of [16, 8, 3, 3]\n",
        ),
        ({"arguments": {"width": float("nan")}}, "network 'textnet' cannot be built"),
        ({"arguments": {"width": 1e12}}, "network 'textnet' cannot be built"),
        ({"arguments": {"wings": 2}}, "network 'textnet'"),
        ({"preprocessing": {"channels": 1}}, "pre-processing must have exactly the fields"),
        (
            {"state_dict": {}},
            "bad/student.pt: its weights do not fit its network 'textnet': "
            "'body.0.0.weight' is missing (and 51 more)\n",
        ),
        ({"state_dict": {"head.1.weight": "text"}}, "something other than plain tensors"),
        ({"state_dict": {"head.1.weight": torch.zeros(1).expand(2**40)}}, "something other than plain tensors"),
        ({"state_dict": {1: torch.zeros(1)}}, "something other than plain tensors"),
        ({"metrics": 5}, "'metrics' is not a dict"),
        ({"provenance": []}, "'provenance' is not a dict"),
        ({"temperature": 0}, "temperature must be a number in 0.001..1000, not 0"),
        ({"temperature": float("nan")}, "temperature must be a number in 0.001..1000, not nan"),
        ({"threshold": "high"}, "threshold must be a number in 0..1, not high"),
    ],
)
def test_damaged_fields(
    change: dict[str, Any],
    message: str,
    content: dict[str, Any],
    refused: Callable[[bytes | dict[str, Any]], str],
) -> None:
    assert message in refused({**content, **change})


def test_weights_that_are_no_numbers(content: dict[str, Any], refused: Callable[[bytes | dict[str, Any]], str]) -> None:
    name, weight = next(iter(content["state_dict"].items()))
    for value in (float("nan"), float("inf")):
        broken = weight.clone()
        broken.view(-1)[0] = value
        assert "NaN or infinite weights" in refused({**content, "state_dict": {**content["state_dict"], name: broken}})


def test_weights_that_are_not_real(content: dict[str, Any], refused: Callable[[bytes | dict[str, Any]], str]) -> None:
    state = content["state_dict"]
    for dtype, message in (
        (torch.complex64, "holds complex64 in 'head.1.weight'; weights must be real floating point numbers"),
        (torch.float8_e5m2, "holds float8_e5m2 in 'head.1.weight'; weights must be real floating point numbers"),
        (torch.int32, "fit its network 'textnet': 'head.1.weight' holds int32 instead of float32\n"),
    ):
        other = state["head.1.weight"].to(dtype)
        assert message in refused({**content, "state_dict": {**state, "head.1.weight": other}})


def test_tensors_of_another_network(content: dict[str, Any], refused: Callable[[bytes | dict[str, Any]], str]) -> None:
    state = {**content["state_dict"], "tail.weight": torch.zeros(3)}
    assert refused({**content, "state_dict": state}).endswith("'textnet': 'tail.weight' has no place in it\n")
    state["wings.weight"] = torch.zeros(3)
    assert refused({**content, "state_dict": state}).endswith("'tail.weight' has no place in it (and 1 more)\n")


def test_a_flipped_byte_is_found(
    content: dict[str, Any], tmp_path: Path, refused: Callable[[bytes | dict[str, Any]], str]
) -> None:
    whole = (tmp_path / "good" / "student.pt").read_bytes()
    at = whole.index(content["state_dict"]["head.1.weight"].numpy().tobytes())
    flipped = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
    assert re.search(
        r"bad/student\.pt is damaged: the checksum of its part '.*/data/\d+' is wrong\n$", refused(flipped)
    )
    last = whole.rindex(b"PK\x01\x02")  # what the table of contents says of the last part
    for offset, flag, message in ((8, 0x01, "its parts cannot be read"), (38, 0x10, "is marked as a folder")):
        at = last + offset  # encrypted; a folder
        assert message in refused(whole[:at] + bytes([whole[at] | flag]) + whole[at + 1 :])


def test_an_archive_that_takes_hours_to_check_is_not_read(refused: Callable[[bytes | dict[str, Any]], str]) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("student/data.pkl", bytes(2**20))
        archive.filelist.extend(archive.filelist * 10_000)
    assert "is damaged: its parts are larger than the file" in refused(buffer.getvalue())


def test_a_folder_and_a_missing_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for path, message in ((tmp_path, "is not a file"), (tmp_path / "none.pt", "does not exist")):
        monkeypatch.setattr("sys.argv", ["scriptkd-export", "--ckpt", str(path)])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        err = capfd.readouterr().err
        assert caught.value.code == 2 and message in err and err.count("\n") == 1
