"""The losses of Ghosh Dastidar et al. 2021 (arXiv 2102.10335), eqs. 1 to 5, as in the paper.

Every function returns a scalar, the mean over the batch. Teachers' outputs are constants, so only the student gets
gradients.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch.nn.functional as F
from torch import Tensor


def kl(p_logits: Tensor, q_logits: Tensor) -> Tensor:
    """Eq. 2: KL(P, Q) = sum p log(p / q), where P and Q are the softmax of logits [N, K]."""
    log_p, log_q = F.log_softmax(p_logits, dim=1), F.log_softmax(q_logits, dim=1)
    return (log_p.exp() * (log_p - log_q)).sum(dim=1).mean()


def soft_label_loss(logits: Tensor, teacher_logits: Tensor, target: Tensor, tau: float) -> Tensor:
    """tau^2 KL(P^tau_teacher, P^tau_student), with P^tau = softmax(logits / tau) of eqs. 1 and 3.

    The paper prints KL(P_student, P_teacher). We follow its source, Hinton et al. 2015 (arXiv 1503.02531). There
    the teacher's distribution is the target: sum p log(p / q), with p from the teacher. Labels are not used.
    """
    return tau**2 * kl(teacher_logits.detach() / tau, logits / tau)


def feature_loss(features: Tensor, teacher_features: Tensor) -> Tensor:
    """KL(PSf, PAf) of eq. 5 on feature vectors [N, F], taken as logits. The teacher's distribution is the target."""
    return kl(teacher_features.detach(), features)


def total_loss(task: Tensor, soft: Tensor, alpha: float, matched: Iterable[tuple[float, Tensor]] = ()) -> Tensor:
    """The total loss, eqs. 4 and 5: (1 - alpha) CE(P, y) + alpha tau^2 KL(P^tau, PT^tau) + lambda KL(PSf, PAf).

    task: CE(P, y). soft: tau^2 KL(P^tau, PT^tau), or another loss of `SOFT_LOSSES`. matched: pairs of a weight, the
    paper's lambda, and a loss between feature maps; none in eq. 4, KL(PSf, PAf) in eq. 5.
    """
    return sum((weight * loss for weight, loss in matched), (1 - alpha) * task + alpha * soft)
