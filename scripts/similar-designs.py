#!/usr/bin/env python3
"""Measures how similar font families are, and writes groups of the same design into synth/designs.json.

    .venv/bin/python scripts/similar-designs.py FONT_FOLDER...

Each letter of a script's probe is drawn, cropped to its ink, resized to 32 x 32 pixels and slightly blurred. The
similarity of two faces is the mean correlation of their letters' pictures. The similarity of two families is that of
their most similar faces. Families above 0.92, by average linkage, are one design. The held-out designs stay unchanged,
and the nearest other family of each is printed.
"""

from __future__ import annotations

import json
import sys
import unicodedata
from functools import partial
from multiprocessing import Pool
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy.cluster.hierarchy import fcluster, linkage  # type: ignore[import-untyped]
from scipy.spatial.distance import squareform  # type: ignore[import-untyped]

from scriptkd_train.synth import designs
from scriptkd_train.synth.fonts import PROBES, Face, find_faces

_NEAR = 0.92
_LETTERS, _FACES, _SIDE = 40, 6, 32  # letters of a script, faces of a family, pixels
_MISSING = 2  # letters that a face may lack


def _letter(font: ImageFont.FreeTypeFont, character: str) -> NDArray[np.float32] | None:
    """Return a letter's picture, float32 [1024] with mean 0 and norm 1; None if there is hardly any ink."""
    left, top, right, bottom = (int(side) for side in font.getbbox(character))
    if min(right - left, bottom - top) < 4:
        return None
    picture = Image.new("L", (right - left + 4, bottom - top + 4))
    ImageDraw.Draw(picture).text((2 - left, 2 - top), character, fill=255, font=font)
    ink = np.asarray(picture)
    rows, columns = np.nonzero(ink > 40)
    if len(rows) == 0:
        return None
    cut = ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    small = cv2.resize(cut, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    vector = cv2.GaussianBlur(small, (0, 0), 1.0).ravel()
    vector -= vector.mean()
    length = float(np.linalg.norm(vector))
    return vector / length if length > 0 else None


def _pictures(face: Face, letters: list[str]) -> NDArray[np.float32] | None:
    """Return float32 [letters, 1024], zeros for a letter without ink; None if the face cannot be used."""
    try:
        font = ImageFont.truetype(face.path, 64, index=face.index)
        drawn = [_letter(font, letter) for letter in letters]
    except OSError:
        return None
    if sum(each is None for each in drawn) > _MISSING:
        return None
    return np.stack([np.zeros(_SIDE * _SIDE, np.float32) if each is None else each for each in drawn])


def nearness(script: str, folders: list[str]) -> tuple[list[str], NDArray[np.float64]]:
    """Return the families' names and their similarities, float64 [n, n], 1 for the same letters."""
    letters = [c for c in PROBES[script] if unicodedata.category(c) in ("Lo", "Lu", "Ll")][:_LETTERS]
    faces: dict[str, list[Face]] = {}
    for face in find_faces(script, folders):
        faces.setdefault(face.family, []).append(face)
    pictures = {}
    for family in sorted(faces):
        drawn = [_pictures(face, letters) for face in faces[family][:_FACES]]
        if usable := [each.ravel() for each in drawn if each is not None]:
            pictures[family] = np.stack(usable) / np.sqrt(len(letters))
    names = list(pictures)
    near = np.eye(len(names))
    for i, one in enumerate(names):
        for j in range(i):
            most = float((pictures[one] @ pictures[names[j]].T).max())
            near[i, j] = near[j, i] = min(most, 1.0)  # rounding may exceed 1
    return names, near


def main(folders: list[str]) -> None:
    """Measure all scripts on all cores and write designs.json."""
    path = Path(designs.__file__).with_name("designs.json")
    held_out = {script: designs.held_out(script) for script in PROBES}
    groups: dict[str, list[list[str]]] = {}
    with Pool() as pool:
        for script, (names, near) in zip(PROBES, pool.imap(partial(nearness, folders=folders), PROBES), strict=True):
            distances = squareform(1 - near, checks=False)
            numbers = fcluster(linkage(distances, "average"), t=1 - _NEAR, criterion="distance")
            by_number: dict[int, list[str]] = {}
            for name, number in zip(names, numbers, strict=True):
                by_number.setdefault(int(number), []).append(name)
            groups[script] = sorted(group for group in by_number.values() if len(group) > 1)
            print(f"{script}: {len(names)} families, {len(by_number)} designs")
            for family in held_out[script]:
                if family in names:
                    place = names.index(family)
                    others = np.where(np.arange(len(names)) == place, -1.0, near[place])
                    print(f"  held out: {family}, nearest {names[int(others.argmax())]} ({others.max():.2f})")
                else:
                    print(f"  held out: {family}, which is not among these fonts")
    path.write_text(_text(held_out, groups), "utf-8")


def _text(held_out: dict[str, dict[str, str]], groups: dict[str, list[list[str]]]) -> str:
    """Return JSON with a line for each design."""

    def line(value: object) -> str:
        return json.dumps(value, ensure_ascii=False)

    fixed = ",\n".join(f"    {line(script)}: {line(splits)}" for script, splits in held_out.items())
    near = ",\n".join(
        f"    {line(script)}: [" + ",".join(f"\n      {line(group)}" for group in found) + ("\n    ]" if found else "]")
        for script, found in groups.items()
    )
    return f'{{\n  "held_out": {{\n{fixed}\n  }},\n  "near": {{\n{near}\n  }}\n}}\n'


if __name__ == "__main__":
    main(sys.argv[1:])
