"""Model files: their names, and how they come to be there whole and checked or not at all."""

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
from .ort_format import write_ort
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
    """Write a graph with the checkpoint's metadata, atomically and only if it passes all checks.

    The checks also go into a JSON report beside the file; that of a failed file has another name.

    Args:
        model: the graph, without pre-processing.
        path: ends in .onnx, or in .ort for that format.
        checkpoint: what the graph was made from.
        samples: images to compare on.
        precision: that of `model`, one of `Precision`; goes into the metadata.
        any_size: put the pre-processing before the graph.

    Returns:
        The checks, all of them passed.

    Raises:
        ExportError: a check failed; it holds all checks. The file was not written, and an older one is as it was.
        OSError: the system refused to write, as on a full disk. What was there is as it was.
    """
    parameters = parameter_count(checkpoint.build())
    whole = embed_preprocessing(model, checkpoint.preprocessing) if any_size else model
    metadata.attach(whole, metadata.describe(checkpoint, precision, parameters, any_size))
    with drafts_beside(path) as folder:
        draft = folder / path.name
        if path.suffix == ".ort":
            write_ort(whole, draft)
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
    """Put a checked file and its report where they are wanted, in place of older ones of the same file system."""
    report_path(path, passed=False).unlink(missing_ok=True)
    os.replace(report_path(draft), report_path(path))
    os.replace(draft, path)


@contextmanager
def drafts_beside(path: Path) -> Iterator[Path]:
    """Give a folder that is deleted afterwards, on the file system of `path`; an OSError inside names a path.

    Folders above `path` are made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
            yield Path(folder)
    except OSError as error:
        raise naming(error, path) from error
