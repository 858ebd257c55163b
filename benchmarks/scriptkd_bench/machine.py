"""What the figures were measured on: latencies mean little without it."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

# These decide whether 8-bit arithmetic pays: x86 first, then ARM.
_INSTRUCTIONS = ("avx2", "avx512f", "avx_vnni", "avx512_vnni", "amx_int8", "asimd", "asimddp", "i8mm")


def describe_machine() -> dict[str, str]:
    """Processor, cores, operating system and versions, by name, ready to print."""
    return {
        "processor": _cpuinfo("model name") or platform.processor() or platform.machine(),
        "instructions": " ".join(name for name in _INSTRUCTIONS if name in _cpuinfo("flags", "Features").split())
        or platform.machine(),
        "cores": str(os.cpu_count()),
        "system": f"{_system()}, {platform.system()} {platform.release()}",
        "python": platform.python_version(),
        **{name: version(name) for name in ("onnxruntime", "numpy", "opencv-python-headless")},
    }


def _cpuinfo(*keys: str) -> str:
    """The first value of one of the keys in Linux's list of processors; empty elsewhere."""
    path = Path("/proc/cpuinfo")
    for line in path.read_text("utf-8").splitlines() if path.is_file() else ():
        key, _, value = line.partition(":")
        if key.strip() in keys:
            return value.strip()
    return ""


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.platform()
