"""Compares the time of pre-processing in Java and in Python: `make test-java && .venv/bin/python tests/java/speed.py`.

It prints median milliseconds of the thread's processor time, from pixels to the network's input. Java and Python take
turns. The pixels are random, so that no margin is trimmed.
"""

import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from scriptkd_sdk.crop import crops
from scriptkd_sdk.preprocess import Preprocessing

ROOT = Path(__file__).parents[2]
SDK = ROOT / "build/java/scriptkd-sdk.jar"
SIZES = {"84x64": 4000, "485x90": 1500, "1440x240": 300, "4000x3000": 15}  # and how often each is timed
ROUNDS = 3


def python(how: Preprocessing, runs: int, width: int, height: int) -> float:
    """Median milliseconds of the Python SDK."""
    image = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
    times = []
    for _ in range(runs):
        start = time.thread_time()
        seen, rows, _ = crops(image, how)
        for crop in seen:
            how.apply(crop, rows)
        times.append(1e3 * (time.thread_time() - start))
    return statistics.median(times)


def main() -> None:
    """Print a row for each format and size."""
    with tempfile.TemporaryDirectory() as classes:
        subprocess.run(["javac", "-cp", SDK, "-d", classes, ROOT / "tests/java/Speed.java"], check=True)
        command = ["java", "-cp", f"{classes}:{SDK}", "org.scriptkd.sdk.Speed"]
        print("format  size        Java ms  Python ms  ratio")
        for square_height in (None, 72):
            how = Preprocessing(1, 48, 48, 384, 24, square_height)
            for size, runs in SIZES.items():
                width, height = map(int, size.split("x"))
                arguments = [str(each) for each in (square_height or 0, runs, width, height)]
                ours, theirs = [], []
                for _ in range(ROUNDS):
                    ours.append(float(subprocess.check_output([*command, *arguments], text=True)))
                    theirs.append(python(how, runs, width, height))
                java, other = statistics.median(ours), statistics.median(theirs)
                print(f"{3 if square_height else 1}       {size:10}  {java:7.3f}  {other:9.3f}  {java / other:5.2f}")


if __name__ == "__main__":
    main()
