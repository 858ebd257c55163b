"""onnxruntime as scriptkd uses it: without its telemetry, and with sessions that a fork does no harm to."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from typing import Any
from weakref import WeakSet

# Its wheels since 1.29 write a device id and a queue of events under the home folder, and look up a host to send them
# to. They read this variable once, when onnxruntime is imported, so it is set when the SDK is.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

_sessions: WeakSet[Any] = WeakSet()  # all that this process has, its parents' among them


def import_onnxruntime() -> Any:
    """Return the module onnxruntime. It is imported at the first call: `scriptkd --help` does without."""
    import onnxruntime

    return onnxruntime


def open_session(content: bytes, options: Any, providers: Sequence[Any]) -> Any:
    """Return a new onnxruntime.InferenceSession; raises what onnxruntime raises.

    Where a process forks, the session is of no use to the child, whose copy of it has no threads, but is safe there:
    it is never freed.
    """
    session = import_onnxruntime().InferenceSession(content, options, providers=list(providers))
    _sessions.add(session)
    return session


def cpu_session(content: bytes, threads: int = 1, **more: Any) -> Any:
    """Return a bare session of a model file's content on the CPU, for checks and measurements.

    Args:
        content: Of a .onnx or .ort file.
        threads: How many one run may use.
        more: Further attributes of onnxruntime's SessionOptions.

    Raises:
        Exception: What onnxruntime raises.
    """
    options = import_onnxruntime().SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    for name, value in more.items():
        setattr(options, name, value)
    return open_session(content, options, ["CPUExecutionProvider"])


def _keep_for_ever() -> None:
    """Keep the parent's sessions in a forked child until it ends.

    Freeing one waits for its threads, which a fork does not copy: the child would hang or crash, at its exit at the
    latest. One reference too many outlives the interpreter; every place that Python could keep them in is emptied.
    """
    for session in list(_sessions):
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(session))


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_keep_for_ever)
