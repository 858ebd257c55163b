"""All steps together: a checkpoint becomes a file, or nothing if the file is not good."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import onnx

from scriptkd_train.models.checkpoint import Checkpoint
from scriptkd_train.models.networks import parameter_count

from . import metadata
from .errors import ExportError
from .graph import export_graph
from .ort_format import write_ort
from .preprocessing import embed_preprocessing
from .report import write_report
from .samples import Samples
from .verify import Check, verify


def export_onnx(checkpoint: Checkpoint, path: Path, samples: Samples) -> list[Check]:
    """Export a checkpoint to a float32 model file, checked on `samples`. Returns the checks, all of them passed.

    Raises:
        ExportError: the network cannot be exported, or the file failed a check and was not written.
        ModelError: the checkpoint's weights do not fit its network.
    """
    return write_verified(export_graph(checkpoint), path, checkpoint, samples, "fp32")


def write_verified(
    model: onnx.ModelProto,
    path: Path,
    checkpoint: Checkpoint,
    samples: Samples,
    precision: str,
    any_size: bool = False,
) -> list[Check]:
    """Write a graph with the checkpoint's metadata, atomically and only if it passes all checks, which are returned.

    path: ends in .onnx, or in .ort for that format. precision: that of `model`, one of `precisions.Precision`;
    goes into the metadata, and all but "fp32" need only be close. any_size: put the pre-processing before the graph.

    The checks also go into a JSON report beside the file.
    Raises ExportError, with the checks, if one failed; nothing but the report is written then, under the name of a
    failed one, and an older file stays as it is.
    """
    parameters = parameter_count(checkpoint.build())
    whole = embed_preprocessing(model, checkpoint.preprocessing) if any_size else model
    metadata.attach(whole, metadata.describe(checkpoint, precision, parameters, any_size))
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        draft = Path(folder) / path.name
        if path.suffix == ".ort":
            write_ort(whole, draft)
        else:
            onnx.save(whole, draft)
        checks = verify(draft, checkpoint, samples, precision, model if any_size else None)
        failed = [check.name for check in checks if not check.passed]
        write_report(path, draft, checks, precision, samples.source)
        if failed:
            raise ExportError(f"{path.name} failed its check of {', '.join(failed)} and was not written", checks)
        os.replace(draft, path)
    return checks
