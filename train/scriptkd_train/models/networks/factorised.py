"""Networks with factorised convolutions and linear layers: Tucker-2 and low rank.

A k x k convolution becomes 1x1, k x k, 1x1 (Kim et al. 2016, arXiv 1511.06530). A 1x1 convolution or a linear layer
becomes two of its kind. This module defines the shapes; `scriptkd_train.compression.decompose` finds ranks and weights.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from torch import nn

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.models.networks.base import Network, replace_module

Rank = int | list[int]
"""[input, output] channels of a k x k convolution's middle part, or one number for a 1x1 convolution or linear layer.
"""


def factorised(network: Network, ranks: Mapping[str, Rank]) -> Network:
    """Factorise the named layers of a network in place, at these ranks and with random weights.

    Raises:
        ArgumentError: the network lacks a layer, a layer cannot be factorised, or a rank is impossible.
    """
    if not isinstance(ranks, Mapping) or not ranks:
        raise ArgumentError(f"ranks must be a mapping of layers to ranks, not {ranks!r}")
    for name, rank in ranks.items():
        layer = find_layer(network, name)
        replace_module(network, name, _factors(layer, check_rank(name, layer, rank)))
    return network


def layers(network: nn.Module) -> dict[str, nn.Conv2d | nn.Linear]:
    """The layers that can be factorised, by name: ungrouped convolutions and linear layers."""
    return {
        name: module
        for name, module in network.named_modules()
        if type(module) is nn.Linear or (type(module) is nn.Conv2d and module.groups == 1)
    }


def find_layer(network: nn.Module, name: str) -> nn.Conv2d | nn.Linear:
    """One of `layers`. Raises ArgumentError, naming the layers, for another name."""
    known = layers(network)
    if name not in known:
        there = name in dict(network.named_modules())
        what = "is neither a plain convolution nor a linear layer" if there else "is not in the network"
        raise ArgumentError(f"layer {name!r} {what}; layers that can be decomposed are {', '.join(known) or 'none'}")
    return known[name]


def is_spatial(layer: nn.Conv2d | nn.Linear) -> bool:
    """Whether the layer is a convolution larger than 1x1."""
    return isinstance(layer, nn.Conv2d) and max(layer.kernel_size) > 1


def full_rank(layer: nn.Conv2d | nn.Linear) -> Rank:
    """The full rank, at which nothing is lost."""
    out_channels, in_channels = layer.weight.shape[:2]
    if not is_spatial(layer):
        return min(in_channels, out_channels)
    positions = layer.weight[0, 0].numel()
    return [min(in_channels, out_channels * positions), min(out_channels, in_channels * positions)]


def check_rank(name: str, layer: nn.Conv2d | nn.Linear, rank: Any) -> Rank:
    """Return the rank if the layer can have it; else raise ArgumentError with the limits."""
    most = full_rank(layer)
    limits, given = (each if isinstance(each, list) else [each] for each in (most, rank))
    possible = (
        len(given) == len(limits)
        and all(type(each) is int for each in given)
        and all(1 <= each <= limit for each, limit in zip(given, limits, strict=True))
    )
    if is_spatial(layer):
        positions = layer.weight[0, 0].numel()
        if not possible or max(given) > positions * min(given):
            raise ArgumentError(
                f"layer {name}: its rank must be [input, output] from [1, 1] to {most}, and neither may be more than "
                f"{positions} times the other; got {rank!r}"
            )
        return given
    if not possible:
        raise ArgumentError(f"layer {name}: its rank must be a whole number from 1 to {most}, not {rank!r}")
    return given[0]


def _factors(layer: nn.Conv2d | nn.Linear, rank: Rank) -> nn.Sequential:
    bias = layer.bias is not None
    if isinstance(layer, nn.Linear):
        assert isinstance(rank, int)
        parts = OrderedDict[str, nn.Module](
            reduce=nn.Linear(layer.in_features, rank, bias=False), expand=nn.Linear(rank, layer.out_features, bias)
        )
        return nn.Sequential(parts)
    shape: dict[str, Any] = {name: getattr(layer, name) for name in ("stride", "padding", "dilation", "padding_mode")}
    if isinstance(rank, int):
        return nn.Sequential(
            OrderedDict(
                reduce=nn.Conv2d(layer.in_channels, rank, 1, bias=False, **shape),
                expand=nn.Conv2d(rank, layer.out_channels, 1, bias=bias),
            )
        )
    return nn.Sequential(
        OrderedDict(
            reduce=nn.Conv2d(layer.in_channels, rank[0], 1, bias=False),
            core=nn.Conv2d(rank[0], rank[1], layer.kernel_size, bias=False, **shape),  # type: ignore[arg-type]
            expand=nn.Conv2d(rank[1], layer.out_channels, 1, bias=bias),
        )
    )
