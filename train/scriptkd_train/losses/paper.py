"""The losses of Ghosh Dastidar et al. 2021 (arXiv 2102.10335), eqs. 1 to 5, each as the paper writes it.

Every function returns a scalar, the mean over the batch. Teachers' outputs are constants: gradients reach the student
only.
"""

from __future__ import annotations

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor

from .task import task_loss


def kl(p_logits: Tensor, q_logits: Tensor) -> Tensor:
    """Eq. 2: KL(P, Q) = sum p log(p / q), where P and Q are the softmax of logits [N, K]."""
    log_p, log_q = F.log_softmax(p_logits, dim=1), F.log_softmax(q_logits, dim=1)
    return (log_p.exp() * (log_p - log_q)).sum(dim=1).mean()


def soft_label_loss(logits: Tensor, teacher_logits: Tensor, target: Tensor, tau: float) -> Tensor:
    """tau^2 KL(P^tau_teacher, P^tau_student), with P^tau = softmax(logits / tau) of eqs. 1 and 3.

    The paper prints the pair as KL(P_student, P_teacher); we follow Hinton et al. 2015 (arXiv 1503.02531), its source,
    where the teacher's distribution is the target: sum p log(p / q) with p the teacher's. Labels have no part in it.
    """
    return tau**2 * kl(teacher_logits.detach() / tau, logits / tau)


def feature_loss(features: Tensor, teacher_features: Tensor) -> Tensor:
    """KL(PSf, PAf) of eq. 5 on feature vectors [N, F], read as logits of distributions; the teacher's is the target."""
    return kl(teacher_features.detach(), features)


def distillation_loss(
    logits: Tensor,
    target: Tensor,
    teacher_logits: Tensor,
    alpha: float,
    tau: float,
    label_smoothing: float = 0.0,
    soft: Callable[[Tensor, Tensor, Tensor, float], Tensor] = soft_label_loss,
) -> Tensor:
    """Eq. 4: K = (1 - alpha) CE(P, y) + alpha tau^2 KL(P^tau, PT^tau).

    Args:
        logits: [N, K] of the network in training.
        target: int64 [N], the labels y; -1 for an image without text.
        teacher_logits: [N, K]; no gradient flows to them.
        soft: stands for tau^2 KL(P^tau, PT^tau); another loss of `SOFT_LOSSES` takes its place.
    """
    task = task_loss(logits, target, label_smoothing)
    return (1 - alpha) * task + alpha * soft(logits, teacher_logits, target, tau)


def student_loss(
    logits: Tensor,
    features: Tensor,
    target: Tensor,
    assistant_logits: Tensor,
    assistant_features: Tensor,
    alpha: float,
    tau: float,
    feature_weight: float,
    label_smoothing: float = 0.0,
    soft: Callable[[Tensor, Tensor, Tensor, float], Tensor] = soft_label_loss,
    feature: Callable[[Tensor, Tensor], Tensor] = feature_loss,
) -> Tensor:
    """Eq. 5: K_DS = (1 - alpha) CE(PS, y) + alpha tau^2 KL(PS^tau, PA^tau) + lambda KL(PSf, PAf).

    features, assistant_features: [N, F] of one width; `feature_weight` is the paper's lambda. `feature` stands for
    KL(PSf, PAf); another loss of `FEATURE_LOSSES` takes its place.
    """
    total = distillation_loss(logits, target, assistant_logits, alpha, tau, label_smoothing, soft)
    return total + feature_weight * feature(features, assistant_features)
