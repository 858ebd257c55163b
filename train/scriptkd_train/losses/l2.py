"""Squared distance between logits and between features.

Logits: Ba and Caruana 2014, arXiv 1312.6184, eq. 1. Features: Romero et al. 2015 (FitNets), arXiv 1412.6550, eq. 3.
"""

from __future__ import annotations

from torch import Tensor


def logit_l2_loss(logits: Tensor, teacher_logits: Tensor, target: Tensor, tau: float) -> Tensor:
    """1/2 |student - teacher|^2 between logits [N, K], averaged over images. Labels and tau are not used."""
    return feature_l2_loss(logits, teacher_logits)


def feature_l2_loss(features: Tensor, teacher_features: Tensor) -> Tensor:
    """1/2 |student - teacher|^2 between vectors [N, F] of one width, averaged over images."""
    return (features - teacher_features.detach()).square().sum(dim=1).mean() / 2
