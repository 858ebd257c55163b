"""Runs inside the emulated machine: count.py [run|identify CALLS MODEL]... calls each model CALLS times.

Each model gets its own process, which loads it and calls it once. Then two forked copies run: an idle one, which ends
at once, and one that makes the calls. The emulator reports each end, in this order: idle copy, calling copy, the
model's process. So the machine starts once for all models, and loading a model does not count.
"""

import os
import sys
from collections.abc import Callable

import cv2
import numpy as np
import onnxruntime

from scriptkd_sdk import ScriptIdentifier


def copy_of_process(work: Callable[[], object]) -> None:
    """Do the work in a forked copy of this process, and wait for its end."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException as error:  # any error: the copy must not run on as a second parent
            print(error, file=sys.stderr)
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        raise SystemExit(f"{sys.argv} failed in a copy of the process")


def count(what: str, calls: int, path: str) -> None:
    identifier = ScriptIdentifier(path)
    crop = np.tile(np.arange(114, dtype=np.uint8), (39, 1))[..., None].repeat(3, axis=2)  # CVSI-2015's median size
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    batch = identifier.preprocessing.apply(crop)[None]

    def call(times: int) -> None:
        for _ in range(times):
            if what == "identify":
                identifier.identify(crop)
            else:
                session.run(["logits"], {"image": batch})

    call(1)
    copy_of_process(lambda: call(0))
    copy_of_process(lambda: call(calls))


cv2.setNumThreads(1)  # a forked process has only its first thread
for what, calls, path in zip(sys.argv[1::3], sys.argv[2::3], sys.argv[3::3], strict=True):
    copy_of_process(lambda job=(what, int(calls), path): count(*job))
