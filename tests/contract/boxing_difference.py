"""Measures how much RapidOCR's boxes differ from the contract's on a folder of pages, for the same maps.

The pages need their truth beside them, as `scriptkd bench page-set` writes it: benchmarks/pages/set.
"""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import rapidocr
import typer
from boxing import boxes, input_size
from numpy.typing import NDArray
from PIL import Image
from rapidocr.ch_ppocr_det.utils import DBPostProcess

from scriptkd_page.ppocr import DETECTOR
from scriptkd_sdk.images import load_image

Corners = NDArray[np.float64]
COVERED = 0.7  # of a word's area: then it counts as found


def main(folder: Path) -> None:
    """Print a line for each page and one for all."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(Path(rapidocr.__file__).parent / "models" / DETECTOR[0], options)
    library = DBPostProcess(0.3, 0.5, 1000, 1.6, "fast", True)  # rapidocr's settings
    overlaps: list[float] = []
    totals = np.zeros(5, int)
    for path in sorted(folder.glob("*.jpg")):
        page = load_image(path)
        colour = page if page.ndim == 3 else np.stack([page] * 3, axis=2)
        height, width = page.shape[:2]
        small = np.asarray(Image.fromarray(colour).resize(input_size(width, height), Image.Resampling.BILINEAR))
        planes = (small[:, :, ::-1] / 127.5 - 1).astype(np.float32).transpose(2, 0, 1)[None]
        (map_,) = session.run(None, {session.get_inputs()[0].name: np.ascontiguousarray(planes)})
        ours = [np.array(box.corners) for box in boxes(map_[0, 0], width, height)]
        theirs = [np.asarray(each, np.float64) for each in library(map_, (height, width))[0]]
        words = [np.array(word["corners"]) for word in json.loads(path.with_suffix(".json").read_text())["words"]]
        best = [max((overlap(one, other) for other in theirs), default=0.0) for one in ours]
        overlaps += best
        counts = [len(ours), len(theirs), len(words), found(ours, words, page.shape), found(theirs, words, page.shape)]
        totals += counts
        print(f"{path.stem}: boxes {counts[0]} and {counts[1]}, least overlap {min(best, default=1):.3f}", flush=True)
    ours_, theirs_, all_, found_ours, found_theirs = totals.tolist()
    print(f"boxes: {ours_} by the contract, {theirs_} by RapidOCR")
    print(f"overlap with RapidOCR's: mean {np.mean(overlaps):.4f}, least {min(overlaps):.4f}")
    print(f"groups of words found: {found_ours} by the contract, {found_theirs} by RapidOCR, of {all_}")


def overlap(one: Corners, other: Corners) -> float:
    """Intersection over union of two convex shapes."""
    shared, _ = cv2.intersectConvexConvex(one.astype(np.float32), other.astype(np.float32))
    areas = cv2.contourArea(one.astype(np.float32)) + cv2.contourArea(other.astype(np.float32))
    return float(shared / (areas - shared))


def found(shapes: list[Corners], words: list[Corners], size: tuple[int, ...]) -> int:
    """How many words are covered."""
    covered = _filled(shapes, size)
    return sum(bool(covered[_filled([word], size) > 0].mean() >= COVERED) for word in words)


def _filled(shapes: list[Corners], size: tuple[int, ...]) -> NDArray[np.uint8]:
    mask = np.zeros(size[:2], np.uint8)
    for shape in shapes:
        cv2.fillPoly(mask, [np.round(shape).astype(np.int32)], 1)
    return mask


if __name__ == "__main__":
    typer.run(main)
