"""One step of training: a batch, its augmentation, its teachers' answers, the loss, the optimizer and the average."""

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
    """A network in training, and all that one step of it needs.

    average: what is to be validated and kept, if the stage asks for a moving average. The learner's initial weights
    depend on (seed, stage) alone, but for what a stage with `start` takes from `source`, the state dict of the stage
    or model that it names.

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
        # Channels innermost is what convolution kernels read fastest, on CPUs and GPUs alike.
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
        """The network to validate and keep."""
        return self.ema.network if self.ema is not None else self.learner.module.network

    def step(self, batch: Batch, epoch: float, generator: torch.Generator) -> Tensor:
        """One step on a batch; `epoch`, with its fraction, sets the rate. Returns the loss, which nobody waited for."""
        stage = self.stage
        for group in self.optimizer.param_groups:
            # A run that began before there were scales has none in its state.
            group["lr"] = learning_rate(stage.optimizer, epoch, stage.epochs) * group.get("lr_scale", 1.0)
        # Bytes travel to a GPU four times faster than what augmentation makes of them there.
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
        if stage.optimizer.clip is not None:  # of a loss that is no number `train_stage` tells
            clip = stage.optimizer.clip
            self.fabric.clip_gradients(self.learner, self.optimizer, max_norm=clip, error_if_nonfinite=False)
        self.optimizer.step()
        if self.ema is not None:
            self.ema.update()
        return loss.detach()

    def state_dict(self) -> dict[str, Any]:
        """All that a run needs to go on."""
        return {
            "learner": self.learner.module.state_dict(),
            "average": self.ema.state_dict() if self.ema is not None else None,
            "optimizer": self.optimizer.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from where `state_dict` was taken."""
        self.learner.module.load_state_dict(state["learner"])
        if self.ema is not None:
            self.ema.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])


class _Learner(nn.Module):
    """The network in training and, where points of other widths are matched, a linear map between them for each.

    widths: point -> F of the network and of its teacher. The maps are trained with the network and thrown away: the
    paper does not say how its two feature vectors, 128 and 512 long, are compared.
    """

    def __init__(self, network: Network, frozen: list[nn.Module], widths: Mapping[str, tuple[int, int]]) -> None:
        super().__init__()
        self.network = network
        self._frozen = tuple(frozen)  # a tuple, since they are the network's modules and not to be counted twice
        self.projections = nn.ModuleDict(
            {point: nn.Linear(*both) if both[0] != both[1] else nn.Identity() for point, both in widths.items()}
        )

    def train(self, mode: bool = True) -> _Learner:
        super().train(mode)
        if mode:
            set_frozen_to_eval(self._frozen)
        return self

    def forward(self, images: Tensor) -> tuple[Tensor, dict[str, Tensor], Tensor | None, Tensor | None]:
        """Logits [N, K], matched points as vectors [M, F] of the teacher's width, and the logits of two more heads.

        One is auxiliary, [N, K]; the other tells orientation, [N, 4]. None where the network lacks the head.
        """
        with Float32Depthwise():
            logits, feature_maps, auxiliary = self.network.forward_training(images)
        vectors = {point: projection(as_vectors(feature_maps[point])) for point, projection in self.projections.items()}
        return logits, vectors, auxiliary, self.network.orient(feature_maps["features"])


def learning_rate(optimizer: Optimizer, epoch: float, epochs: int) -> float:
    """The rate at a (fractional) epoch: linear warm-up, then constant or a half cosine down to zero."""
    if epoch < optimizer.warmup:
        return optimizer.lr * (epoch + 1e-3) / optimizer.warmup
    if optimizer.schedule == "constant":
        return optimizer.lr
    progress = (epoch - optimizer.warmup) / max(epochs - optimizer.warmup, 1e-9)
    return optimizer.lr * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))


def make_optimizer(learner: nn.Module, spec: Optimizer) -> torch.optim.Optimizer:
    """Return the optimizer of a recipe for what is trained of a module."""
    # fused: weights, gradients and moments are read once a step, of which a large network's step on a processor is made
    # (VGG19's 140 M parameters: 0.4 s in place of 0.8). A gradient must lie in memory as its weight does, as autograd
    # makes it: of another order fused steps are wrong without a word.
    groups = parameter_groups(learner, spec)
    if spec.name == "sgd":
        return torch.optim.SGD(groups, lr=spec.lr, momentum=spec.momentum, nesterov=spec.momentum > 0, fused=True)
    return torch.optim.AdamW(groups, lr=spec.lr, fused=True)


def parameter_groups(learner: nn.Module, spec: Optimizer) -> list[dict[str, Any]]:
    """The parameters in training by how they are trained: `lr_scale`, the share of the rate, and `weight_decay`.

    learner: a _Learner or a network by itself.

    Raises:
        ArgumentError: a layer of `lr_scale` that the network lacks.
    """
    named = {name.removeprefix("network."): p for name, p in learner.named_parameters() if p.requires_grad}
    scales = dict.fromkeys(named, 1.0)
    for layer in sorted(spec.lr_scale, key=len):  # an inner layer's name is longer than that of what it is in
        inside = [name for name in named if name.startswith(f"{layer}.")]
        if not inside:
            known = ", ".join(dict.fromkeys(name.partition(".")[0] for name in named))
            raise ArgumentError(f"optimizer.lr_scale: nothing in training is in a layer {layer!r}; layers are {known}")
        scales |= dict.fromkeys(inside, spec.lr_scale[layer])
    groups = []
    for scale in dict.fromkeys((1.0, *spec.lr_scale.values())):
        mine = [p for name, p in named.items() if scales[name] == scale]
        if spec.name == "sgd":
            parts = [(mine, spec.weight_decay)]
        else:  # decay is for weights that multiply, not for biases and batch-norm scales
            parts = [([p for p in mine if p.ndim > 1], spec.weight_decay), ([p for p in mine if p.ndim <= 1], 0.0)]
        groups += [{"params": part, "weight_decay": decay, "lr_scale": scale} for part, decay in parts]
    return groups


def derived_seed(seed: int, stage: str, purpose: str) -> int:
    """Return a seed, 0 to 2^56 - 1, for one purpose in one stage of a run."""
    digest = hashlib.sha256(f"{seed} {stage} {purpose}".encode()).digest()
    return int.from_bytes(digest[:7], "little")
