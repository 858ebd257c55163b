"""The chain: train a recipe's stages in order. Later stages learn from the best checkpoints of earlier ones."""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from torch import Tensor

from scriptkd_sdk.modelfile import model_path
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.compression.decompose import describe_savings, resolve_decompose
from scriptkd_train.data.in_memory import InMemoryDataset
from scriptkd_train.data.shared_memory import load_shared
from scriptkd_train.engine.calibration import calibrate, compute_logits
from scriptkd_train.engine.check import check_networks, check_weights
from scriptkd_train.engine.distiller import Teacher
from scriptkd_train.engine.run import (
    RunContext,
    check_run_folder,
    claim_run_folder,
    on_first_process,
    open_fabric,
    read_training_data,
)
from scriptkd_train.engine.soft_labels import SoftLabelFolder
from scriptkd_train.engine.stage import to_checkpoint, train_stage
from scriptkd_train.models.average import average_with_start
from scriptkd_train.models.checkpoint import Checkpoint, load_checkpoint, remove_drafts, save_checkpoint
from scriptkd_train.models.networks import parameter_count, pretrained_origin
from scriptkd_train.models.onnx_weights import load_trained, read_onnx_weights
from scriptkd_train.recipe import Recipe, ResolvedStage

_STATISTICS_BATCHES = 32  # number of batches, and of images in each, for the statistics of batch normalisation
_PACKAGES = ("torch", "torchvision", "timm", "lightning-fabric", "numpy", "opencv-python-headless")


def train_chain(
    recipe: Recipe, name: str, data: Path, out: Path, devices: int | str = "auto", console: Console | None = None
) -> dict[str, Checkpoint]:
    """Train a recipe on the train split, select epochs by the val split, and write `out/<stage>.pt` for each stage.

    A second call with the same arguments skips finished stages, and resumes an unfinished stage or its soft labels.

    Args:
        recipe: What to train.
        name: The name of the recipe, for the checkpoints' provenance.
        data: The dataset's folder.
        out: The run's folder.
        devices: Number of GPUs, or of processes on a CPU; "auto" takes all.
        console: Where to print progress.

    Returns:
        Stage name -> best checkpoint.

    Raises:
        ArgumentError: the data is missing, a split has no words, or there are too few images for a batch. There are
            fewer GPUs than `devices`. `out` holds a run of another recipe or on other data. A network cannot be built,
            or the package that brings its weights is missing. Layers cannot be copied between stages. A teacher lacks
            a script.
        ModelError: a checkpoint of the run or of the recipe cannot be read.
        TrainingError: a loss became NaN or infinite.
    """
    training_data = read_training_data(data)
    check_run_folder(out, recipe, training_data)
    # Searched before any process writes, so that all processes find the same.
    sources = {name: path for name in recipe.stages if (path := _trained(recipe, name, out)) is not None}
    there = {name: load_trained(path) for name, path in sources.items()}
    check_networks(recipe, training_data.labels, there)
    check_weights(recipe, training_data.labels, there)
    fabric = open_fabric(recipe, devices)
    claim_run_folder(out, recipe, training_data, fabric)
    run = RunContext(fabric, recipe, name, training_data, out, console if fabric.is_global_zero else None)
    datasets = _Datasets(run)
    finished: dict[str, Checkpoint] = {}
    for stage_name in recipe.stages:
        path = out / f"{stage_name}.pt"
        if (source := sources.get(stage_name)) is None:
            _train_one(run, stage_name, finished, datasets, path)
        elif source == path:
            run.print(f"{stage_name}: done before, {path}")
        else:
            on_first_process(fabric, partial(save_checkpoint, path, there[stage_name]))
            run.print(f"{stage_name}: trained before, {source} -> {path}")
        finished[stage_name] = load_checkpoint(path)  # loaded again, so that every process uses the same checkpoint
    return finished


def _trained(recipe: Recipe, stage: str, out: Path) -> Path | None:
    """The checkpoint of a stage that is already trained: from this run, else from the recipe."""
    path, named = out / f"{stage}.pt", recipe.stages[stage].checkpoint
    if path.exists():
        return path
    return None if named is None else model_path(named)


