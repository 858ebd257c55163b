#!/usr/bin/env python3
"""Draws the README's picture: the sample words, each turned, above the default model's answers.

    .venv/bin/python scripts/readme-picture.py

It writes docs/words.png and prints how many answers are right.
"""

from pathlib import Path

import matplotlib
import numpy as np

from scriptkd_sdk import Prediction, ScriptIdentifier
from scriptkd_sdk.images import load_image

matplotlib.use("Agg")
from matplotlib import pyplot  # imported after Agg is chosen, which needs no window

ROOT = Path(__file__).resolve().parent.parent
COLUMNS = 5
WAYS = {0: "upright", 90: "turned by 90°", 180: "upside down", 270: "turned by 270°", None: "no telling"}


def caption(answer: Prediction) -> str:
    return f"{answer.script} {answer.score:.2f}\n{WAYS[answer.orientation]}"


def main() -> None:
    paths = sorted((ROOT / "samples").glob("*.jpg"))
    rows = -(-len(paths) // COLUMNS)
    figure, places = pyplot.subplots(rows, COLUMNS, figsize=(10, 1.45 * rows), layout="constrained")
    right = 0
    with ScriptIdentifier() as identifier:
        for place, (axes, path) in enumerate(zip(places.flat, paths, strict=True)):
            # The four orientations take turns, so that none is chosen for its good answer.
            quarters = place % 4
            image = np.rot90(load_image(path), -quarters)  # clockwise
            answer = identifier.identify(image)
            hit = answer.script.lower() == path.stem.split("-")[0] and answer.orientation == 90 * quarters
            right += hit
            axes.imshow(image, cmap="gray")
            axes.set_axis_off()
            axes.set_anchor("S")
            below = {"xy": (0.5, 0), "xycoords": "axes fraction", "xytext": (0, -3), "textcoords": "offset points"}
            axes.annotate(caption(answer), **below, ha="center", va="top", color="black" if hit else "firebrick")
    figure.savefig(ROOT / "docs" / "words.png", dpi=120, facecolor="white")
    print(f"docs/words.png: {right} of {len(paths)} words with the right script and orientation")


if __name__ == "__main__":
    main()
