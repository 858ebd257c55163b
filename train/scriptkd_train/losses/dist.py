"""DIST: match correlations instead of exact probabilities. Huang et al. 2022, NeurIPS, arXiv 2205.10536."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def dist_loss(
    logits: Tensor, teacher_logits: Tensor, target: Tensor, tau: float, *, beta: float = 1.0, gamma: float = 1.0
) -> Tensor:
    """tau^2 (beta L_inter + gamma L_intra), section 4 of the paper, with the softmax at temperature tau.

    L_inter: 1 - Pearson's correlation of the student's and the teacher's probabilities for one image, averaged over
    images. L_intra: the same for the probabilities of one class over the batch, averaged over classes. So the student
    only needs to keep the order and spacing of a stronger teacher's outputs. Labels are not used.

    logits, teacher_logits: [N, K].
    """
    student = F.softmax(logits / tau, dim=1)
    teacher = F.softmax(teacher_logits.detach() / tau, dim=1)
    inter, intra = 1 - _pearson(student, teacher).mean(), 1 - _pearson(student.T, teacher.T).mean()
    return tau**2 * (beta * inter + gamma * intra)


def _pearson(a: Tensor, b: Tensor) -> Tensor:
    """Correlation of each row of a with the same row of b, [rows]; 0 if a row is constant."""
    return F.cosine_similarity(a - a.mean(dim=1, keepdim=True), b - b.mean(dim=1, keepdim=True), dim=1)
