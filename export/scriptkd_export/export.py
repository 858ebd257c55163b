"""All export steps: turn a checkpoint into checked model files. A file that fails a check is not written."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.models.checkpoint import Checkpoint, load_checkpoint

from .auto import choose, trial_lines, try_precisions, warning_of_few
from .conversion import candidates, convert
from .errors import ExportError
from .files import drafts_beside, file_name, move_verified, write_verified
from .graph import export_graph
from .precisions import Calibration, Precision
from .report import sha256
from .samples import Samples, all_ways_up, batches, draw_samples, read_images, read_samples
from .verification import Check

CALIBRATION_BATCH = 16

Say = Callable[[str], None]
"""A function that takes each line of progress."""


@dataclass(frozen=True)
class ExportedFile:
    """One requested file.

    Attributes:
        path: where it was written, or would have been.
        precision: the precision of its weights and of computation.
        any_size: whether it takes images of any size, as its input.
        checks: all checks, passed or not; empty if the graph could not be made.
        refused: one sentence on why it was not written; empty for a written file.
        size: in bytes; 0 if not written.
        sha256: of its content, hexadecimal; empty if not written.
    """

    path: Path
    precision: Precision
    any_size: bool
    checks: tuple[Check, ...]
    refused: str = ""
    size: int = 0
    sha256: str = ""


@dataclass(frozen=True)
class ExportResult:
    """The result of an export.

    Attributes:
        written: the written files, at least one.
        refused: the files that were not written.
    """

    written: tuple[ExportedFile, ...]
    refused: tuple[ExportedFile, ...]


@dataclass(frozen=True)
class _Source:
    """A checkpoint with all that its files are made from.

    pixels: batches uint8 [N, C, H, W] for calibration. kinds: for each file of a precision, whether it includes the
    pre-processing, and its suffix.
    """

    stem: str
    folder: Path
    checkpoint: Checkpoint
    graph: onnx.ModelProto
    samples: Samples
    pixels: list[NDArray[np.uint8]]
    calibration: Calibration
    per_channel: bool
    kinds: list[tuple[bool, str]]
    say: Say

    def convert(self, precision: Precision) -> onnx.ModelProto:
        """The graph in a precision; raises ExportError."""
        return convert(precision, self.graph, self.pixels, self.calibration, self.per_channel)


def export_onnx(checkpoint: Checkpoint, path: Path, samples: Samples) -> list[Check]:
    """Export a checkpoint in memory to a float32 model file.

    Args:
        checkpoint: the network.
        path: the new file, which must end in .onnx.
        samples: images to check it on.

    Returns:
        All checks, each of them passed.

    Raises:
        ExportError: the network cannot be exported, or the file failed a check and was not written.
        ModelError: the checkpoint's weights do not fit its network.
        OSError: the file cannot be written.
    """
    return write_verified(export_graph(checkpoint), path, checkpoint, samples, Precision.fp32)


def export_checkpoint(
    ckpt: Path,
    out: Path | None = None,
    precisions: Sequence[Precision] | None = (Precision.fp32,),
    *,
    data: Path | None = None,
    images: Path | None = None,
    count: int = 256,
    max_drop: float = 0.5,
    calibration: Calibration = Calibration.minmax,
    per_channel: bool = True,
    any_size: bool = False,
    ort: bool = False,
    say: Say = lambda line: None,
) -> ExportResult:
    """Export a checkpoint to checked model files, each with its parity report: the work of `scriptkd-export`.

    A file that fails a check is not written, and an older file of that name stays. The other files are still written.

    Args:
        ckpt: checkpoint (.pt) of a teacher, assistant or student, NAME.pt.
        out: folder to write into; None means the checkpoint's folder.
        precisions: the precisions to export. fp32 is written as NAME.onnx, the others as NAME.PRECISION.onnx. None
            tries all that suit the network, and keeps the fastest on this machine within `max_drop`.
        data: data set whose validation split is used for comparison and calibration.
        images: folder of unlabelled images to use instead. Without either, words are drawn for the comparison.
        count: how many images to use for comparison, and as many others for calibration.
        max_drop: percentage points of accuracy that an automatically chosen precision may lose against fp32.
        calibration: for static 8 bits: how the ranges of activations are found.
        per_channel: for static 8 bits: one scale for each output channel of a weight, not one for all.
        any_size: also write NAME.any-size.onnx, which takes images of any size.
        ort: also write each file as .ort.
        say: called with each line of progress.

    Returns:
        The files in the requested order.

    Raises:
        ArgumentError: the arguments contradict each other, or the images cannot be used.
        ImageError: an unreadable image.
        ModelError: there is no checkpoint, or its weights do not fit its network.
        ExportError: no file could be written; `checks` holds the checks of the first file.
        OSError: a file cannot be read or written, for example on a full disk.
    """
    chosen = None if precisions is None else list(dict.fromkeys(precisions))
    _check_wishes(chosen, data, images, ort)
    checkpoint = load_checkpoint(ckpt)
    samples, calibrating = _read(data, images, count)
    if checkpoint.preprocessing.square_height is not None:
        samples, calibrating = all_ways_up(samples), calibrating and all_ways_up(calibrating)
    say(f"{ckpt}: {checkpoint.network}, SHA-256 {sha256(ckpt)}")
    source = _Source(
        stem=ckpt.stem,
        folder=ckpt.parent if out is None else out,
        checkpoint=checkpoint,
        graph=export_graph(checkpoint),
        samples=samples,
        pixels=list(batches(calibrating, checkpoint.preprocessing, CALIBRATION_BATCH)) if calibrating else [],
        calibration=calibration,
        per_channel=per_channel,
        kinds=[(whole, suffix) for suffix in (".onnx", ".ort")[: 1 + ort] for whole in (False, True)[: 1 + any_size]],
        say=say,
    )
    if chosen is None:
        files = list(_export_best(source, max_drop))
    else:
        files = [file for precision in chosen for file in _export_precision(source, precision)]
    result = ExportResult(
        tuple(file for file in files if not file.refused), tuple(file for file in files if file.refused)
    )
    if not result.written:
        raise ExportError("; ".join(file.refused for file in files), list(files[0].checks))
    return result


def _check_wishes(precisions: list[Precision] | None, data: Path | None, images: Path | None, ort: bool) -> None:
    """Raise ArgumentError for contradicting arguments, in the words of the command line."""
    if data is not None and images is not None:
        raise ArgumentError("--data and --images exclude each other: give one")
    if precisions == []:
        raise ArgumentError("give at least one precision")
    calibrated = "auto" if precisions is None else next((each for each in precisions if each.spec.calibrated), None)
    if calibrated and data is None and images is None:
        raise ArgumentError(
            f"--quantize {calibrated} must be calibrated on real images: add --data DATASET or --images FOLDER"
        )
    lost = next((each for each in precisions or () if not each.spec.ort), None)
    if ort and lost:
        raise ArgumentError(
            f"--ort cannot keep {lost}: onnxruntime unpacks the weights before it writes an .ort file; allowed are "
            f"{', '.join(each for each in Precision if each.spec.ort)}"
        )


def _read(data: Path | None, images: Path | None, count: int) -> tuple[Samples, Samples | None]:
    """Read the images for comparison, and for calibration if they are real."""
    if data is not None:
        return read_samples(data, count)
    return read_images(images, count) if images is not None else (draw_samples(count), None)


def _export_precision(source: _Source, precision: Precision) -> Iterator[ExportedFile]:
    """Write the files of a precision. If one fails, the others are still tried."""
    started = time.perf_counter()
    try:
        model = source.convert(precision)
    except ExportError as error:
        path = source.folder / file_name(source.stem, precision)
        yield ExportedFile(path, precision, False, (), f"{path.name} cannot be made: {error}")
        return
    for any_size, suffix in source.kinds:
        yield _write(source, model, precision, any_size, suffix, started)
        started = time.perf_counter()


def _write(
    source: _Source, model: onnx.ModelProto, precision: Precision, any_size: bool, suffix: str, started: float
) -> ExportedFile:
    path = source.folder / file_name(source.stem, precision, any_size, suffix)
    source.say(f"{path.name}: {precision.spec.description}{', images of any size' if any_size else ''}")
    try:
        checks = write_verified(model, path, source.checkpoint, source.samples, precision, any_size)
    except ExportError as error:
        _say_checks(error.checks, source.say)
        return ExportedFile(path, precision, any_size, tuple(error.checks), str(error))
    return _written(source, path, precision, any_size, checks, started)


def _written(
    source: _Source, path: Path, precision: Precision, any_size: bool, checks: Sequence[Check], started: float
) -> ExportedFile:
    _say_checks(checks, source.say)
    file = ExportedFile(path, precision, any_size, tuple(checks), "", path.stat().st_size, sha256(path))
    source.say(
        f"  all {len(checks)} checks passed in {time.perf_counter() - started:.1f} s; "
        f"{path}, {file.size / 1000:,.0f} KB, SHA-256 {file.sha256}"
    )
    return file


def _say_checks(checks: Sequence[Check], say: Say) -> None:
    for check in checks:
        say(f"  {'ok    ' if check.passed else 'FAILED'} {check.name}: {check.found}")


def _export_best(source: _Source, max_drop: float) -> Iterator[ExportedFile]:
    """Try all precisions that suit the network, and write the files of the best one from its checked draft."""
    started = time.perf_counter()
    tried = candidates(source.graph)
    source.say(f"auto: trying {', '.join(tried)} on {source.samples.source}")
    if warning := warning_of_few(len(source.samples.images), max_drop):
        source.say(warning)
    with drafts_beside(source.folder / source.stem) as folder:
        trials = try_precisions(tried, source.convert, source.checkpoint, source.samples, folder, source.stem)
        best = choose(trials, max_drop)
        for line in trial_lines(trials, best, source.samples, max_drop):
            source.say(line)
        path = source.folder / file_name(source.stem, best.precision)
        source.say(f"{path.name}: {best.precision.spec.description}")
        model = onnx.load(folder / path.name)
        move_verified(folder / path.name, path)
    yield _written(source, path, best.precision, False, best.checks, started)
    for any_size, suffix in source.kinds[1:]:
        if suffix == ".ort" and not best.precision.spec.ort:
            source.say(f"no .ort of {best.precision}: it would store the weights in more bits")
            return
        yield _write(source, model, best.precision, any_size, suffix, time.perf_counter())
