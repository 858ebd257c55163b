"""Initial weights of a stage from an earlier stage: the whole network or some layers, optionally frozen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from torch import Tensor, nn

from scriptkd_sdk.errors import ArgumentError


def select_init_weights(
    network: nn.Module, source: Mapping[str, Tensor], layers: Iterable[str], where: str
) -> dict[str, Tensor]:
    """The tensors that `network` copies from an earlier stage's state dict. Only names and shapes are compared.

    A network may be deeper than its source. Blocks that start as the identity and that the source lacks are not copied,
    so the network first answers as its source (Net2DeeperNet: Chen et al. 2016, arXiv 1511.05641).

    layers: names of modules, such as `lstm` or `body.0`; empty means the whole network. where: beginning of messages.

    Raises:
        ArgumentError: the network lacks a layer, or the source lacks it or has it in another shape.
    """
    mine = {name: value for name, value in network.state_dict().items() if not _is_new(network, name, source)}
    chosen: dict[str, Tensor] = {}
    for layer in list(layers) or [""]:
        _require_layer(network, layer, where)
        here, there = _within(mine, layer), _within(source, layer)
        for name in sorted(here.keys() | there.keys()):
            shapes = [_shape(tensors.get(name)) for tensors in (here, there)]
            if shapes[0] != shapes[1]:
                what = f"layer {layer!r}" if layer else "the whole network"
                raise ArgumentError(
                    f"{where} cannot copy {what}: {name} is {shapes[1]} in the source and {shapes[0]} in this network"
                )
        chosen |= there
    return chosen


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
