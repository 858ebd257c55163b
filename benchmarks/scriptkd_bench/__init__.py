"""Benchmarks for scriptkd: latency, accuracy and size of every model of the chain.

Model files (.onnx) need no more than the SDK; checkpoints (.pt) are exported first, which needs torch.
"""

# Before onnxruntime, which then sends nothing, and before torch, whose threads then sleep while they wait.
import scriptkd_sdk.runtime  # noqa: F401
import scriptkd_train  # noqa: F401
