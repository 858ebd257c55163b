"""The picture of a page: every word in a box of its script's colour, and a legend below."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from scriptkd_page.page import Page, Share, shares
from scriptkd_sdk.images import Pixels

LONGEST = 1600  # pixels: the longer side of the page in the picture
GRAY = 0x6E6E6E
# RGB. Scripts that often stand on one page are far apart in colour.
COLOURS = {
    "Latn": 0x0057E7,
    "Deva": 0xD62D20,
    "Arab": 0x008744,
    "Hani": 0x8E24AA,
    "Cyrl": 0xF57C00,
    "Beng": 0x00ACC1,
    "Taml": 0xE91E8C,
    "Telu": 0x795548,
    "Hang": 0xAFB42B,
    "Hrkt": 0x3F2B96,
    "Grek": 0xC0A000,
    "Hebr": 0x26A69A,
    "Thai": 0x9E1B32,
    "Gujr": 0x5B8C00,
    "Guru": 0xFF6B6B,
    "Knda": 0x5F9BEA,
    "Mlym": 0xB76E79,
    "Orya": 0x1F6B57,
    "Sinh": 0xB388FF,
    "Khmr": 0xE0674C,
    "Laoo": 0x557A95,
    "Mymr": 0xC2185B,
    "Tibt": 0xFFB300,
    "Armn": 0x4E6B2F,
    "Ethi": 0xA0522D,
    "Geor": 0x7B5EA7,
}
LETTERS = 22  # pixels
GAP = 12  # pixels

Colour = tuple[int, int, int]


def colour(code: str) -> Colour:
    """The colour of a script, 0..255 RGB, the same on every page; gray for "unknown" and for scripts without one."""
    number = COLOURS.get(code, GRAY)
    return number >> 16, number >> 8 & 255, number & 255


def draw(page: Page, pixels: Pixels) -> Pixels:
    """Return the picture, uint8 [h, w, 3] RGB, at most 1600 pixels wide, and at most 1600 high plus a legend.

    The upper edge of the letters is drawn thick, which shows their orientation.

    Args:
        page: what was found.
        pixels: the page itself, uint8 [H, W, 3] RGB or [H, W] gray.
    """
    scale = min(1.0, LONGEST / max(page.width, page.height))
    size = max(1, round(page.width * scale)), max(1, round(page.height * scale))
    seen = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    picture = Image.fromarray(np.asarray(seen, np.uint8)).convert("RGB")
    pen = ImageDraw.Draw(picture)
    for word in page.words:
        corners = [(x * scale, y * scale) for x, y in word.corners]
        pen.line([*corners, corners[0]], fill=colour(word.code), width=2)
        pen.line(corners[:2], fill=colour(word.code), width=5)
    legend = _legend(shares(page.words), page.notes, picture.width)
    whole = Image.new("RGB", (picture.width, picture.height + legend.height), "white")
    whole.paste(picture, (0, 0))
    whole.paste(legend, (0, picture.height))
    return np.asarray(whole, np.uint8)


def _legend(found: Sequence[Share], notes: Sequence[str], width: int) -> Image.Image:
    font = ImageFont.load_default(LETTERS)
    texts: list[tuple[str, Colour | None]] = [
        (f"{each.script} {each.share:.0%}", colour(each.code)) for each in found
    ] or [(note, None) for note in notes]
    places: list[tuple[int, int]] = []
    x = y = GAP
    for text, swatch in texts:
        needed = (LETTERS + GAP // 2 if swatch else 0) + round(font.getlength(text))
        if x > GAP and x + needed + GAP > width:
            x, y = GAP, y + LETTERS + GAP
        places.append((x, y))
        x += needed + 2 * GAP
    legend = Image.new("RGB", (width, y + LETTERS + GAP), "white")
    pen = ImageDraw.Draw(legend)
    for (text, swatch), (x, y) in zip(texts, places, strict=True):
        if swatch:
            pen.rectangle((x, y, x + LETTERS, y + LETTERS), fill=swatch)
            x += LETTERS + GAP // 2
        pen.text((x, y + LETTERS // 2), text, fill="black", font=font, anchor="lm")
    return legend
