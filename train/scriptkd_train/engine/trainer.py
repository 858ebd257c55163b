"""One training step: a batch, its augmentation, the teachers' answers, the loss, the optimizer and the average."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.compression.quantize import fake_quantize
from scriptkd_train.data.augment import augment, half_turn
from scriptkd_train.data.in_memory import Batch
from scriptkd_train.engine.distiller import Distiller, Teacher
from scriptkd_train.engine.ema import ModelEma
from scriptkd_train.engine.feature_distillation import as_vectors, feature_widths
from scriptkd_train.losses import auxiliary_loss, orientation_loss, task_loss
from scriptkd_train.models.depthwise import Float32Depthwise
from scriptkd_train.models.init_weights import freeze, select_init_weights, set_frozen_to_eval
from scriptkd_train.models.networks import Network, build_network
from scriptkd_train.recipe import Optimizer, ResolvedStage


class Trainer:
    """A network in training, with all that a step needs.

    The initial weights depend only on (seed, stage). A stage with `start` also copies weights from `source`, the state
    dict of the stage or model that `start` names.

    Raises:
        ArgumentError: the network cannot be built, or the source does not fit it.
    """

    def __init__(
        self,
        fabric: Fabric,
        name: str,
        stage: ResolvedStage,
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
            where = f"stage {name}: start from {stage.start.origin}"
            if source is not None:
                copied = select_init_weights(network, source, stage.start.layers, where)
                network.load_state_dict(copied, strict=False)
            frozen = freeze(network, stage.start.freeze, where)
        # Convolutions are fastest with channels last, on CPUs and GPUs alike.
        network = network.to(memory_format=torch.channels_last)
        widths: dict[str, tuple[int, int]] = {}
        if stage.distil is not None and stage.distil.match:
            sides = (network, stage.input.preprocessing()), (teachers[0].network, teachers[0].preprocessing)
            widths = feature_widths(*sides, stage.distil.match, f"stage {name}: match")
        if stage.quantize is not None:
            fake_quantize(network, stage.quantize.weights, stage.quantize.activations)
        learner = _Learner(network, frozen, widths)
        self.learner, self.optimizer = fabric.setup(learner, make_optimizer(learner, stage.optimizer))
        self.ema = ModelEma(self.learner.module.network, stage.ema) if stage.ema else None
        self.distiller: Distiller | None = None
        if stage.distil is not None:
            generator = torch.Generator().manual_seed(derived_seed(seed, name, "metric"))
            self.distiller = Distiller(fabric, teachers, stage.distil, stage.batch_size, generator)

    @property
    def eval_model(self) -> nn.Module:
        """The network to validate and save: the moving average, if there is one."""
        return self.ema.network if self.ema is not None else self.learner.module.network

    def step(self, batch: Batch, epoch: float, generator: torch.Generator) -> Tensor:
        """Take one step on a batch, and return the loss as a tensor, so that nothing waits for a GPU.

        The fractional `epoch` sets the learning rate.
        """
        stage = self.stage
        for group in self.optimizer.param_groups:
            # States of older versions have no scales.
            group["lr"] = learning_rate(stage.optimizer, epoch, stage.epochs) * group.get("lr_scale", 1.0)
        # uint8 travels to a GPU four times faster than float32, so augmentation runs there.
        images, target, orientation = self.fabric.to_device((batch.images, batch.target, batch.orientation))
        if orientation is not None:
            images, orientation = half_turn(images, orientation, generator)
        images = augment(images, stage.augment, generator)
        logits, vectors, auxiliary, ways = self.learner(images)
        if self.distiller is None:
            loss = task_loss(logits, target, stage.label_smoothing)
        else:
            teacher_outputs = self.distiller.teacher_outputs(batch, images)
            loss = self.distiller.loss(logits, vectors, target, teacher_outputs, stage.label_smoothing)
        if auxiliary is not None:
            loss = loss + auxiliary_loss(auxiliary, target, stage.label_smoothing)
        if ways is not None and orientation is not None:
            loss = loss + orientation_loss(ways, orientation)
        self.optimizer.zero_grad(set_to_none=True)
        self.fabric.backward(loss)
        if stage.optimizer.clip is not None:  # `train_stage` reports a loss that is NaN
            clip = stage.optimizer.clip
            self.fabric.clip_gradients(self.learner, self.optimizer, max_norm=clip, error_if_nonfinite=False)
        self.optimizer.step()
        if self.ema is not None:
            self.ema.update()
        return loss.detach()

    def state_dict(self) -> dict[str, Any]:
        """The state that a run needs to resume."""
        return {
            "learner": self.learner.module.state_dict(),
            "average": self.ema.state_dict() if self.ema is not None else None,
            "optimizer": self.optimizer.state_dict(),
            "precision": self.fabric.strategy.precision.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a state from `state_dict`."""
        self.learner.module.load_state_dict(state["learner"])
        if self.ema is not None:
            self.ema.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        if scaling := state.get("precision"):  # loss scaling of a 16-mixed run
            self.fabric.strategy.precision.load_state_dict(scaling)


