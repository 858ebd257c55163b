"""Character errors without reading order, the truths of a folder, and runs that are continued."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("rapidfuzz")

from scriptkd_bench.page_errors import character_errors
from scriptkd_bench.page_truth import read_truths
from scriptkd_bench.pages import read_pages, rows
from scriptkd_sdk.errors import ArgumentError, ScriptkdError


@pytest.mark.parametrize(
    ("truth", "read", "errors"),
    [
        (["hello world", "नमस्ते"], ["नमस्ते", "hello  world"], 0),  # in another order
        (["one two", "three"], ["three", "two", "one"], 0),  # in other lines
        (["kitten"], ["sitting"], 3),
        (["abcd"], [], 4),
        ([], ["xy"], 2),
        (["aa", "aa"], ["aa"], 2),  # nothing is counted twice
    ],
)
def test_lines_are_matched_in_no_order(truth: list[str], read: list[str], errors: int) -> None:
    characters = sum(len(text.replace(" ", "")) for text in truth)
    assert character_errors(truth, read) == (errors, characters)


def a_page(folder: Path, name: str, text: str) -> None:
    cv2.imwrite(str(folder / f"{name}.png"), np.zeros((20, 30), np.uint8))
    (folder / f"{name}.txt").write_text(text, "utf-8")


def test_plain_text_tells_its_scripts_and_a_folder_without_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="holds no page with its text"):
        read_truths(tmp_path)
    a_page(tmp_path, "a", "Welcome\n\nयह\n")
    (truth,) = read_truths(tmp_path)
    assert truth.texts == ("Welcome", "यह") and truth.scripts == ("Latin", "Devanagari")
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(ArgumentError, match=r"a\.json is not a page's text"):
        read_truths(tmp_path)


def test_what_was_read_is_kept_and_a_failure_counts_as_unread(tmp_path: Path) -> None:
    methods = pytest.importorskip("scriptkd_bench.page_methods")
    a_page(tmp_path, "a", "abcd")
    a_page(tmp_path, "b", "efgh")
    asked: list[str] = []

    def read(pixels: np.ndarray, truth: object) -> list[str]:
        asked.append(truth.image.stem)  # type: ignore[attr-defined]
        if asked[-1] == "b":
            raise ScriptkdError("too long")
        return ["abxd"]

    method = methods.Method("m", "A method", {"version": 1}, read)
    truths = read_truths(tmp_path)
    for _ in range(2):
        readings = read_pages(truths, [method], tmp_path / "out", lambda line: None)
    assert asked == ["a", "b"]
    (row,) = rows(truths, readings)
    assert (row.errors, row.characters, row.pages) == (5, 8, 2)
    assert json.loads((tmp_path / "out" / "b.m.json").read_text("utf-8"))["problem"] == "too long"
    newer = methods.Method("m", "A method", {"version": 2}, read)
    read_pages(truths, [newer], tmp_path / "out", lambda line: None)
    assert asked == ["a", "b", "a", "b"]
