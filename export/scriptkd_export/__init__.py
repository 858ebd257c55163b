"""Export for scriptkd: from a checkpoint to a checked model file.

The steps are one file each: `graph` turns the network into ONNX, `quantize` and `float16` make it smaller or faster
(`precisions` lists what they offer, `auto` tries it), `preprocessing` puts the pre-processing inside, `ort_format`
writes .ort, `metadata` what the SDK needs, `verify` compares with torch, `report` keeps what was found, and `export`
puts them together and writes only good files.
"""

from .auto import choose, try_precisions
from .errors import ExportError
from .export import export_onnx, write_verified
from .float16 import compute_in_float16, store_float16_weights
from .graph import export_graph
from .precisions import Precision, candidates, convert
from .preprocessing import embed_preprocessing
from .quantize import Calibration, quantize_int8, quantize_int8_dynamic, quantize_weights
from .report import report_path
from .samples import Samples, draw_samples, read_images, read_samples
from .verify import Check, verify

__all__ = [
    "Calibration",
    "Check",
    "ExportError",
    "Precision",
    "Samples",
    "candidates",
    "choose",
    "compute_in_float16",
    "convert",
    "draw_samples",
    "embed_preprocessing",
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
