"""ALTO and hOCR, read back by a parser."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace

import pytest

from scriptkd_page import Page
from scriptkd_page.markup import alto, hocr

A = "{http://www.loc.gov/standards/alto/ns-v4#}"
H = "{http://www.w3.org/1999/xhtml}"


def test_alto_has_each_word_with_its_box_its_shape_and_a_tag_of_its_script(page: Page) -> None:
    root = ET.fromstring(alto(page))
    tags = {tag.attrib["ID"]: tag.attrib["LABEL"] for tag in root.iter(f"{A}OtherTag")}
    strings = list(root.iter(f"{A}String"))
    assert [tags[string.attrib["TAGREFS"]] for string in strings] == [word.script for word in page.words]
    assert [string.attrib["CONTENT"] for string in strings] == ["one", "இரண்டு", "", "three"]
    box = [int(strings[1].attrib[name]) for name in ("HPOS", "VPOS", "WIDTH", "HEIGHT")]
    assert box == [18, 0, 23, 14]
    shapes = [polygon.attrib["POINTS"] for polygon in root.iter(f"{A}Polygon")]
    assert shapes[1] == "20.5,0 40.5,4 38.5,14 18.5,10"
    assert [len(line) for line in root.iter(f"{A}TextLine")] == [2, 1, 1]
    ids = [element.attrib["ID"] for element in root.iter() if "ID" in element.attrib]
    assert len(ids) == len(set(ids))


def test_hocr_has_each_word_with_its_box_its_script_and_its_angle(page: Page) -> None:
    root = ET.fromstring(hocr(page))
    words = [span for span in root.iter(f"{H}span") if span.attrib["class"] == "ocrx_word"]
    assert [word.text for word in words] == ["one", "இரண்டு", None, "three"]
    assert [word.attrib["lang"] for word in words] == ["und-Latn", "und-Taml", "und-Zyyy", "und-Latn"]
    assert words[1].attrib["title"] == "bbox 18 0 41 14; poly 20.5 0 40.5 4 38.5 14 18.5 10"
    assert words[2].attrib["title"].endswith("; textangle 180")
    assert words[3].attrib["title"].endswith("; textangle 270")
    lines = [span for span in root.iter(f"{H}span") if span.attrib["class"] == "ocr_line"]
    assert [line.attrib["title"] for line in lines] == ["bbox 0 0 41 14", "bbox 0 0 10 10", "bbox 0 0 10 10"]


@pytest.mark.parametrize("write", [alto, hocr])
def test_what_xml_cannot_hold_is_kept_out_of_it(page: Page, write: Callable[[Page], bytes]) -> None:
    hostile = replace(page, name='<&"\udcff\n.png', words=(replace(page.words[0], text="<b>\x00&\ufffe"),))
    root = ET.fromstring(write(hostile))
    texts = [text for each in root.iter() for text in (each.text or "", each.attrib.get("CONTENT", ""))]
    assert "<b>\\x00&" in texts
    assert '<&"?\\n.png' in texts


def test_an_empty_page_is_written_too() -> None:
    empty = Page("e.png", 7, 5, (), ("no text was found",))
    assert not list(ET.fromstring(alto(empty)).iter(f"{A}String"))
    assert not list(ET.fromstring(hocr(empty)).iter(f"{H}span"))
