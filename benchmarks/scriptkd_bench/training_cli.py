"""`scriptkd bench-train`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from scriptkd_sdk.errors import ArgumentError


def bench_train(
    recipe: Annotated[str, typer.Argument(help="Name of a ready recipe, or path of a YAML file.")] = "mobile",
    stage: Annotated[str | None, typer.Option(help="One stage of the recipe. Default: all.")] = None,
    steps: Annotated[int, typer.Option(min=3, help="Timed steps of each stage.")] = 20,
    images: Annotated[
        int, typer.Option(min=0, help="Images in memory, such as CVSI-2015's 6412; 0 means eight batches.")
    ] = 0,
) -> None:
    """Measure a training step's time against a bare torch loop of the same network, and the peak memory."""
    # Imported here, because torch takes seconds to import and --help should be fast.
    import torch

    from scriptkd_train.recipe import load_recipe

    from .machine import describe_machine
    from .training import time_stage

    loaded = load_recipe(recipe)
    if stage is not None and stage not in loaded.stages:
        raise ArgumentError(f"recipe {recipe} has no stage {stage!r}; it has {', '.join(loaded.stages)}")
    console = Console()
    facts = {**describe_machine(), "torch": torch.__version__, "threads": str(torch.get_num_threads())}
    if torch.cuda.is_available():
        facts["GPU"] = torch.cuda.get_device_name()
    for name, fact in facts.items():
        console.print(f"{name}: {fact}", highlight=False, markup=False, soft_wrap=True)
    table = Table("stage", "batch", "bare ms", "whole ms", "ratio", "loading", "augment", "average", "peak GiB")
    for name in [stage] if stage else loaded.stages:
        console.print(f"{name}: {steps} steps", highlight=False, markup=False)
        cost = time_stage(loaded, name, steps, images)
        numbers = (cost.bare, cost.whole, cost.loading, cost.augmenting, cost.averaging)
        bare, whole, *parts = (f"{value:.1f}" for value in numbers)
        shape = "x".join(map(str, cost.shape))
        table.add_row(name, shape, bare, whole, f"{cost.whole / cost.bare:.2f}", *parts, f"{cost.peak / 2**30:.2f}")
    console.print(table)
