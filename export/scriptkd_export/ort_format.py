"""The .ort format: what onnxruntime's small builds for phones load."""

from __future__ import annotations

from pathlib import Path

import onnx
import onnxruntime

from .errors import ExportError

_NOT_PORTABLE = ["NchwcTransformer"]  # lays weights out for the processor at hand


def write_ort(model: onnx.ModelProto, path: Path) -> None:
    """Write a model as .ort, optimized as far as every processor allows; metadata goes along.

    Raises ExportError if onnxruntime cannot write it.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.optimized_model_filepath = str(path)
    options.add_session_config_entry("session.save_model_format", "ORT")
    # Else signed activations become unsigned here, which suits x86 only.
    options.add_session_config_entry("session.qdqisint8allowed", "1")
    try:
        onnxruntime.InferenceSession(
            model.SerializeToString(),
            options,
            providers=["CPUExecutionProvider"],
            disabled_optimizers=_NOT_PORTABLE,
        )
    except Exception as error:  # its errors have no common base
        raise ExportError(f"onnxruntime cannot write {path.name}: {' '.join(str(error).split())[:300]}") from error
