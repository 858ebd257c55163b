"""The page set: rendered photographs of signs and printed pages with two to four scripts, and their truth.

Fonts come from the renderer's current test split. Models older than that split may have learned from some of them.
Words come from the renderer's dictionaries. The truth of NAME.jpg is in NAME.json, in the format that `scriptkd page
--read` writes. So users can make the truth of their own pages by correcting that command's output.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from scriptkd_page.page import RIGHT_TO_LEFT, Page, Word
from scriptkd_sdk.scripts import script as script_of
from scriptkd_train.synth.backgrounds import draw_scenery
from scriptkd_train.synth.degradation import blur, noise
from scriptkd_train.synth.fonts import Face, faces_by_split
from scriptkd_train.synth.textures import colour_pair, gradient, print_colours, textured_background
from scriptkd_train.synth.typeset import require_shaping
from scriptkd_train.synth.words import words
from scriptkd_train.utils.files import write_file

# Scripts that occur together on real signs and pages; the first is the main one. All 26 of `world` are included.
MIXES = (
    ("Devanagari", "Latin"),
    ("Tamil", "Devanagari", "Latin"),
    ("Telugu", "Latin"),
    ("Kannada", "Devanagari", "Latin"),
    ("Bengali", "Latin", "Arabic"),
    ("Gujarati", "Devanagari", "Latin"),
    ("Gurmukhi", "Devanagari", "Arabic", "Latin"),
    ("Oriya", "Devanagari", "Latin"),
    ("Malayalam", "Latin"),
    ("Sinhala", "Tamil", "Latin"),
    ("Hebrew", "Arabic", "Latin"),
    ("Greek", "Latin", "Cyrillic"),
    ("Han", "Hangul", "Kana", "Latin"),
    ("Thai", "Lao", "Khmer", "Latin"),
    ("Georgian", "Armenian", "Cyrillic"),
    ("Ethiopic", "Myanmar", "Tibetan", "Latin"),
)
QUALITY = 72  # of JPEG
LONGEST_WORD = 12  # characters
TRIES = 400  # draws of words and a font for a piece, before the piece is given up

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class _Shape:
    """A page's layout in pixels. words: fewest and most words in a line."""

    width: int
    height: int
    letters: tuple[int, int]
    leading: float
    words: tuple[int, int]


SIGN = _Shape(900, 620, (48, 72), 1.75, (1, 2))
SHEET = _Shape(880, 960, (25, 29), 2.1, (3, 4))


def draw_page_set(out: Path, seed: int, progress: Callable[[int, int], None]) -> int:
    """Draw a sign and a printed page of every mix. They are turned by 0, 90, 180 and 270 degrees, in rotation.

    Args:
        out: the folder to write NAME.jpg and NAME.json to.
        seed: of all random choices.
        progress: called with the numbers of pages done and in all.

    Returns:
        The size of the pictures in bytes.

    Raises:
        ArgumentError: fonts, dictionaries or raqm are missing.
    """
    require_shaping()
    out.mkdir(parents=True, exist_ok=True)
    total = 0
    plans = [(kind, number) for kind in ("sign", "page") for number in range(len(MIXES))]
    for done, (kind, number) in enumerate(plans, 1):
        rng = np.random.default_rng((seed, done))
        turns = (number + (kind == "page")) % 4
        picture, page = _draw(rng, f"{kind}-{number + 1:02}", SIGN if kind == "sign" else SHEET, MIXES[number], turns)
        _, jpeg = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        write_file(out / f"{page.name}.jpg", jpeg.tobytes())
        write_file(out / f"{page.name}.json", json.dumps(page.to_dict(), ensure_ascii=False) + "\n")
        total += len(jpeg)
        progress(done, len(plans))
    return total


