"""A page as ALTO XML and as hOCR, the two formats that libraries and OCR tools exchange."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from importlib.metadata import version

from scriptkd_page.page import RIGHT_TO_LEFT, Page, Word, shares
from scriptkd_sdk.errors import one_line

ALTO = "http://www.loc.gov/standards/alto/ns-v4#"
XHTML = "http://www.w3.org/1999/xhtml"


def alto(page: Page) -> bytes:
    """Return the page in ALTO 4, in pixels. A word's script is a tag, and words that were not read are empty."""
    ET.register_namespace("", ALTO)
    root = ET.Element(f"{{{ALTO}}}alto")
    about = _add(root, "Description")
    _add(about, "MeasurementUnit").text = "pixel"
    _add(_add(about, "sourceImageInformation"), "fileName").text = _clean(page.name)
    software = _add(_add(about, "Processing", {"ID": "scriptkd"}), "processingSoftware")
    _add(software, "softwareName").text = "scriptkd"
    _add(software, "softwareVersion").text = version("scriptkd")
    if page.words:
        tags = _add(root, "Tags")
        for each in shares(page.words):
            _add(tags, "OtherTag", {"ID": each.code, "TYPE": "script", "LABEL": each.script})
    size = {"WIDTH": str(page.width), "HEIGHT": str(page.height)}
    sheet = _add(_add(root, "Layout"), "Page", {"ID": "page", "PHYSICAL_IMG_NR": "1"} | size)
    space = _add(sheet, "PrintSpace", {"HPOS": "0", "VPOS": "0"} | size)
    if page.words:
        block = _add(space, "TextBlock", {"ID": "block"} | _alto_box(page.words))
        for number, line in enumerate(page.lines):
            row = _add(block, "TextLine", {"ID": f"line_{number}"} | _alto_box(line))
            for place, word in enumerate(line):
                told = {"ID": f"word_{number}_{place}", "TAGREFS": word.code, "CONTENT": _clean(word.text or "")}
                shape = _add(_add(row, "String", told | _alto_box([word])), "Shape")
                _add(shape, "Polygon", {"POINTS": " ".join(f"{x:g},{y:g}" for x, y in word.corners)})
    ET.indent(root)
    return bytes(ET.tostring(root, "UTF-8", xml_declaration=True))


def hocr(page: Page) -> bytes:
    """Return the page in hOCR 1.2, as XHTML. A word's script is in its `lang`, such as und-Deva."""
    ET.register_namespace("", XHTML)
    root = ET.Element(f"{{{XHTML}}}html")
    head = _add(root, "head")
    _add(head, "title").text = _clean(page.name)
    for name, content in {
        "ocr-system": f"scriptkd {version('scriptkd')}",
        "ocr-capabilities": "ocr_page ocr_line ocrx_word",
        "ocr-number-of-pages": "1",
        "ocr-scripts": " ".join(each.code for each in shares(page.words)),
    }.items():
        _add(head, "meta", {"name": name, "content": content})
    name = _clean(page.name).replace('"', "'")
    title = f'image "{name}"; bbox 0 0 {page.width} {page.height}; ppageno 0'
    sheet = _add(_add(root, "body"), "div", {"class": "ocr_page", "id": "page_1", "title": title})
    for number, line in enumerate(page.lines):
        row = _add(sheet, "span", {"class": "ocr_line", "id": f"line_{number}", "title": _bbox(line)})
        for place, word in enumerate(line):
            corners = " ".join(f"{x:g} {y:g}" for x, y in word.corners)
            # hOCR counts angles counterclockwise.
            angle = f"; textangle {360 - word.orientation}" if word.orientation else ""
            told = {
                "class": "ocrx_word",
                "id": f"word_{number}_{place}",
                "lang": f"und-{word.code}",
                "dir": "rtl" if word.code in RIGHT_TO_LEFT else "ltr",
                "title": f"{_bbox([word])}; poly {corners}{angle}",
            }
            _add(row, "span", told).text = _clean(word.text or "")
    ET.indent(root)
    return bytes(ET.tostring(root, "UTF-8", xml_declaration=True))


def _add(parent: ET.Element, tag: str, attributes: dict[str, str] | None = None) -> ET.Element:
    """Return a new child in its parent's namespace."""
    space = parent.tag.partition("}")[0]
    return ET.SubElement(parent, f"{space}}}{tag}", attributes or {})


def _clean(text: str) -> str:
    """Return a text without characters that XML cannot hold: control characters and lone surrogates."""
    return one_line(text.encode("utf-8", "replace").decode("utf-8")).translate({0xFFFE: None, 0xFFFF: None})


def _box(words: Sequence[Word]) -> tuple[int, int, int, int]:
    lefts, tops, rights, bottoms = zip(*(word.box for word in words), strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def _alto_box(words: Sequence[Word]) -> dict[str, str]:
    left, top, right, bottom = _box(words)
    return {"HPOS": str(left), "VPOS": str(top), "WIDTH": str(right - left), "HEIGHT": str(bottom - top)}


def _bbox(words: Sequence[Word]) -> str:
    return "bbox " + " ".join(map(str, _box(words)))
