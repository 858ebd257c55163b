"""The parity report: the checks of a model file and their results, as JSON beside it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from .verification import Check


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def report_path(path: Path, passed: bool = True) -> Path:
    """Return the path of a model file's report.

    Args:
        path: the model file.
        passed: False for the report of a failed file. Its name differs, so that it does not replace an older report.

    Returns:
        The report's path.
    """
    return path.with_name(f"{path.name}.parity{'' if passed else '-failed'}.json")


def write_report(path: Path, checks: list[Check], precision: str, compared: str) -> Path:
    """Write the report of a model file beside it, and return its path."""
    passed = all(check.passed for check in checks)
    content = {
        "file": path.name,
        "bytes": path.stat().st_size,
        "sha256": sha256(path),
        "precision": precision,
        "passed": passed,
        "compared_on": compared,
        "checks": [asdict(check) for check in checks],
        "versions": {package: version(package) for package in ("scriptkd", "torch", "onnx", "onnxruntime")},
    }
    report = report_path(path, passed)
    report.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n", "utf-8")
    return report
