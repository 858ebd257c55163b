"""`scriptkd model show`."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import onnxruntime
import pytest
from typer.testing import CliRunner, Result

from scriptkd_sdk.cli import app
from scriptkd_sdk.errors import ModelError

Builder = Callable[..., Path]


def show(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["model", "show", *map(str, arguments)])


def test_a_table_of_everything(build_model: Builder) -> None:
    path = build_model(provenance={"seed": 7, "settings": {"lr": 0.1}, "parents": []})
    result = show(path)
    assert result.exit_code == 0
    rows = dict(line.split(maxsplit=1) for line in result.stdout.splitlines())
    assert rows["file"] == str(path) and rows["bytes"] == str(path.stat().st_size)
    assert rows["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert rows["container"] == "onnx" and rows["any_size"] == "false"
    assert rows["labels"] == "0 Arabic (Arab), 1 Latin (Latn), 2 Klingon (Piqd)"
    assert rows["preprocessing.width_max"] == "32" and rows["temperature"] == "2.0"
    assert (rows["provenance.seed"], rows["provenance.settings.lr"], rows["provenance.parents"]) == ("7", "0.1", "[]")


def test_json(build_model: Builder) -> None:
    fields = json.loads(show(build_model(), "--json").stdout)
    assert fields["network"] == "gray-levels" and fields["precision"] == "fp32"
    assert fields["labels"][1] == {"name": "Latin", "code": "Latn"}
    assert fields["preprocessing"]["height"] == 8 and list(fields)[-1] == "provenance"


def test_an_ort_file(build_model: Builder, tmp_path: Path) -> None:
    path = tmp_path / "model.ort"
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(path)
    options.add_session_config_entry("session.save_model_format", "ORT")
    onnxruntime.InferenceSession(str(build_model()), options, providers=["CPUExecutionProvider"])
    fields = json.loads(show(path, "--json").stdout)
    assert fields["container"] == "ort" and fields["temperature"] == 2.0


def test_the_model_of_the_package_is_the_default() -> None:
    fields = json.loads(show("--json").stdout)
    assert fields["file"] == "student" and len(fields["labels"]) == 10
    assert fields["sha256"] == json.loads(show("student", "--json").stdout)["sha256"]


def test_metadata_cannot_play_tricks_on_the_terminal(build_model: Builder) -> None:
    result = show(build_model(network="\x1b[2Jcleared\ud800", provenance={"a\nfile": "/etc/\x07"}))
    assert result.exit_code == 0
    assert "\x1b" not in result.stdout and "\x07" not in result.stdout
    assert "\\x1b[2Jcleared\\ud800" in result.stdout and "provenance.a\\nfile" in result.stdout


@pytest.mark.parametrize("content", [None, b"", b"not a model", b"\0\0\0\0ORTM rubbish"])
def test_no_model_is_one_error(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    if content is not None:
        path.write_bytes(content)
    result = show(path)
    assert isinstance(result.exception, ModelError) and str(path) in str(result.exception)
    assert result.stdout == "" and "\n" not in str(result.exception)
