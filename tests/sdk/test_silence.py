"""ScriptIdentifier's docstring promises that only requested files are written, and that nothing is sent."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from strace import trace

import scriptkd_sdk

CLI = [sys.executable, "-m", "scriptkd_sdk.cli"]

# Commands that are to write nothing and send nothing; in a folder of words.
COMMANDS = {
    "import": [sys.executable, "-c", "import scriptkd_sdk, onnxruntime"],
    "SDK": [sys.executable, "-c", "import scriptkd_sdk as s; s.ScriptIdentifier().identify('word.png')"],
    "SDK, a pool": [
        sys.executable,
        "-c",
        "import scriptkd_sdk as s; from scriptkd_sdk.processes import worker_pool as pool\n"
        "with pool(1) as p: p.submit(s.ScriptIdentifier().identify, 'word.png').result()",
    ],
    "identify": [*CLI, "identify", "."],
    "identify, workers": [*CLI, "identify", ".", "--workers", "2", "--json"],
    "model show": [*CLI, "model", "show"],
    "help": [*CLI, "--help"],
}


@pytest.fixture
def words(tmp_path: Path) -> Path:
    folder = tmp_path / "words"
    folder.mkdir()
    cv2.imwrite(str(folder / "word.png"), np.full((20, 50), 120, np.uint8))
    return folder


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS.keys())
def test_nothing_is_written_and_nothing_is_sent(command: list[str], words: Path, tmp_path: Path) -> None:
    assert trace(command, tmp_path / "home", words) == ([], [])
    assert [path for path in (tmp_path / "home").rglob("*") if not path.is_dir()] == []


def test_the_watch_sees_files_and_calls(tmp_path: Path) -> None:
    code = (
        "import os, socket, subprocess, sys\n"
        "open('new file', 'w').close(); os.mkdir('folder'); os.rename('new file', 'renamed')\n"
        "subprocess.run([sys.executable, '-c', 'open(\"of a child\", \"w\")'])\n"
        "open('renamed').close()\n"
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect_ex(('127.0.0.1', 9))"
    )
    written, network = trace([sys.executable, "-c", code], tmp_path / "home", tmp_path)
    assert written == ["new file", "folder", "renamed", "of a child"]
    assert [call.partition("(")[0] for call in network] == ["socket", "connect"]


@pytest.mark.parametrize(("given", "then"), [(None, "1"), ("0", "0"), ("1", "1")])
def test_the_users_own_setting_stays(given: str | None, then: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ORT_DISABLE_TELEMETRY", raising=False)
    if given is not None:
        monkeypatch.setenv("ORT_DISABLE_TELEMETRY", given)
    code = "import scriptkd_sdk, os; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == then


def test_the_promise_is_made() -> None:
    """Where users read it; above is what it says."""
    assert "Nothing is written and nothing is sent." in (scriptkd_sdk.ScriptIdentifier.__doc__ or "")
