"""Benchmarks for scriptkd: latency, accuracy and size of every model of the chain."""
