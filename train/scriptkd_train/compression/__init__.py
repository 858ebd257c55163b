"""Making trained networks smaller: decomposition and quantization."""
