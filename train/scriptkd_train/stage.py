"""One stage of the chain: train one network, keep the best on validation, survive being killed.

The loop is meant to be read top to bottom. Randomness of an epoch depends on (seed, stage, epoch) alone, so a run that
was killed and started again takes the very steps that it would have taken, bit for bit on one CPU.
"""

from __future__ import annotations

import csv
import hashlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from rich.console import Console
from rich.progress import Progress
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from torch.utils.tensorboard import SummaryWriter

from scriptkd_sdk.errors import ScriptkdError

from .augment import augment
from .checkpoint import Checkpoint, save_atomically
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
from .progress import columns
from .recipe import Distil, Optimizer, Stage

_CHECK_EVERY = 50  # steps between looks at the loss: each look waits for a GPU


class TrainingError(ScriptkdError):
    """Training cannot go on, e.g. because the loss is no longer a number."""


@dataclass(frozen=True)
class StageResult:
    """The best network on validation. history: one row an epoch, with the columns of metrics.csv."""

    state_dict: dict[str, Tensor]
    metrics: dict[str, float]
    history: list[dict[str, float]]


@dataclass(frozen=True)
class Teacher:
    """A trained network to learn from, and its own pre-processed copies of the training images.

    share: of the soft labels, where there are several teachers; all shares add up to 1.
    """

    network: Network
    train: Prepared
    share: float = 1.0


class _Learner(nn.Module):
    """The network in training and, where features are matched across widths, a linear map between them.

    The map (F_student -> F_teacher) is trained with the network and thrown away: the paper does not say how its two
    feature vectors, 128 and 512 long, are compared.
    """

    def __init__(self, network: Network, teacher_width: int | None) -> None:
        super().__init__()
        self.network = network
        self.projection = nn.Linear(network.feature_width, teacher_width) if teacher_width else None

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        logits, features, auxiliary = self.network.forward_training(images)
        return logits, self.projection(features) if self.projection is not None else features, auxiliary


def train_stage(
    fabric: Fabric,
    name: str,
    stage: Stage,
    labels: list[str],
    train: Prepared,
    val: Prepared,
    out: Path,
    seed: int,
    teachers: Sequence[Teacher] = (),
    console: Console | None = None,
) -> StageResult:
    """Trains one stage into `out` (metrics.csv, TensorBoard events, last.pt); goes on from last.pt if it is there.

    Raises:
        TrainingError: the loss became NaN or infinite; `out/last.pt` then holds the last whole epoch before it.
        ArgumentError: the network cannot be built.
    """
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(_seed(seed, name, "weights"))
    network = build_network(stage.network.name, len(labels), stage.input.preprocessing(), **stage.network.arguments)
    # Channels innermost is what convolution kernels read fastest, on CPUs and GPUs alike.
    network = network.to(memory_format=torch.channels_last)
    matched = stage.distil is not None and stage.distil.feature_weight > 0
    learner = _Learner(network, teachers[0].network.feature_width if matched else None)
    optimizer = _optimizer(learner, stage.optimizer)
    learner, optimizer = fabric.setup(learner, optimizer)
    average = AveragedModel(learner.module.network, multi_avg_fn=_ema_step(stage.ema), use_buffers=True)
    soft_labels = SoftLabels(fabric, teachers, stage.distil, stage.batch_size) if stage.distil else None

    first, best, history = 0, None, []
    last = out / "last.pt"
    if last.exists():
        state = torch.load(last, map_location=fabric.device, weights_only=True)
        learner.module.load_state_dict(state["learner"])
        average.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
        first, best, history = state["epoch"], state["best"], state["history"]

    batches = math.ceil(train.batch_count(stage.batch_size) / fabric.world_size)
    for epoch in range(first, stage.epochs):
        started = time.perf_counter()
        torch.manual_seed(_seed(seed, name, f"dropout {epoch}"))
        draw = torch.Generator().manual_seed(_seed(seed, name, f"epoch {epoch}"))
        learner.train()
        total, seen, step = torch.zeros((), device=fabric.device), 0, epoch * batches
        with _bar(console, f"{name} {epoch + 1}/{stage.epochs}", batches) as advance:
            for batch in _share(train.batches(stage.batch_size, draw), fabric):
                for group in optimizer.param_groups:
                    group["lr"] = learning_rate(stage.optimizer, step / batches, stage.epochs)
                images = augment(batch.images, stage.augment, draw)
                images, target = fabric.to_device((images, batch.target))
                logits, features, auxiliary = learner(images)
                smoothing = stage.label_smoothing
                if stage.distil is None or soft_labels is None:
                    loss = task_loss(logits, target, smoothing)
                else:
                    loss = _taught_loss(stage.distil, logits, features, target, soft_labels(batch, images), smoothing)
                if auxiliary is not None:
                    loss = loss + auxiliary_loss(auxiliary, target, smoothing)
                optimizer.zero_grad(set_to_none=True)
                fabric.backward(loss)
                optimizer.step()
                if stage.ema:
                    average.update_parameters(learner.module.network)
                total += loss.detach() * len(target)
                seen, step = seen + len(target), step + 1
                if step % _CHECK_EVERY == 0:
                    _require_finite(total, name, epoch, out)
                advance(1)
        _require_finite(total, name, epoch, out)
        served = average.module if stage.ema else learner.module.network
        accuracy, val_loss = validate(fabric, served, val, stage.batch_size)
        row = {
            "epoch": epoch + 1,
            "train_loss": total.item() / max(seen, 1),
            "val_loss": val_loss,
            "val_accuracy": accuracy,
            "lr": optimizer.param_groups[0]["lr"],
            "seconds": time.perf_counter() - started,
        }
        history = [*history, row]
        if best is None or (accuracy, -val_loss) > (best["metrics"]["val_accuracy"], -best["metrics"]["val_loss"]):
            weights = {key: value.detach().cpu().clone() for key, value in served.state_dict().items()}
            metrics = {"val_accuracy": accuracy, "val_loss": val_loss, "epoch": float(epoch + 1)}
            best = {"state_dict": weights, "metrics": metrics}
        if fabric.is_global_zero:
            state = {
                "learner": learner.module.state_dict(),
                "average": average.state_dict(),
                "optimizer": optimizer.state_dict(),
                "epoch": epoch + 1,
                "best": best,
                "history": history,
            }
            save_atomically(state, last)
            _log(out, history)
        fabric.barrier()
        if console is not None and fabric.is_global_zero:
            console.print(
                f"{name} {epoch + 1}/{stage.epochs}: loss {row['train_loss']:.4f}, validation {100 * accuracy:.2f} % "
                f"(best {100 * best['metrics']['val_accuracy']:.2f} %), {row['seconds']:.0f} s",
                highlight=False,
            )
    assert best is not None  # a stage has at least one epoch
    return StageResult(best["state_dict"], best["metrics"], history)


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


