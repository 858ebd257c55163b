"""PDF files, by PDFium: their pages as pictures, and searchable files with invisible text over each page."""

from __future__ import annotations

import ctypes
import io
import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium

from scriptkd_page.page import RIGHT_TO_LEFT, Page, Word
from scriptkd_sdk.errors import ImageError
from scriptkd_sdk.images import Pixels
from scriptkd_sdk.pixels import LARGEST_SIDE, MOST_PIXELS

POINTS = 72  # an inch
SHARP, FAINTEST = 300, 100  # dots an inch: of most pages, and the least for a huge page, as fewer blur the print
MOST_BYTES = 2_000_000_000
MOST_PAGES = 10_000

QUALITY = 90  # of JPEG, for pages that are pictures
EM = 1000  # font units: the invisible letters' height
ADVANCE = 500  # font units: their width


def is_pdf(content: bytes) -> bool:
    """Whether a file's first bytes, 1,024 or more, contain a PDF's signature. Readers allow other bytes before it."""
    return b"%PDF-" in content[:1024]


class PdfFile:
    """A PDF file that is open for reading. Its pages are counted from 0."""

    def __init__(self, source: Path | bytes, name: str | None = None) -> None:
        """Open a file.

        Args:
            source: its path, or what it holds.
            name: its name in errors; a path is its own name.

        Raises:
            ImageError: it cannot be read, is encrypted, broken or huge.
        """
        self._name = name or (str(source) if isinstance(source, Path) else "PDF")
        try:
            if (len(source) if isinstance(source, bytes) else source.stat().st_size) > MOST_BYTES:
                raise ImageError(f"a PDF of more than {MOST_BYTES // 1_000_000:,} MB; split it", self._name)
            # For some broken files PDFium sets no error, and an earlier file's remains. So an error is set beforehand.
            pdfium.FPDF_LoadMemDocument(b"", 0, None)
            self.document = pypdfium2.PdfDocument(source)
        except OSError as error:
            raise ImageError(f"cannot be read: {error.strerror or error}", self._name) from error
        except pypdfium2.PdfiumError as error:
            locked = error.err_code == pdfium.FPDF_ERR_PASSWORD
            reason = "an encrypted PDF; save it without its password" if locked else "a broken or truncated PDF"
            raise ImageError(reason, self._name) from error
        if (pages := len(self.document)) > MOST_PAGES:
            self.document.close()
            raise ImageError(f"a PDF of {pages:,} pages, but at most {MOST_PAGES:,} are taken; split it", self._name)

    def __len__(self) -> int:
        return len(self.document)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.document.close()

    def render(self, number: int) -> Pixels:
        """Return a page as it is shown, uint8 [H, W, 3] RGB, at 300 dots per inch, or fewer if that is too large.

        Raises:
            ImageError: a broken page, or one that is too large to be read.
        """
        name = f"{self._name}, page {number + 1}"
        try:
            page = self.document[number]
            width, height = (side / POINTS for side in page.get_size())  # inches
            if not (width > 0 and height > 0):
                raise ImageError("a page without a size", name)
            dots = min(SHARP, math.sqrt(MOST_PIXELS / (width * height)) - 1, (LARGEST_SIDE - 1) / max(width, height))
            if dots < FAINTEST:
                raise ImageError(f"a page of {width:,.0f} x {height:,.0f} inches is too large to be read", name)
            pixels = page.render(scale=dots / POINTS, rev_byteorder=True).to_numpy()
        except pypdfium2.PdfiumError as error:
            raise ImageError("a broken page", name) from error
        return np.ascontiguousarray(pixels[:, :, :3])


def write_searchable(pages: Sequence[tuple[int, Page]], source: PdfFile | Pixels, path: Path) -> None:
    """Write a PDF file that looks like the source and whose text can be searched and copied.

    Args:
        pages: with text, each with its number, from 0.
        source: the PDF file, whose pages stay unchanged below the text; or the pixels of an image, uint8 [H, W, 3] RGB
            or [H, W] gray, of a single page.
        path: the file to write, whole or not at all.
    """
    if isinstance(source, PdfFile):
        document = pypdfium2.PdfDocument.new()
        document.import_pages(source.document)
    else:
        document = _of_picture(source)
    with _letters(document) as font:
        for number, found in pages:
            page = document[number]
            for word in found.words:
                if word.text:
                    _write(document, page, font, found, word)
            page.gen_content()
    content = io.BytesIO()
    document.save(content)
    document.close()
    replace_file(path, content.getvalue())


