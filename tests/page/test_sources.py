"""Finding images and PDF files."""

from __future__ import annotations

from pathlib import Path

from scriptkd_page.sources import Source, find_sources
from scriptkd_sdk import ImageError


def lay_out(folder: Path) -> None:
    for name in ("b.PNG", "a.pdf", "notes.txt", ".hidden.png", "sub/c.jpg", "out/a.pdf.boxes.jpg"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"%PDF-1.7" if name.endswith("pdf") else b"image")


def names(folder: Path, recursive: bool) -> list[str]:
    found = find_sources([str(folder)], recursive, without=folder / "out")
    return [str(each.name) for each in found if isinstance(each, Source)]


def test_a_folder_gives_images_and_pdf_files_in_order_and_never_its_own_output(tmp_path: Path) -> None:
    lay_out(tmp_path)
    assert names(tmp_path, recursive=False) == ["a.pdf", "b.PNG"]
    assert names(tmp_path, recursive=True) == ["a.pdf", "b.PNG", "sub/c.jpg"]


def test_a_file_is_itself_and_a_pdf_is_known_by_its_content(tmp_path: Path) -> None:
    lay_out(tmp_path)
    (tmp_path / "scan").write_bytes(b"\n%PDF-1.4")
    files = [tmp_path / "scan", tmp_path / "b.PNG", tmp_path / "none.png"]
    found = list(find_sources(map(str, files), False, without=tmp_path / "out"))
    assert found == [Source(file, Path(file.name)) for file in files]
    assert [each.is_pdf for each in found if isinstance(each, Source)] == [True, False, False]


def test_a_folder_without_pages_is_an_error_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (error,) = find_sources([str(tmp_path)], False, without=tmp_path / "out")
    assert isinstance(error, ImageError)
    assert error.reason == "a folder without image or PDF files; -r looks into its folders too"
