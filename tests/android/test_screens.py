"""android-demo/screens runs and draws the Android demo's screens on a desktop JVM, with Android's own framework."""

import os
import re
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from scriptkd_bench.cli import app

ROOT = Path(__file__).parents[2]
SCREENS = ROOT / "build" / "android" / "screens"
DETECTOR = ROOT / "build" / "android" / "assets" / "detector"
TESTS = ROOT / "android-demo" / "screens" / "java" / "org" / "scriptkd" / "demo"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        os.geteuid() != 0 and not all(map(shutil.which, ("javac", "mvn", "aapt"))), reason="needs a JDK, Maven and aapt"
    ),
]


@pytest.fixture(scope="module")
def screens() -> Path:
    result = subprocess.run([ROOT / "android-demo/screens/test.sh"], capture_output=True, text=True, check=False)
    if result.returncode == 75:  # something could not be downloaded
        pytest.skip(result.stderr)
    assert result.returncode == 0, result.stdout + result.stderr
    # The app without its text detector and with one that it cannot use, a turned photo, two models that it cannot use.
    assert result.stdout.count("\nOK (") == 5 + DETECTOR.exists()
    return SCREENS


def test_the_screens_were_drawn(screens: Path) -> None:
    sizes = {path.stem: struct.unpack(">II", path.read_bytes()[16:24]) for path in screens.glob("*.png")}
    assert sizes["phone-3-answer"] == (720, 1480)
    assert sizes["phone-5-turned"] == (1480, 720)
    run = [test for test in TESTS.glob("*.java") if DETECTOR.exists() or test.stem != "FoundWordsTest"]
    tests = "".join(test.read_text() for test in run)
    assert sizes.keys() == set(re.findall(r'shoot\(\w+, "([\w-]+)"\)', tests))


def test_the_shared_result_can_be_compared(screens: Path) -> None:
    path = str(screens / "benchmark.json")
    result = CliRunner().invoke(app, ["compare", path, path])
    assert result.exit_code == 0, result.output
    assert "student" in result.output
