"""The mean of a network's weights before and after a training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from scriptkd_train.models.checkpoint import Checkpoint
from scriptkd_train.models.onnx_weights import normalised_convolutions, running_statistics


def average_with_start(trained: Checkpoint, start: Mapping[str, Tensor], keep: float) -> Checkpoint:
    """keep * start + (1 - keep) * trained, tensor by tensor.

    A network that trains on harder pictures forgets some of what it knew. The mean serves old and new pictures together
    better than either network (WiSE-FT: Wortsman et al. 2022, arXiv 2109.01903, eq. 1). Batch normalisation is folded
    into the convolutions first, since the mean of two running variances belongs to neither network.

    Args:
        trained: a checkpoint after its training.
        start: the state dict that it started from, of the same architecture.
        keep: the share of `start`, from 0 to 1.
    """
    network = trained.build()
    after = _folded(network)
    network.load_state_dict(start)
    before = _folded(network)
    mean = {name: torch.lerp(after[name], before[name], keep) for name in after if after[name].is_floating_point()}
    return replace(trained, state_dict={**after, **mean})


@torch.no_grad()
def _folded(network: nn.Module) -> dict[str, Tensor]:
    """The state dict of the same network, with normalisations of mean 0 and variance 1 that only add a bias."""
    for name, norm in normalised_convolutions(network):
        convolution = network.get_submodule(name)
        assert isinstance(convolution, nn.Conv2d)
        mean, variance = running_statistics(norm)
        scale = norm.weight / (variance + norm.eps).sqrt()
        convolution.weight.mul_(scale.view(-1, 1, 1, 1))
        norm.bias.sub_(mean * scale)
        mean.zero_()
        variance.fill_(1.0)
        norm.weight.fill_((1.0 + norm.eps) ** 0.5)
    return {name: value.clone() for name, value in network.state_dict().items()}
