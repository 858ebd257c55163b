"""A bare onnxruntime session, as the export checks and measures with: the CPU alone, on one thread."""

from __future__ import annotations

from typing import Any

from scriptkd_sdk.runtime import import_onnxruntime, open_session


def cpu_session(content: bytes) -> Any:
    """Open a model file's content, .onnx or .ort, on one thread of the CPU; raises what onnxruntime raises."""
    options = import_onnxruntime().SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return open_session(content, options, ["CPUExecutionProvider"])
