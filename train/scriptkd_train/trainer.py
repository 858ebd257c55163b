"""One step of training: a batch, its augmentation, its teachers' answers, the loss, the optimizer and the average."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from .augment import augment
from .average import Average
from .losses import (
    FEATURE_LOSSES,
    auxiliary_loss,
    averaged_logits,
    distillation_loss,
    soft_loss,
    student_loss,
    task_loss,
)
from .networks import Network, build_network
from .prepared import Batch, Prepared
from .recipe import Distil, Optimizer, Stage
from .start import freeze, hold, starting_weights


@dataclass(frozen=True)
class Teacher:
    """A trained network to learn from, and its own pre-processed copies of the training images.

    share: of the soft labels, where there are several teachers; all shares add up to 1.
    """

    network: Network
    train: Prepared
    share: float = 1.0


class Trainer:
    """A network in training, and all that one step of it needs.

    average: what is to be validated and kept, if the stage asks for a moving average. The learner's initial weights
    depend on (seed, stage) alone, but for what a stage with `start` takes from `source`, the state dict of the stage
    that it names.

    Raises:
        ArgumentError: the network cannot be built, or the source does not fit it.
    """

    def __init__(
        self,
        fabric: Fabric,
        name: str,
        stage: Stage,
        classes: int,
        seed: int,
        teachers: Sequence[Teacher] = (),
        source: Mapping[str, Tensor] | None = None,
    ) -> None:
        self.fabric, self.stage = fabric, stage
        torch.manual_seed(derived_seed(seed, name, "weights"))
        network = build_network(stage.network.name, classes, stage.input.preprocessing(), **stage.network.arguments)
        frozen: list[nn.Module] = []
        if stage.start is not None:
            where = f"stage {name}: start from {stage.start.stage}"
            if source is not None:
                copied = starting_weights(network, source, stage.start.layers, where)
                network.load_state_dict(copied, strict=False)
            frozen = freeze(network, stage.start.freeze, where)
        # Channels innermost is what convolution kernels read fastest, on CPUs and GPUs alike.
        network = network.to(memory_format=torch.channels_last)
        matched = stage.distil is not None and stage.distil.feature_weight > 0
        learner = _Learner(network, frozen, teachers[0].network.feature_width if matched else None)
        self.learner, self.optimizer = fabric.setup(learner, make_optimizer(learner, stage.optimizer))
        self.average = Average(self.learner.module.network, stage.ema) if stage.ema else None
        self.soft_labels = SoftLabels(fabric, teachers, stage.distil, stage.batch_size) if stage.distil else None

    @property
    def served(self) -> nn.Module:
        """The network to validate and keep."""
        return self.average.network if self.average is not None else self.learner.module.network

    def step(self, batch: Batch, epoch: float, draw: torch.Generator) -> Tensor:
        """One step on a batch; `epoch`, with its fraction, sets the rate. Returns the loss, which nobody waited for."""
        stage = self.stage
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(stage.optimizer, epoch, stage.epochs)
        # Bytes travel to a GPU four times faster than what augmentation makes of them there.
        images, target = self.fabric.to_device((batch.images, batch.target))
        images = augment(images, stage.augment, draw)
        logits, features, auxiliary = self.learner(images)
        if stage.distil is None or self.soft_labels is None:
            loss = task_loss(logits, target, stage.label_smoothing)
        else:
            theirs = self.soft_labels(batch, images)
            loss = _taught_loss(stage.distil, logits, features, target, theirs, stage.label_smoothing)
        if auxiliary is not None:
            loss = loss + auxiliary_loss(auxiliary, target, stage.label_smoothing)
        self.optimizer.zero_grad(set_to_none=True)
        self.fabric.backward(loss)
        self.optimizer.step()
        if self.average is not None:
            self.average.update()
        return loss.detach()

    def state_dict(self) -> dict[str, Any]:
        return {
            "learner": self.learner.module.state_dict(),
            "average": self.average.state_dict() if self.average is not None else None,
            "optimizer": self.optimizer.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.learner.module.load_state_dict(state["learner"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])


class _Learner(nn.Module):
    """The network in training and, where features are matched across widths, a linear map between them.

    The map (F_student -> F_teacher) is trained with the network and thrown away: the paper does not say how its two
    feature vectors, 128 and 512 long, are compared.
    """

    def __init__(self, network: Network, frozen: list[nn.Module], teacher_width: int | None) -> None:
        super().__init__()
        self.network = network
        self._frozen = tuple(frozen)  # a tuple, since they are the network's modules and not to be counted twice
        self.projection = nn.Linear(network.feature_width, teacher_width) if teacher_width else None

    def train(self, mode: bool = True) -> _Learner:
        super().train(mode)
        if mode:
            hold(self._frozen)
        return self

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        logits, features, auxiliary = self.network.forward_training(images)
        return logits, self.projection(features) if self.projection is not None else features, auxiliary


class SoftLabels:
    """The teachers' answers: computed once (`cached`, the paper's way), or for the images in training (`online`).

    Each teacher is in eval mode and, when cached, reads the images at its own size. Of several, the soft labels are
    averaged; the features are the first one's.
    """

    def __init__(self, fabric: Fabric, teachers: Sequence[Teacher], distil: Distil, batch_size: int) -> None:
        self.fabric, self.tau = fabric, distil.tau
        self.shares = [teacher.share for teacher in teachers]
        self.networks = [fabric.to_device(teacher.network.eval().requires_grad_(False)) for teacher in teachers]
        self.cache: tuple[Tensor, Tensor] | None = None
        if distil.labels == "cached":
            splits = [teacher.train for teacher in teachers]
            answers = [self._compute(*each, batch_size) for each in zip(self.networks, splits, strict=True)]
            self.cache = self._average(answers)
            self.networks = []  # they have said all they know, and a GPU's memory is short

    @torch.no_grad()
    def _compute(self, network: nn.Module, train: Prepared, batch_size: int) -> tuple[Tensor, Tensor]:
        logits: Tensor | None = None
        features: Tensor | None = None
        for batch in train.batches(batch_size):
            some_logits, some_features = network.forward_features(self.fabric.to_device(batch.images))
            if logits is None or features is None:
                logits = torch.empty(len(train), some_logits.shape[1])
                features = torch.empty(len(train), some_features.shape[1])
            logits[batch.index], features[batch.index] = some_logits.float().cpu(), some_features.float().cpu()
        assert logits is not None and features is not None  # a split is never empty
        return logits, features

    def _average(self, answers: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
        return averaged_logits([logits for logits, _ in answers], self.shares, self.tau), answers[0][1]

    @torch.no_grad()
    def __call__(self, batch: Batch, images: Tensor) -> tuple[Tensor, Tensor]:
        """Logits [N, K] and features [N, F] for a batch; `images` are the augmented ones, used when online."""
        if self.cache is None:
            return self._average([network.forward_features(images) for network in self.networks])
        return self.fabric.to_device((self.cache[0][batch.index], self.cache[1][batch.index]))


def _taught_loss(
    distil: Distil,
    logits: Tensor,
    features: Tensor,
    target: Tensor,
    theirs: tuple[Tensor, Tensor],
    label_smoothing: float,
) -> Tensor:
    """Eq. 5 or, without a feature term, eq. 4, with the losses that the recipe names."""
    their_logits, their_features = theirs
    soft = soft_loss(distil.loss, distil.arguments)
    if distil.feature_weight == 0:
        return distillation_loss(logits, target, their_logits, distil.alpha, distil.tau, label_smoothing, soft)
    return student_loss(
        logits, features, target, their_logits, their_features, distil.alpha, distil.tau, distil.feature_weight,
        label_smoothing, soft, FEATURE_LOSSES[distil.feature_loss],
    )  # fmt: skip


def learning_rate(optimizer: Optimizer, epoch: float, epochs: int) -> float:
    """The rate at a (fractional) epoch: linear warm-up, then constant or a half cosine down to zero."""
    if epoch < optimizer.warmup:
        return optimizer.lr * (epoch + 1e-3) / optimizer.warmup
    if optimizer.schedule == "constant":
        return optimizer.lr
    progress = (epoch - optimizer.warmup) / max(epochs - optimizer.warmup, 1e-9)
    return optimizer.lr * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))


def make_optimizer(learner: nn.Module, spec: Optimizer) -> torch.optim.Optimizer:
    parameters = [p for p in learner.parameters() if p.requires_grad]
    if spec.name == "sgd":
        return torch.optim.SGD(
            parameters, lr=spec.lr, momentum=spec.momentum, nesterov=spec.momentum > 0, weight_decay=spec.weight_decay
        )
    # Decay is for weights that multiply, not for biases and batch-norm scales.
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": spec.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=spec.lr)


def derived_seed(seed: int, stage: str, purpose: str) -> int:
    digest = hashlib.sha256(f"{seed} {stage} {purpose}".encode()).digest()
    return int.from_bytes(digest[:7], "little")
