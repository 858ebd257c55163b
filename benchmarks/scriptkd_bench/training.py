"""The overhead of a training step: the whole step of `scriptkd train` against a bare torch loop.

The bare loop runs forward pass, backward pass and optimizer on one batch that is ready on the device. The whole step
cuts the batch, moves and augments it, runs the teachers, computes the recipe's loss and updates the moving average. The
two take turns, so that other load affects both alike.
"""

from __future__ import annotations

import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from lightning_fabric import Fabric

from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.data.augment import augment
from scriptkd_train.data.in_memory import Batch, InMemoryDataset
from scriptkd_train.engine.distiller import Teacher
from scriptkd_train.engine.run import open_fabric
from scriptkd_train.engine.trainer import Trainer, make_optimizer
from scriptkd_train.models.networks import Network, build_network, without_download
from scriptkd_train.recipe import Recipe, ResolvedStage, Stage

CLASSES = 10
MEDIAN_CROP = (39, 114)  # height and width of CVSI-2015's median crop, in pixels
WARM_UP = 2


@dataclass(frozen=True)
class StepCost:
    """Milliseconds per step, as medians over the steps. shape: the batch's, [N, C, H, W].

    bare, whole: see the module. loading, augmenting, averaging: parts of the whole step, each timed alone. peak: the
    process's peak memory so far, in bytes, with `images` images resident.
    """

    stage: str
    shape: tuple[int, ...]
    images: int
    bare: float
    whole: float
    loading: float
    augmenting: float
    averaging: float
    peak: int


def time_stage(
    recipe: Recipe, name: str, steps: int, images: int, progress: Callable[[int, int], None] = lambda done, total: None
) -> StepCost:
    """Time one stage of a recipe on random images, with random teachers. `progress(done, total)` is called by step.

    images: number of resident images; 0 means eight batches. Raises ArgumentError for fewer than one batch.
    """
    stage = recipe.stages[name]
    if 0 < images < stage.batch_size:
        raise ArgumentError(f"--images {images}: stage {name} has batches of {stage.batch_size}; give at least as many")
    fabric = open_fabric(recipe, 1)
    images = images or 8 * stage.batch_size
    split = _random_split(stage.input.preprocessing(), images)
    teachers = []
    for teacher, share in stage.distil.teachers.items() if stage.distil else ():
        source = recipe.stages[teacher]
        size = source.input.preprocessing()
        theirs = split if size == stage.input.preprocessing() else _random_split(size, images)
        teachers.append(Teacher(_random_network(teacher, source), size, theirs, share))
    trainer = Trainer(fabric, name, _offline(name, stage), CLASSES, 0, teachers)
    trainer.learner.train()
    draw = torch.Generator().manual_seed(0)
    batches = _endless(split, stage.batch_size, draw)
    bare = _bare_step(fabric, stage, _random_network(name, stage), next(batches), draw)

    def whole() -> None:
        trainer.step(next(batches), 0.0, draw)

    def augmenting() -> None:
        augment(held.images, stage.augment, draw)

    def averaging() -> None:
        if trainer.ema is not None:
            trainer.ema.update()

    held = Batch(*(fabric.to_device(part) for part in _parts(next(batches))))
    calls = [bare, whole, lambda: next(batches), augmenting, averaging]
    seconds: list[list[float]] = []
    for i in range(WARM_UP + steps):
        seconds.append([_seconds(fabric, call) for call in calls])
        progress(max(0, i + 1 - WARM_UP), steps)
    bare_ms, whole_ms, loading, augmenting_ms, averaging_ms = (
        1000 * statistics.median(column) for column in zip(*seconds[WARM_UP:], strict=True)
    )
    # Kilobytes on Linux, bytes on macOS.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return StepCost(
        name, tuple(held.images.shape), images, bare_ms, whole_ms, loading, augmenting_ms, averaging_ms, peak
    )


def _bare_step(
    fabric: Fabric, stage: Stage, network: torch.nn.Module, batch: Batch, draw: torch.Generator
) -> Callable[[], None]:
    network = fabric.to_device(network.to(memory_format=torch.channels_last)).train()
    optimizer = make_optimizer(network, stage.optimizer)
    images, target = fabric.to_device((batch.images, batch.target))
    images = augment(images, stage.augment, draw)

    def step() -> None:
        with fabric.autocast():
            loss = torch.nn.functional.cross_entropy(network(images), target)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    return step


def _seconds(fabric: Fabric, call: Callable[[], object]) -> float:
    """Return a call's seconds: processor time on a CPU, so that other work does not count; wall-clock time on a GPU."""
    on_gpu = fabric.device.type == "cuda"
    clock = time.perf_counter if on_gpu else time.process_time
    if on_gpu:
        torch.cuda.synchronize()
    started = clock()
    call()
    if on_gpu:
        torch.cuda.synchronize()
    return clock() - started


def _random_split(preprocessing: Preprocessing, images: int) -> InMemoryDataset:
    """Return random images, as wide as the network's input for a median crop."""
    width = preprocessing.width_for(*MEDIAN_CROP)
    pixels = torch.randint(0, 256, (images, preprocessing.channels, preprocessing.height, width), dtype=torch.uint8)
    size = preprocessing.height, width
    return InMemoryDataset({size: pixels}, {size: torch.randint(CLASSES, (images,))}, {size: torch.arange(images)})


def _endless(split: InMemoryDataset, size: int, draw: torch.Generator) -> Iterator[Batch]:
    while True:
        yield from (batch for batch in split.batches(size, draw) if len(batch.target) == size)


def _parts(batch: Batch) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    return batch.images, batch.target, batch.index


def _random_network(name: str, stage: Stage) -> Network:
    spec = _offline(name, stage).network
    return build_network(spec.name, CLASSES, stage.input.preprocessing(), **spec.arguments)


def _offline(name: str, stage: Stage) -> ResolvedStage:
    """Return the stage without downloaded weights, as random weights have the same cost.

    Raises ArgumentError for a stage that decomposes another's trained weights, which do not exist here.
    """
    if stage.network is None:
        raise ArgumentError(
            f"stage {name} decomposes trained weights, which this measurement does not have: name another"
        )
    network = stage.network.model_copy(
        update={"arguments": without_download(stage.network.name, stage.network.arguments)}
    )
    return ResolvedStage.of(stage, network=network)
