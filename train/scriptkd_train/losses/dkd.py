"""Decoupled knowledge distillation: Zhao et al. 2022, CVPR, arXiv 2203.08679."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def dkd_loss(
    logits: Tensor, teacher_logits: Tensor, target: Tensor, tau: float, *, alpha: float = 1.0, beta: float = 8.0
) -> Tensor:
    """tau^2 (alpha TCKD + beta NCKD), eq. 7.

    TCKD is the KL divergence between the teacher's and the student's odds of the labelled class, [p_y, 1 - p_y]. NCKD
    is the divergence between their distributions over the other classes. Plain distillation is TCKD + (1 - p_y of the
    teacher) NCKD (eq. 6), so a confident teacher suppresses the second part. Here that part has its own weight. The
    authors use alpha 1 and beta 8 on CIFAR-100. Without a label (target -1) the plain divergence is used.

    logits, teacher_logits: [N, K]; target: int64 [N], -1 or 0..K-1.
    """
    labelled = F.one_hot(target.clamp(min=0), logits.shape[1]).bool() & (target >= 0).unsqueeze(1)
    student, teacher = logits / tau, teacher_logits.detach() / tau
    everything = _divergence(F.log_softmax(teacher, dim=1), F.log_softmax(student, dim=1))
    odds = _divergence(_odds(teacher, labelled), _odds(student, labelled))
    others = _divergence(_others(teacher, labelled), _others(student, labelled))
    return tau**2 * torch.where(target < 0, everything, alpha * odds + beta * others).mean()


def _divergence(log_p: Tensor, log_q: Tensor) -> Tensor:
    """sum p log(p / q) for each image, from log-probabilities [N, M] -> [N]."""
    return (log_p.exp() * (log_p - log_q)).sum(dim=1)


def _odds(logits: Tensor, labelled: Tensor) -> Tensor:
    """log [p_y, 1 - p_y], [N, 2], from the logits, since 1 - p_y of a confident network rounds to 0."""
    own = logits.masked_fill(~labelled, 0).sum(dim=1)
    return F.log_softmax(torch.stack((own, _without(logits, labelled).logsumexp(dim=1)), dim=1), dim=1)


def _others(logits: Tensor, labelled: Tensor) -> Tensor:
    """Log-probabilities among the other classes, [N, K]; 0 for the labelled class."""
    return F.log_softmax(_without(logits, labelled), dim=1).masked_fill(labelled, 0)


def _without(logits: Tensor, labelled: Tensor) -> Tensor:
    """Makes the labelled class as good as impossible, within the range of half precision."""
    return logits.masked_fill(labelled, torch.finfo(logits.dtype).min / 2)
