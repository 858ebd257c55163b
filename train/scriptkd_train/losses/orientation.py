"""What a network for any crop learns beside the script: which way up the letters stand."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

ORIENTATION_WEIGHT = 0.3
"""Of orientation beside the script's loss: the script is what the network is for, and orientation is soon learned."""


def orientation_loss(logits: Tensor, orientation: Tensor) -> Tensor:
    """ORIENTATION_WEIGHT CE over those images of the batch whose orientation is known; 0 where it is of none.

    logits: [N, 4] of 0, 90, 180 and 270 degrees clockwise; orientation: int64 [N], 0..3, or -1 where it is not known.
    """
    known = orientation >= 0
    total = F.cross_entropy(logits, orientation, ignore_index=-1, reduction="sum")
    return ORIENTATION_WEIGHT * total / known.sum().clamp(min=1)
