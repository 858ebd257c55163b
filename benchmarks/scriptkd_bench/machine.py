"""A description of the machine, without which latencies mean little."""

from __future__ import annotations

import os
import platform
from collections import Counter
from pathlib import Path

import cv2
import numpy as np

from scriptkd_sdk.runtime import import_onnxruntime

# Instruction sets that decide whether 8-bit arithmetic is faster: x86 first, then ARM.
_INSTRUCTIONS = ("avx2", "avx512f", "avx_vnni", "avx512_vnni", "amx_int8", "asimd", "asimddp", "i8mm")

# ARM's part numbers (implementer 0x41) of the cores that phones and boards have.
_ARM_PARTS = {
    0xD03: "A53",
    0xD04: "A35",
    0xD05: "A55",
    0xD07: "A57",
    0xD08: "A72",
    0xD09: "A73",
    0xD0A: "A75",
    0xD0B: "A76",
    0xD0D: "A77",
    0xD41: "A78",
    0xD44: "X1",
    0xD46: "A510",
    0xD47: "A710",
    0xD48: "X2",
    0xD4D: "A715",
    0xD4E: "X3",
    0xD80: "A520",
    0xD81: "A720",
    0xD82: "X4",
    0xD85: "X925",
    0xD87: "A725",
}


def describe_machine() -> dict[str, str]:
    """Return processor, cores, operating system and versions by name, ready to print."""
    return {
        "processor": _processor(),
        "instructions": " ".join(
            name for name in _INSTRUCTIONS if name in " ".join(_cpuinfo("flags", "Features")[:1]).split()
        )
        or platform.machine(),
        "cores": str(os.cpu_count()),
        "system": f"{_system()}, {platform.system()} {platform.release()}",
        "python": platform.python_version(),
        # Package metadata would not do: Termux and Linux distributions use other package names.
        "onnxruntime": import_onnxruntime().__version__,
        "numpy": np.__version__,
        "opencv": cv2.__version__,
    }


def _processor() -> str:
    """Return the processor's name; on ARM the board's name, if any, and the cores, such as "4x Cortex-A72"."""
    name = next((name for name in _cpuinfo("model name") if name), "")
    parts = Counter(int(part, 16) for part in _cpuinfo("CPU part"))
    kinds = [f"{count}x Cortex-{_ARM_PARTS.get(part, hex(part))}" for part, count in sorted(parts.items())]
    board = Path("/proc/device-tree/model")
    model = board.read_text("utf-8").strip("\0 \n") if os.access(board, os.R_OK) else ""
    return name or ", ".join([model, *kinds] if model else kinds) or platform.processor() or platform.machine()


def _cpuinfo(*keys: str) -> list[str]:
    """Return the values of the keys in /proc/cpuinfo, one for each processor; empty without Linux."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text("utf-8").splitlines() if path.is_file() else []
    pairs = (line.partition(":") for line in lines)
    return [value.strip() for key, _, value in pairs if key.strip() in keys]


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.platform()