@torch.no_grad()
def validate(fabric: Fabric, network: nn.Module, val: Prepared, batch_size: int) -> tuple[float, float]:
    """Accuracy (0..1) and mean cross-entropy on the words of a split."""
    network.eval()
    right, loss, words = 0, 0.0, 0
    for batch in val.batches(batch_size):
        text = batch.target >= 0
        images, target = fabric.to_device((batch.images[text], batch.target[text]))
        if len(target) == 0:
            continue
        logits = network(images)
        words += len(target)
        right += int((logits.argmax(dim=1) == target).sum())
        loss += float(nn.functional.cross_entropy(logits, target, reduction="sum"))
    return right / words, loss / words


def learning_rate(optimizer: Optimizer, epoch: float, epochs: int) -> float:
    """The rate at a (fractional) epoch: linear warm-up, then constant or a half cosine down to zero."""
    if epoch < optimizer.warmup:
        return optimizer.lr * (epoch + 1e-3) / optimizer.warmup
    if optimizer.schedule == "constant":
        return optimizer.lr
    progress = (epoch - optimizer.warmup) / max(epochs - optimizer.warmup, 1e-9)
    return optimizer.lr * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))


def _optimizer(learner: nn.Module, spec: Optimizer) -> torch.optim.Optimizer:
    parameters = list(learner.parameters())
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


def _ema_step(decay: float) -> Callable[[Any, Any, Any], None]:
    """Exponential moving average whose memory grows with the run, so that the first epochs are not diluted."""

    @torch.no_grad()
    def step(averaged: list[Tensor], current: list[Tensor], count: Tensor | int) -> None:
        keep = min(decay, (1 + int(count)) / (10 + int(count)))
        for mean, value in zip(averaged, current, strict=True):
            if mean.is_floating_point():
                mean.lerp_(value, 1 - keep)
            else:
                mean.copy_(value)

    return step


def _share(batches: Iterator[Batch], fabric: Fabric) -> Iterator[Batch]:
    """Every world_size-th batch, the same number for each process: the last round is dropped where it is not full."""
    if fabric.world_size == 1:
        yield from batches
        return
    waiting: list[Batch] = []
    for batch in batches:
        waiting.append(batch)
        if len(waiting) == fabric.world_size:
            yield waiting[fabric.global_rank]
            waiting = []


def _require_finite(total: Tensor, name: str, epoch: int, out: Path) -> None:
    if not torch.isfinite(total):
        raise TrainingError(
            f"the loss of stage {name} became NaN or infinite in epoch {epoch + 1}; "
            f"lower its lr. {out / 'last.pt'} holds the last whole epoch before it, if there was one"
        )


def _seed(seed: int, stage: str, purpose: str) -> int:
    digest = hashlib.sha256(f"{seed} {stage} {purpose}".encode()).digest()
    return int.from_bytes(digest[:7], "little")


def _log(out: Path, history: list[dict[str, float]]) -> None:
    """metrics.csv whole, so that a resumed run has no gaps; TensorBoard gets the newest row."""
    with (out / "metrics.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(history[0]))
        writer.writeheader()
        writer.writerows(history)
    with SummaryWriter(str(out)) as writer:
        for key, value in history[-1].items():
            if key != "epoch":
                writer.add_scalar(key, value, int(history[-1]["epoch"]))


class _bar:
    """A progress bar where there is a terminal, else nothing."""

    def __init__(self, console: Console | None, title: str, total: int) -> None:
        shown = console is not None and console.is_terminal  # a log gets one line an epoch instead
        self.progress = Progress(*columns(title), console=console, transient=True, disable=not shown)
        self.task = self.progress.add_task(title, total=total)

    def __enter__(self) -> Callable[[int], None]:
        self.progress.start()
        return lambda done: self.progress.advance(self.task, done)

    def __exit__(self, *_: object) -> None:
        self.progress.stop()


def to_checkpoint(stage: Stage, labels: list[str], result: StageResult, provenance: dict[str, Any]) -> Checkpoint:
    """The stage's result as a checkpoint."""
    return Checkpoint(
        network=stage.network.name,
        arguments=dict(stage.network.arguments),
        labels=labels,
        preprocessing=stage.input.preprocessing(),
        state_dict=result.state_dict,
        metrics=result.metrics,
        provenance=provenance,
    )
