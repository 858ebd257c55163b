"""Which precision is best here? All are checked, then measured on the same images: accuracy, latency and size.

Two limits: the checks of every export, `verify`'s, hold whatever loss is allowed, and that loss chooses among what
passes them. A precision that answers otherwise than torch too often is measured too, so that its user sees what it
would give, and is never chosen.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.models.checkpoint import Checkpoint

from .errors import ExportError
from .export import write_verified
from .graph import INPUT, OUTPUT
from .precisions import Precision
from .samples import Samples
from .verify import open_session

LEAST = 100  # timed calls
EQUAL = 0.03  # latencies so close are noise, and the smaller file is the better one


@dataclass(frozen=True)
class Trial:
    """What became of one precision.

    accuracy: share of right answers, or of answers like float32's where the images' scripts are not known.
    milliseconds: median of a call with one image on one thread. failed: why the precision cannot be had; else empty.
    size: in bytes; 0, as are the other numbers, for a precision that could not be measured.
    """

    precision: Precision
    size: int = 0
    accuracy: float = 0.0
    milliseconds: float = 0.0
    failed: str = ""


def try_precisions(
    precisions: list[Precision],
    convert: Callable[[Precision], onnx.ModelProto],
    checkpoint: Checkpoint,
    samples: Samples,
    folder: Path,
) -> list[Trial]:
    """Make and measure the precisions, float32 among them; drafts are written into `folder`.

    Raises ExportError if float32 itself cannot be had, ArgumentError for samples with labels that the network lacks.
    """
    failed: dict[Precision, str] = {}
    measured = []
    for precision in precisions:
        path = folder / f"{precision}.onnx"
        try:
            model = convert(precision)
            write_verified(model, path, checkpoint, samples, precision)
        except ExportError as error:
            if precision is Precision.fp32:
                raise
            wrong = [check for check in error.checks if not check.passed]
            failed[precision] = "; ".join(f"{check.name}: {check.found}" for check in wrong) or str(error)
            if not wrong or any(check.value is None for check in wrong):
                continue
            onnx.save(model, path)  # it runs, and is too far off
        measured.append(precision)
    answers, seconds = _measure([folder / f"{precision}.onnx" for precision in measured], checkpoint, samples)
    truth = answers[measured.index(Precision.fp32)] if samples.labels is None else _indices(samples.labels, checkpoint)
    found = {
        precision: Trial(
            precision,
            (folder / f"{precision}.onnx").stat().st_size,
            float((row == truth).mean()),
            1000 * float(np.median(times)),
            failed.get(precision, ""),
        )
        for precision, row, times in zip(measured, answers, seconds, strict=True)
    }
    return [
        found[precision] if precision in found else Trial(precision, failed=failed[precision])
        for precision in precisions
    ]


def choose(trials: list[Trial], max_drop: float) -> Trial:
    """The fastest that loses at most `max_drop` points to float32; the smallest of those that are as fast."""
    whole = next(trial for trial in trials if trial.precision is Precision.fp32)
    good = [trial for trial in trials if not trial.failed and within(trial, whole, max_drop)]
    fastest = min(trial.milliseconds for trial in good)
    return min((t for t in good if t.milliseconds <= fastest * (1 + EQUAL)), key=lambda trial: trial.size)


def drop(trial: Trial, whole: Trial) -> float:
    """Points of accuracy, of 100, that a trial lost to another."""
    return 100 * (whole.accuracy - trial.accuracy)


def within(trial: Trial, whole: Trial, max_drop: float) -> bool:
    """Whether a trial lost at most `max_drop` points to another."""
    return drop(trial, whole) <= max_drop + 1e-9


def _measure(
    paths: list[Path], checkpoint: Checkpoint, samples: Samples
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Answers [files, images] and seconds [files, calls]: image by image, so that what disturbs one disturbs all."""
    sessions: list[onnxruntime.InferenceSession] = [open_session(path.read_bytes()) for path in paths]
    inputs = [checkpoint.preprocessing.apply(image)[None] for image in samples.images]
    calls = max(LEAST, len(inputs))
    answers = np.zeros((len(paths), len(inputs)), np.int64)
    seconds = np.zeros((len(paths), calls))
    order = list(range(len(paths)))
    shuffle = random.Random(0).shuffle
    for call in range(calls):
        image = call % len(inputs)
        feed = {INPUT: inputs[image]}
        shuffle(order)
        for i in order:
            # The first call pays for what the file before swept from the caches, and only the second is timed.
            answers[i, image] = sessions[i].run([OUTPUT], feed)[0][0].argmax()
            started = time.perf_counter()
            sessions[i].run([OUTPUT], feed)
            seconds[i, call] = time.perf_counter() - started
    return answers, seconds


def _indices(labels: list[str], checkpoint: Checkpoint) -> NDArray[np.int64]:
    unknown = sorted(set(labels) - set(checkpoint.labels))
    if unknown:
        raise ArgumentError(f"the images have labels that the network lacks: {', '.join(unknown)}")
    return np.array([checkpoint.labels.index(label) for label in labels])
