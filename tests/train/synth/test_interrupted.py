"""An interrupted rendering can be continued, names a full disk, and leaves no process behind."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scriptkd_sdk.errors import ArgumentError, ScriptkdError
from scriptkd_train.synth import render as module
from scriptkd_train.synth.render import RenderPlan, render
from scriptkd_train.utils.files import write_file

PLAN = RenderPlan(12, 5, ("Tamil",), foreign=False)
SCRIPTKD = Path(sys.executable).with_name("scriptkd")


def digests(folder: Path) -> dict[str, str]:
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


class Interruption(Exception):
    pass


def interrupt(done: int) -> None:
    raise Interruption


def test_it_goes_on_with_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CHUNK", 4)
    render(PLAN, tmp_path / "whole", 1)
    out = tmp_path / "out"
    with pytest.raises(Interruption):
        render(PLAN, out, 1, interrupt)
    assert not (out / "dataset.json").exists()
    first, gone, empty = sorted((out / "train" / "Tamil").iterdir())[:3]
    before = first.stat().st_mtime_ns
    gone.unlink()
    empty.write_bytes(b"")  # as a power cut leaves it
    with pytest.raises(
        ArgumentError, match=r"holds another interrupted rendering, .* delete .*out, or give a new folder"
    ):
        render(RenderPlan(12, 6, ("Tamil",), foreign=False), out, 1)
    full = gone.with_name(f".{gone.name}")
    full.symlink_to("/dev/full")
    with pytest.raises(
        ScriptkdError, match=rf"{gone.name}: No space left on device; free some space, then run the command again"
    ):
        render(PLAN, out, 1)
    assert not (out / "dataset.json").exists() and not gone.exists() and not full.is_symlink()
    seen: list[int] = []
    render(PLAN, out, 1, seen.append)
    assert digests(out) == digests(tmp_path / "whole") and sum(seen) == PLAN.total
    assert first.stat().st_mtime_ns == before  # kept, not drawn again
    with pytest.raises(ArgumentError, match="not an empty folder"):
        render(PLAN, out, 1)


def children(pid: int) -> list[int]:
    return [int(child) for path in Path(f"/proc/{pid}/task").glob("*/children") for child in path.read_text().split()]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="finds processes in Linux's /proc")
def test_killed_it_leaves_no_process_and_ran_nothing_of_the_folder(tmp_path: Path) -> None:
    for name in ("signal", "random", "bisect"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    command = [str(SCRIPTKD), "data", "render", "--words-per-script", "5000", "--workers", "2", "--out", "out"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 300
        while not list(tmp_path.glob("out/train/*/*.jpg")):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.1)
        workers = children(process.pid)
        assert len(workers) >= 2
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    time.sleep(2)
    left = [pid for pid in workers if alive(pid)]
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert not left
    assert not (tmp_path / "ran").exists()
    assert json.loads((tmp_path / "out" / "unfinished.json").read_text())["plan"]["words_per_script"] == 5000


def test_a_full_disk_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    write_file(path, "before")
    (tmp_path / ".report.json").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left on device") as caught:
        write_file(path, "after")
    assert caught.value.filename == str(path)
    assert [each.name for each in tmp_path.iterdir()] == ["report.json"] and path.read_text() == "before"
