"""The losses on labels, without a teacher."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

AUXILIARY_WEIGHT = 0.4


def task_loss(logits: Tensor, target: Tensor, label_smoothing: float = 0.0) -> Tensor:
    """The cross-entropy CE(P, y) with the labels. An image without text (target -1) has equal shares as its label.

    Equal shares are outlier exposure (Hendrycks et al. 2019, arXiv 1812.04606). The network learns to give pictures
    without text a low top score, so that a threshold can turn them away.

    logits: [N, K]; target: int64 [N], -1 or 0..K-1.
    """
    classes = logits.shape[1]
    labels = F.one_hot(target.clamp(min=0), classes).to(logits.dtype)
    wanted = labels * (1 - label_smoothing) + label_smoothing / classes
    wanted = torch.where((target < 0).unsqueeze(1), 1 / classes, wanted)
    return -(wanted * F.log_softmax(logits, dim=1)).sum(dim=1).mean()


def auxiliary_loss(logits: Tensor, target: Tensor, label_smoothing: float = 0.0) -> Tensor:
    """0.4 CE of an auxiliary classifier at half the depth of a network.

    The weight is that of torchvision's reference training of InceptionV3. The head is from Szegedy et al. 2016, arXiv
    1512.00567, section 4.

    logits: [N, K] of the auxiliary head; target: int64 [N], -1 or 0..K-1.
    """
    return AUXILIARY_WEIGHT * task_loss(logits, target, label_smoothing)
