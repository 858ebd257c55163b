"""The .ort format: what onnxruntime's small builds for phones load."""

from __future__ import annotations

import tempfile
from pathlib import Path

import onnx

from scriptkd_sdk.runtime import import_onnxruntime

from .errors import ExportError, naming

_NOT_PORTABLE = ["NchwcTransformer"]  # lays weights out for the processor at hand


def write_ort(model: onnx.ModelProto, path: Path) -> None:
    """Write a model as .ort, optimized as far as every processor allows; metadata goes along.

    Raises:
        ExportError: onnxruntime cannot write it.
        OSError: the disk is full, or the folder cannot be written to.
    """
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.add_session_config_entry("session.save_model_format", "ORT")
    # Else signed activations become unsigned here, which suits x86 only.
    options.add_session_config_entry("session.qdqisint8allowed", "1")
    # onnxruntime writes to names in UTF-8 alone, and does not say why it cannot write: it gets a folder of our own.
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / "model.ort"
        options.optimized_model_filepath = str(draft)
        try:
            onnxruntime.InferenceSession(
                model.SerializeToString(),
                options,
                providers=["CPUExecutionProvider"],
                disabled_optimizers=_NOT_PORTABLE,
            )
        except Exception as error:  # its errors have no common base
            _write(draft, bytes(model.ByteSize()))  # raises OSError where there is no room
            raise ExportError(f"onnxruntime cannot write {path.name}: {' '.join(str(error).split())[:300]}") from error
        _write(path, draft.read_bytes())


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise naming(error, path) from error
