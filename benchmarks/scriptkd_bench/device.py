"""A model's cost on the current device: latency by threads, energy if readable, and peak memory.

It is made for phones and small boards. It needs only the SDK's dependencies, and reads energy from Linux's files.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from scriptkd_sdk.modelfile import INPUT, ModelInfo
from scriptkd_sdk.runtime import cpu_session
from scriptkd_train.utils.cores import cores

from .crop import Crop, network_input
from .timing import WARM_UP, Latency

THREADS = (1, 2, 4)
SECONDS = 1.0  # least time of calls for each figure, since energy counters move only every few milliseconds
LEAST = 20  # calls at least, even of a slow model
_POWER = Path("/sys/class/power_supply")
_COUNTERS = Path("/sys/class/powercap")


@dataclass(frozen=True)
class DeviceRow:
    """One model with a number of threads. millijoules: of the whole processor for an image; None if not readable."""

    model: str
    precision: str
    threads: int
    run: Latency
    millijoules: float | None


def measure_device(
    models: list[tuple[str, Path, ModelInfo]], crop: Crop, progress: Callable[[int, int], None]
) -> list[DeviceRow]:
    """Time a bare session.run of each model (name, path, info) with 1, 2 and 4 threads.

    Thread counts above this process's number of cores are left out. `progress(done, total)` is called after each.
    """
    counts = [count for count in THREADS if count <= cores()]
    rows: list[DeviceRow] = []
    for model, path, info in models:
        prepared = network_input(info, crop.pixels)
        for count in counts:
            session = cpu_session(path.read_bytes(), count)
            for _ in range(WARM_UP):
                session.run(info.outputs, {INPUT: prepared})
            joules = energy()
            seconds: list[float] = []
            started = time.perf_counter()
            while len(seconds) < LEAST or time.perf_counter() - started < SECONDS:
                before = time.perf_counter()
                session.run(info.outputs, {INPUT: prepared})
                seconds.append(time.perf_counter() - before)
            spent = None if joules is None else joules(time.perf_counter() - started)
            latency = Latency(*(float(value) for value in 1000 * np.percentile(seconds, [50, 95])))
            millijoules = None if spent is None else 1000 * spent / len(seconds)
            rows.append(DeviceRow(model, info.precision, count, latency, millijoules))
            progress(len(rows), len(models) * len(counts))
    return rows


def governor() -> str:
    """Return the cores' frequency governors, such as "performance" or "4x schedutil, 4x walt"; empty if unknown."""
    files = sorted(Path("/sys/devices/system/cpu").glob("cpu[0-9]*/cpufreq/scaling_governor"))
    names = [name for name in map(_read, files) if name]
    kinds = {name: names.count(name) for name in names}
    return next(iter(kinds)) if len(kinds) == 1 else ", ".join(f"{count}x {name}" for name, count in kinds.items())


def peak_memory() -> str:
    """Return this process's peak memory, for people; empty if the system does not report it."""
    try:
        import resource
    except ImportError:  # Windows
        return ""
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return f"{size / 1e6:.0f} MB, of this process with all models"


def energy() -> Callable[[float], float] | None:
    """Start counting energy. Return a function from elapsed seconds to joules, or None if energy is not readable.

    Processors of Intel and AMD count energy with RAPL, which only root can read on Linux. A device that runs on its
    battery reports current and voltage. These two are read only at the end, since reading disturbs the measurement.
    """
    counters = [path for path in sorted(_COUNTERS.glob("*-rapl:[0-9]/energy_uj")) if _number(path) is not None]
    if counters:
        before = [_number(path) or 0.0 for path in counters]
        ranges = [_number(path.with_name("max_energy_range_uj")) or 0.0 for path in counters]

        def counted(seconds: float) -> float:
            after = [_number(path) or 0.0 for path in counters]
            steps = (b - a if b >= a else b - a + r for a, b, r in zip(before, after, ranges, strict=True))
            return sum(steps) / 1e6

        return counted
    for path in sorted(_POWER.glob("*")):
        discharging = _read(path / "type") == "Battery" and _read(path / "status") == "Discharging"
        if discharging and None not in (_number(path / "current_now"), _number(path / "voltage_now")):
            return partial(_drawn, path)
    return None


def _drawn(battery: Path, seconds: float) -> float:
    """Return the joules drawn at the present power: microamperes times microvolts. Makers differ in the sign."""
    return seconds * abs(_number(battery / "current_now") or 0.0) * (_number(battery / "voltage_now") or 0.0) / 1e12


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8").strip()
    except (OSError, ValueError):
        return ""


def _number(path: Path) -> float | None:
    try:
        return float(_read(path))
    except ValueError:
        return None
