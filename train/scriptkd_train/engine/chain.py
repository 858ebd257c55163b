"""The chain: trains a recipe's stages in order, each learning from the best checkpoint of the one before."""

from __future__ import annotations

import json
import platform
import time
from dataclasses import dataclass, replace
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from lightning_fabric import Fabric
from rich.console import Console

from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.compression.decompose import check_decomposable, describe_savings, resolve_decompose
from scriptkd_train.compression.quantize import quantizable_layers
from scriptkd_train.data.dataset import NON_TEXT, Item, fingerprint, read_dataset
from scriptkd_train.data.in_memory import InMemoryDataset
from scriptkd_train.data.shared_memory import load_shared
from scriptkd_train.engine.distiller import Teacher
from scriptkd_train.engine.feature_distillation import feature_widths
from scriptkd_train.engine.stage import to_checkpoint, train_stage
from scriptkd_train.engine.threshold import fit_threshold_on_logits
from scriptkd_train.models.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from scriptkd_train.models.init_weights import freeze, select_init_weights
from scriptkd_train.models.networks import Network, build_network, parameter_count, without_download
from scriptkd_train.models.onnx_weights import read_onnx_weights
from scriptkd_train.recipe import InitWeights, Recipe, parse_recipe

_MEASURED = 32  # batches, of as many images, over which a model's normalisation is measured
_PACKAGES = ("torch", "torchvision", "timm", "lightning-fabric", "numpy", "opencv-python-headless")


@dataclass(frozen=True)
class _TrainingData:
    train: list[Item]
    val: list[Item]
    labels: list[str]
    fingerprint: str


def train_chain(
    recipe: Recipe, name: str, data: Path, out: Path, devices: int | str = "auto", console: Console | None = None
) -> dict[str, Checkpoint]:
    """Trains the recipe on a dataset's train split, choosing by its val split; writes `out/<stage>.pt` for each stage.

    Started again with the same arguments it skips finished stages and goes on where an unfinished one stopped.
    Returns stage name -> best checkpoint.

    Raises:
        ArgumentError: no such data, a split without words, too few images for a batch, fewer GPUs than `devices`, `out`
            holds the run of another recipe or of other data, a network that cannot be built, or layers that cannot be
            copied from stage to stage.
        TrainingError: a loss became NaN or infinite.
    """
    train, val = read_dataset(data, "train"), read_dataset(data, "val")
    labels = sorted({item.label for item in train} - {NON_TEXT})
    content = _TrainingData(train, val, labels, fingerprint(train))
    for split, items in (("train", train), ("val", val)):
        if all(item.label == NON_TEXT for item in items):
            raise ArgumentError(f"the {split} split of {data} holds only {NON_TEXT!r}; it must hold words of a script")
    check_networks(recipe, labels)
    fabric = open_fabric(recipe, devices)
    _claim_run_folder(out, recipe, content, fabric)
    console = console if fabric.is_global_zero else None
    datasets: dict[tuple[str, Preprocessing], InMemoryDataset] = {}

    def dataset(split: str, preprocessing: Preprocessing) -> InMemoryDataset:
        key = (split, preprocessing)
        if key not in datasets:
            for old in [k for k in datasets if k[1] != preprocessing and k[0] == split]:
                del datasets[old]  # one size at a time: a split at 299x299 is large
            items = train if split == "train" else val
            datasets[key] = load_shared(fabric, items, labels, preprocessing, out / f".pixels-{split}")
        return datasets[key]

    finished: dict[str, Checkpoint] = {}
    for stage_name, stage in recipe.stages.items():
        path = out / f"{stage_name}.pt"
        if path.exists():
            finished[stage_name] = load_checkpoint(path)
            _print(console, f"{stage_name}: done before, {path}")
            continue
        started = time.perf_counter()
        preprocessing = stage.input.preprocessing()
        sources = [(finished[who], share) for who, share in stage.distil.teachers.items()] if stage.distil else []
        start = None
        if stage.start and stage.start.model:
            batches = dataset("train", preprocessing).batches(_MEASURED, torch.Generator().manual_seed(recipe.seed))
            start = read_onnx_weights(stage.start.model).state_dict(
                batch.images for batch in islice(batches, _MEASURED)
            )
        elif stage.start and stage.start.stage:
            start = finished[stage.start.stage].state_dict
        if stage.decompose:
            source = finished[stage.decompose.stage]
            stage, factorised = resolve_decompose(stage, source)
            start = factorised.state_dict
            _print(console, f"{stage_name}: {describe_savings(source, factorised)}")
        teachers = [
            Teacher(source.build(), source.preprocessing, dataset("train", source.preprocessing), share)
            for source, share in sources
        ]
        result = train_stage(
            fabric, stage_name, stage, labels, dataset("train", preprocessing), dataset("val", preprocessing),
            out / stage_name, recipe.seed, teachers, start, console,
        )  # fmt: skip
        checkpoint = to_checkpoint(stage, labels, result, _provenance(name, recipe, stage_name, content))
        logits, target = compute_logits(checkpoint, dataset("val", preprocessing), stage.batch_size)
        temperature = fit_temperature(logits[target >= 0], target[target >= 0])
        threshold = fit_threshold_on_logits(logits, target, temperature)
        checkpoint = replace(checkpoint, temperature=temperature, threshold=threshold)
        if fabric.is_global_zero:
            save_checkpoint(path, checkpoint)
        fabric.barrier()
        finished[stage_name] = checkpoint = load_checkpoint(path)  # so that every process learns from the same one
        count = parameter_count(checkpoint.build())
        _print(
            console,
            f"{stage_name}: {stage.network.name}, {count / 1e6:.2f} M parameters, validation "
            f"{100 * result.metrics['val_accuracy']:.2f} %, {time.perf_counter() - started:.0f} s -> {path}",
        )
    return finished


