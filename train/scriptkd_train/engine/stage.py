"""One stage of the chain: train one network, keep the best on validation, survive being killed.

The loop is meant to be read top to bottom. Randomness of an epoch depends on (seed, stage, epoch) alone, so a run that
was killed and started again takes the very steps that it would have taken, bit for bit on one CPU.
"""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypedDict

import torch
from lightning_fabric import Fabric
from rich.console import Console
from rich.progress import Progress
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter

from scriptkd_sdk.errors import ArgumentError, ScriptkdError
from scriptkd_train.compression.quantize import quantized_state_dict
from scriptkd_train.data.in_memory import InMemoryDataset
from scriptkd_train.engine.distiller import Teacher
from scriptkd_train.engine.run import RunContext, on_first_process
from scriptkd_train.engine.trainer import Trainer, derived_seed
from scriptkd_train.models.checkpoint import Checkpoint, save_atomically
from scriptkd_train.models.networks import without_download
from scriptkd_train.recipe import ResolvedStage
from scriptkd_train.utils.files import named, printable, write_file
from scriptkd_train.utils.progress import columns

_CHECK_EVERY = 50  # steps between looks at the loss: each look waits for a GPU


class _Best(TypedDict):
    """The best epoch so far, as last.pt holds it."""

    state_dict: dict[str, Tensor]
    metrics: dict[str, float]


class TrainingError(ScriptkdError):
    """Training cannot go on, e.g. because the loss is no longer a number."""


@dataclass(frozen=True)
class StageResult:
    """The best network on validation. history: one row an epoch, with the columns of metrics.csv."""

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

    It goes on from last.pt if that is there.

    Args:
        run: What all stages of the run share.
        name: The stage's.
        stage: What to train, and how.
        train: The train split, pre-processed as the stage's network reads it.
        val: The val split, likewise.
        teachers: Those that its `distil` names.
        init_weights: The state dict of the stage or model that its `start` names.

    Returns:
        The network that was best on validation.

    Raises:
        TrainingError: the loss became NaN or infinite; last.pt then holds the last whole epoch before it.
        ArgumentError: the images make no batch, the network cannot be built, or last.pt is damaged or of another
            version.
    """
    fabric, seed, out = run.fabric, run.recipe.seed, run.out / name
    rank, world = fabric.global_rank, fabric.world_size
    batches = train.batch_count(stage.batch_size, world)
    if batches == 0:
        raise ArgumentError(
            f"stage {name}: the train split (images: {len(train)}, widths: {len(train.target)}) makes no batch, which "
            f"needs {2 * world} images of one width or more"
        )
    out.mkdir(parents=True, exist_ok=True)
    if not _takes_events(out):
        run.print(f"{name}: without TensorBoard's events, as {out} is no UTF-8; metrics.csv holds the same")
    trainer = Trainer(fabric, name, stage, len(run.data.labels), seed, teachers, init_weights)
    first, history = 0, list[dict[str, float]]()
    best: _Best | None = None
    last = out / "last.pt"
    if last.exists():
        state = _read_state(last, fabric.device)
        trainer.load_state_dict(state["trainer"])
        first, best, history = state["epoch"], state["best"], state["history"]
        # A run killed right after it had saved last.pt has not.
        on_first_process(fabric, partial(_write_metrics, out, history))

    for epoch in range(first, stage.epochs):
        started = time.perf_counter()
        torch.manual_seed(derived_seed(seed, name, f"dropout {epoch}"))
        generator = torch.Generator().manual_seed(derived_seed(seed, name, f"epoch {epoch}"))
        trainer.learner.train()
        total, seen, step = torch.zeros((), device=fabric.device), 0, 0
        with _bar(run.console, f"{name} {epoch + 1}/{stage.epochs}", batches) as advance:
            for batch in train.batches(stage.batch_size, generator, rank, world):
                total += trainer.step(batch, epoch + step / batches, generator) * len(batch.target)
                seen, step = seen + len(batch.target), step + 1
                if step % _CHECK_EVERY == 0:
                    _require_finite(fabric, total, name, epoch, out)
                advance(1)
        _require_finite(fabric, total, name, epoch, out)
        _same_buffers(fabric, trainer.eval_model)
        accuracy, val_loss = validate(fabric, trainer.eval_model, val, stage.batch_size)
        row = {
            "epoch": epoch + 1,
            "train_loss": total.item() / max(seen, 1),
            "val_loss": val_loss,
            "val_accuracy": accuracy,
            "lr": trainer.optimizer.param_groups[0]["lr"],
            "seconds": time.perf_counter() - started,
        }
        history = [*history, row]
        if best is None or (accuracy, -val_loss) > (best["metrics"]["val_accuracy"], -best["metrics"]["val_loss"]):
            weights = {
                key: value.detach().cpu().clone() for key, value in quantized_state_dict(trainer.eval_model).items()
            }
            metrics = {"val_accuracy": accuracy, "val_loss": val_loss, "epoch": float(epoch + 1)}
            best = {"state_dict": weights, "metrics": metrics}
        state = {"trainer": trainer.state_dict(), "epoch": epoch + 1, "best": best, "history": history}
        on_first_process(fabric, partial(_save, state, out))
        run.print(
            f"{name} {epoch + 1}/{stage.epochs}: loss {row['train_loss']:.4f}, validation {100 * accuracy:.2f} % "
            f"(best {100 * best['metrics']['val_accuracy']:.2f} %), {row['seconds']:.0f} s"
        )
    assert best is not None  # a stage has at least one epoch
    return StageResult(best["state_dict"], best["metrics"], history)


def _read_state(last: Path, device: torch.device) -> dict[str, Any]:
    try:
        state = torch.load(last, map_location=device, weights_only=True)
    except Exception as error:  # what it raises depends on which kind of file it takes a damaged one for
        raise ArgumentError(f"{last} is damaged: it cannot be read; delete it to train this stage anew") from error
    if not isinstance(state, dict) or "trainer" not in state:
        raise ArgumentError(f"{last} was written by another version of scriptkd; delete it to train this stage anew")
    return state


@torch.no_grad()
def validate(fabric: Fabric, network: nn.Module, val: InMemoryDataset, batch_size: int) -> tuple[float, float]:
    """Measure a network on the words of a split, of which each process reads its share.

    Args:
        fabric: The processes.
        network: What is measured; it is left in eval mode.
        val: The split.
        batch_size: Images at a time.

    Returns:
        Accuracy, 0..1, and mean cross-entropy, in every process of all of the split.
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
    """Gives every process the first one's batch statistics.

    Data-parallel training does so only as the next step begins, and never for a moving average.
    """
    if fabric.world_size > 1:
        buffers = list(network.buffers())
        for mine, firsts in zip(buffers, fabric.broadcast([buffer.cpu() for buffer in buffers]), strict=True):
            mine.copy_(firsts)


