"""What a stage learns from its teachers: their outputs, and the loss that compares them with the network's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from lightning_fabric import Fabric
from torch import Tensor

from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.data.in_memory import Batch, InMemoryDataset
from scriptkd_train.engine.feature_distillation import as_vectors, build_feature_loss
from scriptkd_train.losses import NONE, averaged_logits, soft_loss, task_loss, total_loss
from scriptkd_train.models.networks import Network
from scriptkd_train.recipe import Distil


@dataclass(frozen=True)
class Teacher:
    """A trained network to learn from, and the training images pre-processed as it reads them.

    share: of the soft labels, where there are several teachers; all shares add up to 1.
    """

    network: Network
    preprocessing: Preprocessing
    train: InMemoryDataset
    share: float = 1.0


@dataclass(frozen=True)
class TeacherOutputs:
    """Of the teachers for one batch. logits: [N, K] of each. feature_maps: those of the first that are matched."""

    logits: list[Tensor]
    feature_maps: dict[str, Tensor]


class Distiller:
    """The teachers of a stage, in eval mode, their outputs and the loss.

    Outputs are computed once (`labels: cached`, the paper's way, each teacher reading the images at its own size), or
    for the very images in training (`online`). generator: draws the images that a metric is measured on.

    Raises:
        ArgumentError: a metric cannot be had from the teacher.
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
        self.teachers = [teacher.network.eval().requires_grad_(False) for teacher in teachers]
        for network in self.teachers:
            fabric.to_device(network)
        self.match_losses = {
            point: build_feature_loss(fabric, match.loss, point, self.teachers[0], teachers[0].train, generator)
            for point, match in distil.match.items()
        }
        self.cache: TeacherOutputs | None = None
        if distil.labels == "cached":
            outputs = [
                self._run_over(network, teacher.train, batch_size)
                for network, teacher in zip(self.teachers, teachers, strict=True)
            ]
            self.cache = TeacherOutputs([logits for logits, _ in outputs], outputs[0][1])
            self.teachers = []  # all that they can tell is cached, and a GPU's memory is short

    @torch.no_grad()
    def _run_over(self, network: Network, train: InMemoryDataset, batch_size: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Logits and feature maps to match, [images, ...] each, over the training images."""
        whole: dict[str, Tensor] = {}
        for batch in train.batches(batch_size):
            logits, feature_maps = network.forward_feature_maps(self.fabric.to_device(batch.images))
            for name, part in {"logits": logits, **self._matched(feature_maps)}.items():
                if name not in whole:
                    whole[name] = torch.empty(len(train), *part.shape[1:])
                whole[name][batch.index] = part.float().cpu()
        return whole.pop("logits"), whole

    def _matched(self, feature_maps: dict[str, Tensor]) -> dict[str, Tensor]:
        return {point: feature_maps[point] for point in self.distil.match}

    @torch.no_grad()
    def teacher_outputs(self, batch: Batch, images: Tensor) -> TeacherOutputs:
        """The teachers' outputs for a batch; `images` are the augmented ones, used when online."""
        if self.cache is not None:
            logits = [self.fabric.to_device(each[batch.index]) for each in self.cache.logits]
            return TeacherOutputs(
                logits, {k: self.fabric.to_device(v[batch.index]) for k, v in self.cache.feature_maps.items()}
            )
        both = [network.forward_feature_maps(images) for network in self.teachers]
        return TeacherOutputs([logits for logits, _ in both], self._matched(both[0][1]))

    def loss(
        self,
        logits: Tensor,
        vectors: dict[str, Tensor],
        target: Tensor,
        teacher_outputs: TeacherOutputs,
        label_smoothing: float,
    ) -> Tensor:
        """Eqs. 4 and 5 with the losses that the recipe names.

        vectors: the network's own at the matched points, [M, F] of the teacher's width.
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
        """The mean over the temperatures; of several teachers the soft labels are averaged at each of them."""
        if self.distil.loss == NONE:
            return logits.new_zeros(())
        loss = soft_loss(self.distil.loss, self.distil.arguments)
        each = [
            loss(logits, averaged_logits(teacher_outputs, self.shares, tau), target, tau) for tau in self.distil.taus
        ]
        return torch.stack(each).mean()
