"""Latency of several models in one process. They take turns, so that other load affects all of them alike."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scriptkd_sdk import ScriptIdentifier
from scriptkd_sdk.modelfile import INPUT
from scriptkd_sdk.runtime import cpu_session

from .crop import Crop, network_input

LEAST = 20  # repeats at least, even for a slow model
SECONDS = 20.0  # for a model at most, once the least repeats are done
WARM_UP = 5


@dataclass(frozen=True)
class Latency:
    """The median and the 95th percentile of the calls, in milliseconds."""

    p50: float
    p95: float


@dataclass(frozen=True)
class Timing:
    """One model's latencies.

    run: a bare session.run on a prepared input. identify_*: the SDK's whole call, on an array and on a file.
    overhead: extra time of identify on an array over Preprocessing.apply and session.run, as a share of these two.
    input_shape: [C, H, W] of the prepared input, or [H, W, 3] for a file that takes whole images.
    repeats: how often each was timed.
    """

    run: Latency
    identify_array: Latency
    identify_path: Latency
    overhead: float
    input_shape: tuple[int, ...]
    repeats: int


class _Subject:
    """One model to be timed: four ways to call it, and the seconds of each call."""

    def __init__(self, path: Path, crop: Crop, threads: int) -> None:
        identifier = ScriptIdentifier(path, threads=threads)  # comes first, as it reports what is wrong with a file
        session = cpu_session(path.read_bytes(), threads)
        info = identifier.info
        prepared = network_input(info, crop.pixels)
        self.input_shape = prepared.shape[-3:]
        self.calls: list[Callable[[], object]] = [
            lambda: session.run(info.outputs, {INPUT: prepared}),
            lambda: session.run(info.outputs, {INPUT: network_input(info, crop.pixels)}),
            lambda: identifier.identify(crop.pixels),
            lambda: identifier.identify(crop.path),
        ]
        self.seconds: list[list[float]] = []
        for _ in range(WARM_UP):
            last = self.measure()
        self.cost = 2 * sum(last)

    def measure(self) -> list[float]:
        """Time each of the four calls once, in seconds, after an untimed one.

        The untimed call fills the caches, which another model or the identifier's own session has used meanwhile.
        """
        found = []
        for call in self.calls:
            call()
            started = time.perf_counter()
            call()
            found.append(time.perf_counter() - started)
        return found

    def timing(self) -> Timing:
        milliseconds = 1000 * np.array(self.seconds)
        run, bare, array, path = milliseconds.T
        run_taken, array_taken, path_taken = (
            Latency(float(np.median(each)), float(np.percentile(each, 95))) for each in (run, array, path)
        )
        # The differences are between calls at the same moment, which is more stable than a difference of medians.
        overhead = float(np.median(array - bare) / np.median(bare))
        return Timing(run_taken, array_taken, path_taken, overhead, self.input_shape, len(self.seconds))


def time_models(
    paths: list[Path], crop: Crop, repeats: int, threads: int, progress: Callable[[int, int], None]
) -> list[Timing]:
    """Time all models on one image. Slow models are called less often, but at least 20 times.

    `progress(done, total)` is called after each round. Raises ModelError for a file that the SDK refuses.
    """
    subjects = [_Subject(path, crop, threads) for path in paths]
    collecting = gc.isenabled()
    gc.disable()  # as timeit does
    try:
        # A slow model takes part in every n-th round, so that its calls are also spread over the whole time.
        shares = [min(1.0, max(LEAST, SECONDS / subject.cost) / repeats) for subject in subjects]
        for i in range(repeats):
            for subject, share in zip(subjects, shares, strict=True):
                if int((i + 1) * share) > int(i * share):
                    subject.seconds.append(subject.measure())
            progress(i + 1, repeats)
    finally:
        if collecting:
            gc.enable()
    return [subject.timing() for subject in subjects]
