"""Networks, their checkpoints, and weights from elsewhere."""