def _train_one(run: RunContext, name: str, finished: Mapping[str, Checkpoint], datasets: _Datasets, path: Path) -> None:
    """Train one stage and write its checkpoint."""
    started = time.perf_counter()
    on_first_process(run.fabric, partial(remove_drafts, path))
    stage, init_weights = _resolve_start(run, name, finished, datasets)
    teachers = _load_teachers(run, name, stage, finished, datasets)
    preprocessing = stage.input.preprocessing()
    train, val = datasets.load("train", preprocessing), datasets.load("val", preprocessing)
    result = train_stage(run, name, stage, train, val, teachers, init_weights)
    checkpoint = to_checkpoint(stage, run.data.labels, result, _provenance(run, name, stage, finished))
    if stage.start is not None and stage.start.keep and init_weights is not None:
        checkpoint = average_with_start(checkpoint, init_weights, stage.start.keep)
        logits, target = compute_logits(checkpoint, val, stage.batch_size)
        accuracy = float((logits.argmax(axis=1) == target)[target >= 0].mean())
        checkpoint = replace(checkpoint, metrics={"val_accuracy": accuracy, "epoch": result.metrics["epoch"]})
    checkpoint = calibrate(checkpoint, val, stage.batch_size)
    on_first_process(run.fabric, partial(save_checkpoint, path, checkpoint))
    run.print(
        f"{name}: {stage.network.name}, {parameter_count(checkpoint.build()) / 1e6:.2f} M parameters, validation "
        f"{100 * checkpoint.metrics['val_accuracy']:.2f} %, {time.perf_counter() - started:.0f} s -> {path}"
    )


def _resolve_start(
    run: RunContext, name: str, finished: Mapping[str, Checkpoint], datasets: _Datasets
) -> tuple[ResolvedStage, Mapping[str, Tensor] | None]:
    """The stage with its network, and its initial state dict, if it has one."""
    stage = run.recipe.stages[name]
    if stage.decompose is not None:
        source = finished[stage.decompose.stage]
        resolved, factorised = resolve_decompose(stage, stage.decompose, source)
        run.print(f"{name}: {describe_savings(source, factorised)}")
        return resolved, factorised.state_dict
    resolved = ResolvedStage.of(stage)
    if stage.start is None:
        return resolved, None
    if stage.start.stage is not None:
        return resolved, finished[stage.start.stage].state_dict
    order = torch.Generator().manual_seed(run.recipe.seed)
    batches = datasets.load("train", stage.input.preprocessing()).batches(_STATISTICS_BATCHES, order)
    images = (batch.images for batch in islice(batches, _STATISTICS_BATCHES))
    return resolved, read_onnx_weights(stage.start.origin).state_dict(images)


def _load_teachers(
    run: RunContext, name: str, stage: ResolvedStage, finished: Mapping[str, Checkpoint], datasets: _Datasets
) -> list[Teacher]:
    """The stage's teachers, each with the training images pre-processed for it."""
    teachers: list[Teacher] = []
    if (distil := stage.distil) is None:
        return teachers
    for who, share in distil.teachers.items():
        source, labels = finished[who], run.data.labels
        columns = [source.labels.index(label) for label in labels] if source.labels != labels else None
        # With another batch size, the answers would differ in their last bits.
        made_of = (source.sha256, run.data.fingerprint, stage.batch_size, sorted(distil.match))
        folder = SoftLabelFolder.of(run.out / "soft-labels", who, made_of, lambda text: run.print(f"{name}: {text}"))
        train = datasets.load("train", source.preprocessing)
        teachers.append(Teacher(source.build(), source.preprocessing, train, share, columns, folder))
    return teachers


class _Datasets:
    """The run's splits in memory, for one pre-processing at a time, since a split at 299x299 is large."""

    def __init__(self, run: RunContext) -> None:
        self.run = run
        self.loaded: dict[tuple[str, Preprocessing], InMemoryDataset] = {}

    def load(self, split: str, preprocessing: Preprocessing) -> InMemoryDataset:
        """A split, "train" or "val", pre-processed."""
        key = (split, preprocessing)
        if key not in self.loaded:
            for old in [each for each in self.loaded if each[0] == split]:
                del self.loaded[old]
            data, scratch = self.run.data, self.run.out / f".pixels-{split}"
            items = data.train if split == "train" else data.val
            self.run.print(f"reads {len(items):,} images of the {split} split")  # takes minutes when there are many
            self.loaded[key] = load_shared(self.run.fabric, items, data.labels, preprocessing, scratch)
        return self.loaded[key]


def _provenance(run: RunContext, name: str, stage: ResolvedStage, finished: Mapping[str, Checkpoint]) -> dict[str, Any]:
    return {
        "recipe": run.name,
        "stage": name,
        "seed": run.recipe.seed,
        "settings": run.recipe.stages[name].model_dump(),
        "train_images": len(run.data.train),
        "data_sha256": run.data.fingerprint,
        "packages": {package: version(package) for package in _PACKAGES},
        "python": platform.python_version(),
        "pretrained": _pretrained(stage, name, finished),
    }


def _pretrained(stage: ResolvedStage, name: str, finished: Mapping[str, Checkpoint]) -> dict[str, Any]:
    """Stage -> the origin of its pretrained weights, for this stage and all that it learned or started from."""
    before = [*(stage.distil.teachers if stage.distil else ()), *([stage.start.stage] if stage.start else ())]
    own = pretrained_origin(stage.network.name, stage.network.arguments)
    origins = {} if own is None else {name: own}
    for source in before:
        if source is not None:
            origins |= finished[source].provenance.get("pretrained", {})
    return origins
