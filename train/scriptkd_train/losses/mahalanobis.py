"""Squared distance in a given metric: Mahalanobis 1936, "On the generalised distance in statistics"."""

from __future__ import annotations

import torch
from torch import Tensor


def mahalanobis_loss(features: Tensor, teacher_features: Tensor, root: Tensor) -> Tensor:
    """1/2 (s - t)^T M (s - t) between vectors [N, F] of one width, averaged over vectors.

    root: [F, R] with M = root root^T. For the Mahalanobis distance, M is the inverse covariance of the features.
    """
    return ((features - teacher_features.detach()) @ root).square().sum(dim=1).mean() / 2


def shrunk_covariance(vectors: Tensor) -> Tensor:
    """Return the covariance of vectors [N, F], shrunk towards a multiple of the identity.

    Ledoit & Wolf 2004, J. Multivariate Analysis 88, "A well-conditioned estimator for large-dimensional covariance
    matrices", section 3.3.

    The result is (1 - d) S + d m I, float64 [F, F]. S is the sample covariance and m the mean of its diagonal. d
    minimises the expected squared error. It is estimated from the vectors, so there is no parameter to choose. The
    result is invertible even if some features never vary.
    """
    count, width = vectors.shape
    centred = vectors.double() - vectors.double().mean(dim=0)
    sample = centred.T @ centred / count
    identity = torch.eye(width, dtype=sample.dtype, device=sample.device)
    target = sample.trace() / width * identity
    spread = (sample - target).square().sum()
    error = (centred.square().sum(dim=1).square().mean() - sample.square().sum()) / count
    share = (error / spread).clamp(0, 1) if spread > 0 else torch.ones_like(spread)
    return (1 - share) * sample + share * target


def inverse_root(covariance: Tensor) -> Tensor:
    """R with R R^T = covariance^-1, float32 [F, F], from the Cholesky factor of the covariance.

    Raises ValueError if the covariance is zero, because all vectors were the same.
    """
    if not covariance.trace() > 0:
        raise ValueError("all feature vectors are the same, so they have no Mahalanobis distance")
    lower = torch.linalg.cholesky(covariance)
    identity = torch.eye(len(lower), dtype=lower.dtype, device=lower.device)
    root: Tensor = torch.linalg.solve_triangular(lower, identity, upper=False)
    return root.T.float().contiguous()
