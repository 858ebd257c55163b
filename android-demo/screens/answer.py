"""Draws answer.png for the README from what `make apk-screens` drew: `.venv/bin/python android-demo/screens/answer.py`.

An answer by day beside one by night, at half their size. The milliseconds in it differ from run to run.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

HERE = Path(__file__).parent
DRAWN = HERE.parents[1] / "build" / "android" / "screens"
SCREENS = ("phone-3-answer.png", "phone-6-night.png")
GAP = 16  # pixels of white between them


def main() -> None:
    """Write answer.png beside this file."""
    day, night = (half(DRAWN / name) for name in SCREENS)
    gap = np.full((len(day), GAP, 3), 255, np.uint8)
    cv2.imwrite(str(HERE / "answer.png"), np.hstack([day, gap, night]))


def half(path: Path) -> np.ndarray:
    """A screen at half its size, uint8 [H, W, 3]."""
    screen = cv2.imread(str(path))
    if screen is None:
        raise SystemExit(f"{path.name} is not in build/android/screens: run make apk-screens first")
    return cv2.resize(screen, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)


if __name__ == "__main__":
    main()
