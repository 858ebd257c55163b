"""Decompose a trained network: Tucker-2 for convolutions, low rank for linear layers, wherever that saves work.

The weights [D, C, k, k] of a convolution become U_out x core x U_in (Kim et al. 2016, arXiv 1511.06530, section 3).
These are three convolutions: 1x1 to r_in channels, k x k to r_out, 1x1 to D. At full rank the outputs are unchanged.
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

_ROUNDING = 1e-12  # tolerance of a share of energy
_BLOCK = 8  # channels: runtimes' fastest convolutions read whole blocks; other maps are reordered before and after
_STEPS = 40  # bisection steps in the search for the energy that meets a budget
_WORKING = (nn.Conv2d, nn.Linear, nn.LSTM)
_ASPECT = 3  # width over height of a typical word, for which multiply-adds are counted


@dataclass(frozen=True)
class LayerCost:
    """The cost of a layer for one image. positions: those of its input and output maps, for the cost of 1x1 factors."""

    macs: int
    positions: tuple[int, int]


def resolve_decompose(stage: Stage, spec: Decompose, source: Checkpoint) -> tuple[ResolvedStage, Checkpoint]:
    """Carry out a stage's `decompose`.

    Args:
        stage: The stage as the recipe has it.
        spec: Its `decompose`.
        source: The checkpoint of the stage that it decomposes.

    Returns:
        The stage, now starting from its factorised source, and the factorised checkpoint, not yet fine-tuned.

    Raises:
        ArgumentError: the source lacks a layer, a rank is impossible, or nothing is worth decomposing.
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
    """The remaining cost of a decomposed network, as a text for people."""
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
    """Raise ArgumentError, beginning with `where`, for mistakes that show in the shapes alone."""
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
    """The checkpoint with the named layers factorised: network `tucker`, with the base and the ranks as arguments.

    Raises:
        ArgumentError: the network lacks a layer, or a rank is impossible.
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

    weight: [D, C, k, k] with a rank [r_in, r_out] is factorised by higher-order orthogonal iteration. Its factors are
    reduce [r_in, C, 1, 1], core [r_out, r_in, k, k] and expand [D, r_out, 1, 1]. [D, C] or [D, C, 1, 1] with a single
    rank is factorised by singular value decomposition, into reduce and expand.
    """
    values = weight.detach().cpu().double().numpy()
    if isinstance(rank, int):
        u, s, v = np.linalg.svd(values.reshape(values.shape[:2]), full_matrices=False)
        root = np.sqrt(s[:rank])  # both factors equally large, which suits training
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
    """The smallest ranks that keep this share, 0..1, of the squared singular values in each mode of each layer.

    Ranks of convolutions are rounded up to multiples of 8 channels. So the mobile student at half its multiply-adds
    takes 0.26 ms. With ranks such as 59 it takes 0.34 ms, as long as undecomposed.

    chosen: names of layers; empty means all convolutions larger than 1x1. A layer stays as it is if its
    factors would need as many multiply-adds as the layer.

    Raises:
        ArgumentError: there is no such layer or convolution, or decomposing makes no layer cheaper.
    """
    spectra, costs = _spectra(network, chosen), layer_costs(network, preprocessing)
    ranks = _worthwhile_ranks(network, spectra, costs, energy)
    if not ranks:
        raise ArgumentError(f"energy {energy:g} decomposes nothing: no layer would become cheaper; lower it")
    return ranks


def ranks_by_budget(
    network: Network, preprocessing: Preprocessing, budget: float, chosen: list[str]
) -> dict[str, Rank]:
    """The ranks at the highest energy for which the network needs at most this share, 0..1, of its multiply-adds.

    Multiply-adds are counted on a word three times as wide as high. All layers have the same energy. So each layer
    loses the parts that matter least to it.

    Raises:
        ArgumentError: there is no such layer or convolution, or even the lowest ranks exceed the budget.
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
    """The share of the multiply-adds that remain with these ranks."""
    saved = sum(
        costs[name].macs - factorised_macs(find_layer(network, name), rank, costs[name]) for name, rank in ranks.items()
    )
    return 1 - saved / sum(each.macs for each in costs.values())


def factorised_macs(layer: nn.Conv2d | nn.Linear, rank: Rank, costs: LayerCost) -> int:
    """Multiply-adds of a layer's factors for one image. costs: the costs of the layer itself."""
    out_channels, in_channels = layer.weight.shape[:2]
    before, after = costs.positions
    if isinstance(rank, int):
        return after * rank * (in_channels + out_channels)  # a strided 1x1 convolution strides in its first factor
    return before * in_channels * rank[0] + after * (
        rank[0] * rank[1] * layer.weight[0, 0].numel() + rank[1] * out_channels
    )


def layer_costs(network: Network, preprocessing: Preprocessing) -> dict[str, LayerCost]:
    """Map the name of each convolution, linear layer and LSTM to its cost on a typical image.

    The network may also be on the meta device, which holds no weights.
    """
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
    axis = 1 if isinstance(module, nn.Conv2d) else -1  # the axis of the channels
    positions = image.numel() // image.shape[axis], output.numel() // output.shape[axis]
    return positions[1] * module.weight.numel(), positions


def _spectra(network: Network, chosen: list[str]) -> dict[str, list[np.ndarray]]:
    """Layer -> for each mode, input first, the share of energy, 0..1, in the first r singular vectors, r = 1, 2, ..."""
    return {name: _energies(layer) for name, layer in _chosen_layers(network, chosen).items()}


def _chosen_layers(network: Network, names: list[str]) -> dict[str, nn.Conv2d | nn.Linear]:
    """The named layers; without names, all convolutions larger than 1x1."""
    if names:
        return {name: find_layer(network, name) for name in names}
    spatial = {name: layer for name, layer in layers(network).items() if is_spatial(layer)}
    if not spatial:
        raise ArgumentError("there is nothing to decompose: the network has no plain convolution larger than 1x1")
    return spatial


def _sizes(layer: nn.Conv2d | nn.Linear) -> list[int]:
    """Channels of each decomposed mode, input first. With one rank, the smaller number of channels."""
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
    """The ranks at an energy, without layers that would not become cheaper."""
    ranks: dict[str, Rank] = {}
    for name, modes in spectra.items():
        layer = find_layer(network, name)
        block = _BLOCK if isinstance(layer, nn.Conv2d) else 1
        least = [int(np.searchsorted(mode, energy - _ROUNDING)) + 1 for mode in modes]
        kept = [min(math.ceil(rank / block) * block, len(mode)) for rank, mode in zip(least, modes, strict=True)]
        if is_spatial(layer):  # an unfolding of the core must not have more rows than columns
            kept = [min(kept[0], kept[1] * layer.weight[0, 0].numel()), kept[1]]
            kept = [kept[0], min(kept[1], kept[0] * layer.weight[0, 0].numel())]
        rank: Rank = kept if is_spatial(layer) else kept[0]
        if name in costs and factorised_macs(layer, rank, costs[name]) < costs[name].macs:
            ranks[name] = rank
    return ranks
