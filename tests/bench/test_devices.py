"""Times that people measured on their devices, as a section of the page of counted instructions."""

import json
from pathlib import Path

import pytest

from scriptkd_bench.devices import devices_section
from scriptkd_sdk.errors import ArgumentError

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "RESULTS.json"


def test_nobody_has_sent_one(tmp_path: Path) -> None:
    section = devices_section(tmp_path / "devices")
    assert section.startswith("## Measured on devices\n") and section.endswith("\nNobody has sent one so far.\n")


def test_a_device(tmp_path: Path) -> None:
    report = json.loads(RESULTS.read_text())
    report["facts"] |= {"processor": "4x Cortex-A55", "date": "2026-12-24"}
    (tmp_path / "some-phone.json").write_text(json.dumps(report))
    section = devices_section(tmp_path)
    (row,) = (line for line in section.splitlines() if "| world |" in line)
    assert row.startswith("| some-phone | 4x Cortex-A55 |") and "| 2026-12-24 | world | int8-u8 |" in row
    (measured,) = (each["timing"]["run"] for each in report["rows"] if each["model"] == "world")
    assert row.endswith(f"| {measured['p50']:.3g} / {measured['p95']:.3g} |")
    assert "Nobody" not in section


def test_another_file(tmp_path: Path) -> None:
    (tmp_path / "notes.json").write_text("[]")
    with pytest.raises(ArgumentError, match=r"notes.json: not a JSON file that `scriptkd bench` wrote"):
        devices_section(tmp_path)
