"""ParConv (Wang & Du 2019, arXiv 1912.07806): a depthwise and a pointwise convolution in place of each vanilla one.

Of the network before, everything else stays: widths, depths, strides, activations, normalisation.
"""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.models.networks.base import Network, replace_module

_IMAGE_CHANNELS = 3


def parconv(network: Network) -> Network:
    """The same network, changed in place, with a depthwise-separable pair for each convolution larger than 1x1.

    A k x k convolution from C to D channels holds k*k*C*D weights, its pair k*k*C + C*D. Convolutions that read the
    image itself stay as they are: a pair would see one filter for each of its one or three channels. So do those in
    groups, and subclasses of Conv2d, which pad in ways of their own.

    Raises:
        ArgumentError: there is no convolution to replace.
    """
    vanilla = {name: module for name, module in network.named_modules() if _is_vanilla(module)}
    if not vanilla:
        raise ArgumentError("parconv changes nothing: the network has no convolution larger than 1x1 behind its first")
    for name, module in vanilla.items():
        replace_module(network, name, _pair(module))
    return network


def _is_vanilla(module: nn.Module) -> bool:
    return (
        type(module) is nn.Conv2d
        and max(module.kernel_size) > 1
        and module.groups == 1
        and module.in_channels > _IMAGE_CHANNELS
    )


def _pair(vanilla: nn.Module) -> nn.Sequential:
    assert isinstance(vanilla, nn.Conv2d)
    in_channels, out_channels = vanilla.in_channels, vanilla.out_channels
    depthwise = nn.Conv2d(
        in_channels, in_channels, vanilla.kernel_size, vanilla.stride, vanilla.padding, vanilla.dilation,  # type: ignore[arg-type]
        groups=in_channels, bias=False, padding_mode=vanilla.padding_mode,
    )  # fmt: skip
    # No activation lies between the two, so the first must hand on the variance that it got: then the pair starts with
    # outputs as large as those of the convolution that it replaces.
    nn.init.kaiming_normal_(depthwise.weight, nonlinearity="linear")
    pointwise = nn.Conv2d(in_channels, out_channels, 1, bias=vanilla.bias is not None)
    return nn.Sequential(OrderedDict(depthwise=depthwise, pointwise=pointwise))
