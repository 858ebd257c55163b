"""onnxruntime as scriptkd uses it: without telemetry, and with sessions that survive a fork."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from typing import Any
from weakref import WeakSet

# Since 1.29, onnxruntime's wheels write a device id and a queue of events under the home folder, and look up a host to
# send them to. They read this variable once, when onnxruntime is imported. So importing the SDK sets it.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

_sessions: WeakSet[Any] = WeakSet()  # all sessions in this process, also those inherited from its parents


def import_onnxruntime() -> Any:
    """Return the module onnxruntime. It is imported at the first call, since `scriptkd --help` does not need it."""
    import onnxruntime

    return onnxruntime


def open_session(content: bytes, options: Any, providers: Sequence[Any]) -> Any:
    """Return a new onnxruntime.InferenceSession. onnxruntime's exceptions pass through.

    After a fork, the child cannot use its copy of the session, which has no threads. The copy is never freed, so it
    does no harm.
    """
    session = import_onnxruntime().InferenceSession(content, options, providers=list(providers))
    _sessions.add(session)
    return session


def cpu_session(content: bytes, threads: int = 1, **more: Any) -> Any:
    """Return a bare session of a model file's content on the CPU, for checks and measurements.

    Args:
        content: of a .onnx or .ort file.
        threads: how many threads one run may use.
        more: further attributes of onnxruntime's SessionOptions.

    Raises:
        Exception: any exception of onnxruntime.
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

    Freeing a session waits for its threads, which a fork does not copy: the child would hang or crash, at the latest at
    its exit. An extra reference keeps each session beyond the interpreter's end. Any Python container would be emptied
    before.
    """
    for session in list(_sessions):
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(session))


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_keep_for_ever)
