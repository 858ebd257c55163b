"""The parity report: what was checked of a model file and what was found, as JSON beside it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from .verify import Check


def sha256(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def report_path(path: Path, passed: bool = True) -> Path:
    """Where the report of a model file lies. That of a failed export has another name: an older file may be there."""
    return path.with_name(f"{path.name}.parity{'' if passed else '-failed'}.json")


def write_report(path: Path, draft: Path, checks: list[Check], precision: str, compared: str) -> None:
    """Write the report of `draft`, which is to be the model file `path`, in place of any older one."""
    passed = all(check.passed for check in checks)
    content = {
        "file": path.name,
        "bytes": draft.stat().st_size,
        "sha256": sha256(draft),
        "precision": precision,
        "passed": passed,
        "compared_on": compared,
        "checks": [asdict(check) for check in checks],
        "versions": {package: version(package) for package in ("scriptkd", "torch", "onnx", "onnxruntime")},
    }
    report_path(path, passed=False).unlink(missing_ok=True)
    report_path(path, passed).write_text(json.dumps(content, indent=2, allow_nan=False) + "\n", "utf-8")
