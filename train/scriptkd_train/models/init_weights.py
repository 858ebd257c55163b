"""Initial weights of a stage from an earlier stage or a model: the whole network or some layers, optionally frozen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from torch import Tensor, nn

from scriptkd_sdk.errors import ArgumentError


def select_init_weights(
    network: nn.Module, source: Mapping[str, Tensor], layers: Iterable[str], where: str
) -> dict[str, Tensor]:
    """The tensors that `network` copies from the state dict of its source. Only names and shapes are compared.

    A network may be deeper than its source. Blocks that start as the identity and that the source lacks are not copied,
    so the network first answers as its source (Net2DeeperNet: Chen et al. 2016, arXiv 1511.05641). Its convolutions may
    also be wider than the source's: see `_widened`.

    layers: names of modules, such as `lstm` or `body.0`; empty means the whole network. where: beginning of messages.

    Raises:
        ArgumentError: the network lacks a layer, or the source lacks it or has it in another shape.
    """
    mine = {name: value for name, value in network.state_dict().items() if not _is_new(network, name, source)}
    chosen: dict[str, Tensor] = {}
    for layer in list(layers) or [""]:
        _require_layer(network, layer, where)
        here, there = _within(mine, layer), _within(source, layer)
        there = {name: _widened(network, name, here.get(name), value) for name, value in there.items()}
        for name in sorted(here.keys() | there.keys()):
            shapes = [_shape(tensors.get(name)) for tensors in (here, there)]
            if shapes[0] != shapes[1]:
                what = f"layer {layer!r}" if layer else "the whole network"
                raise ArgumentError(
                    f"{where} cannot copy {what}: {name} is {shapes[1]} in the source and {shapes[0]} in this network"
                )
        chosen |= there
    return chosen


def _widened(network: nn.Module, name: str, mine: Tensor | None, source: Tensor) -> Tensor:
    """A tensor of a convolution or batch normalisation of the source, with this network's additional channels.

    New channels keep this network's own weights. The source's channels do not read the new ones at first, and so stay
    as they were (zero initialisation: Gesmundo and Maile 2023, arXiv 2308.06103, 3.1). Other tensors are not changed.
    """
    layer = network.get_submodule(name.rpartition(".")[0]) if mine is not None else None
    if (
        mine is None
        or not isinstance(layer, (nn.Conv2d, nn.BatchNorm2d))
        or mine.dim() != source.dim()
        or mine.shape[2:] != source.shape[2:]  # the size of kernels
        or any(wide < narrow for wide, narrow in zip(mine.shape, source.shape, strict=True))
        or mine.shape == source.shape
    ):
        return source
    wide = mine.detach().clone()
    if source.dim() > 1:
        wide[: len(source)] = 0
        wide[: len(source), : source.shape[1]] = source
    else:
        wide[: len(source)] = source
    return wide


def _is_new(network: nn.Module, name: str, source: Mapping[str, Tensor]) -> bool:
    """Whether a tensor belongs to a part that may be new, and that the source lacks completely.

    Such parts are blocks that start as the identity, and the orientation head.
    """
    parts = name.split(".")
    if parts[0] == "orientation_head":
        return not _within(source, parts[0])
    blocks = (".".join(parts[:length]) for length in range(1, len(parts)))
    return any(
        getattr(network.get_submodule(block), "starts_as_identity", False) and not _within(source, block)
        for block in blocks
    )


def freeze(network: nn.Module, layers: Iterable[str], where: str) -> list[nn.Module]:
    """Freeze the layers' parameters, and return their modules for `set_frozen_to_eval`.

    Raises ArgumentError if the network lacks a layer, or if nothing is left to train.
    """
    frozen = []
    for layer in layers:
        _require_layer(network, layer, where)
        frozen.append(network.get_submodule(layer).requires_grad_(False))
    if not any(parameter.requires_grad for parameter in network.parameters()):
        raise ArgumentError(f"{where}: freeze covers the whole network, so nothing is left to train")
    return frozen


def set_frozen_to_eval(frozen: Iterable[nn.Module]) -> None:
    """Put frozen layers into eval mode, so that running statistics stay fixed and dropout is off."""
    for layer in frozen:
        layer.eval()
        for module in layer.modules():
            if isinstance(module, nn.RNNBase):  # in eval mode, cuDNN computes no gradient for the input;
                module.training = module.dropout == 0  # without dropout, both modes are the same


def _require_layer(network: nn.Module, layer: str, where: str) -> None:
    """Raise ArgumentError, naming the network's layers, if the name is not a module with weights."""
    if layer and not _within(network.state_dict(), layer):
        known = [name for name, module in network.named_children() if module.state_dict()]
        raise ArgumentError(f"{where}: layer {layer!r} is not in the network, which has {', '.join(known)}")


def _within(tensors: Mapping[str, Tensor], layer: str) -> dict[str, Tensor]:
    return {name: value for name, value in tensors.items() if not layer or name.startswith(f"{layer}.")}


def _shape(tensor: Tensor | None) -> str:
    return "missing" if tensor is None else "x".join(map(str, tensor.shape)) or "one number"
