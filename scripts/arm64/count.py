"""Runs inside the emulated machine: calls a model so often. count.py MODEL CALLS run|identify"""

import sys

import numpy as np
import onnxruntime

from scriptkd_sdk import ScriptIdentifier

path, calls, what = sys.argv[1], int(sys.argv[2]), sys.argv[3]
identifier = ScriptIdentifier(path)
crop = np.tile(np.arange(114, dtype=np.uint8), (39, 1))[..., None].repeat(3, axis=2)  # CVSI-2015's median size
if what == "identify":
    for _ in range(calls):
        identifier.identify(crop)
else:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    batch = identifier.preprocessing.apply(crop)[None]
    for _ in range(calls):
        session.run(["logits"], {"image": batch})
