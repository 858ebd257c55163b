"""Several teachers at once: their soft labels are averaged.

Hinton et al. 2015, arXiv 1503.02531, section 1, for ensembles; You et al. 2017, KDD, "Learning from Multiple Teacher
Networks", for teachers of one student.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def averaged_logits(teachers: list[Tensor], shares: list[float], tau: float) -> Tensor:
    """Return logits [N, K] whose softmax at temperature tau is sum_i share_i softmax(teacher_i / tau).

    So any loss that uses a teacher's soft labels at tau can use the average instead. The logits of a single teacher are
    unchanged. teachers: logits [N, K] each. shares: above 0, with the sum 1.
    """
    if len(teachers) == 1:
        return teachers[0]
    weighted = [
        F.log_softmax(logits / tau, dim=1) + math.log(share) for logits, share in zip(teachers, shares, strict=True)
    ]
    return tau * torch.stack(weighted).logsumexp(dim=0)
