"""Worker processes end with their parent, and run no code from the folder that they are started in."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import get_all_start_methods
from pathlib import Path
from typing import IO

import cv2
import numpy as np
import pytest

PATIENCE = 2.0  # seconds after its parent's end in which a worker must end

KILLS = ["SIGTERM", "SIGKILL"]  # the second leaves a process no time to do anything

# What a console script is: it lies in another folder, so that Python's own rules put nobody's images on the path.
PROGRAM = "from scriptkd_sdk.cli import main\nif __name__ == '__main__':\n    main()\n"

# Workers in the middle of tasks that take ten minutes, and one without a task.
POOL = """
import os, sys, time
from scriptkd_sdk.processes import worker_pool

def task(seconds):
    os.write(1, b"working\\n")  # in one piece, whoever else writes
    time.sleep(seconds)

if __name__ == "__main__":
    with worker_pool(3, method=sys.argv[1]) as pool:
        for seconds in (600, 600, 0):
            pool.submit(task, seconds)
        time.sleep(600)
"""

# Workers that hold a pipe open, and another child that holds all that their parent held.
FORKS = """
import os, sys, time
from scriptkd_sdk.processes import worker_pool

def task(pipe):
    with open(pipe, "wb", buffering=0) as held:
        held.write(b"working\\n")
        time.sleep(600)

if __name__ == "__main__":
    with worker_pool(2) as pool:
        for _ in range(2):
            pool.submit(task, sys.argv[1])
        os.fork()
        time.sleep(600)
"""


@contextmanager
def started(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Start a command with processes of its own, none of which outlives the test."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True)
    assert process.stdout is not None
    with process.stdout:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):  # as it should be
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def all_end(pipe: IO[bytes], within: float) -> bool:
    """Whether so many seconds from now every process that could write to the pipe has ended."""
    deadline = time.monotonic() + within
    while select.select([pipe], [], [], max(deadline - time.monotonic(), 0))[0]:
        if not os.read(pipe.fileno(), 1 << 16):
            return True
    return False


@pytest.mark.parametrize("kill", KILLS)
@pytest.mark.parametrize("method", [each for each in get_all_start_methods() if each != "forkserver"])
def test_workers_end_with_their_parent(kill: str, method: str, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(POOL)
    with started([sys.executable, str(program), method]) as process:
        assert process.stdout is not None
        for _ in range(3):
            assert process.stdout.readline() == b"working\n"
        process.send_signal(getattr(signal, kill))
        assert all_end(process.stdout, PATIENCE)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_workers_end_though_another_child_holds_what_their_parent_held(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(FORKS)
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with started([sys.executable, str(program), str(path)]) as process, path.open("rb", buffering=0) as pipe:
        assert pipe.readline() == pipe.readline() == b"working\n"
        process.kill()
        assert all_end(pipe, PATIENCE)


@pytest.mark.parametrize("kill", KILLS)
def test_identify_leaves_no_workers(kill: str, model: Path, tmp_path: Path) -> None:
    image = tmp_path / "word.png"
    cv2.imwrite(str(image), np.full((20, 50), 120, np.uint8))
    program = tmp_path / "scriptkd.py"
    program.write_text(PROGRAM)
    command = [sys.executable, str(program), "identify", "--model", str(model), "--workers", "2", "--jsonl"]
    with started([*command, *[str(image)] * 5000]) as process:
        assert process.stdout is not None
        assert b"word.png" in process.stdout.readline()  # the rest is not read: all wait
        process.send_signal(getattr(signal, kill))
        assert all_end(process.stdout, PATIENCE)


def test_the_folder_that_a_command_is_started_in_runs_nothing(model: Path, tmp_path: Path) -> None:
    """Whatever name a module there has: those of the standard library, and those of what we import."""
    scans, elsewhere = tmp_path / "scans", tmp_path / "elsewhere"
    scans.mkdir()
    elsewhere.mkdir()
    ran = elsewhere / "ran"
    others = ["numpy", "cv2", "onnxruntime", "typer", "click", "rich", "scriptkd_sdk", "sitecustomize", "usercustomize"]
    for name in [*sys.stdlib_module_names, *others]:
        (scans / f"{name}.py").write_text(f"open({str(ran)!r}, 'a').write({name + chr(10)!r})\n")
    cv2.imwrite(str(scans / "word.png"), np.full((20, 50), 120, np.uint8))
    program = elsewhere / "scriptkd.py"
    program.write_text(PROGRAM)
    command = [sys.executable, str(program), "identify", ".", "--model", str(model), "--workers", "2"]
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    done = subprocess.run(command, cwd=scans, env=clean, capture_output=True, text=True)
    assert not ran.exists(), ran.read_text()
    assert done.returncode == 0 and "Latin" in done.stdout, done.stderr


def test_a_pool_of_another_program_runs_nothing_of_its_folder(tmp_path: Path) -> None:
    program = tmp_path / "elsewhere" / "program.py"
    program.parent.mkdir()
    program.write_text(
        "from scriptkd_sdk.processes import worker_pool\n"
        "if __name__ == '__main__':\n"
        "    with worker_pool(1) as pool: print(pool.submit(abs, -3).result())\n"
    )
    ran = tmp_path / "ran"
    (tmp_path / "signal.py").write_text(f"open({str(ran)!r}, 'a').write('signal')\n")
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    done = subprocess.run([sys.executable, str(program)], cwd=tmp_path, env=clean, capture_output=True, text=True)
    assert not ran.exists()
    assert done.stdout == "3\n", done.stderr
