"""Writes sdk/contract/golden/words: maps such as a text detector gives, and the boxes that every SDK must find in them.

Without an option, only the boxes are computed again, from the maps in the folder. `--maps` draws the maps again.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import typer
from arithmetic import weights
from boxing import Map, boxes, input_size
from numpy.typing import NDArray

from scriptkd_sdk.images import load_image

GOLDEN = Path(__file__).parents[2] / "sdk" / "contract" / "golden"
WORDS = GOLDEN / "words"
SAMPLED = 1009  # of the bytes, one in so many: a prime, so that it meets all columns
INPUTS = [
    "arabic-00-rgb",
    "bengali-17-jpeg-poor",
    "devanagari-line",
    "latin-turned-90",
]  # of the golden images, whose inputs are sampled
SIZES = [(4000, 3000), (3000, 4000), (960, 960), (1066, 986), (640, 480), (16384, 2), (2, 2), (950, 16), (1919, 1081)]


def main(maps: Annotated[bool, typer.Option("--maps", help="Draw the maps again.")] = False) -> None:
    """Write the golden boxes."""
    if maps:
        draw_maps()
    rows = []
    for path in sorted(WORDS.glob("*.png")):
        probabilities = load_map(path)
        height, width = probabilities.shape
        size = picture_size(path.stem, width, height)
        found = [
            {"corners": np.round(box.corners, 4).tolist(), "score": round(box.score, 7)}
            for box in boxes(probabilities, *size)
        ]
        rows.append({"name": path.stem, "map": path.name, "width": size[0], "height": size[1], "boxes": found})
        print(f"{path.stem}: {len(found)} boxes")
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    heads = {"sizes": [[*size, *input_size(*size)] for size in SIZES], "inputs": [sampled(name) for name in INPUTS]}
    head = json.dumps(heads)[:-1]
    (WORDS / "words.json").write_text(f'{head},\n"maps": [\n{lines}\n]}}\n')


def load_map(path: Path) -> Map:
    """A map, float32 [H, W] from 0 to 1, out of a gray picture."""
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), np.float32) / np.float32(255)


def picture_size(name: str, width: int, height: int) -> tuple[int, int]:
    """Width and height of the picture that a map of that size belongs to: four times as large, or as the name says."""
    return {"stretched": (700, 500), "reduced": (width // 2, height // 2)}.get(name, (4 * width, 4 * height))


def sampled(name: str) -> dict[str, Any]:
    """The detector's input for a golden image: its size, and one in 1009 of its bytes before they are rounded."""
    image = load_image(GOLDEN / "pixels" / f"{name}.png")
    colour = image if image.ndim == 3 else np.stack([image] * 3, axis=2)
    width, height = input_size(image.shape[1], image.shape[0])
    planes = colour[:, :, ::-1].transpose(2, 0, 1).astype(float)  # B, G, R
    levels = (weights(image.shape[0], height) @ planes @ weights(image.shape[1], width).T).ravel()[::SAMPLED]
    return {"pixels": f"pixels/{name}.png", "width": width, "height": height, "levels": np.round(levels, 2).tolist()}


# --- the maps


def draw_maps() -> None:
    """Draw all maps."""
    WORDS.mkdir(exist_ok=True)
    for path in WORDS.glob("*.png"):
        path.unlink()
    for name, drawn in pictures().items():
        levels = np.floor(drawn.clip(0, 1) * 255 + 0.5).astype(np.uint8)
        cv2.imwrite(str(WORDS / f"{name}.png"), levels, [cv2.IMWRITE_PNG_COMPRESSION, 9])


