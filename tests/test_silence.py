"""Training and export write only requested files, and send nothing. tests/sdk has this test for the SDK."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from strace import trace

pytest.importorskip("torch")

RECIPE = """
stages:
  student:
    network: {name: textnet, arguments: {width: 0.25}}
    input: {channels: 1, height: 16, width_min: 16, width_max: 48, width_step: 16}
    epochs: 1
    batch_size: 4
    optimizer: {name: adamw, lr: 0.001}
"""
SCRIPTKD = Path(sys.executable).with_name("scriptkd")


@pytest.mark.slow
def test_training_and_export_write_what_was_asked_for_and_send_nothing(tmp_path: Path) -> None:
    work = tmp_path / "work"
    rng = np.random.default_rng(0)
    for split in ("train", "val"):
        for script in ("Arabic", "Latin"):
            folder = work / "data" / split / script
            folder.mkdir(parents=True)
            for number in range(8):
                cv2.imwrite(str(folder / f"{number}.png"), rng.integers(0, 256, (20, 40), np.uint8))
    (work / "recipe.yaml").write_text(RECIPE)
    commands: dict[str, list[object]] = {
        "run": [SCRIPTKD, "train", "recipe.yaml", "--data", "data", "--out", "run"],
        "exported": [
            *(f"{SCRIPTKD}-export", "--ckpt", "run/student.pt", "--data", "data"),
            *("--out", "exported", "--quantize", "fp32", "--quantize", "int8-u8"),
        ],
    }
    for out, command in commands.items():
        home = tmp_path / f"home-{out}"
        written, network = trace(command, home, work)
        # A socket by itself sends nothing: libraries make one to list the machine's interfaces. Over AF_UNIX the C
        # library asks this machine for names.
        sent = [call for call in network if not call.startswith("socket") and "AF_UNIX" not in call]
        assert sent == []
        own = work / out
        others = [path for path in written if own not in (work / path).parents and work / path != own]
        temporary = home / "tmp"  # which torch and matplotlib are told to use; nothing may stay there
        assert [path for path in others if temporary not in Path(path).parents] == []
        assert [path for path in home.rglob("*") if not path.is_dir()] == []
        assert any(own.iterdir()), os.listdir(work)
