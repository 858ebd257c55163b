"""Contact sheets: many small images in one PNG, for people to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.utils.files import write_file

TILE_WIDTH, TILE_HEIGHT = 148, 56  # pixels; a word of CVSI-2015 has a median of 114 x 39
GAP = 6
CAPTION_HEIGHT = 16
TITLE_WIDTH = 120
PAPER, INK = 255, 60
FONT, FONT_SCALE = cv2.FONT_HERSHEY_SIMPLEX, 0.45


@dataclass(frozen=True)
class Tile:
    """An image, uint8 RGB [H, W, 3] or gray [H, W], and the line below it. Non-ASCII characters print as "?"."""

    image: NDArray[np.uint8]
    caption: str = ""


def contact_sheet(rows: Sequence[Sequence[Tile]], titles: Sequence[str] = ()) -> NDArray[np.uint8]:
    """Lay out tiles in rows on a white uint8 RGB sheet [H, W, 3], with optional `titles` at the left of the rows.

    Images are scaled to fit their place with their aspect kept, and enlarged at most twice. Raises ArgumentError
    without tiles.
    """
    columns = max((len(row) for row in rows), default=0)
    if columns == 0:
        raise ArgumentError("a contact sheet needs at least one image")
    left = GAP + (TITLE_WIDTH if titles else 0)
    captions = any(tile.caption for row in rows for tile in row)
    step_x, step_y = TILE_WIDTH + GAP, TILE_HEIGHT + GAP + (CAPTION_HEIGHT if captions else 0)
    sheet = np.full((GAP + len(rows) * step_y, left + columns * step_x, 3), PAPER, np.uint8)
    for r, row in enumerate(rows):
        y = GAP + r * step_y
        if titles:
            _write(sheet, titles[r], GAP, y + TILE_HEIGHT // 2 + 4, TITLE_WIDTH)
        for c, tile in enumerate(row):
            x = left + c * step_x
            image = _fitted(tile.image)
            height, width = image.shape[:2]
            top, start = y + (TILE_HEIGHT - height) // 2, x + (TILE_WIDTH - width) // 2
            sheet[top : top + height, start : start + width] = image
            _write(sheet, tile.caption, x, y + TILE_HEIGHT + 12, TILE_WIDTH)
    return sheet


def write_png(path: str | Path, image: NDArray[np.uint8]) -> None:
    """Write a uint8 RGB image [H, W, 3] as PNG, and create the folder if needed. Raises OSError if that fails."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, cv2.imencode(".png", image[:, :, ::-1])[1].tobytes())


def _fitted(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    scale = min(TILE_WIDTH / width, TILE_HEIGHT / height, 2.0)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    fitted = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR).astype(np.uint8)
    return np.repeat(fitted[:, :, None], 3, axis=2) if fitted.ndim == 2 else fitted


def _write(sheet: NDArray[np.uint8], text: str, x: int, y: int, width: int) -> None:
    """Write one line with its baseline at y, narrowed if it is wider than its place."""
    text = text.encode("ascii", "replace").decode()
    (wide, _), _ = cv2.getTextSize(text, FONT, FONT_SCALE, 1)
    scale = FONT_SCALE * min(1.0, width / max(wide, 1))
    cv2.putText(sheet, text, (x, y), FONT, scale, (INK, INK, INK), 1, cv2.LINE_AA)
