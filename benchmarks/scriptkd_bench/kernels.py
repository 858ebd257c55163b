"""The time of each operator in one call of a model, measured by onnxruntime's profiler on one thread.

Profiling adds about two microseconds to each operator's time. In a small model that is half of the measured time. So
this overhead is measured, on chains of tiny operators with and without the profiler, and subtracted. The operators' sum
is then compared with calls without profiler.
"""

from __future__ import annotations

import gc
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper

from scriptkd_sdk.runtime import cpu_session, import_onnxruntime

WARM_UP = 5
SECONDS = 20.0  # of calls at most, once the least repeats are done
LEAST = 20
_SUFFIX = "_kernel_time"  # suffix of the profiler's events for operators
_INPUTS = 2, 9  # inputs of the chains' operators: an event takes longer with more inputs, and we interpolate
_LENGTHS = 8, 40  # operators in a chain
_SIZES = 16 * np.arange(1, 129)  # elements of a chain's tensors: sizes vary, as durations are whole microseconds


@dataclass(frozen=True)
class Kernel:
    """One operator that onnxruntime runs. name: its node's. inputs, outputs: shapes. milliseconds: without overhead."""

    name: str
    operator: str
    inputs: list[list[int]]
    outputs: list[list[int]]
    milliseconds: float


@dataclass(frozen=True)
class Times:
    """Times in milliseconds. kernels: in the order in which they run. call: of an empty call. whole: of a plain call.

    overhead: of profiling an operator with three inputs. calls: how many were timed.
    """

    kernels: list[Kernel]
    call: float
    whole: float
    overhead: float
    calls: int


def run_unoptimised(model: bytes, feed: dict[str, NDArray[Any]]) -> list[Kernel]:
    """Run the unoptimised graph once, to learn the shapes. The times are not those of a deployed model."""
    subject = _Subject(model, feed, profiled=True, optimised=False)
    subject.call()
    return [_kernel(events[0], events[0]["dur"] / 1000) for events in subject.events()]


def time_kernels(
    model: bytes, feed: dict[str, NDArray[Any]], repeats: int, progress: Callable[[int, int], None]
) -> Times:
    """Time every operator of a model, optimised as in deployment. Profiled and plain calls alternate.

    feed: input name -> array. repeats: number of calls; fewer for slow models, but at least 20. `progress(done, total)`
    is called after each.
    """
    plain, profiled = _Subject(model, feed), _Subject(model, feed, profiled=True)
    chains = [_Chains(inputs) for inputs in _INPUTS]
    for _ in range(WARM_UP):
        cost = 2 * (plain.time() + profiled.time())
    rounds = int(min(repeats, max(LEAST, SECONDS / cost)))
    wholes: list[float] = []
    collecting = gc.isenabled()
    gc.disable()  # as timeit does
    try:
        for i in range(rounds):
            wholes.append(plain.time())
            profiled.time()
            for chain in chains:
                chain.time(int(_SIZES[i % len(_SIZES)]))
            progress(i + 1, rounds)
    finally:
        if collecting:
            gc.enable()
    few, many = (chain.overhead() for chain in chains)

    def overhead(inputs: int) -> float:
        return few + (many - few) * (inputs - _INPUTS[0]) / (_INPUTS[1] - _INPUTS[0])

    kernels = []
    for events in profiled.events():
        durations = [event["dur"] / 1000 for event in events[2 * WARM_UP + 1 :: 2]]
        taken = _usual(durations) - overhead(len(_shapes(events[0], "input")))
        kernels.append(_kernel(events[0], max(0.0, taken)))
    return Times(kernels, chains[0].call(), 1000 * _usual(wholes), overhead(3), rounds)


