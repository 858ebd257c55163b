"""Model files: their names, and their atomic, checked writing."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import onnx

from scriptkd_train.models.checkpoint import Checkpoint
from scriptkd_train.models.networks import parameter_count

from . import metadata
from .errors import ExportError, naming
from .ort_format import operators_path, ort_bytes, write_operators
from .precisions import Precision
from .preprocessing import embed_preprocessing
from .report import report_path, write_report
from .samples import Samples
from .verification import Check, verify


def file_name(stem: str, precision: Precision, any_size: bool = False, suffix: str = ".onnx") -> str:
    """Return the name of a model file: NAME.onnx in float32, else NAME.PRECISION.onnx."""
    name = stem if precision is Precision.fp32 else f"{stem}.{precision}"
    return f"{name}{'.any-size' if any_size else ''}{suffix}"


def write_verified(
    model: onnx.ModelProto,
    path: Path,
    checkpoint: Checkpoint,
    samples: Samples,
    precision: str,
    any_size: bool = False,
) -> list[Check]:
    """Write a graph with the checkpoint's metadata, atomically, and only if all checks pass.

    The checks are also written as a JSON report beside the file. The report of a file that failed ends in
    `.parity-failed.json`, so an older report stays. An .ort file gets a list of its operators beside it.

    Args:
        model: the graph, without pre-processing.
        path: the new file, which must end in .onnx or .ort.
        checkpoint: what the graph was made from.
        samples: images to compare on.
        precision: the precision of `model`, one of `Precision`, for the metadata.
        any_size: put the pre-processing before the graph.

    Returns:
        The checks, all of them passed.

    Raises:
        ExportError: a check failed; the error holds all checks. The file was not written, and an older one is
            unchanged.
        OSError: the file cannot be written, for example on a full disk. An older file is unchanged.
    """
    parameters = parameter_count(checkpoint.build())
    whole = embed_preprocessing(model, checkpoint.preprocessing) if any_size else model
    metadata.attach(whole, metadata.describe(checkpoint, precision, parameters, any_size))
    with drafts_beside(path) as folder:
        draft = folder / path.name
        if path.suffix == ".ort":
            draft.write_bytes(ort_bytes(whole))
            write_operators(draft)
        else:
            onnx.save(whole, draft)
        checks = verify(draft, checkpoint, samples, precision, model if any_size else None)
        report = write_report(draft, checks, precision, samples.source)
        failed = [check.name for check in checks if not check.passed]
        if failed:
            os.replace(report, report_path(path, passed=False))
            raise ExportError(f"{path.name} failed its check of {', '.join(failed)} and was not written", checks)
        move_verified(draft, path)
    return checks


def move_verified(draft: Path, path: Path) -> None:
    """Move a checked file and its companions over older ones, within one file system."""
    report_path(path, passed=False).unlink(missing_ok=True)
    os.replace(report_path(draft), report_path(path))
    if path.suffix == ".ort":
        os.replace(operators_path(draft), operators_path(path))
    os.replace(draft, path)


@contextmanager
def drafts_beside(path: Path) -> Iterator[Path]:
    """Yield a temporary folder on the file system of `path`. An OSError inside the block names a path.

    The folders above `path` are created.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
            yield Path(folder)
    except OSError as error:
        raise naming(error, path) from error
