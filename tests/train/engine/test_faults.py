"""A training that cannot write, that is killed, or whose files have names that are not UTF-8."""

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
import yaml

from scriptkd_train.models.checkpoint import load_checkpoint, save_atomically
from scriptkd_train.utils.cores import cores

INPUT = {"channels": 1, "height": 16, "width_min": 32, "width_max": 32}
STAGE = {"network": {"name": "textnet", "arguments": {"width": 0.25}}, "input": INPUT, "epochs": 2, "batch_size": 8,
         "optimizer": {"name": "adamw", "lr": 0.003}}  # fmt: skip
ONE_THREAD = {"OMP_NUM_THREADS": "1"}


def write_words(root: bytes, names: tuple[bytes, ...] = (b"0.png", b"1.png", b"2.png", b"3.png")) -> None:
    rng = np.random.default_rng(0)
    for split in (b"train", b"val"):
        for label in (b"Latin", b"Tamil"):
            folder = os.path.join(root, split, label)
            os.makedirs(folder)
            for name in names:
                with open(os.path.join(folder, name), "wb") as file:
                    file.write(cv2.imencode(".png", rng.integers(0, 255, (16, 32), np.uint8))[1].tobytes())


def command(folder: Path, data: bytes, out: bytes, *more: str, **changes: object) -> list[str | bytes]:
    recipe = folder / "recipe.yaml"
    recipe.write_text(yaml.safe_dump({"stages": {"student": {**STAGE, **changes}}}))
    return [sys.executable, "-m", "scriptkd_sdk.cli", "train", str(recipe), "--data", data, "--out", out, *more]


def run(command: list[str | bytes], **more: Any) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(command, capture_output=True, env={**os.environ, **ONE_THREAD}, **more)


def test_a_full_disk_leaves_the_old_file_and_names_its_place(tmp_path):
    path = tmp_path / "last.pt"
    save_atomically({"epoch": torch.tensor(1)}, path)
    draft = tmp_path / f".last.pt.{os.getpid()}"
    draft.symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left on device") as caught:
        save_atomically({"weights": torch.zeros(10_000)}, path)
    assert caught.value.filename == str(path)
    assert torch.load(path)["epoch"] == 1 and list(tmp_path.iterdir()) == [path]


def test_a_training_without_room_says_so_in_a_line_and_goes_on_later(tmp_path):
    write_words(os.fsencode(tmp_path / "data"))
    again = command(tmp_path, os.fsencode(tmp_path / "data"), os.fsencode(tmp_path / "run"))

    def no_room():
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))  # run.json fits in, last.pt does not

    refused = run(again, preexec_fn=no_room)
    assert refused.returncode == 2 and refused.stderr.decode().splitlines()[-1] == (
        f"error: {tmp_path / 'run' / 'student' / 'last.pt'}: File too large"
    )
    assert b"Traceback" not in refused.stderr
    assert not list((tmp_path / "run" / "student").glob(".*"))
    assert run(again).returncode == 0
    assert load_checkpoint(tmp_path / "run" / "student.pt").labels == ["Latin", "Tamil"]


def test_names_that_are_not_utf_8(tmp_path):
    data, out = (os.path.join(os.fsencode(tmp_path), name) for name in (b"w\xf6rter", b"l\xe4ufe"))
    write_words(data, (b"\xe9.png", b"\xe8.png", b"c.png"))
    done = run(command(tmp_path, data, out))
    assert done.returncode == 0, done.stderr.decode()
    assert b"no TensorBoard events" in done.stdout
    assert b"l\\udce4ufe/student.pt" in done.stdout
    assert os.path.exists(os.path.join(out, b"student.pt"))
    os.rename(os.path.join(data, b"train", b"Tamil"), os.path.join(data, b"train", b"Tam\xefl"))
    refused = run(command(tmp_path, data, out))
    assert refused.returncode == 2
    assert (
        refused.stderr.decode().splitlines()[-1]
        == "error: the folder b'Tam\\xefl' is not named in UTF-8: give it another name"
    )


def children_of(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def runs(process: int) -> bool:
    """Whether a process is there and no zombie, which waits for init alone: in a container that may take its time."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def wait_until(true, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.02)
    return bool(true())


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="reads /proc")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_the_processes_beside_the_first_one_end_with_it(tmp_path, how):
    write_words(os.fsencode(tmp_path / "data"))
    arguments = command(
        tmp_path, os.fsencode(tmp_path / "data"), os.fsencode(tmp_path / "run"), "--devices", "2", epochs=100_000
    )
    first = subprocess.Popen(
        arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **ONE_THREAD}
    )
    assert wait_until((tmp_path / "run" / "student" / "last.pt").exists, 400)
    (second,) = children_of(first.pid)
    first.send_signal(how)
    first.wait()
    try:
        assert wait_until(lambda: not runs(second), 2)
    finally:
        if runs(second):
            os.kill(second, signal.SIGKILL)


LOAD = """
if __name__ == "__main__":  # as in `scriptkd`, what takes seconds to import is not what a worker begins with
    import sys
    from pathlib import Path
    from scriptkd_sdk.preprocess import Preprocessing
    from scriptkd_train.data.dataset import Item
    from scriptkd_train.data.in_memory import load_in_memory

    items = [Item(Path(name), "Latin") for name in sys.argv[1:] for _ in range(500)]  # as many as one worker gets
    print(len(load_in_memory(items, ["Latin"], Preprocessing(1, 16, 32, 32, 1))))
"""


def test_reading_images_runs_nothing_of_the_current_folder(tmp_path):
    (tmp_path / "program.py").write_text(LOAD)
    scans = tmp_path / "scans"
    scans.mkdir()
    cv2.imwrite(str(scans / "word.png"), np.zeros((16, 32), np.uint8))
    (scans / "signal.py").write_text("open('was-run', 'w')\nraise SystemExit(3)\n")
    done = subprocess.run(
        [sys.executable, str(tmp_path / "program.py"), "word.png", "word.png"],
        cwd=scans,
        capture_output=True,
        text=True,
    )
    assert done.stdout == "1000\n", done.stderr
    assert not (scans / "was-run").exists()


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="reads /proc")
def test_workers_that_read_images_end_with_their_parent(tmp_path):
    (tmp_path / "program.py").write_text(LOAD)
    image = tmp_path / "large.png"  # so large that a worker reads its 500 for a minute
    cv2.imwrite(str(image), np.random.default_rng(0).integers(0, 256, (3000, 3000), np.uint8))
    parent = subprocess.Popen([sys.executable, str(tmp_path / "program.py"), *[str(image)] * 2])

    def workers() -> list[int]:
        children = children_of(parent.pid)
        return [each for each in children if b"spawn_main" in Path(f"/proc/{each}/cmdline").read_bytes()]

    assert wait_until(lambda: len(workers()) >= min(2, cores()), 400)
    time.sleep(1)  # into their work, or still at their imports
    started = workers()
    parent.kill()
    parent.wait()
    try:
        assert wait_until(lambda: not any(map(runs, started)), 2)
    finally:
        for each in filter(runs, started):
            os.kill(each, signal.SIGKILL)