def _draw(
    rng: np.random.Generator, name: str, shape: _Shape, mix: tuple[str, ...], turns: int
) -> tuple[npt.NDArray[np.uint8], Page]:
    """Draw a page, uint8 [H, W, 3] RGB, and return it with its truth. turns: quarter turns clockwise."""
    ink, found = _set_lines(rng, shape, mix)
    height, width = ink.shape
    sign = shape is SIGN
    colour, ground = colour_pair(rng, 110.0) if sign else print_colours(rng)
    board = textured_background(rng, ground, height, width, 0.4 if sign else 0.25)
    board += ink[..., None] * (colour - board)
    margin = round(rng.uniform(0.04, 0.1) * width)
    size = (width + 2 * margin, height + 2 * margin)
    scenery = draw_scenery(rng, size[1], size[0])
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    seen = corners + margin + rng.uniform(-0.6, 0.6, (4, 2)).astype(np.float32) * margin
    camera = cv2.getPerspectiveTransform(corners, seen)
    inside = cv2.warpPerspective(np.ones((height, width), np.float32), camera, size)
    picture = scenery * (1 - inside[..., None]) + cv2.warpPerspective(board, camera, size) * inside[..., None]
    picture = picture * (1 + gradient(rng, size[1], size[0]) * rng.uniform(0.05, 0.25))[..., None]
    picture = noise(rng, blur(rng, picture, shape.letters[0], 0.8), 0.6)
    pixels = np.ascontiguousarray(np.rot90(np.clip(picture, 0, 255).astype(np.uint8), -turns))
    told = []
    for each in found:
        places = cv2.perspectiveTransform(np.array([each.corners], np.float32), camera)[0]
        for _ in range(turns):  # a quarter turn moves (x, y) in a picture of height h to (h - y, x)
            places = np.stack((-places[:, 1], places[:, 0]), axis=1)
        places += {0: (0, 0), 1: (size[1], 0), 2: size, 3: (0, size[0])}[turns]
        told.append(
            replace(
                each, corners=tuple((round(float(x), 1), round(float(y), 1)) for x, y in places), orientation=90 * turns
            )
        )
    return pixels, Page(name, pixels.shape[1], pixels.shape[0], tuple(told))


def _set_lines(rng: np.random.Generator, shape: _Shape, mix: tuple[str, ...]) -> tuple[Floats, list[Word]]:
    """Draw the text. Return its ink, float32 [H, W] in 0..1, and its pieces, each of adjacent words in one script."""
    canvas = Image.new("L", (shape.width, shape.height))
    pen = ImageDraw.Draw(canvas)
    letters = int(rng.integers(shape.letters[0], shape.letters[1] + 1))
    count = min(len(mix) + 1, 4) if shape is SIGN else int(shape.height / (shape.leading * letters)) - 1
    edge = shape.width // 20
    found: list[Word] = []
    type_of: dict[str, Face] = {}  # one face a script
    for line in range(count):
        # A sign's lines alternate between the scripts. A page is mostly in its main script, with words in the others.
        main = mix[line % len(mix)] if shape is SIGN or rng.random() < 0.4 else mix[0]
        baseline = round((line + 1) * shape.height / (count + 0.7))
        parts = [main]
        if shape is not SIGN or rng.random() < 0.25:
            others = [each for each in mix if each != main]
            parts = [main, others[int(rng.integers(len(others)))], main][: int(rng.integers(1, 4))]
        backwards = script_of(main).code in RIGHT_TO_LEFT
        room, at = shape.width - 2 * edge, edge
        for part in parts:
            many = int(rng.integers(shape.words[0], shape.words[1] + 1)) if part == main else 1
            piece = _piece(rng, part, many, letters, room, shape, type_of)
            if piece is None:
                break
            text, font = piece
            left, top, right, bottom = font.getbbox(text, anchor="ls")
            x = (shape.width - at - right if backwards else at - left, baseline)
            pen.text(x, text, fill=255, font=font, anchor="ls")
            box = (x[0] + left, baseline + top, x[0] + right, baseline + bottom)
            places = ((box[0], box[1]), (box[2], box[1]), (box[2], box[3]), (box[0], box[3]))
            found.append(Word(places, part, script_of(part).code, 1.0, 0, line, text))
            step = round(right - left + 0.5 * letters)
            room, at = room - step, at + step
    return np.asarray(canvas, np.float32) / np.float32(255), found


def _piece(
    rng: np.random.Generator,
    script: str,
    many: int,
    letters: int,
    room: int,
    shape: _Shape,
    type_of: dict[str, Face],
) -> tuple[str, ImageFont.FreeTypeFont] | None:
    """Draw words of a script that fit into `room` pixels. A page uses one face for each script.

    Returns None if no words fit.
    """
    pool, families = words(script), _families(script)
    for attempt in range(TRIES):
        many = max(1, many - (attempt > TRIES // 2))
        drawn = [pool[int(rng.integers(len(pool)))] for _ in range(many)]
        if max(map(len, drawn)) > LONGEST_WORD or min(map(len, drawn)) < 2:
            continue
        if shape is SIGN and rng.random() < 0.5:
            drawn[0] = drawn[0].capitalize()
        faces = families[int(rng.integers(len(families)))]
        face = type_of.get(script) or faces[int(rng.integers(len(faces)))]
        text = " ".join(drawn)
        if not face.covers(text):
            continue
        try:
            font = ImageFont.truetype(face.path, letters, index=face.index, layout_engine=ImageFont.Layout.RAQM)
            left, top, right, bottom = font.getbbox(text, anchor="ls")
        except OSError:  # FreeType rejects a face only when it first reads it
            continue
        if 0 < right - left <= room and bottom - top < shape.leading * letters:
            type_of[script] = face
            return text, font
    return None


@cache
def _families(script: str) -> list[list[Face]]:
    return list(faces_by_split(script)["test"].values())
