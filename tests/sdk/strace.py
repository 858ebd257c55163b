"""Runs a command under strace, and lists the files that it writes and the hosts that it calls."""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

CALLS = "open,openat,creat,mkdir,mkdirat,mknod,mknodat,link,linkat,symlink,symlinkat,rename,renameat,renameat2"
NETWORK = "socket,connect,sendto,sendmsg"

OPENED = re.compile(r'(?:open|openat|creat)\((?:[^"]*, )?"((?:[^"\\]|\\.)*)"(?:, ([A-Z_|]+))?.*\)\s+= \d')
MADE = re.compile(r'(?:mkdir|mknod|link|symlink|rename)\w*\(.*"((?:[^"\\]|\\.)*)".*\)\s+= 0')


def trace(command: Sequence[object], home: Path, cwd: Path) -> tuple[list[str], list[str]]:
    """Run a command that must succeed; return the paths that it wrote to, and its calls to the network.

    home: an empty folder for HOME and, within it, for temporary files. Devices and /proc are not counted, nor are
    __pycache__ folders, which Python is told not to write.
    """
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed, and without it nobody sees what a command writes")
    if subprocess.run([strace, "-qq", "-o", os.devnull, "true"], capture_output=True).returncode != 0:
        pytest.skip("strace may not watch processes here")
    temporary = home / "tmp"
    temporary.mkdir(parents=True)
    # As a user's machine has it: onnxruntime sends nothing where CI or a build service's variables are set.
    environment = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "PYTHONPATH") if name in os.environ}
    environment |= {"HOME": str(home), "TMPDIR": str(temporary), "PYTHONDONTWRITEBYTECODE": "1"}
    log = home.parent / f"{home.name}.strace"
    watch = [strace, "-f", "-qq", "-s", "4096", "-o", str(log), "-e", f"trace={CALLS},{NETWORK}", "-e", "signal=none"]
    done = subprocess.run([*watch, *map(str, command)], cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return _read(_whole_lines(log.read_text(errors="replace")))


def _whole_lines(log: str) -> list[str]:
    """The calls, one a line without the process's number; those that another process's interrupted are joined."""
    begun: dict[str, str] = {}
    lines = []
    for line in log.splitlines():
        process, _, call = line.partition(" ")
        call = call.strip()
        if call.endswith("<unfinished ...>"):
            begun[process] = call.removesuffix("<unfinished ...>")
            continue
        if resumed := re.match(r"<\.\.\. \w+ resumed>(.*)", call):
            call = begun.pop(process) + resumed[1]
        lines.append(call)
    return lines


def _read(calls: list[str]) -> tuple[list[str], list[str]]:
    written, network = [], []
    for call in calls:
        if re.match(r"(?:socket|connect|send)", call):
            network.append(call)
        elif opened := OPENED.match(call):
            if call.startswith("creat(") or re.search("O_WRONLY|O_RDWR|O_CREAT", opened[2] or ""):
                written.append(opened[1])
        elif made := MADE.match(call):
            written.append(made[1])
    return [path for path in written if not path.startswith(("/dev/", "/proc/"))], network
