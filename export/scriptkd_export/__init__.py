"""Export for scriptkd: from a checkpoint to a checked model file.

`export_checkpoint` runs all steps, and each step is one module. `graph` turns the network into ONNX. `conversion`
changes its precision, by `quantize` and `float16`. `precisions` is the table of precisions, and `auto` chooses among
them. `preprocessing` adds the pre-processing to the graph. `ort_format` writes .ort files, and `metadata` writes what
the SDK needs. `verification` compares a file with torch, and `report` records the checks. `export` combines these
steps, and writes only files that passed.

`calibrate_file` fits the temperatures and thresholds of a finished file to other images. `rewriting` stores them in a
copy of the file.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import scriptkd_sdk.runtime  # imported before onnxruntime, which then sends no telemetry  # noqa: F401
import scriptkd_train  # imported before torch, so that waiting torch threads sleep  # noqa: F401

if TYPE_CHECKING:
    from .auto import Trial, choose, try_precisions
    from .calibrate import Calibrated, calibrate_file
    from .conversion import candidates, convert
    from .errors import ExportError
    from .export import ExportedFile, ExportResult, export_checkpoint, export_onnx
    from .files import write_verified
    from .float16 import compute_in_float16, store_float16_weights
    from .graph import export_graph
    from .precisions import SPECS, Calibration, Limits, Precision, PrecisionSpec
    from .preprocessing import embed_preprocessing
    from .quantize import quantize_int8, quantize_int8_dynamic, quantize_weights
    from .report import report_path
    from .samples import Samples, draw_samples, read_images, read_samples
    from .verification import Check, verify

__all__ = [
    "SPECS",
    "Calibrated",
    "Calibration",
    "Check",
    "ExportError",
    "ExportResult",
    "ExportedFile",
    "Limits",
    "Precision",
    "PrecisionSpec",
    "Samples",
    "Trial",
    "calibrate_file",
    "candidates",
    "choose",
    "compute_in_float16",
    "convert",
    "draw_samples",
    "embed_preprocessing",
    "export_checkpoint",
    "export_graph",
    "export_onnx",
    "quantize_int8",
    "quantize_int8_dynamic",
    "quantize_weights",
    "read_images",
    "read_samples",
    "report_path",
    "store_float16_weights",
    "try_precisions",
    "verify",
    "write_verified",
]

_HOMES = {
    "auto": ("Trial", "choose", "try_precisions"),
    "calibrate": ("Calibrated", "calibrate_file"),
    "conversion": ("candidates", "convert"),
    "errors": ("ExportError",),
    "export": ("ExportResult", "ExportedFile", "export_checkpoint", "export_onnx"),
    "files": ("write_verified",),
    "float16": ("compute_in_float16", "store_float16_weights"),
    "graph": ("export_graph",),
    "precisions": ("SPECS", "Calibration", "Limits", "Precision", "PrecisionSpec"),
    "preprocessing": ("embed_preprocessing",),
    "quantize": ("quantize_int8", "quantize_int8_dynamic", "quantize_weights"),
    "report": ("report_path",),
    "samples": ("Samples", "draw_samples", "read_images", "read_samples"),
    "verification": ("Check", "verify"),
}


def __getattr__(name: str) -> Any:
    """Import a public name only when it is first used, so that the command line shows its help without torch."""
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f".{module}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
