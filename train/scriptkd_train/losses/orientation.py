"""The orientation loss of networks for any crop."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

ORIENTATION_WEIGHT = 0.3
"""Weight of the orientation loss beside the script loss: the script matters more, and orientation is learned quickly.
"""


def orientation_loss(logits: Tensor, orientation: Tensor) -> Tensor:
    """ORIENTATION_WEIGHT CE over the images of known orientation in the batch; 0 if there are none.

    logits: [N, 4] for 0, 90, 180 and 270 degrees clockwise. orientation: int64 [N], 0..3, or -1 if unknown.
    """
    known = orientation >= 0
    total = F.cross_entropy(logits, orientation, ignore_index=-1, reduction="sum")
    return ORIENTATION_WEIGHT * total / known.sum().clamp(min=1)
