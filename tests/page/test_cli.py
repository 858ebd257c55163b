"""`scriptkd page` on the command line: its output and files, continued runs, and refused input."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pypdfium2
import pytest
import typer
from typer.testing import CliRunner, Result

from scriptkd_page import Page, WordFinder, work
from scriptkd_page.cli import page as command
from scriptkd_sdk import ArgumentError

app = typer.Typer()
app.command()(command)
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run it in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(app, [str(each) for each in arguments])


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch, page: Page) -> list[str]:
    """In the place of the networks every image has the words of `page`; the names of those that were looked at."""
    names: list[str] = []

    def find(self: WordFinder, pixels: np.ndarray, name: str) -> Page:
        names.append(name)
        words = tuple(replace(word, text=None) for word in page.words)
        return Page(name, pixels.shape[1], pixels.shape[0], words)

    def read(page: Page, pixels: np.ndarray) -> Page:
        return replace(page, words=tuple(replace(word, text=f"a {word.script} word") for word in page.words))

    monkeypatch.setattr(WordFinder, "find", find)
    monkeypatch.setattr(work, "read_page", read)
    return names


def images(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(name, np.full((40, 60, 3), 255, np.uint8))


def a_pdf(path: str, pages: int) -> None:
    document: Any = pypdfium2.PdfDocument.new()
    for _ in range(pages):
        document.new_page(60, 40)
    document.save(path)


def test_each_page_gets_a_picture_and_json_and_all_of_them_a_table(run: Run, seen: list[str]) -> None:
    images("in/a.png", "in/sub/b.png")
    done = run("in", "-r", "--out", "out")
    assert done.exit_code == 0, done.output
    assert done.stderr.splitlines() == ["[1/2] in/a.png: 4 words or lines", "[2/2] in/sub/b.png: 4 words or lines"]
    assert done.stdout.splitlines() == [
        "script   code  boxes  share of area",
        "Tamil    Taml      2          40.9%",
        "Latin    Latn      4          39.4%",
        "unknown  Zyyy      2          19.7%",
    ]
    written = sorted(str(path) for path in Path("out").rglob("*") if path.is_file())
    assert written == ["out/a.png.boxes.jpg", "out/a.png.json", "out/sub/b.png.boxes.jpg", "out/sub/b.png.json"]
    fields = json.loads(Path("out/sub/b.png.json").read_text("utf-8"))
    assert fields["words"][1]["corners"] == [[20.5, 0.0], [40.5, 4.0], [38.5, 14.0], [18.5, 10.0]]
    assert Page.from_dict(fields).name == "in/sub/b.png"


def test_a_page_of_a_pdf_is_a_page(run: Run, seen: list[str]) -> None:
    a_pdf("two.pdf", 2)
    done = run("two.pdf", "--read", "--alto", "--hocr", "--pdf")
    assert done.exit_code == 0, done.output
    assert seen == ["two.pdf, page 1", "two.pdf, page 2"]
    assert done.stdout.startswith("a Latin word a Tamil word\na unknown word\na Latin word\n\n")
    written = {path.name for path in Path("pages").iterdir()}
    each = {f"two.pdf-000{n}{suffix}" for n in (1, 2) for suffix in (".json", ".boxes.jpg", ".alto.xml", ".hocr")}
    assert written == each | {"two.pdf.searchable.pdf"}
    document: Any = pypdfium2.PdfDocument("pages/two.pdf.searchable.pdf")
    assert ["a Latin word" in sheet.get_textpage().get_text_range() for sheet in document] == [True, True]


def test_what_is_done_is_not_done_again_until_something_changed(run: Run, seen: list[str]) -> None:
    images("in/a.png", "in/b.png")
    first = run("in")
    again = run("in")
    assert again.stdout == first.stdout
    assert again.stderr.splitlines()[0] == "[1/2] in/a.png: 4 words or lines, done earlier"
    assert seen == ["in/a.png", "in/b.png"]
    run("in", "--hocr")  # written from what is known
    assert Path("pages/a.png.hocr").exists() and len(seen) == 2
    cv2.imwrite("in/b.png", np.zeros((50, 60), np.uint8))
    Path("pages/a.png.json").write_text('{"half')
    run("in")
    assert seen[2:] == ["in/a.png", "in/b.png"]
    run("in", "--read")
    assert seen[4:] == ["in/a.png", "in/b.png"]
    run("in", "--read", "--model", "student")
    assert seen[6:] == ["in/a.png", "in/b.png"]


def test_words_that_no_reader_took_are_tried_again(run: Run, seen: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    images("a.png", "b.png")
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(work, "read_page", lambda page, pixels: replace(page, notes=("install the package x",)))
        done = run("a.png", "b.png", "--read")
    assert done.exit_code == 1
    assert done.stderr.count("note: install the package x\n") == 1
    assert run("a.png", "b.png", "--read").exit_code == 0
    assert len(seen) == 4


def test_what_cannot_be_used_is_one_line_and_an_empty_result_and_the_rest_is_done(run: Run, seen: list[str]) -> None:
    images("a.png")
    Path("broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    Path("broken.pdf").write_bytes(b"%PDF-1.7 and no more")
    Path("empty").mkdir()
    done = run("broken.png", "none.png", "broken.pdf", "empty", "a.png", "empty/../a.png")
    assert done.exit_code == 1
    *errors, fine, last = done.stderr.splitlines()
    assert [line.split(": ")[:2] for line in errors] == [
        ["error", "broken.png"],
        ["error", "none.png"],
        ["error", "broken.pdf"],
        ["error", "empty"],
    ]
    assert fine == "[5/6] a.png: 4 words or lines"
    assert (
        last == "error: empty/../a.png: another file of this name has its output in pages; give this one another --out"
    )
    empty = json.loads(Path("pages/broken.pdf.json").read_text("utf-8"))
    assert empty == {"name": "broken.pdf", "error": "a broken or truncated PDF", "words": []}


def test_a_page_without_words_says_why_and_is_no_failure(
    run: Run, seen: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    images("a.png")
    monkeypatch.setattr(WordFinder, "find", lambda self, pixels, name: Page(name, 60, 40, (), ("no text was found",)))
    done = run("a.png", "--read", "--pdf", "--alto", "--hocr")
    assert done.exit_code == 0, done.output
    assert done.stderr.splitlines() == ["[1/1] a.png: 0 words or lines", "note: a.png: no text was found"]
    assert done.stdout == ""
    assert json.loads(Path("pages/a.png.json").read_text("utf-8"))["words"] == []


def test_a_searchable_file_needs_text(run: Run) -> None:
    done = run("a.png", "--pdf")
    assert isinstance(done.exception, ArgumentError)


@pytest.mark.slow
def test_a_picture_of_a_sign_becomes_boxes_scripts_and_files(tmp_path: Path, sign: Any, run: Run) -> None:
    """The whole of it, with nothing replaced but the reader's absence or presence on this machine."""
    cv2.imwrite("sign.png", sign.pixels)
    done = run("sign.png")
    assert done.exit_code == 0, done.output
    assert {line.split()[0] for line in done.stdout.splitlines()[1:]} == {script for _, script, _ in sign.words}
    assert cv2.imread("pages/sign.png.boxes.jpg") is not None