def pictures() -> dict[str, NDArray[np.float64]]:
    """All maps by name, with values from 0 to 1."""
    made = {
        "empty": blank(96, 64),
        "full": blank(96, 64) + 1,
        "upright": word(blank(96, 64), (48, 32), (50, 14), 0),
        "standing": word(blank(64, 96), (32, 48), (12, 60), 0),
        "tilted-10": word(blank(128, 64), (64, 32), (90, 12), 10),
        "tilted-back-25": word(blank(128, 96), (64, 48), (90, 14), -25),
        "tilted-40": word(blank(128, 128), (64, 64), (110, 16), 40),
        "steep-70": word(blank(96, 128), (48, 64), (100, 13), 70),
        "round": word(blank(64, 64), (31.5, 33), (30, 30), 0, roundness=15),
        "at-the-edges": word(word(blank(96, 64), (5, 5), (40, 12), 0), (90, 58), (40, 12), 20),
        "faint": word(blank(96, 64), (48, 32), (50, 14), 0, strength=0.42),
        "faint-round-a-core": word(word(blank(96, 64), (48, 32), (60, 20), 0, strength=0.4), (48, 32), (48, 10), 0),
        "stretched": word(blank(128, 96), (60, 50), (80, 15), 30),
        "reduced": word(blank(192, 96), (90, 50), (130, 22), -7),
    }
    for gap in (1, 2):
        two = blank(96, 32)
        two[10:22, 10:40] = two[10:22, 40 + gap : 80] = 0.9
        made[f"gap-of-{gap}"] = two
    diagonal = blank(64, 64)
    diagonal[10:30, 5:45] = diagonal[31:37, 46:52] = 0.9
    made["diagonal-gap-of-1"] = diagonal
    thin = blank(96, 48)
    for top, height in ((8, 2), (18, 3), (30, 4)):
        thin[top : top + height, 10:80] = 0.9
    made["thin-of-2-3-and-4"] = thin
    ring = word(blank(96, 96), (48, 48), (70, 70), 0, roundness=34)
    made["ring"] = ring - word(blank(96, 96), (48, 48), (40, 40), 0, roundness=19)
    crescent = word(blank(96, 96), (48, 48), (70, 70), 0, roundness=34)
    made["crescent"] = crescent - word(blank(96, 96), (66, 36), (46, 46), 0, roundness=22)
    rng = np.random.default_rng(28)
    made["noise"] = rng.uniform(0, 0.6, (64, 96))
    made["specks"] = np.where(rng.uniform(0, 1, (64, 96)) > 0.98, 0.9, 0.05)
    made["one-line"] = line_of_words(blank(256, 48), rng, 24, 12, 0)
    page = blank(320, 240)
    for row in range(7):
        page = line_of_words(page, rng, 20 + 32 * row, 8 + row, 0)
    made["page"] = page + rng.uniform(0, 0.15, page.shape)
    made["page-tilted"] = tilted_page(rng, 6)
    made["columns"] = np.maximum(
        line_of_words(line_of_words(blank(256, 96), rng, 20, 10, 0), rng, 60, 10, 0),
        word(blank(256, 96), (246, 48), (10, 70), 0),
    )
    many = blank(256, 256)
    for number in range(36 * 36):
        top, left = 7 * (number // 36) + 2, 7 * (number % 36) + 2
        many[top : top + 4, left : left + (4 + (number % 5 == 0))] = 0.9
    made["more-than-1000"] = many
    return made


def blank(width: int, height: int) -> NDArray[np.float64]:
    return np.zeros((height, width))


def word(
    drawn: NDArray[np.float64],
    centre: tuple[float, float],
    size: tuple[float, float],
    degrees: float,
    *,
    strength: float = 0.95,
    roundness: float = 3,
) -> NDArray[np.float64]:
    """The map with a word more: a rectangle with round corners, turned clockwise, its edge a slope as of detectors."""
    y, x = np.indices(drawn.shape) + 0.5
    angle = np.deg2rad(degrees)
    right, down = x - centre[0], y - centre[1]
    along = np.abs(right * np.cos(angle) + down * np.sin(angle)) - (size[0] / 2 - roundness)
    across = np.abs(down * np.cos(angle) - right * np.sin(angle)) - (size[1] / 2 - roundness)
    outside = np.hypot(np.maximum(along, 0), np.maximum(across, 0)) + np.minimum(np.maximum(along, across), 0)
    return np.maximum(drawn, strength * (0.5 - (outside - roundness) / 2).clip(0, 1))


def line_of_words(
    drawn: NDArray[np.float64], rng: np.random.Generator, middle: float, height: float, degrees: float
) -> NDArray[np.float64]:
    """The map with a line of words of several lengths."""
    left = 12.0
    while (length := float(rng.uniform(2, 6)) * height) + left < drawn.shape[1] - 12:
        place = left + length / 2
        drawn = word(drawn, (place, middle + np.tan(np.deg2rad(degrees)) * place), (length, height), degrees)
        left += length + float(rng.uniform(0.6, 1.2)) * height
    return drawn


def tilted_page(rng: np.random.Generator, degrees: float) -> NDArray[np.float64]:
    page = blank(320, 256)
    for row in range(6):
        page = line_of_words(page, rng, 24 + 30 * row, 11, degrees)
    return page


if __name__ == "__main__":
    typer.run(main)