def check_networks(recipe: Recipe, labels: list[str]) -> None:
    """Builds every network without memory for its weights, so that a mistake is found before the first stage begins.

    Raises:
        ArgumentError: a network that cannot be built, or a `start` or `decompose` that does not fit, nothing to
            quantize, or points that cannot be matched.
        ModelError: a `start` names a model that cannot be read.
    """
    built: dict[str, Network] = {}
    for name, stage in recipe.stages.items():
        if stage.decompose is not None:
            built[name] = built[stage.decompose.stage]  # factorised, it looks the same from outside
            if recipe.stages[stage.decompose.stage].decompose is None:  # else its layers are not known yet
                check_decomposable(built[name], stage.input.preprocessing(), stage.decompose, f"stage {name}")
        else:
            assert stage.network is not None  # else it would decompose another
            network, arguments = stage.network.name, without_download(stage.network.arguments)
            with torch.device("meta"):
                built[name] = build_network(network, len(labels), stage.input.preprocessing(), **arguments)
        if stage.start is not None and (source := _init_source(stage.start, recipe, built, labels)) is not None:
            where = f"stage {name}: start from {stage.start.origin}"
            select_init_weights(built[name], source.state_dict(), stage.start.layers, where)
            freeze(built[name], stage.start.freeze, where)
        if stage.quantize is not None:
            quantizable_layers(built[name])
        if stage.distil is not None and stage.distil.match:
            teacher = next(iter(stage.distil.teachers))
            sides = [(built[who], recipe.stages[who].input.preprocessing()) for who in (name, teacher)]
            feature_widths(*sides, stage.distil.match, f"stage {name}: match")


def _init_source(start: InitWeights, recipe: Recipe, built: dict[str, Network], labels: list[str]) -> Network | None:
    """What a stage starts from, without weights; None where that will be a factorised network, not known yet."""
    if start.stage is not None:
        return built[start.stage] if recipe.stages[start.stage].decompose is None else None
    model = read_onnx_weights(start.origin)
    if not start.layers and model.labels != labels:
        raise ArgumentError(
            f"start: {start.origin} tells {', '.join(model.labels)} apart, the data holds {', '.join(labels)}: "
            "name the `layers` to copy without its head, such as [body]"
        )
    with torch.device("meta"):
        return model.network()


def compute_logits(checkpoint: Checkpoint, split: InMemoryDataset, batch_size: int) -> tuple[np.ndarray, np.ndarray]:
    """A checkpoint's logits, float32 [N, K], and the targets, int64 [N], -1 without text, over a split."""
    network = checkpoint.build()
    logits, targets = [], []
    with torch.no_grad():
        for batch in split.batches(batch_size):
            logits.append(network(batch.images).numpy())
            targets.append(batch.target.numpy())
    return np.concatenate(logits), np.concatenate(targets)