@pytest.mark.slow
def test_bad_input_is_one_clear_line_and_an_empty_result(run: Run, render: Any) -> None:
    """Through the real networks. What else PDF files may have wrong is in test_pdf.py."""
    cv2.imwrite("digits.png", render([[("2026-11-30", "Latin")], [("4,500.00", "Latin")]]).pixels)
    cv2.imwrite("blank.png", np.full((200, 300), 255, np.uint8))
    cv2.imwrite("huge.png", np.full((7100, 7100), 255, np.uint8))
    cv2.imwrite("dot.png", np.full((1, 1), 255, np.uint8))
    Path("broken.pdf").write_bytes(b"%PDF-1.7 and no more")
    Path("empty.pdf").write_bytes(b"")
    names = ["digits.png", "blank.png", "huge.png", "dot.png", "broken.pdf", "empty.pdf"]
    done = run(*names, "--read", "--pdf")
    assert (done.exit_code, done.stdout) == (1, "")
    said = [line for line in done.stderr.splitlines() if not line.startswith("[")]
    assert said == [
        "note: digits.png: only digits and signs were found, which belong to no one script",
        "note: blank.png: no text was found",
        "error: huge.png: 7100x7100 pixels, but at most 50 million are allowed",
        "error: dot.png: 1x1 pixels, but at least 2x2 are needed",
        "error: broken.pdf: a broken or truncated PDF",
        "error: empty.pdf: empty: no bytes at all",
    ]
    for name in names:
        assert json.loads(Path(f"pages/{name}.json").read_text("utf-8"))["words"] == []


def test_the_sdk_imports_nothing_of_it() -> None:
    modules = ("scriptkd_page", "rapidocr", "pypdfium2", "PIL", "fontTools")
    code = (
        "import sys, scriptkd_sdk, scriptkd_sdk.cli; print([m for m in sys.modules if m in set(sys.argv[1].split())])"
    )
    done = subprocess.run([sys.executable, "-c", code, " ".join(modules)], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_without_the_extra_it_is_one_sentence() -> None:
    code = """
import importlib.util, sys
there = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name == "pypdfium2" else there(name, *more)
sys.argv = ["scriptkd", "page", "a.png"]
from scriptkd_sdk.cli import main
main()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == "error: scriptkd page needs the extra [page]: in a checkout, pip install '.[page]'\n"
