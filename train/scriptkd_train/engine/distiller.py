"""What a stage learns from its teachers: their answers, and the loss that compares them with the network's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from lightning_fabric import Fabric
from torch import Tensor

from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.data.in_memory import Batch, Prepared
from scriptkd_train.engine.feature_distillation import as_vectors, metric_loss
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
    train: Prepared
    share: float = 1.0


@dataclass(frozen=True)
class Answers:
    """Of the teachers for one batch. logits: [N, K] of each. taps: of the first, the points that are matched."""

    logits: list[Tensor]
    taps: dict[str, Tensor]


class Teaching:
    """The teachers of a stage, in eval mode, their answers and the loss.

    Answers are computed once (`labels: cached`, the paper's way, each teacher reading the images at its own size), or
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
        self.networks = [fabric.to_device(teacher.network.eval().requires_grad_(False)) for teacher in teachers]
        self.match_losses = {
            point: metric_loss(fabric, match.loss, point, self.networks[0], teachers[0].train, generator)
            for point, match in distil.match.items()
        }
        self.cache: Answers | None = None
        if distil.labels == "cached":
            answers = [
                self._over(network, teacher.train, batch_size)
                for network, teacher in zip(self.networks, teachers, strict=True)
            ]
            self.cache = Answers([logits for logits, _ in answers], answers[0][1])
            self.networks = []  # they have said all they know, and a GPU's memory is short

    @torch.no_grad()
    def _over(self, network: Network, train: Prepared, batch_size: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Logits and matched taps, [images, ...] each, over the training images."""
        whole: dict[str, Tensor] = {}
        for batch in train.batches(batch_size):
            logits, taps = network.forward_taps(self.fabric.to_device(batch.images))
            for name, part in {"logits": logits, **self._matched(taps)}.items():
                if name not in whole:
                    whole[name] = torch.empty(len(train), *part.shape[1:])
                whole[name][batch.index] = part.float().cpu()
        return whole.pop("logits"), whole

    def _matched(self, taps: dict[str, Tensor]) -> dict[str, Tensor]:
        return {point: taps[point] for point in self.distil.match}

    @torch.no_grad()
    def answers(self, batch: Batch, images: Tensor) -> Answers:
        """The teachers' answers for a batch; `images` are the augmented ones, used when online."""
        if self.cache is not None:
            logits = [self.fabric.to_device(each[batch.index]) for each in self.cache.logits]
            return Answers(logits, {k: self.fabric.to_device(v[batch.index]) for k, v in self.cache.taps.items()})
        both = [network.forward_taps(images) for network in self.networks]
        return Answers([logits for logits, _ in both], self._matched(both[0][1]))

    def loss(
        self, logits: Tensor, vectors: dict[str, Tensor], target: Tensor, theirs: Answers, label_smoothing: float
    ) -> Tensor:
        """Eqs. 4 and 5 with the losses that the recipe names.

        vectors: the network's own at the matched points, [M, F] of the teacher's width.
        """
        matched = [
            (match.weight, self.match_losses[point](vectors[point].float(), as_vectors(theirs.taps[point]).float()))
            for point, match in self.distil.match.items()
        ]
        task = task_loss(logits, target, label_smoothing)
        return total_loss(task, self._soft(logits, target, theirs.logits), self.distil.alpha, matched)

    def _soft(self, logits: Tensor, target: Tensor, theirs: list[Tensor]) -> Tensor:
        """The mean over the temperatures; of several teachers the soft labels are averaged at each of them."""
        if self.distil.loss == NONE:
            return logits.new_zeros(())
        loss = soft_loss(self.distil.loss, self.distil.arguments)
        each = [loss(logits, averaged_logits(theirs, self.shares, tau), target, tau) for tau in self.distil.taus]
        return torch.stack(each).mean()
