"""Writes sdk/contract/golden: images of ten scripts and what every SDK must make of them (`make golden`).

Without an option only the answers are made anew, from the images that lie there, with the model that the Python SDK
brings along and with its float32 form, which is made here. `--images` renders the images again, which needs the fonts:
another machine's fonts give other images, which is why they are committed.
"""

from __future__ import annotations

from typing import Annotated

import cv2
import onnx
import typer
from answers import FLOAT, GOLDEN, floating, write_answers
from images import draw_images

from scriptkd_sdk.images import load_image


def main(images: Annotated[bool, typer.Option("--images", help="Render the images again.")] = False) -> None:
    """Write the golden vectors."""
    cv2.setNumThreads(1)
    if images:
        draw_images(GOLDEN)
    pixels = {path.stem: load_image(path) for path in sorted((GOLDEN / "pixels").iterdir())}
    onnx.save(floating(), FLOAT)
    write_answers(pixels)


if __name__ == "__main__":
    typer.run(main)
