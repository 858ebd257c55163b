"""Measurements of `scriptkd bench` on small devices, and the comparison of two measurements."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from scriptkd_bench import device
from scriptkd_bench.cli import app
from scriptkd_bench.compare import compare
from scriptkd_bench.crop import drawn_crop
from scriptkd_bench.device import energy, measure_device
from scriptkd_bench.models import bundled
from scriptkd_sdk import ScriptIdentifier
from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.utils.cores import cores


def test_threads_beyond_the_cores_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "SECONDS", 0.0)
    candidate = bundled()[0]
    info = ScriptIdentifier(candidate.path).info
    steps: list[tuple[int, int]] = []
    model = (candidate.name, candidate.path, info)
    rows = measure_device([model], drawn_crop(tmp_path), lambda *step: steps.append(step))
    assert [row.threads for row in rows] == [count for count in (1, 2, 4) if count <= cores()]
    assert all(0 < row.run.p50 <= row.run.p95 for row in rows)
    assert steps[-1] == (len(rows), len(rows))


def test_counted_energy_wraps_around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zone = tmp_path / "intel-rapl:0"
    zone.mkdir()
    (zone / "energy_uj").write_text("9000000\n")
    (zone / "max_energy_range_uj").write_text("10000000\n")
    monkeypatch.setattr(device, "_COUNTERS", tmp_path)
    joules = energy()
    assert joules is not None
    (zone / "energy_uj").write_text("9500000\n")
    assert joules(1.0) == pytest.approx(0.5)
    (zone / "energy_uj").write_text("1000000\n")
    assert joules(1.0) == pytest.approx(2.0)


@pytest.mark.parametrize(("status", "watts"), [("Discharging", 2.0), ("Charging", None)])
def test_battery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: str, watts: float | None) -> None:
    battery = tmp_path / "supply" / "battery"
    battery.mkdir(parents=True)
    values = {"type": "Battery", "status": status, "current_now": "-500000", "voltage_now": "4000000"}
    for name, value in values.items():
        (battery / name).write_text(value + "\n")
    monkeypatch.setattr(device, "_COUNTERS", tmp_path / "none")
    monkeypatch.setattr(device, "_POWER", tmp_path / "supply")
    joules = energy()
    assert (None if joules is None else joules(1.0)) == watts


def report(path: Path, milliseconds: float, cores: str) -> Path:
    latency = {"p50": milliseconds, "p95": 2 * milliseconds}
    timing = {"run": latency, "identify_array": latency, "identify_path": latency}
    row = {"model": "student", "precision": "int8", "timing": timing}
    by_threads = [{"model": "student", "precision": "int8", "threads": 2, "run": latency, "millijoules": None}]
    content = {"facts": {"cores": cores, "python": "3.11"}, "rows": [row], "device": by_threads}
    path.write_text(json.dumps(content))
    return path


def test_compare(tmp_path: Path) -> None:
    console = Console(record=True, width=120, quiet=False)
    compare((report(tmp_path / "pi.json", 3.0, "4"), report(tmp_path / "phone.json", 1.5, "8")), console)
    text = console.export_text()
    assert "pi p50/p95 ms" in text and "phone p50/p95 ms" in text
    (line,) = (line for line in text.splitlines() if "2 threads" in line)
    assert line.split() == ["student", "int8", "2", "threads", "3/6", "1.5/3", "2.00"]
    assert "cores" in text and "python" not in text  # only what differs


def test_compare_refuses_what_it_cannot_read(tmp_path: Path) -> None:
    good, console = report(tmp_path / "good.json", 1.0, "4"), Console()
    with pytest.raises(ArgumentError, match=r"missing\.json: cannot be read"):
        compare((good, tmp_path / "missing.json"), console)
    for content in ("no JSON", "[]", "{}", '{"facts": {}, "rows": [1]}', '{"facts": 3, "rows": []}'):
        (tmp_path / "bad.json").write_text(content)
        with pytest.raises(ArgumentError, match=r"bad\.json: not a JSON file that"):
            compare((good, tmp_path / "bad.json"), console)


def test_compare_is_a_sub_command(tmp_path: Path) -> None:
    one, two = str(report(tmp_path / "pi.json", 3.0, "4")), str(report(tmp_path / "phone.json", 1.5, "8"))
    shown = CliRunner().invoke(app, ["compare", one, two])
    assert shown.exit_code == 0 and "2 threads" in shown.output, shown.output
    assert CliRunner().invoke(app, ["compare", one]).exit_code == 2
    for arguments, words in ((["--help"], ["--threads", "compare"]), (["compare", "--help"], ["A.json", "B.json"])):
        text = CliRunner().invoke(app, arguments).output
        assert all(word in text for word in words), text


def test_bench_runs_with_the_base_install_alone(tmp_path: Path) -> None:
    """On a phone there is no torch: nothing that an extra brings may be imported."""
    program = """
import sys
extras = "torch torchvision timm lightning_fabric matplotlib PIL yaml fontTools onnx onnxscript onnxsim"
sys.modules |= dict.fromkeys(extras.split())  # importing one of them is now an ImportError
import scriptkd_bench.device
scriptkd_bench.device.SECONDS = 0.0
from scriptkd_sdk.cli import main
main()
"""
    command = [sys.executable, "-c", program, "bench", "--repeats", "20", "--out", str(tmp_path / "results.md")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    written = json.loads((tmp_path / "results.json").read_text("utf-8"))
    assert {"processor", "cores", "onnxruntime", "peak memory"} <= written["facts"].keys()
    assert written["device"][0]["threads"] == 1
    compare((tmp_path / "results.json", tmp_path / "results.json"), Console())
