"""A run: the data shared by its stages, its devices, and its folder, which records its recipe and data."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Literal, TypeVar

import torch
from lightning_fabric import Fabric
from rich.console import Console

from scriptkd_sdk.errors import ArgumentError, ScriptkdError
from scriptkd_train.data.dataset import NON_TEXT, Item, fingerprint, read_dataset
from scriptkd_train.recipe import Recipe, parse_recipe
from scriptkd_train.utils.files import write_file

_LAUNCHER = "SCRIPTKD_LAUNCHER"  # environment variable with the process ID of the launching process
_PERIOD = 0.2  # seconds between a process's checks for its launcher
_RUN = "run.json"

T = TypeVar("T")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingData:
    """The training and validation images, the K labels of the train split, and its fingerprint."""

    train: list[Item]
    val: list[Item]
    labels: list[str]
    fingerprint: str


@dataclass(frozen=True)
class RunContext:
    """The data that all stages of a run share.

    Attributes:
        fabric: The devices.
        recipe: What is trained.
        name: The name of the recipe.
        data: The training data.
        out: The run's folder.
        console: Where the run prints progress; None in all processes but the first.
    """

    fabric: Fabric
    recipe: Recipe
    name: str
    data: TrainingData
    out: Path
    console: Console | None = None

    def print(self, text: str) -> None:
        """Print a line, if there is a console."""
        if self.console is not None:
            self.console.print(text, highlight=False, soft_wrap=True)  # no wrapping, so that paths stay in one piece


def read_training_data(root: Path) -> TrainingData:
    """Read a dataset's train and val splits.

    Args:
        root: The dataset's folder.

    Returns:
        Both splits, with the labels and the fingerprint.

    Raises:
        ArgumentError: a split is missing, or has no words.
    """
    train, val = read_dataset(root, "train"), read_dataset(root, "val")
    for split, items in (("train", train), ("val", val)):
        if all(item.label == NON_TEXT for item in items):
            raise ArgumentError(f"the {split} split of {root} holds only {NON_TEXT!r}; it must hold words of a script")
    labels = sorted({item.label for item in train} - {NON_TEXT})
    if len(labels) == 1:
        _log.warning("the train split of %s holds only one class, %s: a model has nothing to tell apart", root, *labels)
    return TrainingData(train, val, labels, fingerprint(train))


def open_fabric(recipe: Recipe, devices: int | str) -> Fabric:
    """Open the training devices in the recipe's precision. Each further device gets another process of this program.

    Precision `auto` is bfloat16 on GPUs and on processors with AVX512-BF16, where it halves the time of a TextNet step.
    Elsewhere it is float32, since bfloat16 measured slower there.

    Raises ArgumentError if there are GPUs, but fewer than `devices`.
    """
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0  # without GPUs, `devices` counts processes
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
    """Let the first process write something while the others wait.

    Args:
        fabric: The processes.
        write: The work of the first process.

    Raises:
        ScriptkdError: the first process failed. Every process raises it.
    """
    on_every_process(fabric, write if fabric.is_global_zero else lambda: None)


def on_every_process(fabric: Fabric, work: Callable[[], object]) -> None:
    """Let every process do its part, and wait for all.

    Args:
        fabric: The processes.
        work: The work of this process.

    Raises:
        ScriptkdError: some process failed. Every process raises it, so that none waits for ever.
    """
    refused = ""
    try:
        work()
    except ScriptkdError as error:
        refused = str(error)
    except OSError as error:
        refused = f"{os.fsdecode(error.filename)}: {error.strerror}" if error.filename else str(error)
    refused = next(filter(None, from_every_process(fabric, refused)), "")
    if refused:
        raise ScriptkdError(refused)


def from_every_process(fabric: Fabric, own: T) -> list[T]:
    """Return the values of all processes, tensors or plain values, by rank. Every process gets them."""
    return [fabric.broadcast(own, src=rank) for rank in range(fabric.world_size)]


def _end_with(launcher: int) -> None:
    """End this process within a second of its launcher's end, however the launcher died.

    On Windows, `getppid` still gives the launcher's ID after its end. So only torch's own check of the other processes
    helps there.
    """
    while os.getppid() == launcher:
        time.sleep(_PERIOD)
    os._exit(1)


def check_run_folder(out: Path, recipe: Recipe, data: TrainingData) -> None:
    """Check that a run in the folder has the same recipe and data.

    Stages that have not begun may still be changed, so the rest of a recipe can be planned while its teacher trains.

    Raises:
        ArgumentError: the folder holds another run.
    """
    path = out / _RUN
    if path.exists():
        known, there = read_run(path)
        if known != data.fingerprint:
            raise ArgumentError(f"{out} holds a run on other training data; give another --out")
        settings = [key for key in ("seed", "precision") if getattr(there, key) != getattr(recipe, key)]
        if differing := [*(f"stage {name}" for name in changed_stages(out, there, recipe)), *settings]:
            raise ArgumentError(
                f"{out} holds a run with a different {differing[0]}; give another --out, or delete the folder"
            )


def claim_run_folder(out: Path, recipe: Recipe, data: TrainingData, fabric: Fabric) -> None:
    """Write this run's recipe and data fingerprint, for `check_run_folder`."""
    fabric.barrier()  # every process has checked the folder before the first one writes
    content = {"recipe": recipe.model_dump(mode="json"), "data_sha256": data.fingerprint}

    def write() -> None:
        out.mkdir(parents=True, exist_ok=True)
        write_file(out / _RUN, json.dumps(content, indent=2) + "\n")  # atomic, so that a run killed here can resume

    on_first_process(fabric, write)


def changed_stages(out: Path, there: Recipe, recipe: Recipe) -> list[str]:
    """The stages that the run in `out` has begun with its recipe `there`, and that `recipe` would train differently.

    A stage that was trained by another run has a checkpoint and no folder.
    """
    begun = (name for name in there.stages if (out / name).is_dir() or (out / f"{name}.pt").exists())
    return [name for name in begun if there.stages[name] != recipe.stages.get(name)]


def read_run(path: Path) -> tuple[str, Recipe]:
    """The data fingerprint and the recipe in a run.json. Keys that newer versions added get their defaults.

    Raises:
        ArgumentError: the file was not written by `train_chain`.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
        known, recipe = content["data_sha256"], content["recipe"]
    except (ValueError, KeyError, TypeError) as error:
        raise ArgumentError(f"{path} was not written by `scriptkd train`; give another --out") from error
    return known, parse_recipe(recipe, str(path))
