"""The Android demo's colours are those of `scriptkd page`."""

import re
from pathlib import Path

from scriptkd_page.picture import COLOURS

JAVA = Path(__file__).parents[2] / "android-demo/app/src/main/java/org/scriptkd/demo/Colours.java"


def test_a_script_has_the_colour_that_scriptkd_page_gives_it() -> None:
    found = re.findall(r'put\("(\w{4})", 0xFF(\w{6})\)', JAVA.read_text())
    assert {code: int(colour, 16) for code, colour in found} == COLOURS
