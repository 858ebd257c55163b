"""The paper's experiments, repeated and compared with its figures."""
