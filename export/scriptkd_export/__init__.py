"""Export for scriptkd: from a checkpoint to a checked model file.

The steps are one file each: `graph` turns the network into ONNX, `quantize` and `half` make it smaller or faster
(`forms` lists what they offer, `auto` tries it), `anysize` puts the pre-processing inside, `ort_format` writes .ort,
`metadata` what the SDK needs, `verify` compares with torch, `report` keeps what was found, and `export` puts them
together and writes only good files.
"""

from .anysize import take_any_size
from .auto import choose, try_forms
from .errors import ExportError
from .export import export_onnx, write_verified
from .forms import Form, make, sensible
from .graph import export_graph
from .half import compute_in_half, halve_weights
from .quantize import Calibration, quantize_int8, quantize_int8_dynamic, quantize_weights
from .report import report_path
from .samples import Samples, draw_samples, read_images, read_samples
from .verify import Check, verify

__all__ = [
    "Calibration",
    "Check",
    "ExportError",
    "Form",
    "Samples",
    "choose",
    "compute_in_half",
    "draw_samples",
    "export_graph",
    "export_onnx",
    "halve_weights",
    "make",
    "quantize_int8",
    "quantize_int8_dynamic",
    "quantize_weights",
    "read_images",
    "read_samples",
    "report_path",
    "sensible",
    "take_any_size",
    "try_forms",
    "verify",
    "write_verified",
]
