"""Writes sdk/contract/golden: images of ten scripts, and the results that every SDK must reproduce (`make golden`).

Without an option, only the results are computed again, from the committed images. The models are the bundled `student`
and its float32 form, which is made here. `--images` renders the images again. They are committed because another
machine's fonts would give other images.
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
