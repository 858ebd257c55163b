"""The example for millions of pages, on this one machine, whose workers are killed; skipped where Ray is missing."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pypdfium2
import pytest

PHOTOS, SHEETS = 5, 3


def a_photo(path: Path, text: str) -> None:
    pixels = np.full((160, 420, 3), 240, np.uint8)
    cv2.putText(pixels, text, (30, 100), cv2.FONT_HERSHEY_SIMPLEX, 2, (20, 20, 20), 4, cv2.LINE_AA)
    cv2.imwrite(str(path), pixels)


def some_files(folder: Path) -> Counter[tuple[str, int | None]]:
    """Photographs, a PDF of several pages and files that cannot be used; returns the rows that they should give."""
    folder.mkdir()
    for number in range(PHOTOS):
        a_photo(folder / f"{number}.png", f"Photo {number}")
    document: Any = pypdfium2.PdfDocument.new()
    for _ in range(SHEETS):
        document.new_page(200, 100)
    document.save(folder / "book.pdf")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 and no more")
    (folder / "notes.txt").write_text("no image")
    rows: list[tuple[str, int | None]] = [(f"{number}.png", 1) for number in range(PHOTOS)]
    rows += [("book.pdf", number + 1) for number in range(SHEETS)]
    return Counter([*rows, ("broken.pdf", None), ("notes.txt", 1)])


@pytest.mark.slow
def test_each_page_is_a_row_once_though_workers_are_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, load_example: Callable[[str], ModuleType]
) -> None:
    """One is killed in a PDF, one at a photograph, and one after it wrote a file, before it could say so."""
    ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'ray[data]'")
    from pyarrow import parquet
    from ray.data._internal.datasource.parquet_datasink import ParquetDatasink

    expected = some_files(tmp_path / "files")
    log, deaths = tmp_path / "log", tmp_path / "deaths"
    deaths.mkdir()
    example = load_example("pages_with_ray")

    # Ray ships what is defined in here with its code; it would look for a function of this file in a module of its own.
    def die_once(of: str) -> None:
        try:
            (deaths / of).touch(exist_ok=False)
        except FileExistsError:
            return
        os.kill(os.getpid(), signal.SIGKILL)

    class Mortal(example.FindPages):  # type: ignore[name-defined]
        def page(self, path: str, number: int, load: Any) -> dict[str, Any]:
            name = Path(path).name
            with open(log, "a") as lines:
                lines.write(f"{name} {number}\n")
            row = super().page(path, number, load)
            if (name, number) in (("book.pdf", 2), ("4.png", 1)):
                die_once(name)
            return dict(row)

    class MortalSink(ParquetDatasink):  # type: ignore[misc]
        def write(self, *blocks: Any) -> None:
            super().write(*blocks)
            if any(Path(self.path).glob("**/*.parquet")):
                die_once("writer")

    monkeypatch.setattr(example, "FindPages", Mortal)
    monkeypatch.setattr(example, "BATCH", 2)
    monkeypatch.setattr("ray.data.dataset.ParquetDatasink", MortalSink)
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    # A block for each row, so that Ray has had some rows of a worker before it dies.
    monkeypatch.setattr(ray.data.DataContext.get_current(), "target_max_block_size", 1)
    try:
        example.find_pages(str(tmp_path / "files"), str(tmp_path / "answers"), workers=2, read=True)
    finally:
        ray.shutdown()
    assert {death.name for death in deaths.iterdir()} == {"book.pdf", "4.png", "writer"}
    begun = Counter(log.read_text().splitlines())
    assert begun["book.pdf 1"] >= 2 and begun["4.png 1"] >= 2  # a dead worker's file is done again from its start

    files = [path for path in (tmp_path / "answers").rglob("*") if path.is_file()]
    assert files and all(parquet.read_schema(file).equals(example.ANSWERS) for file in files)
    rows = [row for file in files for row in parquet.read_table(file).to_pylist()]
    assert Counter((Path(row["path"]).name, row["page"]) for row in rows) == expected
    for row in rows:
        name = Path(row["path"]).name
        words = row["words"]
        if name.endswith(".png"):
            assert {word["script"] for word in words} <= {"Latin", "unknown"}
            assert name[0] in "".join(word["text"] for word in words)
            assert (row["width"], row["height"], len(words[0]["corners"])) == (420, 160, 4)
        elif name == "book.pdf":
            assert (words, row["notes"], row["error"]) == ([], ["no text was found"], None)
        else:
            assert (words, row["error"] is None) == (None, False)


@pytest.mark.slow
def test_answers_are_not_added_to_those_of_an_earlier_run(
    tmp_path: Path, load_example: Callable[[str], ModuleType]
) -> None:
    ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'ray[data]'")
    some_files(tmp_path / "files")
    (tmp_path / "answers").mkdir()
    (tmp_path / "answers" / "old.parquet").write_bytes(b"")
    example = load_example("pages_with_ray")
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)
    try:
        with pytest.raises(ValueError, match="exists"):
            example.find_pages(str(tmp_path / "files"), str(tmp_path / "answers"), workers=1)
    finally:
        ray.shutdown()
    assert [path.name for path in (tmp_path / "answers").iterdir()] == ["old.parquet"]
