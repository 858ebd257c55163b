"""One stage of the chain: train one network, keep the best epoch on validation, and resume when killed.

The loop is meant to be read top to bottom. The randomness of an epoch depends only on (seed, stage, epoch), and
generator states are saved inside an epoch. So a killed and restarted run takes the same steps as an uninterrupted one,
bit for bit on one CPU.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypedDict

import torch
from lightning_fabric import Fabric
from rich.console import Console
from rich.progress import Progress
from torch import Tensor, nn

from scriptkd_sdk.errors import ArgumentError, ScriptkdError
from scriptkd_train.compression.quantize import quantized_state_dict
from scriptkd_train.data.in_memory import InMemoryDataset
from scriptkd_train.engine.distiller import Teacher
from scriptkd_train.engine.pace import Pace
from scriptkd_train.engine.place import Place
from scriptkd_train.engine.run import RunContext
from scriptkd_train.engine.stage_folder import StageFolder
from scriptkd_train.engine.trainer import Trainer, derived_seed
from scriptkd_train.models.checkpoint import Checkpoint
from scriptkd_train.models.networks import without_download
from scriptkd_train.recipe import ResolvedStage
from scriptkd_train.utils.progress import columns


class _Best(TypedDict):
    """The best epoch so far, as stored in last.pt."""

    state_dict: dict[str, Tensor]
    metrics: dict[str, float]


class TrainingError(ScriptkdError):
    """Training cannot continue, for example because the loss is NaN."""


@dataclass(frozen=True)
class StageResult:
    """The best network on validation. history: one row per epoch, with the columns of metrics.csv."""

    state_dict: dict[str, Tensor]
    metrics: dict[str, float]
    history: list[dict[str, float]]


def train_stage(
    run: RunContext,
    name: str,
    stage: ResolvedStage,
    train: InMemoryDataset,
    val: InMemoryDataset,
    teachers: Sequence[Teacher] = (),
    init_weights: Mapping[str, Tensor] | None = None,
) -> StageResult:
    """Train one stage into `run.out/<name>` (metrics.csv, TensorBoard events, last.pt).

    Training resumes from last.pt if it exists. That file is written after each epoch, and every two minutes within one.

    Args:
        run: The data that all stages of the run share.
        name: The name of the stage.
        stage: The network to train, and its training.
        train: The train split, pre-processed for the stage's network.
        val: The val split, likewise.
        teachers: The teachers named by its `distil`.
        init_weights: The state dict of the stage or model named by its `start`.

    Returns:
        The best network on validation.

    Raises:
        TrainingError: the loss became NaN or infinite. last.pt then holds the last saved state before that.
        ArgumentError: there are too few images for a batch, the network cannot be built, or last.pt is damaged or of
            another version.
    """
    fabric, seed, out = run.fabric, run.recipe.seed, run.out / name
    if train.batch_count(stage.batch_size, fabric.world_size) == 0:
        raise ArgumentError(
            f"stage {name}: the train split (images: {len(train)}, widths: {len(train.target)}) makes no batch: a "
            f"batch needs at least {2 * fabric.world_size} images of one width"
        )
    folder = StageFolder(fabric, out)
    if not folder.takes_events:
        run.print(f"{name}: no TensorBoard events, as the path {out} is not UTF-8; metrics.csv holds the same")
    trainer = Trainer(fabric, name, stage, len(run.data.labels), seed, teachers, init_weights)
    first, inside, history = 0, None, list[dict[str, float]]()
    best: _Best | None = None
    if (state := folder.read()) is not None:
        trainer.load_state_dict(state["trainer"])
        # Older versions saved no state inside an epoch.
        first, inside, best, history = state["epoch"], state.get("inside"), state["best"], state["history"]
        steps = f" and {inside['step']:,} of {inside['steps']:,} steps" if inside is not None else ""
        run.print(f"{name}: resumes after {first} of {stage.epochs} epochs{steps}, from {folder.last}")

    def state_after(epochs: int, inside: dict[str, Any] | None = None) -> dict[str, Any]:
        return {"trainer": trainer.state_dict(), "epoch": epochs, "inside": inside, "best": best, "history": history}

    pace = Pace(fabric)
    for epoch in range(first, stage.epochs):
        seeds = (derived_seed(seed, name, f"{purpose} {epoch}") for purpose in ("dropout", "epoch"))
        place = Place(fabric, train, stage.batch_size, *seeds)
        if inside is not None:
            place.load_state_dict(inside)
            inside = None
        trainer.learner.train()
        with _bar(run.console, f"{name} {epoch + 1}/{stage.epochs}", place.steps) as advance:
            advance(place.step)
            for batch in place.batches:
                loss = trainer.step(batch, epoch + place.step / place.steps, place.generator)
                place.add(loss, len(batch.target))
                if pace.look():
                    _require_finite(fabric, place.total, name, epoch, folder)
                    if pace.save_due():
                        pace.save(partial(folder.save, state_after(epoch, place.state_dict())))
                advance(1)
        _require_finite(fabric, place.total, name, epoch, folder)
        _same_buffers(fabric, trainer.eval_model)
        accuracy, val_loss = validate(fabric, trainer.eval_model, val, stage.batch_size)
        row = {
            "epoch": epoch + 1,
            "train_loss": place.total.item() / max(place.seen, 1),
            "val_loss": val_loss,
            "val_accuracy": accuracy,
            "lr": trainer.optimizer.param_groups[0]["lr"],
            "seconds": place.seconds,
        }
        history = [*history, row]
        if best is None or (accuracy, -val_loss) > (best["metrics"]["val_accuracy"], -best["metrics"]["val_loss"]):
            weights = {
                key: value.detach().cpu().clone() for key, value in quantized_state_dict(trainer.eval_model).items()
            }
            metrics = {"val_accuracy": accuracy, "val_loss": val_loss, "epoch": float(epoch + 1)}
            best = {"state_dict": weights, "metrics": metrics}
        pace.save(partial(folder.save_epoch, state_after(epoch + 1)))
        run.print(
            f"{name} {epoch + 1}/{stage.epochs}: loss {row['train_loss']:.4f}, validation {100 * accuracy:.2f} % "
            f"(best {100 * best['metrics']['val_accuracy']:.2f} %), {row['seconds']:.0f} s"
        )
    assert best is not None  # a stage has at least one epoch
    return StageResult(best["state_dict"], best["metrics"], history)


@torch.no_grad()
def validate(fabric: Fabric, network: nn.Module, val: InMemoryDataset, batch_size: int) -> tuple[float, float]:
    """Measure a network on the words of a split; each process reads its share.

    Args:
        fabric: The processes.
        network: The network; it is left in eval mode.
        val: The split.
        batch_size: Images per batch.

    Returns:
        Accuracy, 0..1, and mean cross-entropy of the whole split, in every process.
    """
    network.eval()
    words, right, loss = 0, 0, 0.0
    for batch in val.batches(batch_size, rank=fabric.global_rank, world=fabric.world_size):
        text = batch.target >= 0
        images, target = fabric.to_device((batch.images[text], batch.target[text]))
        if len(target) == 0:
            continue
        logits = network(images)
        words += len(target)
        right += int((logits.argmax(dim=1) == target).sum())
        loss += float(nn.functional.cross_entropy(logits, target, reduction="sum"))
    totals = fabric.all_reduce([words, right, loss], reduce_op="sum")
    all_words, all_right, whole_loss = (float(total) for total in totals)
    return all_right / all_words, whole_loss / all_words


def _same_buffers(fabric: Fabric, network: nn.Module) -> None:
    """Give every process the batch statistics of the first one.

    Data-parallel training does this only at the next step, and never for a moving average.
    """
    if fabric.world_size > 1:
        buffers = list(network.buffers())
        for mine, firsts in zip(buffers, fabric.broadcast([buffer.cpu() for buffer in buffers]), strict=True):
            mine.copy_(firsts)


def _require_finite(fabric: Fabric, total: Tensor, name: str, epoch: int, folder: StageFolder) -> None:
    """Raise TrainingError in all processes or in none: no process may wait for ever. total: this process's loss."""
    whole = fabric.all_reduce(total.clone(), reduce_op="sum")
    if not (isinstance(whole, Tensor) and torch.isfinite(whole)):
        raise TrainingError(
            f"the loss of stage {name} became NaN or infinite in epoch {epoch + 1}; "
            f"lower its lr. {folder.last} holds the last state before it, if any was saved"
        )


class _bar:
    """A progress bar on a terminal; nothing elsewhere."""

    def __init__(self, console: Console | None, title: str, total: int) -> None:
        shown = console is not None and console.is_terminal  # a log gets one line per epoch instead
        self.progress = Progress(*columns(title), console=console, transient=True, disable=not shown)
        self.task = self.progress.add_task(title, total=total)

    def __enter__(self) -> Callable[[int], None]:
        self.progress.start()
        return lambda done: self.progress.advance(self.task, done)

    def __exit__(self, *_: object) -> None:
        self.progress.stop()


def to_checkpoint(
    stage: ResolvedStage, labels: list[str], result: StageResult, provenance: dict[str, Any]
) -> Checkpoint:
    """The stage's result as a checkpoint."""
    return Checkpoint(
        network=stage.network.name,
        arguments=without_download(stage.network.name, stage.network.arguments),
        labels=labels,
        preprocessing=stage.input.preprocessing(),
        state_dict=result.state_dict,
        metrics=result.metrics,
        provenance=provenance,
    )
