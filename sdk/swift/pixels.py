"""Writes the golden vectors' pixels as raw bytes for the Swift tests, which cannot read PNG on Linux."""

import hashlib
import json
import sys
from pathlib import Path

import cv2
import numpy as np

GOLDEN = Path(__file__).resolve().parent.parent / "contract" / "golden"


def main(out: Path) -> None:
    """Write NAME.bin for each vector, and refused.json with the bytes of refused images that can be decoded."""
    out.mkdir(parents=True, exist_ok=True)
    for vector in json.loads((GOLDEN / "golden.json").read_text())["vectors"]:
        flag = cv2.IMREAD_GRAYSCALE if vector["channels"] == 1 else cv2.IMREAD_COLOR_RGB
        pixels = np.ascontiguousarray(cv2.imread(str(GOLDEN / vector["pixels"]), flag))
        if hashlib.sha256(pixels.tobytes()).hexdigest() != vector["pixels_sha256"]:
            sys.exit(f"{vector['pixels']}: OpenCV reads other pixels than golden.json names")
        (out / f"{vector['name']}.bin").write_bytes(pixels.tobytes())
    refused = []
    for path in sorted((GOLDEN / "refused").iterdir()):
        if path.suffix != ".onnx" and (image := decoded(path)) is not None:
            refused.append({"name": path.name, "width": image.shape[1], "height": image.shape[0]})
            (out / f"{path.name}.bin").write_bytes(image.tobytes())
    (out / "refused.json").write_text(json.dumps(refused))


def decoded(path: Path) -> np.ndarray | None:
    """Return an image's pixels, [height, width, 3] RGB; None if OpenCV refuses it."""
    try:
        return cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    except cv2.error:
        return None


main(Path(sys.argv[1]))
