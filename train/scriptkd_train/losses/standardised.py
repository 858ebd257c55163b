"""Logit standardisation: Sun et al. 2024, CVPR, arXiv 2403.01427."""

from __future__ import annotations

from torch import Tensor

from scriptkd_train.losses.paper import soft_label_loss

_TINY = 1e-7


def standardised_loss(logits: Tensor, teacher_logits: Tensor, target: Tensor, tau: float) -> Tensor:
    """Plain distillation of Z-scores: tau^2 KL(softmax(Z(teacher) / tau), softmax(Z(student) / tau)).

    Z(x) = (x - mean) / deviation over an image's K logits (algorithm 1). So a small student needs to match only the
    relations of the teacher's logits, not their range. Labels are not used.

    logits, teacher_logits: [N, K].
    """
    return soft_label_loss(_z_score(logits), _z_score(teacher_logits), target, tau)


def _z_score(logits: Tensor) -> Tensor:
    # The variance is divided by K - 1, as in the authors' code. _TINY is added inside the root, since the root's slope
    # at 0 is infinite.
    deviation = (logits.var(dim=1, keepdim=True) + _TINY**2).sqrt()
    return (logits - logits.mean(dim=1, keepdim=True)) / deviation
