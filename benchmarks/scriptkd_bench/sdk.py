"""What the Python SDK costs beyond the network itself: overhead, import, first answer, batches, memory."""

from __future__ import annotations

import gc
import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np

from scriptkd_sdk import ScriptIdentifier
from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.modelfile import INPUT, OUTPUT
from scriptkd_sdk.runtime import cpu_session

from .crop import Crop

PROCESSES = 15  # fresh ones of each kind
BATCH = 64
_STATM = Path("/proc/self/statm")
SETTLED = 20_000  # calls after which memory has reached its level
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Figure:
    """One figure. value: measured, in `unit`. aim: what it should be at most, or at least if `least`.

    One without an aim says what another can be at best.
    """

    name: str
    value: float
    unit: str
    aim: float | None
    least: bool = False

    @property
    def reached(self) -> bool | None:
        """Whether the value is as good as the aim; None without one."""
        if self.aim is None:
            return None
        return self.value >= self.aim if self.least else self.value <= self.aim


@dataclass(frozen=True)
class SdkCost:
    """All figures, and how they were taken: title -> text."""

    figures: list[Figure]
    facts: dict[str, str]

    def to_dict(self) -> dict[str, object]:
        """Everything, ready for JSON."""
        return {
            "facts": self.facts,
            "figures": [asdict(figure) | {"reached": figure.reached} for figure in self.figures],
        }


def check_measurable(model: Path) -> None:
    """Find what `measure_sdk` could not measure, before anything is timed.

    Raises ModelError for a file that the SDK does not take, ArgumentError for one that takes whole images, or where the
    system does not tell a process its memory.
    """
    if ScriptIdentifier(model).info.any_size:
        raise ArgumentError(f"{model} takes whole images: give --sdk a file whose pre-processing the SDK does")
    if not _STATM.exists():
        raise ArgumentError(f"--sdk measures memory by {_STATM}, which only Linux has")


def measure_sdk(model: Path, crop: Crop, repeats: int, calls: int, progress: Progress) -> SdkCost:
    """Take all figures of one model, on one thread, on one image.

    repeats: timed calls. calls: for the figure of memory, at least 1. progress(done, total) is called now and then.
    Raises what `check_measurable` raises.
    """
    check_measurable(model)
    figures = overheads(model, crop, repeats)
    figures += fresh_processes(model, crop.path)
    figures += batches(model, crop, max(repeats // 4, 10))
    figures.append(memory(model, crop, calls, progress))
    facts = {
        "overhead": "identify against cv2.imread, the pre-processing (or OpenCV's cvtColor and INTER_AREA resize) and "
        "session.run of the same model; p50 of differences of calls taken in turns",
        "fresh processes": f"p50 of {PROCESSES} each, in turns",
        "memory": f"resident memory after {calls:,} calls, less that after {min(SETTLED, calls // 2):,}",
    }
    return SdkCost(figures, facts)


def overheads(model: Path, crop: Crop, repeats: int) -> list[Figure]:
    """What identify takes more than its parts called by hand: on an array and on a file."""
    identifier = ScriptIdentifier(model)
    run = _bare_run(model)
    steps = identifier.preprocessing

    def ours(pixels: np.ndarray) -> object:
        return run(steps.apply(pixels)[None])

    def opencvs(pixels: np.ndarray) -> object:
        height, width = pixels.shape[:2]
        size = (steps.width_for(height, width), steps.height)
        if steps.channels == 1:
            small = cv2.resize(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), size, interpolation=cv2.INTER_AREA)[None]
        else:
            small = np.ascontiguousarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).transpose(2, 0, 1))
        return run(small[None])

    def read() -> np.ndarray:
        image = cv2.imread(str(crop.path))
        assert image is not None
        return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)

    pixels = read()
    array, parts, opencv, path, read_parts, read_opencv = _in_turns(
        [
            lambda: identifier.identify(pixels),
            lambda: ours(pixels),
            lambda: opencvs(pixels),
            lambda: identifier.identify(crop.path),
            lambda: ours(read()),
            lambda: opencvs(read()),
        ],
        repeats,
    )

    def over(calls: np.ndarray, base: np.ndarray) -> float:
        return 100 * float(np.median(calls - base) / np.median(base))

    return [
        Figure("identify(array) over pre-processing + session.run", over(array, parts), "%", 10),
        Figure("identify(array) over OpenCV's resize + session.run", over(array, opencv), "%", 10),
        Figure("identify(path) over imread + pre-processing + session.run", over(path, read_parts), "%", 15),
        Figure("identify(path) over imread + OpenCV's resize + session.run", over(path, read_opencv), "%", 15),
    ]


