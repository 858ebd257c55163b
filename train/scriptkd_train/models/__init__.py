"""Networks, checkpoints, and pretrained weights."""
