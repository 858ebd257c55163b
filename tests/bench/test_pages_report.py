"""`scriptkd bench pages` and its report, on methods whose errors are known beforehand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import typer
from typer.testing import CliRunner, Result

pytest.importorskip("rapidfuzz")
pytest.importorskip("rapidocr", reason="the extra [page] is not installed")

from scriptkd_bench import page_methods, pages_cli, pages_report
from scriptkd_bench.page_methods import Method
from scriptkd_bench.page_truth import Truth
from scriptkd_page import Page, Word, tesseract
from scriptkd_sdk.errors import ArgumentError, ScriptkdError

TEXTS = {"one": ["Welcome"], "two": ["Welcome", "यह"]}
app = typer.Typer()
app.command()(pages_cli.pages)


def a_page(folder: Path, name: str, way: int) -> None:
    cv2.imwrite(str(folder / f"{name}.png"), np.zeros((20, 30), np.uint8))
    corners = ((0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 9.0))
    words = tuple(Word(corners, "Latin", "Latn", 1.0, way, line, text) for line, text in enumerate(TEXTS[name]))
    (folder / f"{name}.json").write_text(json.dumps(Page(name, 30, 20, words).to_dict()), "utf-8")


def a_moment() -> None:
    """Milliseconds of processor time: the plot's axis of times is logarithmic, and has no place for none."""
    sum(range(200_000))


def right(pixels: np.ndarray, truth: Truth) -> list[str]:
    a_moment()
    return list(truth.texts)


def one_wrong(pixels: np.ndarray, truth: Truth) -> list[str]:
    a_moment()
    return ["Welcame", *truth.texts[1:]]


def too_long(pixels: np.ndarray, truth: Truth) -> list[str]:
    a_moment()
    raise ScriptkdError("took too long")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command, with three ways to read in the place of the real ones; Tesseract has no data of Devanagari."""
    (tmp_path / "set").mkdir()
    a_page(tmp_path / "set", "one", 0)
    a_page(tmp_path / "set", "two", 90)
    ways = [
        Method("all", "Everything right", {}, right),
        Method("osd", "One letter wrong", {}, one_wrong),
        Method("rapidocr", "Never ready", {"rapidocr": "1.2.3"}, too_long),
    ]
    monkeypatch.setattr(page_methods, "methods", lambda model: ways)
    monkeypatch.setattr(pages_report, "missing", lambda scripts: [f"{name} (its package)" for name in sorted(scripts)])
    monkeypatch.setattr(tesseract, "run", lambda command, given, seconds: "tesseract 9.9\n more")
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["set", "--out", "out", *arguments])

    return invoke


def test_the_table_has_each_ways_errors_over_all_pages_and_by_kind(run: Any) -> None:
    done = run()
    assert done.exit_code == 0, done.output
    text = Path("out/RESULTS.md").read_text("utf-8")
    assert done.stdout == f"{text}\nWritten: out/RESULTS.md, out/RESULTS.json, out/RESULTS.png\n"
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    # 7 and 9 characters: two wrong ones in 16, and where nothing was read all 16.
    assert [row[:3] for row in cells[2:5]] == [
        ["Everything right", "2", "0.0 %"],
        ["One letter wrong", "2", "12.5 %"],
        ["Never ready", "2", "100.0 %"],
    ]
    assert cells[5] == ["", "1 script (1)", "2 scripts (1)", "upright (1)", "turned by 90 (1)"]
    assert cells[8] == ["One letter wrong", "14.3", "11.1", "14.3", "11.1"]
    assert "- Scripts of these pages without Tesseract's data: Devanagari (its package)" in text
    for line in ("- Unread: two by Never ready: took too long", "- tesseract: 9.9", "- rapidocr: 1.2.3"):
        assert line in text.splitlines()
    rows = json.loads(Path("out/RESULTS.json").read_text("utf-8"))["rows"]
    assert [(row["method"], row["errors"], row["characters"]) for row in rows["all"]] == [
        ("all", 0, 16),
        ("osd", 2, 16),
        ("rapidocr", 16, 16),
    ]
    assert {name: len(own) for name, own in rows.items()} == dict.fromkeys(
        ("all", "1 script", "2 scripts", "upright", "turned by 90"), 3
    )
    plot = cv2.imread("out/RESULTS.png")
    assert plot is not None and plot.std() > 5


def test_fewer_pages_can_be_asked_for_and_what_was_read_is_kept(run: Any) -> None:
    assert run("--pages", "1").stderr.count("[1/1] one, ") == 3
    assert [line.split(",")[0] for line in run().stderr.splitlines()] == ["[2/2] two"] * 3


def test_a_folder_without_pages_is_refused(run: Any) -> None:
    Path("empty").mkdir()
    done = CliRunner().invoke(app, ["empty", "--out", "out"])
    assert isinstance(done.exception, ArgumentError)
    assert str(done.exception).startswith("empty holds no page with its text beside it")