def replace_file(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: no reader, and no later run, ever sees half of it."""
    draft = path.with_name(f"{path.name}.part")
    try:
        draft.write_bytes(content)
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)  # the draft is still there if the disk is full, or `path` is a folder


def _of_picture(pixels: Pixels) -> Any:
    document = pypdfium2.PdfDocument.new()
    height, width = (side * POINTS / SHARP for side in pixels.shape[:2])
    page = document.new_page(width, height)
    bgr = pixels[:, :, ::-1] if pixels.ndim == 3 else pixels
    _, jpeg = cv2.imencode(".jpg", np.ascontiguousarray(bgr), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    image = pypdfium2.PdfImage.new(document)
    image.load_jpeg(io.BytesIO(jpeg.tobytes()))
    image.set_matrix(pypdfium2.PdfMatrix().scale(width, height))
    page.insert_obj(image)
    page.gen_content()
    return document


@contextmanager
def _letters(document: Any) -> Iterator[Any]:
    """Yield a font with blank letters of one width: the text should be found by search, not seen."""
    font = _blank_font()
    glyphs = bytes(2 * 0x10000)  # all codes are glyph 0
    # A code is one unit of UTF-16, and stands for itself as text.
    ranges = "".join(f"<{high:02X}00> <{high:02X}FF> <{high:02X}00>\n" for high in range(256))
    blocks = "".join(
        f"{len(part)} beginbfrange\n{''.join(part)}endbfrange\n"
        for part in (ranges.splitlines(keepends=True)[start : start + 100] for start in range(0, 256, 100))
    )
    cmap = (
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
        "/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
        f"1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n{blocks}"
        "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n"
    )
    loaded = pdfium.FPDFText_LoadCidType2Font(
        document,
        (ctypes.c_ubyte * len(font)).from_buffer_copy(font),
        len(font),
        cmap.encode("ascii"),
        (ctypes.c_ubyte * len(glyphs)).from_buffer_copy(glyphs),
        len(glyphs),
    )
    try:
        yield loaded
    finally:
        pdfium.FPDFFont_Close(loaded)


@cache
def _blank_font() -> bytes:
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    pen = TTGlyphPen(None)
    # A line without breadth cannot be seen, but has a box, from which viewers tell where a letter is.
    pen.moveTo((0, 0))
    pen.lineTo((ADVANCE, EM))
    pen.closePath()
    builder = FontBuilder(EM, isTTF=True)
    builder.setupGlyphOrder([".notdef"])
    builder.setupCharacterMap({})
    builder.setupGlyf({".notdef": pen.glyph()})
    builder.setupHorizontalMetrics({".notdef": (ADVANCE, 0)})
    builder.setupHorizontalHeader(ascent=EM, descent=0)
    builder.setupNameTable({"familyName": "Blank", "styleName": "Regular", "psName": "Blank"})
    builder.setupOS2()
    builder.setupPost()
    file = io.BytesIO()
    builder.save(file)
    return file.getvalue()


def _write(document: Any, page: Any, font: Any, found: Page, word: Word) -> None:
    """Lay a word's text over its box."""
    units = word.text.encode("utf-16-be") if word.text else b""
    codes = [int.from_bytes(units[at : at + 2], "big") for at in range(0, len(units), 2)]
    top, _, right, left = (_place(page, found, corner) for corner in word.corners)
    # Text of a script that is written from right to left is mirrored, so that its first letter is at the right.
    start, end = (right, left) if word.code in RIGHT_TO_LEFT else (left, right)
    size = math.dist(top, left)
    length = math.dist(start, end)
    if not size or not length:
        return
    along = ((end[0] - start[0]) / (len(codes) * ADVANCE / EM), (end[1] - start[1]) / (len(codes) * ADVANCE / EM))
    up = (top[0] - left[0], top[1] - left[1])
    text = pdfium.FPDFPageObj_CreateTextObj(document, font, 1.0)
    pdfium.FPDFText_SetCharcodes(text, (ctypes.c_uint32 * len(codes))(*codes), len(codes))
    pdfium.FPDFTextObj_SetTextRenderMode(text, pdfium.FPDF_TEXTRENDERMODE_INVISIBLE)
    matrix = pdfium.FS_MATRIX(*along, *up, *start)
    pdfium.FPDFPageObj_SetMatrix(text, matrix)
    pdfium.FPDFPage_InsertObject(page, text)


def _place(page: Any, found: Page, corner: tuple[float, ...]) -> tuple[float, float]:
    """Convert a point of the page's picture, in pixels, to the page's units. The page may be cropped and turned."""
    x, y = ctypes.c_double(), ctypes.c_double()
    at = (round(corner[0]), round(corner[1]))
    pdfium.FPDF_DeviceToPage(page, 0, 0, found.width, found.height, 0, *at, x, y)
    return x.value, y.value
