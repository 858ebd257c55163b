"""The Python SDK's cost beyond the network: overhead, import, first answer, batches, memory."""

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
from scriptkd_sdk.modelfile import INPUT
from scriptkd_sdk.runtime import cpu_session

from .crop import Crop, network_input

PROCESSES = 15  # new processes of each kind
BATCH = 64
_STATM = Path("/proc/self/statm")
SETTLED = 20_000  # calls after which memory no longer rises
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Figure:
    """One figure. value: measured, in `unit`. aim: an upper limit, or a lower limit if `least`.

    A figure without an aim gives the best possible value of another figure.
    """

    name: str
    value: float
    unit: str
    aim: float | None
    least: bool = False

    @property
    def reached(self) -> bool | None:
        """Whether the value reaches the aim; None without an aim."""
        if self.aim is None:
            return None
        return self.value >= self.aim if self.least else self.value <= self.aim


@dataclass(frozen=True)
class SdkCost:
    """All figures, and facts on the measurement: title -> text."""

    figures: list[Figure]
    facts: dict[str, str]

    def to_dict(self) -> dict[str, object]:
        """Return all fields, ready for JSON."""
        return {
            "facts": self.facts,
            "figures": [asdict(figure) | {"reached": figure.reached} for figure in self.figures],
        }


def check_measurable(model: Path) -> None:
    """Check that `measure_sdk` can measure a model, before anything is timed.

    Raises ModelError for a file that the SDK refuses. Raises ArgumentError for a model file that pre-processes
    images itself, or if the system does not report a process's memory.
    """
    if ScriptIdentifier(model).info.any_size:
        raise ArgumentError(f"{model} takes whole images: give --sdk a file whose pre-processing the SDK does")
    if not _STATM.exists():
        raise ArgumentError(f"--sdk measures memory by {_STATM}, which only Linux has")


def measure_sdk(model: Path, crop: Crop, repeats: int, calls: int, progress: Progress) -> SdkCost:
    """Measure all figures of one model, on one thread and one image.

    repeats: timed calls. calls: for the figure of memory, at least 1. progress(done, total) is called from time to
    time. Raises the errors of `check_measurable`.
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
        "memory": f"growth of resident memory from call {min(SETTLED, calls // 2):,} to call {calls:,}",
    }
    return SdkCost(figures, facts)


def overheads(model: Path, crop: Crop, repeats: int) -> list[Figure]:
    """Measure identify's overhead over direct calls of its parts, on an array and on a file."""
    identifier = ScriptIdentifier(model)
    run = _bare_run(model)
    steps = identifier.preprocessing
    rows, width = network_input(identifier.info, crop.pixels).shape[-2:]
    size = int(width), int(rows)

    def ours(pixels: np.ndarray) -> object:
        return run(network_input(identifier.info, pixels))

    def opencvs(pixels: np.ndarray) -> object:
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
    """Measure import and first answer, each in a new process."""
    steps = ScriptIdentifier(model).preprocessing
    width = steps.width_min if steps.fixed_width else 128  # typical for a program without our pre-processing
    bare = (
        "import cv2, numpy as np, onnxruntime\n"
        "options = onnxruntime.SessionOptions()\n"
        "options.intra_op_num_threads = options.inter_op_num_threads = 1\n"
        f"session = onnxruntime.InferenceSession({str(model)!r}, options, providers=['CPUExecutionProvider'])\n"
        f"channels, height, width = {steps.channels}, {steps.height}, {width}\n"
        f"image = cv2.imread({str(image)!r}, 0 if channels == 1 else 1)\n"
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
        # Installed packages are compiled already. In a checkout without bytecode, compiling would be timed as well.
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": cache, "PYTHONDONTWRITEBYTECODE": ""}
        for number in range(PROCESSES + 1):
            for name, code in scripts.items():
                started = time.perf_counter()
                subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, env=environment)
                if number:  # the first run fills the cache
                    seconds[name].append(time.perf_counter() - started)
    taken = {name: statistics.median(times) for name, times in seconds.items()}
    start = taken["nothing"]  # Python's own start, which is not counted as import
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
    """Measure the throughput of identify_batch with 64 images relative to identify, on one core.

    Also measure the limit that the network sets: session.run alone, and a batch with no other cost.
    """
    identifier = ScriptIdentifier(model)
    run = _bare_run(model)
    images = [crop.pixels] * BATCH
    one = network_input(identifier.info, crop.pixels)
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
    """Measure the growth of resident memory over many calls on images of many sizes."""
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
    """Return this process's resident memory in megabytes."""
    pages = int(_STATM.read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _bare_run(model: Path) -> Callable[[np.ndarray], object]:
    outputs = ScriptIdentifier(model).info.outputs
    session = cpu_session(model.read_bytes())
    return lambda batch: session.run(outputs, {INPUT: batch})


def _in_turns(calls: list[Callable[[], object]], repeats: int) -> list[np.ndarray]:
    """Return for each call an array [repeats] of its seconds. Two untimed calls come before each timed one."""
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
