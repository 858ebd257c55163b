"""Losses by their names in recipes. A new loss is a module beside this one and a line in a table below.

A soft loss takes (logits [N, K], teacher_logits [N, K], target int64 [N], tau). Its constants are keyword-only floats
with defaults. It replaces tau^2 KL in eqs. 4 and 5 of the paper. A feature loss takes (features [N, F],
teacher_features [N, F]) and compares them at a point of `scriptkd_train.models.networks.FEATURE_MAPS`. A feature loss
with a metric also takes the metric's root [F, R] (see `scriptkd_train.engine.feature_distillation`). All losses return
a scalar, the mean over the batch, and send no gradient to the teacher. Target -1 marks an image without text. The
baseline with hard labels only is a stage without `distil`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from inspect import Parameter, signature

from torch import Tensor

from scriptkd_train.losses.dist import dist_loss
from scriptkd_train.losses.dkd import dkd_loss
from scriptkd_train.losses.l2 import feature_l2_loss, logit_l2_loss
from scriptkd_train.losses.mahalanobis import inverse_root, mahalanobis_loss, shrunk_covariance
from scriptkd_train.losses.multi_teacher import averaged_logits
from scriptkd_train.losses.orientation import orientation_loss
from scriptkd_train.losses.paper import feature_loss, kl, soft_label_loss, total_loss
from scriptkd_train.losses.standardised import standardised_loss
from scriptkd_train.losses.task import auxiliary_loss, task_loss

SoftLoss = Callable[[Tensor, Tensor, Tensor, float], Tensor]
FeatureLoss = Callable[[Tensor, Tensor], Tensor]

SOFT_LOSSES: dict[str, SoftLoss] = {
    "kd": soft_label_loss,
    "dkd": dkd_loss,
    "dist": dist_loss,
    "standardised": standardised_loss,
    "l2": logit_l2_loss,
}
FEATURE_LOSSES: dict[str, FeatureLoss] = {
    "kl": feature_loss,
    "l2": feature_l2_loss,
}
METRIC_LOSSES = {
    "mahalanobis": "the inverse of the covariance of the teacher's vectors over training images",
    "feedforward": "the teacher's first LSTM layer: l2 between the products of its input matrices with both vectors",
}
"""Feature losses with a metric -> the source of the metric. All use `mahalanobis_loss`."""
NONE = "none"
"""Used in place of a soft loss: no comparison of the outputs."""

__all__ = [
    "FEATURE_LOSSES",
    "METRIC_LOSSES",
    "NONE",
    "SOFT_LOSSES",
    "FeatureLoss",
    "auxiliary_loss",
    "averaged_logits",
    "check_arguments",
    "feature_loss",
    "inverse_root",
    "kl",
    "mahalanobis_loss",
    "orientation_loss",
    "shrunk_covariance",
    "soft_label_loss",
    "soft_loss",
    "task_loss",
    "total_loss",
]


def soft_loss(name: str, arguments: Mapping[str, float]) -> SoftLoss:
    """The named soft loss with its constants bound."""
    return partial(SOFT_LOSSES[name], **arguments)


def check_arguments(name: str, arguments: Mapping[str, float]) -> None:
    """Raise ValueError, naming what is allowed, for an unknown soft loss or unknown constants."""
    if name not in (*SOFT_LOSSES, NONE):
        raise ValueError(f"loss {name!r} is unknown; allowed are {', '.join(SOFT_LOSSES)}, {NONE}")
    parameters = signature(SOFT_LOSSES[name]).parameters.values() if name != NONE else ()
    allowed = [p.name for p in parameters if p.kind is Parameter.KEYWORD_ONLY]
    if unknown := [key for key in arguments if key not in allowed]:
        raise ValueError(f"loss {name!r} has no argument {unknown[0]!r}; it has {', '.join(allowed) or 'none'}")