def fresh_processes(model: Path, image: Path) -> list[Figure]:
    """Import and first answer, each in a new process that starts with nothing imported."""
    bare = (
        "import cv2, numpy as np, onnxruntime\n"
        "options = onnxruntime.SessionOptions()\n"
        "options.intra_op_num_threads = options.inter_op_num_threads = 1\n"
        f"session = onnxruntime.InferenceSession({str(model)!r}, options, providers=['CPUExecutionProvider'])\n"
        "_, channels, height, width = session.get_inputs()[0].shape\n"
        f"image = cv2.imread({str(image)!r}, 0 if channels == 1 else 1)\n"
        "width = width if isinstance(width, int) else 128\n"
        "pixels = cv2.resize(image, (width, height)).reshape(1, height, width, channels).transpose(0, 3, 1, 2)\n"
        "(logits,) = session.run(['logits'], {'image': np.ascontiguousarray(pixels)})\n"
        "powers = np.exp(logits[0] - logits[0].max())\n"
        "print((powers / powers.sum()).max())\n"
    )
    sdk = (
        f"from scriptkd_sdk import ScriptIdentifier\nprint(ScriptIdentifier({str(model)!r}).identify({str(image)!r}))\n"
    )
    three = "import numpy, onnxruntime, cv2\n"
    scripts = {
        "nothing": "",
        "dependencies": three,
        "import": "import scriptkd_sdk\n",
        "import with onnxruntime": "import scriptkd_sdk, onnxruntime\n",
        "bare": bare,
        "sdk": sdk,
    }
    seconds: dict[str, list[float]] = {name: [] for name in scripts}
    with tempfile.TemporaryDirectory(prefix="scriptkd-bench-") as cache:
        # Installed packages are compiled; where this machine forbids that for the checkout, it would be timed as well.
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": cache, "PYTHONDONTWRITEBYTECODE": ""}
        for number in range(PROCESSES + 1):
            for name, code in scripts.items():
                started = time.perf_counter()
                subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, env=environment)
                if number:  # the first fills the cache
                    seconds[name].append(time.perf_counter() - started)
    taken = {name: statistics.median(times) for name, times in seconds.items()}
    start = taken["nothing"]  # of Python itself, which is not counted as import
    dependencies = taken["dependencies"] - start
    return [
        Figure(
            "import scriptkd_sdk, over numpy, onnxruntime and cv2", (taken["import"] - start) / dependencies, "x", 1.2
        ),
        Figure(
            "the same with onnxruntime, which the SDK imports when it opens a model",
            (taken["import with onnxruntime"] - start) / dependencies,
            "x",
            1.2,
        ),
        Figure(
            "first answer of a fresh process, over a bare onnxruntime script", taken["sdk"] / taken["bare"], "x", 1.3
        ),
    ]


def batches(model: Path, crop: Crop, repeats: int) -> list[Figure]:
    """How many times as many images a second identify_batch of 64 answers as identify, on one core.

    And what the network allows: the same of session.run alone, and a batch in which nothing else took time.
    """
    identifier = ScriptIdentifier(model)
    run = _bare_run(model)
    images = [crop.pixels] * BATCH
    one = identifier.preprocessing.apply(crop.pixels)[None]
    many = np.repeat(one, BATCH, axis=0)
    together, alone, run_together, run_alone = _in_turns(
        [
            lambda: identifier.identify_batch(images),
            lambda: [identifier.identify(image) for image in images],
            lambda: run(many),
            lambda: [run(one) for _ in images],
        ],
        repeats,
    )

    def times(slow: np.ndarray, fast: np.ndarray) -> float:
        return float(np.median(slow / fast))

    return [
        Figure(f"batches of {BATCH}, over single images", times(alone, together), "x", 1.5, least=True),
        Figure("the same of session.run alone", times(run_alone, run_together), "x", None),
        Figure("the same if a batch's session.run were all that it took", times(alone, run_together), "x", None),
    ]


def memory(model: Path, crop: Crop, calls: int, progress: Progress) -> Figure:
    """Growth of resident memory over many calls on images of many sizes."""
    identifier = ScriptIdentifier(model)
    height, width = crop.pixels.shape[:2]
    sizes = itertools.cycle([(height + 3 * i % 17, width + 7 * i % 61) for i in range(100)])
    images = [cv2.resize(crop.pixels, (wide, high)) for high, wide in itertools.islice(sizes, 100)]
    settled = min(SETTLED, calls // 2)
    before = 0.0
    for call, image in enumerate(itertools.islice(itertools.cycle(images), calls)):
        if call == settled:
            gc.collect()
            before = _resident()
        if call % 1000 == 0:
            progress(call, calls)
        identifier.identify(image)
    gc.collect()
    return Figure(f"growth of memory over {calls:,} calls", _resident() - before, "MB", 5)


def _resident() -> float:
    """Megabytes of this process that are in memory now."""
    pages = int(_STATM.read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _bare_run(model: Path) -> Callable[[np.ndarray], object]:
    session = cpu_session(model.read_bytes())
    return lambda batch: session.run([OUTPUT], {INPUT: batch})


def _in_turns(calls: list[Callable[[], object]], repeats: int) -> list[np.ndarray]:
    """Seconds that each call took, [repeats] for each; each is timed after two calls of its own that are not."""
    collecting = gc.isenabled()
    gc.disable()  # as timeit does
    try:
        seconds = np.empty((len(calls), repeats))
        for repeat in range(repeats):
            for row, call in enumerate(calls):
                call()
                call()
                started = time.perf_counter()
                call()
                seconds[row, repeat] = time.perf_counter() - started
    finally:
        if collecting:
            gc.enable()
    return list(seconds)
