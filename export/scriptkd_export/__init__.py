"""Export for scriptkd: from a checkpoint to a checked ONNX file."""
