"""The chain: trains a recipe's stages in order, each learning from the best checkpoint of the one before."""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping
from functools import partial
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from torch import Tensor

from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.compression.decompose import describe_savings, resolve_decompose
from scriptkd_train.data.in_memory import InMemoryDataset
from scriptkd_train.data.shared_memory import load_shared
from scriptkd_train.engine.calibration import calibrate
from scriptkd_train.engine.check import check_networks
from scriptkd_train.engine.distiller import Teacher
from scriptkd_train.engine.run import RunContext, claim_run_folder, on_first_process, open_fabric, read_training_data
from scriptkd_train.engine.stage import to_checkpoint, train_stage
from scriptkd_train.models.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from scriptkd_train.models.networks import parameter_count, pretrained_origin
from scriptkd_train.models.onnx_weights import read_onnx_weights
from scriptkd_train.recipe import Recipe, ResolvedStage

_STATISTICS_BATCHES = 32  # batches, of as many images, over which a model's batch normalisation is measured
_PACKAGES = ("torch", "torchvision", "timm", "lightning-fabric", "numpy", "opencv-python-headless")


def train_chain(
    recipe: Recipe, name: str, data: Path, out: Path, devices: int | str = "auto", console: Console | None = None
) -> dict[str, Checkpoint]:
    """Train the recipe on a dataset's train split, choosing by its val split; write `out/<stage>.pt` for each stage.

    Started again with the same arguments it skips finished stages and goes on where an unfinished one stopped.

    Args:
        recipe: What to train.
        name: What the recipe is called, for the checkpoints' provenance.
        data: The dataset's folder.
        out: The run's folder.
        devices: How many GPUs, or processes on a processor; "auto" takes all.
        console: Where to say what is done.

    Returns:
        Stage name -> best checkpoint.

    Raises:
        ArgumentError: no such data, a split without words, too few images for a batch, fewer GPUs than `devices`, `out`
            holds the run of another recipe or of other data, a network that cannot be built, or layers that cannot be
            copied from stage to stage.
        TrainingError: a loss became NaN or infinite.
    """
    training_data = read_training_data(data)
    check_networks(recipe, training_data.labels)
    fabric = open_fabric(recipe, devices)
    claim_run_folder(out, recipe, training_data, fabric)
    run = RunContext(fabric, recipe, name, training_data, out, console if fabric.is_global_zero else None)
    datasets = _Datasets(run)
    finished: dict[str, Checkpoint] = {}
    for stage_name in recipe.stages:
        path = out / f"{stage_name}.pt"
        if path.exists():
            run.print(f"{stage_name}: done before, {path}")
        else:
            _train_one(run, stage_name, finished, datasets, path)
        finished[stage_name] = load_checkpoint(path)  # so that every process learns from the same one
    return finished


def _train_one(run: RunContext, name: str, finished: Mapping[str, Checkpoint], datasets: _Datasets, path: Path) -> None:
    """Train one stage and write its checkpoint."""
    started = time.perf_counter()
    stage, init_weights = _resolve_start(run, name, finished, datasets)
    teachers = _load_teachers(stage, finished, datasets)
    preprocessing = stage.input.preprocessing()
    train, val = datasets.load("train", preprocessing), datasets.load("val", preprocessing)
    result = train_stage(run, name, stage, train, val, teachers, init_weights)
    checkpoint = to_checkpoint(stage, run.data.labels, result, _provenance(run, name, stage, finished))
    checkpoint = calibrate(checkpoint, val, stage.batch_size)
    on_first_process(run.fabric, partial(save_checkpoint, path, checkpoint))
    run.print(
        f"{name}: {stage.network.name}, {parameter_count(checkpoint.build()) / 1e6:.2f} M parameters, validation "
        f"{100 * result.metrics['val_accuracy']:.2f} %, {time.perf_counter() - started:.0f} s -> {path}"
    )


def _resolve_start(
    run: RunContext, name: str, finished: Mapping[str, Checkpoint], datasets: _Datasets
) -> tuple[ResolvedStage, Mapping[str, Tensor] | None]:
    """The stage with its network, and the state dict that it starts from, if from any."""
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


def _load_teachers(stage: ResolvedStage, finished: Mapping[str, Checkpoint], datasets: _Datasets) -> list[Teacher]:
    """The stage's teachers, each with the training images as it reads them."""
    sources = [(finished[who], share) for who, share in stage.distil.teachers.items()] if stage.distil else []
    return [
        Teacher(source.build(), source.preprocessing, datasets.load("train", source.preprocessing), share)
        for source, share in sources
    ]


class _Datasets:
    """The run's splits in memory, pre-processed for one input size at a time: a split at 299x299 is large."""

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
    """Stage -> where its network's first weights came from: this stage, and those that it learned or started from."""
    before = [*(stage.distil.teachers if stage.distil else ()), *([stage.start.stage] if stage.start else ())]
    own = pretrained_origin(stage.network.name, stage.network.arguments)
    origins = {} if own is None else {name: own}
    for source in before:
        if source is not None:
            origins |= finished[source].provenance.get("pretrained", {})
    return origins
