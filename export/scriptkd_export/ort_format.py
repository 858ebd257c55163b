"""The .ort format of onnxruntime's minimal builds for phones, and the list of operators that such a build needs."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path

import onnx

from scriptkd_sdk.runtime import import_onnxruntime

from .errors import ExportError, naming

_NOT_PORTABLE = ["NchwcTransformer"]  # rearranges weights for this machine's processor


def ort_bytes(model: onnx.ModelProto) -> bytes:
    """Return a model as an .ort file with its metadata, optimized as far as is portable between processors.

    Raises:
        ExportError: onnxruntime cannot write it.
        OSError: the disk of the temporary folders is full, or there are none.
    """
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.add_session_config_entry("session.save_model_format", "ORT")
    # Otherwise signed activations would become unsigned, which suits x86 only.
    options.add_session_config_entry("session.qdqisint8allowed", "1")
    # onnxruntime writes only to UTF-8 paths, and does not say why a write failed. So it gets a folder of our own.
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
        except Exception as error:  # its errors have no common base class
            _write(draft, bytes(model.ByteSize()))  # raises OSError on a full disk
            raise ExportError(f"onnxruntime cannot write an .ort file: {' '.join(str(error).split())[:300]}") from error
        return draft.read_bytes()


def operators_path(path: Path) -> Path:
    """Return the path of an .ort file's list of operators, named as onnxruntime does."""
    return path.with_name(f"{path.stem}.required_operators_and_types.config")


def write_operators(path: Path) -> None:
    """Write the list of operators and types that an .ort file needs beside it, for `build.py --include_ops_by_config`.

    Raises:
        OSError: the disk is full, or the folder cannot be written to.
    """
    from onnxruntime.tools.ort_format_model import create_config_from_models

    logging.getLogger("ort_format_model.utils").setLevel(logging.WARNING)  # it would mention the draft file
    # The tool writes the model's path into the list, in an encoding that may lack its letters. So it gets a plain name.
    with tempfile.TemporaryDirectory() as folder:
        model, draft = Path(folder) / "model.ort", Path(folder) / "operators.config"
        _write(model, path.read_bytes())
        create_config_from_models([model], draft, enable_type_reduction=True)
        _write(operators_path(path), draft.read_text().replace(str(model), path.name).encode(errors="backslashreplace"))


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise naming(error, path) from error
