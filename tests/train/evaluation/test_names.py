"""Names of files and folders that are not UTF-8, and outputs that cannot hold them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from scriptkd_sdk.modelfile import MODELS

SCRIPTKD = Path(sys.executable).with_name("scriptkd")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A flat data set in Latin-1: words and a broken file of Tamil."""
    root = Path(os.fsdecode(bytes(tmp_path_factory.mktemp("words")) + b"/donn\xe9es"))
    image = cv2.imencode(".png", np.random.default_rng(0).integers(0, 256, (20, 60), np.uint8))[1].tobytes()
    for label, names in {
        b"Tamil": (b"\xe9.png", b"a.png"),
        b"Thai": (b"\xe7.png",),
        b"none": (b"\xff.png",),
    }.items():
        folder = root / os.fsdecode(label)
        folder.mkdir(parents=True)
        for name in names:
            (folder / os.fsdecode(name)).write_bytes(image)
    (root / "Tamil" / os.fsdecode(b"br\xfcchig.png")).write_bytes(b"no image")
    return root


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "cp1252"])
def test_every_command_ends_well(data: Path, tmp_path: Path, encoding: str) -> None:
    out = tmp_path / os.fsdecode(b"r\xe9sultats")
    model = str(MODELS / "student.onnx")
    commands = {
        "evaluate": ["evaluate", model, str(data), "--out", str(out)],
        "analyse": ["analyse", model, str(data), "--against", str(data), "--out", str(out)],
        "inspect": ["data", "inspect", str(data), "--sheet", str(out / "sheet.png")],
    }
    for name, arguments in commands.items():
        environment = os.environ | {"PYTHONIOENCODING": encoding}
        ended = subprocess.run(
            [SCRIPTKD, *arguments], capture_output=True, cwd=tmp_path, env=environment, timeout=300, check=False
        )
        assert ended.returncode == 0, (name, ended.stderr[-3000:])
        assert b"Traceback" not in ended.stderr
    report = json.loads((out / "report.json").read_text("utf-8"))
    assert report["unknown_labels"] == {"Thai": 1, "none": 1}
    (broken,) = report["unreadable"]
    assert os.fsencode(broken).endswith(b"br\xfcchig.png")
    assert {"analysis.md", "analysis.json", "bands.png", "sheet.png", "confusion.png"} <= {
        p.name for p in out.iterdir()
    }
