"""Which precision is best here? All are checked, then measured on the same images: accuracy, latency and size.

Two limits: the checks of every export, `verify`'s, hold whatever loss is allowed, and that loss chooses among what
passes them. A precision that loses too much is measured too, so that its user sees what it would give, and is never
chosen.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.modelfile import INPUT
from scriptkd_sdk.runtime import cpu_session
from scriptkd_train.models.checkpoint import Checkpoint

from .errors import ExportError
from .files import file_name, write_verified
from .graph import outputs
from .precisions import Precision
from .samples import Samples, network_input
from .verification import Check

LEAST = 100  # timed calls
EQUAL = 0.03  # latencies so close are noise, and the smaller file is the better one


@dataclass(frozen=True)
class Trial:
    """What became of one precision.

    Attributes:
        precision: the one that was tried.
        size: in bytes; 0, as are the other numbers, for a precision that could not be measured.
        accuracy: share of right answers, or of answers like float32's where the images' scripts are not known.
        milliseconds: median of a call with one image on one thread.
        failed: why the precision cannot be had; else empty.
        checks: all of them, passed, of one that can be had.
    """

    precision: Precision
    size: int = 0
    accuracy: float = 0.0
    milliseconds: float = 0.0
    failed: str = ""
    checks: tuple[Check, ...] = ()


def try_precisions(
    precisions: list[Precision],
    convert: Callable[[Precision], onnx.ModelProto],
    checkpoint: Checkpoint,
    samples: Samples,
    folder: Path,
    stem: str,
) -> list[Trial]:
    """Make and measure some precisions.

    Args:
        precisions: those to try, float32 among them.
        convert: gives the graph in a precision, or raises ExportError.
        checkpoint: the network.
        samples: images to check and to measure on.
        folder: where the files are written: those that pass with their reports, ready to be moved.
        stem: of their names, as `file_name` makes them.

    Returns:
        What became of each, in the same order.

    Raises:
        ExportError: float32 itself cannot be had.
        ArgumentError: the samples have labels that the network lacks.
    """
    passed: dict[Precision, tuple[Check, ...]] = {}
    failed: dict[Precision, str] = {}
    paths: dict[Precision, Path] = {}  # of those that run
    for precision in precisions:
        path = folder / file_name(stem, precision)
        try:
            model = convert(precision)
            passed[precision] = tuple(write_verified(model, path, checkpoint, samples, precision))
        except ExportError as error:
            if precision is Precision.fp32:
                raise
            wrong = [check for check in error.checks if not check.passed]
            failed[precision] = "; ".join(f"{check.name}: {check.found}" for check in wrong) or str(error)
            if not wrong or any(check.value is None for check in wrong):
                continue
            onnx.save(model, path)  # it runs, and is too far off
        paths[precision] = path
    answers, seconds = _measure(list(paths.values()), checkpoint, samples)
    reference = answers[list(paths).index(Precision.fp32)]
    truth = reference if samples.labels is None else _indices(samples.labels, checkpoint)
    found = {
        precision: Trial(
            precision,
            path.stat().st_size,
            float((row == truth).mean()),
            1000 * float(np.median(times)),
            failed.get(precision, ""),
            passed.get(precision, ()),
        )
        for (precision, path), row, times in zip(paths.items(), answers, seconds, strict=True)
    }
    return [
        found[precision] if precision in found else Trial(precision, failed=failed[precision])
        for precision in precisions
    ]


def choose(trials: list[Trial], max_drop: float) -> Trial:
    """Return the fastest that loses little to float32; the smallest of those that are as fast.

    Args:
        trials: of some precisions, float32 among them.
        max_drop: points of accuracy, of 100, that may be lost to float32.

    Returns:
        The chosen trial.
    """
    whole = next(trial for trial in trials if trial.precision is Precision.fp32)
    good = [trial for trial in trials if not trial.failed and within(trial, whole, max_drop)]
    fastest = min(trial.milliseconds for trial in good)
    return min((t for t in good if t.milliseconds <= fastest * (1 + EQUAL)), key=lambda trial: trial.size)


def drop(trial: Trial, whole: Trial) -> float:
    """Return the points of accuracy, of 100, that a trial lost to another."""
    return 100 * (whole.accuracy - trial.accuracy)


def within(trial: Trial, whole: Trial, max_drop: float) -> bool:
    """Say whether a trial lost at most `max_drop` points to another."""
    return drop(trial, whole) <= max_drop + 1e-9


def trial_lines(trials: list[Trial], best: Trial, samples: Samples, max_drop: float) -> list[str]:
    """Return what to tell a person of the trials: a table, and why each that was not taken was not."""
    whole = next(trial for trial in trials if trial.precision is Precision.fp32)
    reasons = {trial.precision: _why_not(trial, whole, max_drop) for trial in trials}
    measure = "like fp32 %" if samples.labels is None else "accuracy %"
    rows = [["precision", measure, "drop", "median ms", "x fp32", "KB", ""]]
    for trial in trials:
        figures = [
            f"{100 * trial.accuracy:.2f}",
            f"{drop(trial, whole):.2f}",
            f"{trial.milliseconds:.3f}",
            f"{whole.milliseconds / trial.milliseconds:.2f}" if trial.size else "",
            f"{trial.size / 1000:,.0f}",
        ]
        verdict = "kept" if trial is best else "not taken" if reasons[trial.precision] else ""
        rows.append([trial.precision, *figures, verdict] if trial.size else [trial.precision, *[""] * 5, "failed"])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for name, *cells, verdict in rows:
        right = [cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=False)]
        lines.append("  ".join([name.ljust(widths[0]), *right, verdict]).rstrip())
    return lines + [f"  {precision}: {reason}" for precision, reason in reasons.items() if reason]


def warning_of_few(images: int, max_drop: float) -> str:
    """Say so where a single image is more points of accuracy than may be lost; of no loss at all, it is meant so."""
    one = 100 / images
    if 0 < max_drop < one - 1e-9:
        return f"warning: {images} images cannot show a drop of {max_drop:g} points: one of them is {one:.3g}"
    return ""


def _why_not(trial: Trial, whole: Trial, max_drop: float) -> str:
    """Say why a precision could not be kept; empty for one that another is only better than."""
    if trial.failed and trial.size:
        return f"failed a check, which --max-drop does not relax: {trial.failed}"
    return trial.failed or ("" if within(trial, whole, max_drop) else f"its drop is above --max-drop {max_drop:g}")


def _measure(
    paths: list[Path], checkpoint: Checkpoint, samples: Samples
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Answers [files, images] and seconds [files, calls]: image by image, so that what disturbs one disturbs all."""
    sessions = [cpu_session(path.read_bytes()) for path in paths]
    inputs = [network_input(image, checkpoint.preprocessing)[None] for image in samples.images]
    names = outputs(checkpoint.preprocessing)
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
            answers[i, image] = sessions[i].run(names, feed)[0][0].argmax()
            started = time.perf_counter()
            sessions[i].run(names, feed)
            seconds[i, call] = time.perf_counter() - started
    return answers, seconds


def _indices(labels: list[str], checkpoint: Checkpoint) -> NDArray[np.int64]:
    unknown = sorted(set(labels) - set(checkpoint.labels))
    if unknown:
        raise ArgumentError(f"the images have labels that the network lacks: {', '.join(unknown)}")
    return np.array([checkpoint.labels.index(label) for label in labels])
