"""Long lists of images: several processes, a reader that leaves early, and the progress bar."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from scriptkd_sdk import files, workers
from scriptkd_sdk.errors import ScriptkdError


def test_several_processes_give_the_answers_of_one(model: Path, tmp_path: Path) -> None:
    for i in range(150):
        cv2.imwrite(str(tmp_path / f"{i:03}.png"), np.full((20, 50), i, np.uint8))
    (tmp_path / "077.png").write_text("no image")
    outputs = []
    for count in ("1", "2"):
        command = [
            sys.executable,
            "-m",
            "scriptkd_sdk.cli",
            "identify",
            str(tmp_path),
            "--model",
            str(model),
            "--jsonl",
        ]
        done = subprocess.run([*command, "--workers", count], capture_output=True, text=True)
        assert done.returncode == 1
        assert done.stderr.splitlines() == [f"error: {tmp_path}/077.png: not a PNG, JPEG, BMP, GIF, WebP or TIFF image"]
        outputs.append([json.loads(line) for line in done.stdout.splitlines()])
    assert outputs[0] == outputs[1] and len(outputs[0]) == 150


def test_a_worker_that_dies(monkeypatch: pytest.MonkeyPatch, model: Path, folder: Path) -> None:
    monkeypatch.setattr(workers, "_work", _die)
    sources = [files.Source("b", f"{folder}/b.png")]
    with pytest.raises(ScriptkdError, match="a worker process died"):
        list(workers.identify_sources(sources, str(model), None, 2))


def _die(*_: object) -> None:
    os._exit(3)


def test_a_reader_that_leaves_early(model: Path, tmp_path: Path) -> None:
    """As `| head -1` does."""
    for i in range(200):
        cv2.imwrite(str(tmp_path / f"{i:03}.png"), np.full((20, 50), i, np.uint8))
    arguments = ["identify", str(tmp_path), "--model", str(model), "--jsonl"]
    process = subprocess.Popen(
        [sys.executable, "-m", "scriptkd_sdk.cli", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None and process.stderr is not None
    assert b"000.png" in process.stdout.readline()
    process.stdout.close()
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()
    process.wait(30)


def test_many_images_move_a_bar_for_whoever_watches(model: Path, tmp_path: Path) -> None:
    image = tmp_path / "word.png"
    cv2.imwrite(str(image), np.full((20, 50), 120, np.uint8))
    ours, theirs = pty.openpty()
    command = [
        sys.executable,
        "-m",
        "scriptkd_sdk.cli",
        "identify",
        *[str(image)] * 250,
        "--model",
        str(model),
        "--csv",
    ]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, text=True)
    os.close(theirs)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 251
    assert "identifying" in shown and "250/250" in shown
    assert "\x1b" not in done.stdout