class _Subject:
    """One session to be timed."""

    def __init__(
        self, model: bytes, feed: dict[str, NDArray[Any]], profiled: bool = False, optimised: bool = True
    ) -> None:
        levels = import_onnxruntime().GraphOptimizationLevel
        self.folder = tempfile.TemporaryDirectory(prefix="scriptkd-cost-")
        self.session = cpu_session(
            model,
            graph_optimization_level=levels.ORT_ENABLE_ALL if optimised else levels.ORT_DISABLE_ALL,
            enable_profiling=profiled,
            profile_file_prefix=str(Path(self.folder.name) / "profile"),
        )
        self.feed = feed

    def call(self) -> None:
        self.session.run(None, self.feed)

    def time(self) -> float:
        """Return the seconds of a call. An untimed call before it fills the caches again.

        The seconds are the thread's processor time, so other work on the machine does not count.
        """
        self.call()
        started = time.thread_time()
        self.call()
        return time.thread_time() - started

    def events(self) -> list[list[dict[str, Any]]]:
        """End profiling, and return the profiler's events by operator, in the order of the calls."""
        notes = json.loads(Path(self.session.end_profiling()).read_text("utf-8"))
        self.folder.cleanup()
        found: dict[str, list[dict[str, Any]]] = {}
        for note in notes:
            if note["cat"] == "Node" and note["name"].endswith(_SUFFIX):
                found.setdefault(note["name"], []).append(note)
        return list(found.values())


class _Chains:
    """Chains of tiny operators with a given number of inputs, to time the least operator and the profiling."""

    def __init__(self, inputs: int) -> None:
        feed = {name: np.zeros((1, 1, 1, 16), np.float32) for name in "xy"}
        self.subjects = [_Subject(_chain(length, inputs), dict(feed)) for length in _LENGTHS]
        self.subjects.append(_Subject(_chain(_LENGTHS[1], inputs), dict(feed), profiled=True))
        self.seconds: list[list[float]] = []

    def time(self, size: int) -> None:
        """Call each chain once, with tensors of `size` elements."""
        for subject in self.subjects:
            subject.feed = {name: np.zeros((1, 1, 1, size), np.float32) for name in "xy"}
        self.seconds.append([subject.time() for subject in self.subjects])

    def overhead(self) -> float:
        """End profiling, and return the milliseconds that the profiler adds to an operator."""
        noted = [_usual([note["dur"] / 1000 for note in notes[1::2]]) for notes in self.subjects[-1].events()]
        return float(np.mean(noted)) - self._operator()

    def call(self) -> float:
        """Return the milliseconds of a call without operators."""
        return 1000 * _usual([short for short, *_ in self.seconds]) - _LENGTHS[0] * self._operator()

    def _operator(self) -> float:
        short, long, _ = (_usual(list(seconds)) for seconds in zip(*self.seconds, strict=True))
        return 1000 * (long - short) / (_LENGTHS[1] - _LENGTHS[0])


def _chain(length: int, inputs: int) -> bytes:
    """Return a model of `length` Max operators in a row."""
    values = ["x", *(f"t{i}" for i in range(1, length)), "z"]
    nodes = [
        helper.make_node("Max", [before, *["y"] * (inputs - 1)], [after], name=after)
        for before, after in pairwise(values)
    ]
    declared = {name: helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1, 1, "n"]) for name in "xyz"}
    graph = helper.make_graph(nodes, "chain", [declared["x"], declared["y"]], [declared["z"]])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    return bytes(model.SerializeToString())


def _kernel(note: dict[str, Any], milliseconds: float) -> Kernel:
    name = note["name"].removesuffix(_SUFFIX)
    return Kernel(name, note["args"]["op_name"], _shapes(note, "input"), _shapes(note, "output"), milliseconds)


def _shapes(note: dict[str, Any], side: str) -> list[list[int]]:
    return [shape for typed in note["args"][f"{side}_type_shape"] for shape in typed.values()]


def _usual(values: list[float]) -> float:
    """Return the mean of the fastest quarter: other work only slows a call, and durations are whole microseconds."""
    return float(np.mean(sorted(values)[: max(1, len(values) // 4)]))
