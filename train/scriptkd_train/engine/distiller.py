"""Distillation of a stage: the teachers' outputs, and the loss that compares them with the student's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from lightning_fabric import Fabric
from torch import Tensor

from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.data.in_memory import Batch, InMemoryDataset
from scriptkd_train.engine.feature_distillation import as_vectors, build_feature_loss
from scriptkd_train.engine.soft_labels import SoftLabelFolder, make_soft_labels
from scriptkd_train.losses import NONE, averaged_logits, soft_loss, task_loss, total_loss
from scriptkd_train.models.networks import Network
from scriptkd_train.recipe import Distil


@dataclass(frozen=True)
class Teacher:
    """A trained network to learn from, and the training images pre-processed for it.

    share: its weight among several teachers; all shares add up to 1. columns: the indices of the student's scripts
    among the teacher's; None if both have the same. soft_labels: the folder for its answers.
    """

    network: Network
    preprocessing: Preprocessing
    train: InMemoryDataset
    share: float = 1.0
    columns: Sequence[int] | None = None
    soft_labels: SoftLabelFolder | None = None


@dataclass(frozen=True)
class TeacherOutputs:
    """The teachers' outputs for a batch: logits [N, K] of each, and the first one's feature maps at matched points."""

    logits: list[Tensor]
    feature_maps: dict[str, Tensor]


class Distiller:
    """The teachers of a stage, in eval mode, their outputs and the loss.

    With `labels: cached`, as in the paper, outputs are computed once, and each teacher reads the images at its own
    size. With `online`, they are computed for the augmented images of each step. generator: draws the images for a
    metric.

    Raises:
        ArgumentError: a metric cannot be computed from the teacher.
    """

    def __init__(
        self,
        fabric: Fabric,
        teachers: Sequence[Teacher],
        distil: Distil,
        batch_size: int,
        generator: torch.Generator,
    ) -> None:
        self.fabric, self.distil = fabric, distil
        self.shares = [teacher.share for teacher in teachers]
        self.columns = [teacher.columns for teacher in teachers]
        self.teachers = [teacher.network.eval().requires_grad_(False) for teacher in teachers]
        for network in self.teachers:
            fabric.to_device(network)
        self.match_losses = {
            point: build_feature_loss(fabric, match.loss, point, self.teachers[0], teachers[0].train, generator)
            for point, match in distil.match.items()
        }
        self.cache: TeacherOutputs | None = None
        if distil.labels == "cached":
            whole = [
                make_soft_labels(fabric, network, teacher.train, batch_size, distil.match, teacher.soft_labels)
                for network, teacher in zip(self.teachers, teachers, strict=True)
            ]
            self.cache = TeacherOutputs([each["logits"] for each in whole], self._matched(whole[0]))
            self.teachers = []  # all their outputs are cached, and GPU memory is scarce

    def _matched(self, feature_maps: dict[str, Tensor]) -> dict[str, Tensor]:
        return {point: feature_maps[point] for point in self.distil.match}

    @torch.no_grad()
    def teacher_outputs(self, batch: Batch, images: Tensor) -> TeacherOutputs:
        """The teachers' outputs for a batch. images: the augmented images, used if online."""
        if self.cache is not None:
            logits = [self.fabric.to_device(each[batch.index]) for each in self.cache.logits]
            maps = {point: self.fabric.to_device(each[batch.index]) for point, each in self.cache.feature_maps.items()}
        else:
            both = [network.forward_feature_maps(images) for network in self.teachers]
            logits, maps = [each for each, _ in both], self._matched(both[0][1])
        own = [own_scripts(*each, batch.target) for each in zip(logits, self.columns, strict=True)]
        return TeacherOutputs(own, maps)

    def loss(
        self,
        logits: Tensor,
        vectors: dict[str, Tensor],
        target: Tensor,
        teacher_outputs: TeacherOutputs,
        label_smoothing: float,
    ) -> Tensor:
        """The loss of eqs. 4 and 5, with the terms of the recipe.

        vectors: the student's vectors at the matched points, [M, F] with the teacher's width.
        """
        matched = [
            (
                match.weight,
                self.match_losses[point](
                    vectors[point].float(), as_vectors(teacher_outputs.feature_maps[point]).float()
                ),
            )
            for point, match in self.distil.match.items()
        ]
        task = task_loss(logits, target, label_smoothing)
        return total_loss(task, self._soft(logits, target, teacher_outputs.logits), self.distil.alpha, matched)

    def _soft(self, logits: Tensor, target: Tensor, teacher_outputs: list[Tensor]) -> Tensor:
        """The mean soft loss over the temperatures. At each, the soft labels of several teachers are averaged."""
        if self.distil.loss == NONE:
            return logits.new_zeros(())
        loss = soft_loss(self.distil.loss, self.distil.arguments)
        each = [
            loss(logits, averaged_logits(teacher_outputs, self.shares, tau), target, tau) for tau in self.distil.taus
        ]
        return torch.stack(each).mean()


def own_scripts(logits: Tensor, columns: Sequence[int] | None, target: Tensor) -> Tensor:
    """A teacher's logits [N, T], cut to the K scripts `columns` of its T scripts.

    The softmax over these columns gives their probabilities, renormalised. None means the same scripts.

    An image without a script (target -1) gets equal logits, since the student should be undecided there. The teacher
    itself may be confident: it may know the foreign script, or confuse it with a similar one.
    """
    own = logits if columns is None else logits[:, list(columns)]
    return own.masked_fill((target < 0).unsqueeze(1).to(own.device), 0.0)
