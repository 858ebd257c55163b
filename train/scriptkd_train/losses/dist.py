"""DIST, correlations instead of exact probabilities: Huang et al. 2022, NeurIPS, arXiv 2205.10536."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def dist_loss(
    logits: Tensor, teacher_logits: Tensor, target: Tensor, tau: float, *, beta: float = 1.0, gamma: float = 1.0
) -> Tensor:
    """tau^2 (beta L_inter + gamma L_intra), their section 4, with the softmax at temperature tau.

    L_inter: 1 - Pearson's correlation between the student's and the teacher's probabilities of one image, mean over the
    images. L_intra: the same of one class's probabilities over the batch, mean over the classes. So the student need
    only keep the order and spacing of a stronger teacher's answers. The labels have no part in it.

    logits, teacher_logits: [N, K].
    """
    student = F.softmax(logits / tau, dim=1)
    teacher = F.softmax(teacher_logits.detach() / tau, dim=1)
    inter, intra = 1 - _pearson(student, teacher).mean(), 1 - _pearson(student.T, teacher.T).mean()
    return tau**2 * (beta * inter + gamma * intra)


def _pearson(a: Tensor, b: Tensor) -> Tensor:
    """Correlation of the rows of a with those of b, [rows]; 0 where a row is constant."""
    return F.cosine_similarity(a - a.mean(dim=1, keepdim=True), b - b.mean(dim=1, keepdim=True), dim=1)
