"""All packages have one version, and scripts/versions.py names the file that differs."""

import importlib.metadata
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import scriptkd_sdk
from scriptkd_sdk.pins import pinned

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "scripts" / "versions.py"
NAMES = re.findall(r'^    "([\w./-]+)": ', SCRIPT.read_text(), re.MULTILINE)


def check(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, SCRIPT, folder], capture_output=True, text=True, check=False)


def test_all_packages_have_one_version() -> None:
    done = check(ROOT)
    assert (done.returncode, done.stderr) == (0, "")


def test_python_says_its_version() -> None:
    assert scriptkd_sdk.__version__ == importlib.metadata.version("scriptkd")


@pytest.mark.parametrize("name", NAMES)
def test_file_with_another_version_is_named(name: str, tmp_path: Path) -> None:
    for path in ["pyproject.toml", *NAMES]:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    changed = tmp_path / name
    changed.write_text(changed.read_text("utf-8").replace(scriptkd_sdk.__version__, "9.8.7"), "utf-8")
    done = check(tmp_path)
    assert done.returncode == 1
    assert {line.split()[1] for line in done.stderr.splitlines()} == {name}
    assert "9.8.7" in done.stderr


def test_a_version_that_is_pinned_is_written_once() -> None:
    pins = re.findall(r'"([\w-]+)==([\w.]+)"', (ROOT / "pyproject.toml").read_text("utf-8"))
    assert ("rapidocr", pinned("rapidocr")) in pins and len(pins) == len(set(pins))
    with pytest.raises(LookupError, match="no extra of scriptkd pins numpy"):
        pinned("numpy")  # a range, not a version
    sources = [
        path for folder in ("sdk", "train", "benchmarks") for path in (ROOT / folder).rglob("scriptkd_*/**/*.py")
    ]
    assert sources and not [path for path in sources if f'"{pinned("rapidocr")}"' in path.read_text("utf-8")]
