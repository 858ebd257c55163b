"""A position inside an epoch: all that a process needs to resume with exactly the next step."""

from __future__ import annotations

import time
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor

from scriptkd_train.data.in_memory import InMemoryDataset
from scriptkd_train.engine.run import from_every_process


class Place:
    """The position of a process in an epoch.

    A step draws from two generators: torch's own, for dropout, and the epoch's, for order and augmentation. The draws
    depend on the number of images, so each process has its own generator states.

    Attributes:
        batches: The batches that are still to come.
        steps: Number of batches in the whole epoch.
        step: Number of batches done.
        generator: Draws the order and the augmentation.
        seen: Images in this process's batches so far.
        total: Sum of the losses of these images.
    """

    def __init__(self, fabric: Fabric, train: InMemoryDataset, batch_size: int, dropout_seed: int, seed: int) -> None:
        self.fabric = fabric
        torch.manual_seed(dropout_seed)
        self.generator = torch.Generator().manual_seed(seed)
        self.batches = train.batches(batch_size, self.generator, fabric.global_rank, fabric.world_size)
        self.steps = train.batch_count(batch_size, fabric.world_size)
        self.step, self.seen, self.total = 0, 0, torch.zeros((), device=fabric.device)
        self.started = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Seconds spent on the epoch, without the time between an interruption and its resumption."""
        return time.perf_counter() - self.started

    def add(self, loss: Tensor, images: int) -> None:
        """Count a step."""
        self.total += loss * images
        self.seen, self.step = self.seen + images, self.step + 1

    def state_dict(self) -> dict[str, Any]:
        """The state needed to resume here. All processes must call this together."""
        return {
            "steps": self.steps,
            "step": self.step,
            "seen": self.seen,
            "total": self.total.clone(),
            "seconds": self.seconds,
            "random": from_every_process(self.fabric, self._random_state()),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a state from `state_dict`, at the same share of the epoch if the number of processes differs."""
        alike = len(state["random"]) == self.fabric.world_size
        self.step = state["step"] if alike else state["step"] * self.steps // state["steps"]
        self.seen, self.total = state["seen"], state["total"].to(self.fabric.device)
        self.started -= state["seconds"]
        for _ in range(self.step):
            next(self.batches)
        if alike:
            self._set_random_state(state["random"][self.fabric.global_rank])

    def _random_state(self) -> dict[str, Tensor]:
        own = {"dropout": torch.get_rng_state(), "generator": self.generator.get_state()}
        if self.fabric.device.type == "cuda":
            own["cuda"] = torch.cuda.get_rng_state(self.fabric.device)
        return own

    def _set_random_state(self, own: dict[str, Tensor]) -> None:
        torch.set_rng_state(own["dropout"].cpu())
        self.generator.set_state(own["generator"].cpu())
        if self.fabric.device.type == "cuda" and "cuda" in own:
            torch.cuda.set_rng_state(own["cuda"].cpu(), self.fabric.device)