class _Learner(nn.Module):
    """The network in training, with a linear map for each matched point at which the widths differ.

    widths: point -> F of the network and of its teacher. The maps are trained with the network and discarded. The paper
    does not say how it compares feature vectors of lengths 128 and 512.
    """

    def __init__(self, network: Network, frozen: list[nn.Module], widths: Mapping[str, tuple[int, int]]) -> None:
        super().__init__()
        self.network = network
        self._frozen = tuple(frozen)  # a tuple, so that these modules of the network are not registered twice
        self.projections = nn.ModuleDict(
            {point: nn.Linear(*both) if both[0] != both[1] else nn.Identity() for point, both in widths.items()}
        )

    def train(self, mode: bool = True) -> _Learner:
        super().train(mode)
        if mode:
            set_frozen_to_eval(self._frozen)
        return self

    def forward(self, images: Tensor) -> tuple[Tensor, dict[str, Tensor], Tensor | None, Tensor | None]:
        """Logits [N, K], vectors [M, F] of the teacher's width at the matched points, and the logits of two more heads.

        One head is auxiliary, [N, K]; the other is for orientation, [N, 4]. None if the network lacks the head.
        """
        with Float32Depthwise():
            logits, feature_maps, auxiliary = self.network.forward_training(images)
        vectors = {point: projection(as_vectors(feature_maps[point])) for point, projection in self.projections.items()}
        return logits, vectors, auxiliary, self.network.orient(feature_maps["features"])


def learning_rate(optimizer: Optimizer, epoch: float, epochs: int) -> float:
    """The learning rate at a fractional epoch: linear warm-up, then constant or a half cosine down to zero."""
    if epoch < optimizer.warmup:
        return optimizer.lr * (epoch + 1e-3) / optimizer.warmup
    if optimizer.schedule == "constant":
        return optimizer.lr
    progress = (epoch - optimizer.warmup) / max(epochs - optimizer.warmup, 1e-9)
    return optimizer.lr * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))


def make_optimizer(learner: nn.Module, spec: Optimizer) -> torch.optim.Optimizer:
    """Return a recipe's optimizer for the trainable parameters of a module."""
    # A fused step reads weights, gradients and moments only once. For a large network on a CPU, reading takes most of
    # the step: 0.4 s instead of 0.8 s for the 140 M parameters of VGG19. A gradient must have the memory format of its
    # weight, as autograd makes it. Otherwise fused steps are silently wrong.
    groups = parameter_groups(learner, spec)
    if spec.name == "sgd":
        return torch.optim.SGD(groups, lr=spec.lr, momentum=spec.momentum, nesterov=spec.momentum > 0, fused=True)
    return torch.optim.AdamW(groups, lr=spec.lr, fused=True)


def parameter_groups(learner: nn.Module, spec: Optimizer) -> list[dict[str, Any]]:
    """The trainable parameters, grouped by `lr_scale`, the factor of the learning rate, and by `weight_decay`.

    learner: a _Learner, or a network.

    Raises:
        ArgumentError: the network lacks a layer of `lr_scale`.
    """
    named = {name.removeprefix("network."): p for name, p in learner.named_parameters() if p.requires_grad}
    scales = dict.fromkeys(named, 1.0)
    for layer in sorted(spec.lr_scale, key=len):  # by length, so that an inner layer comes after the one around it
        inside = [name for name in named if name.startswith(f"{layer}.")]
        if not inside:
            known = ", ".join(dict.fromkeys(name.partition(".")[0] for name in named))
            raise ArgumentError(
                f"optimizer.lr_scale: no trainable parameter is in a layer {layer!r}; layers are {known}"
            )
        scales |= dict.fromkeys(inside, spec.lr_scale[layer])
    groups = []
    for scale in dict.fromkeys((1.0, *spec.lr_scale.values())):
        mine = [p for name, p in named.items() if scales[name] == scale]
        if spec.name == "sgd":
            parts = [(mine, spec.weight_decay)]
        else:  # weight decay is for matrices, not for biases and batch-norm scales
            parts = [([p for p in mine if p.ndim > 1], spec.weight_decay), ([p for p in mine if p.ndim <= 1], 0.0)]
        groups += [{"params": part, "weight_decay": decay, "lr_scale": scale} for part, decay in parts]
    return groups


def derived_seed(seed: int, stage: str, purpose: str) -> int:
    """Return a seed, 0 to 2^56 - 1, for one purpose in one stage of a run."""
    digest = hashlib.sha256(f"{seed} {stage} {purpose}".encode()).digest()
    return int.from_bytes(digest[:7], "little")
