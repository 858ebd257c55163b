"""PDF in, and searchable PDF out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2
import pytest

from scriptkd_page import Page, Word
from scriptkd_page.pdf import PdfFile, is_pdf, replace_file, write_searchable
from scriptkd_sdk import ImageError

OWN = "There before"


def write_pdf(path: Path, width: float = 200, height: float = 100, pages: str = "[3 0 R]", more: str = "") -> Path:
    """A PDF by hand: a page with a word of its own, of a size in points; `more` stands in the trailer."""
    stream = f"BT /F 12 Tf 20 60 Td ({OWN}) Tj ET"
    count = pages.count("R")
    bodies = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids {pages} /Count {count} >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width} {height}] /Contents 4 0 R "
        "/Resources << /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream",
    ]
    content, places = b"%PDF-1.7\n", []
    for number, body in enumerate(bodies, 1):
        places.append(len(content))
        content += f"{number} 0 obj\n{body}\nendobj\n".encode()
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    end = (
        f"xref\n0 5\n0000000000 65535 f \n{table}trailer\n<< /Size 5 /Root 1 0 R {more} >>\nstartxref\n{len(content)}\n"
    )
    path.write_bytes(content + end.encode() + b"%%EOF\n")
    return path


def text_of(path: Path, number: int = 0) -> str:
    document = pypdfium2.PdfDocument(path)
    text = document[number].get_textpage().get_text_range()
    document.close()
    return str(text)


def refusal(path: Path) -> str:
    with pytest.raises(ImageError) as caught, PdfFile(path) as file:
        file.render(0)
    return str(caught.value)


def test_a_page_is_rendered_in_300_dots_an_inch(tmp_path: Path) -> None:
    with PdfFile(write_pdf(tmp_path / "a.pdf", 144, 72)) as file:
        pixels = file.render(0)
        assert len(file) == 1
    assert pixels.shape == (300, 600, 3) and pixels.dtype == np.uint8
    assert pixels.min() < 50 and pixels.max() == 255


def test_a_poster_is_rendered_in_fewer_dots(tmp_path: Path) -> None:
    with PdfFile(write_pdf(tmp_path / "a0.pdf", 2384, 3370)) as file:
        height, width, _ = file.render(0).shape
    assert 45e6 < height * width <= 50e6


def test_what_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "x.pdf"
    key = "(" + 32 * "k" + ")"
    locked = f"/Encrypt << /Filter /Standard /V 1 /R 2 /O {key} /U {key} /P -4 >> /ID [(i) (i)]"
    assert refusal(write_pdf(path, more=locked)) == f"{path}: an encrypted PDF; save it without its password"
    assert refusal(write_pdf(path, pages="[]")) == f"{path}: a broken or truncated PDF"
    many = f"[{10_001 * '3 0 R '}]"
    reason = "a PDF of 10,001 pages, but at most 10,000 are taken; split it"
    assert refusal(write_pdf(path, pages=many)) == f"{path}: {reason}"
    assert (
        refusal(write_pdf(path, 14400, 14400)) == f"{path}, page 1: a page of 200 x 200 inches is too large to be read"
    )
    whole = write_pdf(path).read_bytes()
    path.write_bytes(b"%PDF-1.7\n" + whole[60:80])
    assert refusal(path) == f"{path}: a broken or truncated PDF"
    path.write_bytes(b"")
    assert refusal(path) == f"{path}: a broken or truncated PDF"
    path.unlink()
    assert refusal(path) == f"{path}: cannot be read: No such file or directory"


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "huge.pdf")
    with open(path, "ab") as file:
        file.truncate(2_000_000_001)  # holds no blocks on disk
    assert refusal(path) == f"{path}: a PDF of more than 2,000 MB; split it"


def test_a_file_may_be_given_as_what_it_holds(tmp_path: Path) -> None:
    content = write_pdf(tmp_path / "a.pdf", 144, 72).read_bytes()
    with PdfFile(content) as file:
        assert file.render(0).shape == (300, 600, 3)
    with pytest.raises(ImageError, match=r"^s3://a\.pdf: a broken or truncated PDF$"):
        PdfFile(content[:80], "s3://a.pdf")


def test_a_pdf_is_known_by_its_first_bytes(tmp_path: Path) -> None:
    content = write_pdf(tmp_path / "a.pdf").read_bytes()
    assert is_pdf(content) and is_pdf(b"some mail\n" + content)
    assert not is_pdf(b"") and not is_pdf(2000 * b" " + content)


def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "a.json").mkdir()
    with pytest.raises(OSError):
        replace_file(tmp_path / "a.json", b"{}")
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def a_word(text: str, code: str = "Latn", left: float = 100, orientation: int = 0) -> Word:
    corners = np.array([[left, 100], [left + 300, 100], [left + 300, 160], [left, 160]])
    turned = np.roll(corners, -orientation // 90, axis=0)
    return Word(tuple((float(x), float(y)) for x, y in turned), code, code, 1.0, orientation, 0, text)


@pytest.mark.parametrize(
    ("text", "code"),
    [("Word", "Latn"), ("नमस्ते", "Deva"), ("السلام", "Arab"), ("שלום", "Hebr"), ("漢字", "Hani"), ("𑄌𑄋𑄴", "Cakm")],
)
def test_text_of_every_script_can_be_found_where_it_stands(tmp_path: Path, text: str, code: str) -> None:
    path = tmp_path / "s.pdf"
    page = Page("s.png", 800, 400, (a_word(text, code),))
    write_searchable([(0, page)], np.full((400, 800, 3), 255, np.uint8), path)
    document: Any = pypdfium2.PdfDocument(path)
    assert document[0].get_size() == (192, 96)  # 800 x 400 pixels at 300 an inch
    found = document[0].get_textpage()
    assert found.get_text_range() == text
    boxes = [found.get_charbox(index) for index in range(found.count_chars())]
    lefts, bottoms, rights, tops = np.array(boxes).T
    around = [lefts.min(), bottoms.min(), rights.max(), tops.max()]
    assert np.allclose(around, [24, 96 - 160 * 0.24, 96, 96 - 24], atol=0.6)
    assert document[0].render(scale=1).to_numpy().min() > 250  # and nothing of it is seen


@pytest.mark.parametrize("orientation", [90, 180, 270])
def test_turned_words_lie_as_they_do_in_the_picture(tmp_path: Path, orientation: int) -> None:
    path = tmp_path / "s.pdf"
    write_searchable(
        [(0, Page("s.png", 800, 400, (a_word("Word", orientation=orientation),)))],
        np.full((400, 800), 255, np.uint8),
        path,
    )
    document: Any = pypdfium2.PdfDocument(path)
    found = document[0].get_textpage()
    assert found.get_text_range() == "Word"
    left, bottom, right, top = found.get_charbox(0)
    first = {90: (right, top), 180: (right, bottom), 270: (left, bottom)}[orientation]
    assert np.allclose(first, {90: (96, 72), 180: (96, 57.6), 270: (24, 57.6)}[orientation], atol=1.5)


@pytest.mark.parametrize("turn", ["", "/Rotate 90", "/CropBox [50 0 200 100]"])
def test_pages_of_a_pdf_stay_below_the_text_turned_and_cropped_ones_too(tmp_path: Path, turn: str) -> None:
    source = write_pdf(tmp_path / "in.pdf")
    source.write_bytes(source.read_bytes().replace(b"/Contents 4 0 R", f"/Contents 4 0 R {turn}".encode()))
    path = tmp_path / "out.pdf"
    with PdfFile(source) as file:
        pixels = file.render(0)
        page = Page("in.pdf", pixels.shape[1], pixels.shape[0], (a_word("मेरा", "Deva", left=60),))
        write_searchable([(0, page)], file, path)
    with PdfFile(path) as after:
        assert np.array_equal(after.render(0), pixels)
    assert OWN in text_of(path) and "मेरा" in text_of(path)
    document: Any = pypdfium2.PdfDocument(path)
    found = document[0].get_textpage()
    at = found.get_text_range().index("म")
    box = found.get_charbox(at)
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    middle = {"": (60 * 0.24 + 9, 100 - 130 * 0.24)}.get(turn)
    assert middle is None or np.allclose((x, y), middle, atol=1)
    left, bottom, right, top = document[0].get_mediabox() if "Crop" not in turn else (50, 0, 200, 100)
    assert left <= x <= right and bottom <= y <= top