def _require_finite(fabric: Fabric, total: Tensor, name: str, epoch: int, out: Path) -> None:
    """total: a process's own. All of them stop, or none does: one alone would leave the others waiting."""
    whole = fabric.all_reduce(total.clone(), reduce_op="sum")
    if not (isinstance(whole, Tensor) and torch.isfinite(whole)):
        raise TrainingError(
            f"the loss of stage {name} became NaN or infinite in epoch {epoch + 1}; "
            f"lower its lr. {out / 'last.pt'} holds the last whole epoch before it, if there was one"
        )


def _save(state: dict[str, Any], out: Path) -> None:
    """The whole state to last.pt, all rows of its history to metrics.csv, the newest to TensorBoard."""
    save_atomically(state, out / "last.pt")
    _write_metrics(out, state["history"])
    row = state["history"][-1]
    if _takes_events(out):
        with named(out / "events.out.tfevents"), SummaryWriter(str(out)) as writer:
            for key, value in row.items():
                if key != "epoch":
                    writer.add_scalar(key, value, int(row["epoch"]))


def _takes_events(out: Path) -> bool:
    """Whether TensorBoard can write into a folder: only where its path is text in UTF-8."""
    return printable(str(out)) == str(out)


def _write_metrics(out: Path, history: list[dict[str, float]]) -> None:
    """metrics.csv whole, so that a resumed run has no gaps."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(history[0]))
    writer.writeheader()
    writer.writerows(history)
    write_file(out / "metrics.csv", text.getvalue())  # in one move, as a report may be reading the one before


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
