"""scripts/differences.py reads the output of the platforms' tests, and writes no page if a test failed."""

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "scripts" / "differences.py"
SPEC = importlib.util.spec_from_file_location("differences", SCRIPT)
assert SPEC is not None and SPEC.loader is not None
differences = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(differences)

C = """246 vectors, fp32: largest difference from the golden scores 1.8e-07
246 vectors, int8: largest difference from the golden scores 0.0e+00
"""
NODE = """ok 1 - fp32
# 246 vectors, fp32 by onnxruntime-web: largest difference from the golden scores 2.1e-7
# 246 vectors, int8 by onnxruntime-web: largest difference from the golden scores 3e-3
# 246 vectors, fp32 by onnxruntime-node: largest difference from the golden scores 1.2e-7
# 246 vectors, int8 by onnxruntime-node: largest difference from the golden scores 0e+0
"""


def test_rows() -> None:
    assert differences.rows("C", C) == ["| C | 246 | 2e-07 | 0e+00 |"]
    assert differences.rows("Node.js", NODE) == [
        "| Node.js, onnxruntime-web | 246 | 2e-07 | 3e-03 |",
        "| Node.js, onnxruntime-node | 246 | 1e-07 | 0e+00 |",
    ]
    assert differences.rows("Java", "all tests passed") == []


@pytest.mark.parametrize(("second", "status"), [("cat printed", 0), ("false", 1), ("true", 1)])
def test_the_page(second: str, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "printed").write_text(C)
    page = tmp_path / "page.md"
    page.write_text("older")
    monkeypatch.setattr(differences, "ROOT", tmp_path)
    monkeypatch.setattr(differences, "PAGE", page)
    monkeypatch.setattr(differences, "COMMANDS", {"Python": "cat printed", "C": second})
    assert differences.main() == status
    assert page.read_text() == "older" if status else "\n| C | 246 | 2e-07 | 0e+00 |\n" in page.read_text()
