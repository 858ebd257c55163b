"""Choose the best precision for this machine: check each, then measure accuracy, latency and size on the same images.

A precision must pass the checks of `verify`, which no option relaxes. Among those that pass, it may lose at most the
accuracy that the user allows. A precision that loses too much is measured and reported, but never chosen.
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
EQUAL = 0.03  # relative difference of latency that counts as noise; then the smaller file is better


@dataclass(frozen=True)
class Trial:
    """The result of trying one precision.

    Attributes:
        precision: the precision that was tried.
        size: in bytes. All numbers are 0 if the precision could not be measured.
        accuracy: share of right answers. For images without labels, share of answers that equal float32's.
        milliseconds: median of a call with one image on one thread.
        failed: why the precision cannot be used; empty if it can.
        checks: all checks of a precision that passed them; else empty.
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
        precisions: the precisions to try; float32 must be among them.
        convert: returns the graph in a precision, or raises ExportError.
        checkpoint: the network.
        samples: images to check and to measure on.
        folder: where the files are written. Files that pass lie there with their reports, ready to be moved.
        stem: the stem of the file names (see `file_name`).

    Returns:
        One result for each precision, in the same order.

    Raises:
        ExportError: float32 itself failed.
        ArgumentError: the samples have labels that the network does not know.
    """
    passed: dict[Precision, tuple[Check, ...]] = {}
    failed: dict[Precision, str] = {}
    paths: dict[Precision, Path] = {}  # of the precisions that run
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
            onnx.save(model, path)  # it runs, but is too inaccurate
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
    """Return the fastest precision within the allowed loss; among equally fast ones, the smallest.

    Args:
        trials: the results; float32 must be among them.
        max_drop: percentage points of accuracy that may be lost against float32.

    Returns:
        The chosen trial.
    """
    whole = next(trial for trial in trials if trial.precision is Precision.fp32)
    good = [trial for trial in trials if not trial.failed and within(trial, whole, max_drop)]
    fastest = min(trial.milliseconds for trial in good)
    return min((t for t in good if t.milliseconds <= fastest * (1 + EQUAL)), key=lambda trial: trial.size)


def drop(trial: Trial, whole: Trial) -> float:
    """Return how many percentage points of accuracy a trial lost against another."""
    return 100 * (whole.accuracy - trial.accuracy)


def within(trial: Trial, whole: Trial, max_drop: float) -> bool:
    """Say whether a trial lost at most `max_drop` points against another."""
    return drop(trial, whole) <= max_drop + 1e-9


def trial_lines(trials: list[Trial], best: Trial, samples: Samples, max_drop: float) -> list[str]:
    """Return the lines to print: a table of the trials, and the reason for each rejection."""
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
    """Return a warning if one image alone is worth more points than may be lost. A limit of 0 gives no warning."""
    one = 100 / images
    if 0 < max_drop < one - 1e-9:
        return f"warning: {images} images cannot show a drop of {max_drop:g} points: a single image is worth {one:.3g}"
    return ""


def _why_not(trial: Trial, whole: Trial, max_drop: float) -> str:
    """Say why a precision was rejected; empty if it was not."""
    if trial.failed and trial.size:
        return f"failed a check, which --max-drop does not relax: {trial.failed}"
    return trial.failed or ("" if within(trial, whole, max_drop) else f"its drop is above --max-drop {max_drop:g}")


def _measure(
    paths: list[Path], checkpoint: Checkpoint, samples: Samples
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Answers [files, images] and seconds [files, calls]. The files take turns, so that noise affects all alike."""
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
            # The previous file has evicted this one's data from the caches. So the first call is not timed, only the
            # second.
            answers[i, image] = sessions[i].run(names, feed)[0][0].argmax()
            started = time.perf_counter()
            sessions[i].run(names, feed)
            seconds[i, call] = time.perf_counter() - started
    return answers, seconds


def _indices(labels: list[str], checkpoint: Checkpoint) -> NDArray[np.int64]:
    unknown = sorted(set(labels) - set(checkpoint.labels))
    if unknown:
        raise ArgumentError(f"the images have labels that the network does not know: {', '.join(unknown)}")
    return np.array([checkpoint.labels.index(label) for label in labels])
