"""The exponential moving average of a network in training: the average is validated, saved and deployed."""

from __future__ import annotations

import copy
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn


class ModelEma:
    """A network that follows another one: after each step mean += (1 - keep) (value - mean), buffers included.

    After n steps, keep is (1 + n) / (10 + n), but at most `decay`. So the random initial weights do not dilute the
    first epochs. All tensors of a kind are updated in one call, and nothing waits for a GPU.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = copy.deepcopy(network).requires_grad_(False)
        self.decay, self.steps = decay, 0
        pairs = list(zip(_tensors(self.network), _tensors(network), strict=True))
        self._real = [pair for pair in pairs if pair[0].is_floating_point()]
        self._counts = [
            pair for pair in pairs if not pair[0].is_floating_point()
        ]  # the counters of batch normalisation

    @torch.no_grad()
    def update(self) -> None:
        """Update the average after an optimizer's step."""
        keep = min(self.decay, (1 + self.steps) / (10 + self.steps)) if self.steps else 0.0
        means, values = zip(*self._real, strict=True)
        torch._foreach_lerp_(means, values, 1 - keep)
        for mean, value in self._counts:
            mean.copy_(value)
        self.steps += 1

    def state_dict(self) -> dict[str, Any]:
        """The state that a run needs to resume."""
        return {"network": self.network.state_dict(), "steps": self.steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a state from `state_dict`."""
        self.network.load_state_dict(state["network"])
        self.steps = state["steps"]


def _tensors(network: nn.Module) -> list[Tensor]:
    return [tensor.detach() for tensor in chain(network.parameters(), network.buffers())]
