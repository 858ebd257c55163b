"""Benchmarks for scriptkd: latency, accuracy and size of every model of the chain.

Model files (.onnx) need no more than the SDK; checkpoints (.pt) are exported first, which needs torch.
"""
