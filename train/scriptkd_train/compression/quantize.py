"""Quantization-aware training: the network learns with the rounding that it will have when deployed.

Every step rounds weights to a symmetric grid, with one scale per output channel. It also rounds the inputs of
convolutions and linear layers to 256 levels, with one range per tensor. Gradients pass the rounding unchanged, except
for clipped values. This is the straight-through estimator (Bengio et al. 2013, arXiv 1308.3432); for integer inference
see Jacob et al. 2018, arXiv 1712.05877, section 3. The result is a plain network whose float weights lie on the grid.
`scriptkd-export` finds the same grid, so weights lose nothing, except in int8-u8, which has 7-bit weights. Batch
normalisation folded into a convolution multiplies whole channels, so it only changes their scales.

As in any stage, `distil` adds one or several teachers, for example the float32 network itself.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from scriptkd_sdk.errors import ArgumentError

SMALLEST = 1024  # numbers in a weight tensor; rounding smaller tensors saves too little
_RANGES = "input_ranges"
_RATE = 0.01  # share of a new batch's extremes in the running range of an activation
_FRACTIONS = (1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5)


def largest_code(bits: int) -> int:
    """The largest code: 127 in 8 bits, 7 in 4. The smallest is its negative."""
    return (1 << (bits - 1)) - 1


@torch.no_grad()
def weight_scales(rows: Tensor, bits: int) -> Tensor:
    """The step of the grid for each row of [N, M] -> [N].

    In 8 bits the largest weight gets the largest code. In 4 bits eleven scales are tried, from this scale down to half
    of it, and the scale of least squared error wins. A few large weights are then clipped, so that the many small ones
    differ. Weights on a grid get the step of that grid. A row of zeros gets 1.
    """
    largest = rows.abs().amax(dim=1)
    top = largest_code(bits)
    best = torch.where(largest > 0, largest / top, 1.0)
    if bits > 4:
        return best
    least = torch.full_like(largest, torch.inf)
    for scale in [best * fraction for fraction in _FRACTIONS]:
        codes = (rows / scale[:, None]).round().clamp(-top, top)
        error = (codes * scale[:, None] - rows).square().sum(dim=1)
        best, least = torch.where(error < least, scale, best), torch.minimum(error, least)
    return best


def quantizable_layers(network: nn.Module) -> list[str]:
    """Names of the trained convolutions and linear layers that are large enough.

    Raises ArgumentError if there is none.
    """
    names = [
        name
        for name, module in network.named_modules()
        if isinstance(module, (nn.Conv2d, nn.Linear))
        and module.weight.requires_grad
        and module.weight.numel() >= SMALLEST
    ]
    if not names:
        raise ArgumentError(f"quantize: no convolution or linear layer of {SMALLEST} weights or more is trained")
    return names


def fake_quantize(network: nn.Module, weights: int, activations: int | None) -> None:
    """Change the network in place, so that it computes with rounded weights and rounded inputs.

    weights, activations: their bits; None leaves the inputs unrounded. Frozen layers and LSTMs are not changed. Raises
    ArgumentError for a network without a layer to round.
    """
    names = quantizable_layers(network)
    ranges = nn.ModuleDict()
    for name in names:
        layer = network.get_submodule(name)
        parametrize.register_parametrization(layer, "weight", _RoundedWeight(weights))
        if activations is not None:
            ranges[name.replace(".", "-")] = hook = _RoundedInput(activations)
            layer.register_forward_pre_hook(hook)
    network.add_module(_RANGES, ranges)  # a module of its own, so that its keys are easy to drop from the state dict


def quantized_state_dict(network: nn.Module) -> dict[str, Tensor]:
    """The state dict of the plain network, as before `fake_quantize`, with the rounded weights."""
    state: dict[str, Tensor] = {}
    for name, value in network.state_dict().items():
        layer, parametrised, _ = name.partition(".parametrizations.weight.")
        if parametrised:
            state[f"{layer}.weight"] = cast(Tensor, network.get_submodule(layer).weight)  # the rounded weight
        elif not name.startswith(f"{_RANGES}."):
            state[name] = value
    return state


class _RoundedWeight(nn.Module):
    """Rounds a weight [out, ...] to its grid."""

    def __init__(self, bits: int) -> None:
        super().__init__()
        self.bits = bits

    def forward(self, weight: Tensor) -> Tensor:
        scales = weight_scales(weight.detach().flatten(1), self.bits)
        top = largest_code(self.bits)
        zeros = torch.zeros_like(scales, dtype=torch.int32)
        return torch.fake_quantize_per_channel_affine(weight, scales, zeros, 0, -top, top)


class _RoundedInput(nn.Module):
    """Rounds a layer's input to 2^bits levels, as a forward pre-hook. The range follows the extremes of the batches."""

    low: Tensor
    high: Tensor
    batches: Tensor

    def __init__(self, bits: int) -> None:
        super().__init__()
        self.levels = 2**bits - 1
        self.register_buffer("low", torch.zeros(()))
        self.register_buffer("high", torch.zeros(()))
        self.register_buffer("batches", torch.zeros((), dtype=torch.int64))

    def forward(self, layer: nn.Module, inputs: tuple[Tensor]) -> tuple[Tensor]:
        values = inputs[0].float()
        if self.training:
            low, high = values.detach().aminmax()
            weight = torch.where(self.batches == 0, 1.0, _RATE)
            self.low.lerp_(low.clamp(max=0), weight)
            self.high.lerp_(high.clamp(min=0), weight)
            self.batches += 1
        scale = ((self.high - self.low) / self.levels).clamp(min=1e-8)
        zero = (-self.low / scale).round().int()
        return (torch.fake_quantize_per_tensor_affine(values, scale, zero, 0, self.levels),)
