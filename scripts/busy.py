"""Measures how much slower each command is beside one busy process, on two cores. Quiet and busy runs alternate.

    make bench-busy              the SDK, rendering, training, export and evaluation on small data
    make bench-busy DEMO=1       `make demo` alone: at most 6 minutes quiet and 15 busy

The machine must otherwise be quiet; the load average is printed. For comparison, GOMP_SPINCOUNT=300000 in the
environment lets OpenMP's idle threads spin, which is torch's default.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "build/busy"
CORES = 2
MOST = 2.5  # largest allowed ratio of busy to quiet time


@dataclass
class Command:
    """line: a command, run in the repository. writes: its output, deleted before each run. quiet, busy: seconds."""

    name: str
    line: str
    writes: Path | None = None
    limits: tuple[float, float] | None = None  # seconds, quiet and busy
    quiet: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        return statistics.median(self.busy) / statistics.median(self.quiet)

    @property
    def failed(self) -> bool:
        over = self.limits is not None and (max(self.quiet) > self.limits[0] or max(self.busy) > self.limits[1])
        return over or (self.limits is None and self.ratio > MOST)


DEMO = [Command("demo", "scripts/demo.sh", limits=(6 * 60, 15 * 60))]


def commands() -> list[Command]:
    """Return the commands in order: each uses the output of earlier ones."""
    words, digits, run = FOLDER / "words", FOLDER / "digits", FOLDER / "run"
    student = run / "student.pt"
    exported = FOLDER / "exported"
    return [
        Command("identify", "scriptkd identify samples"),
        Command("data render", f"scriptkd data render --out {words} --words-per-script 20 --seed 1", words),
        Command("data digits", f"scriptkd data digits --out {digits}", digits),
        Command("train", f"scriptkd train digits --data {digits} --out {run}", run),
        Command("evaluate", f"scriptkd evaluate {student} {digits}"),
        Command(
            "export", f"scriptkd-export --ckpt {student} --data {digits} --quantize int8 --out {exported}", exported
        ),
    ]


def seconds(command: Command) -> float:
    if command.writes is not None:
        shutil.rmtree(command.writes, ignore_errors=True)
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    started = time.perf_counter()
    done = subprocess.run(
        shlex.split(command.line), cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    taken = time.perf_counter() - started
    if done.returncode:
        raise SystemExit(f"{command.line} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-2000:]}")
    return taken


def spin() -> None:
    while True:
        pass


def seconds_beside_a_busy_loop(command: Command) -> float:
    other = multiprocessing.Process(target=spin, daemon=True)
    other.start()
    try:
        return seconds(command)
    finally:
        other.kill()
        other.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=3, help="runs in each condition; their median counts")
    parser.add_argument("--demo", action="store_true", help="`make demo` alone, once in each condition")
    parser.add_argument("--only", help="time only commands whose names begin with this; the others run once, untimed")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    print(f"load average before: {os.getloadavg()[0]:.1f}; {CORES} cores; seconds, medians", flush=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    measured = []
    for command in DEMO if options.demo else commands():
        if options.only and not command.name.startswith(options.only):
            seconds(command)
            continue
        for _ in range(1 if options.demo else options.repeats):
            command.quiet.append(seconds(command))
            command.busy.append(seconds_beside_a_busy_loop(command))
        quiet, busy = statistics.median(command.quiet), statistics.median(command.busy)
        verdict = "  TOO SLOW" if command.failed else ""
        print(
            f"{command.name:12} quiet {quiet:7.1f}  busy {busy:7.1f}  ratio {command.ratio:5.2f}{verdict}", flush=True
        )
        measured.append(command)
    sys.exit(any(command.failed for command in measured))


if __name__ == "__main__":
    main()
