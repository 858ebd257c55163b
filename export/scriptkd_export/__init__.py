"""Export for scriptkd: from a checkpoint to a checked ONNX file.

The steps are one file each: `graph` turns the network into ONNX, `quantize` makes it smaller or faster, `metadata`
writes what the SDK needs into it, `verify` compares it with torch,
`export` puts them together and writes only good files.
"""

from .errors import ExportError
from .export import export_onnx, write_verified
from .graph import export_graph
from .quantize import quantize_int8, quantize_weights
from .samples import Samples, draw_samples, read_samples
from .verify import Check, verify

__all__ = [
    "Check",
    "ExportError",
    "Samples",
    "draw_samples",
    "export_graph",
    "export_onnx",
    "quantize_int8",
    "quantize_weights",
    "read_samples",
    "verify",
    "write_verified",
]
