"""A run: what its stages share, the devices that it trains on, and the folder that remembers what it is made of."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Literal

import torch
from lightning_fabric import Fabric
from rich.console import Console

from scriptkd_sdk.errors import ArgumentError, ScriptkdError
from scriptkd_train.data.dataset import NON_TEXT, Item, fingerprint, read_dataset
from scriptkd_train.recipe import Recipe, parse_recipe
from scriptkd_train.utils.files import write_file

_LAUNCHER = "SCRIPTKD_LAUNCHER"  # number of the process that started those which train beside it
_PERIOD = 0.2  # seconds between a process's looks for its launcher

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingData:
    """The images to train on and to choose by, the K labels of the train split, and its fingerprint."""

    train: list[Item]
    val: list[Item]
    labels: list[str]
    fingerprint: str


@dataclass(frozen=True)
class RunContext:
    """What all stages of a run share.

    Attributes:
        fabric: The devices.
        recipe: What is trained.
        name: What the recipe was called.
        data: What it is trained on.
        out: The run's folder.
        console: Where the run says what it does; None in all processes but the first.
    """

    fabric: Fabric
    recipe: Recipe
    name: str
    data: TrainingData
    out: Path
    console: Console | None = None

    def print(self, text: str) -> None:
        """Print a line, if anybody listens."""
        if self.console is not None:
            self.console.print(text, highlight=False, soft_wrap=True)  # a path must stay in one piece


def read_training_data(root: Path) -> TrainingData:
    """Read a dataset's train and val splits.

    Args:
        root: The dataset's folder.

    Returns:
        Both splits, and what they are made of.

    Raises:
        ArgumentError: there is no such split, or one without words.
    """
    train, val = read_dataset(root, "train"), read_dataset(root, "val")
    for split, items in (("train", train), ("val", val)):
        if all(item.label == NON_TEXT for item in items):
            raise ArgumentError(f"the {split} split of {root} holds only {NON_TEXT!r}; it must hold words of a script")
    labels = sorted({item.label for item in train} - {NON_TEXT})
    if len(labels) == 1:
        _log.warning("the train split of %s holds one class alone, %s: its model can tell nothing apart", root, *labels)
    return TrainingData(train, val, labels, fingerprint(train))


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
    parent = int(os.environ.get(_LAUNCHER, 0))
    if parent:
        Thread(target=_end_with, args=(parent,), daemon=True).start()
    os.environ[_LAUNCHER] = str(os.getpid())
    try:
        fabric.launch()
    finally:
        del os.environ[_LAUNCHER]
    return fabric


def on_first_process(fabric: Fabric, write: Callable[[], object]) -> None:
    """Let the first process write something, while the others wait for it.

    Args:
        fabric: The processes.
        write: What the first one does.

    Raises:
        ScriptkdError: in every process, where the first one cannot: it alone would leave the others waiting.
    """
    refused = ""
    if fabric.is_global_zero:
        try:
            write()
        except ScriptkdError as error:
            refused = str(error)
        except OSError as error:
            refused = f"{os.fsdecode(error.filename)}: {error.strerror}" if error.filename else str(error)
    refused = fabric.broadcast(refused)
    if refused:
        raise ScriptkdError(refused)


def _end_with(launcher: int) -> None:
    """End this process within a second of the one that started it, whatever that died of.

    Windows, where the number stays when that process has ended, has only torch's own look at its neighbours.
    """
    while os.getppid() == launcher:
        time.sleep(_PERIOD)
    os._exit(1)


def claim_run_folder(out: Path, recipe: Recipe, data: TrainingData, fabric: Fabric) -> None:
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
    content = {"recipe": recipe.model_dump(mode="json"), "data_sha256": data.fingerprint}

    def write() -> None:
        out.mkdir(parents=True, exist_ok=True)
        write_file(path, json.dumps(content, indent=2) + "\n")  # whole or not at all: a run killed here goes on

    on_first_process(fabric, write)


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