def fit_temperature(logits: np.ndarray, target: np.ndarray) -> float:
    """The temperature that minimises the cross-entropy of softmax(logits / T) (Guo et al. 2017, arXiv 1706.04599).

    logits: [N, K]; target: int [N]. One number between 0.05 and 20, by golden-section search on its logarithm.
    """
    logits = logits.astype(np.float64)
    rows = np.arange(len(target))

    def cost(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        top = scaled.max(axis=1)
        return float(np.mean(top + np.log(np.exp(scaled - top[:, None]).sum(axis=1)) - scaled[rows, target]))

    low, high = np.log(0.05), np.log(20.0)
    ratio = (np.sqrt(5) - 1) / 2
    for _ in range(60):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, right) if cost(left) <= cost(right) else (left, high)
    return float(np.exp((low + high) / 2))


def open_fabric(recipe: Recipe, devices: int | str) -> Fabric:
    """The devices to train on, in the recipe's precision. Starts this program once more for each further device.

    `auto` is bfloat16 on GPUs and on processors with AVX512-BF16, where a step of TextNet takes half the time; else
    float32, since there bfloat16 measured slower.

    Raises ArgumentError where there are GPUs, but fewer than `devices`.
    """
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0  # without GPUs it counts processes
    if isinstance(devices, int) and 0 < gpus < devices:
        raise ArgumentError(
            f"--devices {devices}: this machine has {gpus} GPU{'s' if gpus > 1 else ''}; give at most {gpus}"
        )
    half = torch.cuda.is_available() or torch.cpu.get_capabilities().get("avx512_bf16", False)
    fastest: Literal["bf16-mixed", "32-true"] = "bf16-mixed" if half else "32-true"
    precision = fastest if recipe.precision == "auto" else recipe.precision
    fabric = Fabric(accelerator="auto", devices=devices, precision=precision)
    fabric.launch()
    return fabric


def _provenance(name: str, recipe: Recipe, stage: str, data: _TrainingData) -> dict[str, Any]:
    return {
        "recipe": name,
        "stage": stage,
        "seed": recipe.seed,
        "settings": recipe.stages[stage].model_dump(),
        "train_images": len(data.train),
        "data_sha256": data.fingerprint,
        "packages": {package: version(package) for package in _PACKAGES},
        "python": platform.python_version(),
    }


def _claim_run_folder(out: Path, recipe: Recipe, data: _TrainingData, fabric: Fabric) -> None:
    """Writes what this run is made of, or checks that what the folder holds is made of the same.

    Stages that have not begun may still be changed: the rest of a recipe can be planned while its teacher trains.
    """
    path = out / "run.json"
    if path.exists():
        known, there = read_run(path)
        if known != data.fingerprint:
            raise ArgumentError(f"{out} holds a run on other training data; give another --out")
        settings = [key for key in ("seed", "precision") if getattr(there, key) != getattr(recipe, key)]
        if differing := [*(f"stage {name}" for name in changed_stages(out, there, recipe)), *settings]:
            raise ArgumentError(
                f"{out} holds a run whose {differing[0]} was another; give another --out, or delete the folder"
            )
    fabric.barrier()  # every process has looked before the first one writes
    if fabric.is_global_zero:
        out.mkdir(parents=True, exist_ok=True)
        draft = out / ".run.json"
        mine = {"recipe": recipe.model_dump(mode="json"), "data_sha256": data.fingerprint}
        draft.write_text(json.dumps(mine, indent=2) + "\n")
        draft.replace(path)  # whole or not at all: a run killed here goes on
    fabric.barrier()


def changed_stages(out: Path, there: Recipe, recipe: Recipe) -> list[str]:
    """The stages that the run in `out`, by the recipe `there`, has begun and that this recipe would train otherwise.

    A stage that another run trained for it has a checkpoint and no folder.
    """
    begun = (name for name in there.stages if (out / name).is_dir() or (out / f"{name}.pt").exists())
    return [name for name in begun if there.stages[name] != recipe.stages.get(name)]


def read_run(path: Path) -> tuple[str, Recipe]:
    """The fingerprint of the training data and the recipe, with keys added since, that a run.json tells of.

    Raises:
        ArgumentError: it is not what `train_chain` wrote.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
        known, recipe = content["data_sha256"], content["recipe"]
    except (ValueError, KeyError, TypeError) as error:
        raise ArgumentError(f"{path} is not what `scriptkd train` wrote; give another --out") from error
    return known, parse_recipe(recipe, str(path))


def _print(console: Console | None, text: str) -> None:
    if console is not None:
        console.print(text, highlight=False, soft_wrap=True)  # a path must stay in one piece
