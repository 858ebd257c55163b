"""Benchmarks for scriptkd: latency, accuracy and size of every model in the chain.

Model files (.onnx) need only the SDK. Checkpoints (.pt) are exported first, which needs torch.
"""

# The first comes before onnxruntime, to disable its telemetry. The second comes before torch, so that idle threads
# sleep.
import scriptkd_sdk.runtime  # noqa: F401
import scriptkd_train  # noqa: F401
