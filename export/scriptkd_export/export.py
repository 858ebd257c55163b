"""All steps together: a checkpoint becomes a file, or nothing if the file is not good."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import onnx

from scriptkd_train.checkpoint import Checkpoint
from scriptkd_train.networks import parameter_count

from . import metadata
from .errors import ExportError
from .graph import export_graph
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
    model: onnx.ModelProto, path: Path, checkpoint: Checkpoint, samples: Samples, precision: str
) -> list[Check]:
    """Write a graph with the checkpoint's metadata, atomically and only if it passes all checks, which are returned.

    precision: "fp32", "int8", "int8-u8" (uint8 activations) or "int8-weights"; goes into the metadata, and all but
    "fp32" need only be close.
    Raises ExportError, with the checks, if one failed; nothing is written then and an older file stays as it is.
    """
    parameters = parameter_count(checkpoint.build())
    metadata.attach(model, metadata.describe(checkpoint, precision, parameters))
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        draft = Path(folder) / path.name
        onnx.save(model, draft)
        checks = verify(draft, checkpoint, samples, precision)
        failed = [check.name for check in checks if not check.passed]
        if failed:
            raise ExportError(f"{path.name} failed its check of {', '.join(failed)} and was not written", checks)
        os.replace(draft, path)
    return checks
