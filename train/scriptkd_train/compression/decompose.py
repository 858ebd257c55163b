"""Decomposes a trained network: Tucker-2 for convolutions, low rank for linear layers, at a rank that pays.

The weights [D, C, k, k] of a convolution become U_out x core x U_in (Kim et al. 2016, arXiv 1511.06530, section 3): 1x1
to r_in channels, k x k to r_out, 1x1 to D. Without truncation the outputs are those of the original.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from tensorly.decomposition import partial_tucker
from torch import Tensor, nn

from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.models.checkpoint import Checkpoint
from scriptkd_train.models.networks import Network, parameter_count, without_download
from scriptkd_train.models.networks.factorised import Rank, check_rank, find_layer, is_spatial, layers
from scriptkd_train.recipe import Decompose, InitWeights, NetworkSpec, ResolvedStage, Stage

_ROUNDING = 1e-12  # of a share of energy
_BLOCK = 8  # channels: runtimes' fastest convolutions read whole blocks, and others are re-ordered before and after
_STEPS = 40  # halvings in the search for the energy that meets a budget
_WORKING = (nn.Conv2d, nn.Linear, nn.LSTM)
_ASPECT = 3  # width of a typical word, in heights: the input that a budget of multiply-adds is counted on


@dataclass(frozen=True)
class LayerCost:
    """What a layer does for one image. positions: of its input and of its output maps, for the 1x1 factors."""

    macs: int
    positions: tuple[int, int]


def resolve_decompose(stage: Stage, spec: Decompose, source: Checkpoint) -> tuple[ResolvedStage, Checkpoint]:
    """Carry out a stage's `decompose`.

    Args:
        stage: The stage as the recipe has it.
        spec: Its `decompose`.
        source: The checkpoint of the stage that it decomposes.

    Returns:
        The stage as one that starts from its source factorised, and that checkpoint, not yet fine-tuned.

    Raises:
        ArgumentError: a layer that the source does not have, an impossible rank, or nothing that is worth decomposing.
        ModelError: the source's weights do not fit its network.
    """
    network, preprocessing = source.build(), source.preprocessing
    ranks: Mapping[str, Rank] = spec.ranks
    if spec.energy is not None:
        ranks = ranks_by_energy(network, preprocessing, spec.energy, spec.layers)
    elif spec.macs is not None:
        ranks = ranks_by_budget(network, preprocessing, spec.macs, spec.layers)
    factorised = decompose(source, ranks)
    resolved = ResolvedStage.of(
        stage,
        network=NetworkSpec(name=factorised.network, arguments=factorised.arguments),
        start=InitWeights(stage=spec.stage),
        decompose=None,
    )
    return resolved, factorised


def describe_savings(source: Checkpoint, factorised: Checkpoint) -> str:
    """What a decomposition leaves of a network, for people."""
    macs = [
        sum(costs.macs for costs in layer_costs(each.build(), each.preprocessing).values())
        for each in (source, factorised)
    ]
    counts = [parameter_count(each.build()) for each in (source, factorised)]
    return (
        f"{len(factorised.arguments['ranks'])} layers decomposed, {100 * macs[1] / macs[0]:.0f} % of the multiply-adds "
        f"and {100 * counts[1] / counts[0]:.0f} % of the parameters left"
    )


def check_decomposable(network: Network, preprocessing: Preprocessing, spec: Decompose, where: str) -> None:
    """Raises ArgumentError, beginning with `where`, for what is wrong whatever the weights; looks at shapes only."""
    try:
        for name, rank in spec.ranks.items():
            check_rank(name, find_layer(network, name), rank)
        if spec.macs is not None:
            chosen = _chosen_layers(network, spec.layers)
            lowest = {name: [np.ones(size) for size in _sizes(layer)] for name, layer in chosen.items()}
            _require_budget(network, lowest, layer_costs(network, preprocessing), spec.macs)
        elif spec.energy is not None:
            _chosen_layers(network, spec.layers)
    except ArgumentError as error:
        raise ArgumentError(f"{where}: {error}") from error


def decompose(checkpoint: Checkpoint, ranks: Mapping[str, Rank]) -> Checkpoint:
    """The checkpoint with the named layers factorised: network `tucker`, whose arguments hold the base and the ranks.

    Raises:
        ArgumentError: a layer that the network does not have, or an impossible rank.
        ModelError: the checkpoint's weights do not fit its network.
    """
    network = checkpoint.build()
    state = dict(checkpoint.state_dict)
    for name, rank in ranks.items():
        layer = find_layer(network, name)
        weight = state.pop(f"{name}.weight")
        for part, value in factors(weight, check_rank(name, layer, rank)).items():
            state[f"{name}.{part}.weight"] = value
        if layer.bias is not None:
            state[f"{name}.expand.bias"] = state.pop(f"{name}.bias")
    arguments = {
        "network": checkpoint.network,
        "arguments": without_download(checkpoint.network, checkpoint.arguments),
        "ranks": dict(ranks),
    }
    return replace(checkpoint, network="tucker", arguments=arguments, state_dict=state)


def factors(weight: Tensor, rank: Rank) -> dict[str, Tensor]:
    """The factors by name, computed in double precision.

    weight: [D, C, k, k] with a rank [r_in, r_out] -> reduce [r_in, C, 1, 1], core [r_out, r_in, k, k] and expand
    [D, r_out, 1, 1], by higher-order orthogonal iteration; [D, C] or [D, C, 1, 1] with one rank -> reduce and expand,
    by singular values.
    """
    values = weight.detach().cpu().double().numpy()
    if isinstance(rank, int):
        u, s, v = np.linalg.svd(values.reshape(values.shape[:2]), full_matrices=False)
        root = np.sqrt(s[:rank])  # both factors equally large, as training likes them
        ones = (1,) * (values.ndim - 2)
        found = {
            "reduce": (root[:, None] * v[:rank]).reshape(rank, -1, *ones),
            "expand": (u[:, :rank] * root).reshape(-1, rank, *ones),
        }
    else:
        (core, (outer, inner)), _ = partial_tucker(values, rank=[rank[1], rank[0]], modes=[0, 1])
        found = {"reduce": inner.T[:, :, None, None], "core": core, "expand": outer[:, :, None, None]}
    return {name: torch.from_numpy(np.ascontiguousarray(part)).to(weight.dtype) for name, part in found.items()}


def ranks_by_energy(
    network: Network, preprocessing: Preprocessing, energy: float, chosen: list[str]
) -> dict[str, Rank]:
    """The smallest ranks that keep this share, in 0..1, of the squared singular values, in each mode of each layer.

    Convolutions' ranks are rounded up to multiples of 8 channels: the mobile student at half its multiply-adds takes
    0.26 ms so, and 0.34, as long as when it is whole, with ranks such as 59.

    chosen: names of layers; no names mean all convolutions larger than 1x1. A layer whose factors would need as many
    multiply-adds as itself stays whole.

    Raises:
        ArgumentError: there is no such layer or convolution, or no layer gains.
    """
    spectra, costs = _spectra(network, chosen), layer_costs(network, preprocessing)
    ranks = _worthwhile_ranks(network, spectra, costs, energy)
    if not ranks:
        raise ArgumentError(f"energy {energy:g} decomposes nothing: no layer's parts would be cheaper; lower it")
    return ranks


def ranks_by_budget(
    network: Network, preprocessing: Preprocessing, budget: float, chosen: list[str]
) -> dict[str, Rank]:
    """The ranks of the highest energy at which the network needs at most this share, in 0..1, of its multiply-adds.

    They are counted on a word three times as wide as high. One energy for all layers, so that each gives up what it
    misses least.

    Raises:
        ArgumentError: there is no such layer or convolution, or the lowest ranks are still too dear.
    """
    spectra, costs = _spectra(network, chosen), layer_costs(network, preprocessing)
    _require_budget(network, spectra, costs, budget)
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        possible = _share_of_macs(network, costs, _worthwhile_ranks(network, spectra, costs, middle)) <= budget
        low, high = (middle, high) if possible else (low, middle)
    return _worthwhile_ranks(network, spectra, costs, low)


def _require_budget(
    network: Network, spectra: dict[str, list[np.ndarray]], costs: dict[str, LayerCost], budget: float
) -> None:
    least = _share_of_macs(network, costs, _worthwhile_ranks(network, spectra, costs, 0.0))
    if least > budget:
        raise ArgumentError(
            f"macs {budget:g} cannot be met: with the lowest ranks in {', '.join(spectra)} the network still needs "
            f"{least:.3g} of its multiply-adds"
        )


def _share_of_macs(network: Network, costs: dict[str, LayerCost], ranks: dict[str, Rank]) -> float:
    """The share of the multiply-adds that these ranks leave."""
    saved = sum(
        costs[name].macs - factorised_macs(find_layer(network, name), rank, costs[name]) for name, rank in ranks.items()
    )
    return 1 - saved / sum(each.macs for each in costs.values())


def factorised_macs(layer: nn.Conv2d | nn.Linear, rank: Rank, costs: LayerCost) -> int:
    """Multiply-adds of a layer's factors for one image, where the layer's own are `costs`."""
    out_channels, in_channels = layer.weight.shape[:2]
    before, after = costs.positions
    if isinstance(rank, int):
        return after * rank * (in_channels + out_channels)  # a strided 1x1 convolution skips in its first factor
    return before * in_channels * rank[0] + after * (
        rank[0] * rank[1] * layer.weight[0, 0].numel() + rank[1] * out_channels
    )


def layer_costs(network: Network, preprocessing: Preprocessing) -> dict[str, LayerCost]:
    """Multiply-adds of each convolution, linear layer and LSTM by name, for one typical image; meta devices too."""
    found: dict[str, LayerCost] = {}
    names: dict[nn.Module, str] = {
        module: name for name, module in network.named_modules() if isinstance(module, _WORKING)
    }

    def watch(module: nn.Module, inputs: tuple[Tensor, ...], output: Any) -> None:
        before, macs, positions = (
            found.get(names[module], LayerCost(0, (0, 0))),
            *_layer_cost(module, inputs[0], output),
        )
        sums = before.positions[0] + positions[0], before.positions[1] + positions[1]
        found[names[module]] = LayerCost(before.macs + macs, sums)

    handles = [module.register_forward_hook(watch) for module in names]
    training, width = network.training, preprocessing.width_for(1, _ASPECT)
    size, device = (1, preprocessing.channels, preprocessing.height, width), next(network.parameters()).device
    try:
        with torch.no_grad():
            network.eval()(torch.zeros(size, dtype=torch.uint8, device=device))
    finally:
        network.train(training)
        for handle in handles:
            handle.remove()
    return found


def _layer_cost(module: nn.Module, image: Tensor, output: Any) -> tuple[int, tuple[int, int]]:
    """Multiply-adds of one call of a layer, and the positions of its input and output maps."""
    if isinstance(module, nn.LSTM):
        steps = image.shape[0] * image.shape[1]
        return steps * sum(p.numel() for name, p in module.named_parameters() if "weight" in name), (steps, steps)
    assert isinstance(module, (nn.Conv2d, nn.Linear))
    axis = 1 if isinstance(module, nn.Conv2d) else -1  # of the channels
    positions = image.numel() // image.shape[axis], output.numel() // output.shape[axis]
    return positions[1] * module.weight.numel(), positions


def _spectra(network: Network, chosen: list[str]) -> dict[str, list[np.ndarray]]:
    """Layer -> for each mode, input first, how much energy, 0..1, the first r singular vectors hold, r = 1, 2, ..."""
    return {name: _energies(layer) for name, layer in _chosen_layers(network, chosen).items()}


def _chosen_layers(network: Network, names: list[str]) -> dict[str, nn.Conv2d | nn.Linear]:
    """The named layers; all convolutions larger than 1x1 where there are no names."""
    if names:
        return {name: find_layer(network, name) for name in names}
    spatial = {name: layer for name, layer in layers(network).items() if is_spatial(layer)}
    if not spatial:
        raise ArgumentError("there is nothing to decompose: the network has no plain convolution larger than 1x1")
    return spatial


def _sizes(layer: nn.Conv2d | nn.Linear) -> list[int]:
    """Channels of each mode that is decomposed, input first; the fewer ones where there is one rank."""
    out_channels, in_channels = layer.weight.shape[:2]
    return [in_channels, out_channels] if is_spatial(layer) else [min(in_channels, out_channels)]


def _energies(layer: nn.Conv2d | nn.Linear) -> list[np.ndarray]:
    weight = layer.weight.detach().cpu().double().numpy()
    outer = weight.reshape(len(weight), -1)
    inner = weight.swapaxes(0, 1).reshape(weight.shape[1], -1)
    found = []
    for matrix in (inner, outer) if is_spatial(layer) else (inner if len(inner) < len(outer) else outer,):
        squares = np.maximum(np.linalg.eigvalsh(matrix @ matrix.T)[::-1], 0)
        total = squares.sum()
        found.append(np.cumsum(squares) / total if total > 0 else np.ones(len(squares)))
    return found


def _worthwhile_ranks(
    network: Network, spectra: dict[str, list[np.ndarray]], costs: dict[str, LayerCost], energy: float
) -> dict[str, Rank]:
    """The ranks at an energy, without the layers that are cheaper whole."""
    ranks: dict[str, Rank] = {}
    for name, modes in spectra.items():
        layer = find_layer(network, name)
        block = _BLOCK if isinstance(layer, nn.Conv2d) else 1
        least = [int(np.searchsorted(mode, energy - _ROUNDING)) + 1 for mode in modes]
        kept = [min(math.ceil(rank / block) * block, len(mode)) for rank, mode in zip(least, modes, strict=True)]
        if is_spatial(layer):  # a core's unfolding has no more rows than columns
            kept = [min(kept[0], kept[1] * layer.weight[0, 0].numel()), kept[1]]
            kept = [kept[0], min(kept[1], kept[0] * layer.weight[0, 0].numel())]
        rank: Rank = kept if is_spatial(layer) else kept[0]
        if name in costs and factorised_macs(layer, rank, costs[name]) < costs[name].macs:
            ranks[name] = rank
    return ranks
