"""ParConv (Wang & Du 2019, arXiv 1912.07806): replace each vanilla convolution by a depthwise and a pointwise one.

The rest of the network stays: widths, depths, strides, activations, normalisation.
"""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.models.networks.base import Network, replace_module

_IMAGE_CHANNELS = 3


def parconv(network: Network) -> Network:
    """Change a network in place: each convolution larger than 1x1 becomes a depthwise-separable pair.

    A k x k convolution from C to D channels holds k*k*C*D weights, its pair k*k*C + C*D. The first convolution is kept,
    since a pair would have only one filter for each image channel. Grouped convolutions are kept too, and so are
    subclasses of Conv2d, which have their own padding.

    Raises:
        ArgumentError: the network has no convolution to replace.
    """
    vanilla = {name: module for name, module in network.named_modules() if _is_vanilla(module)}
    if not vanilla:
        raise ArgumentError(
            "parconv changes nothing: the network has no convolution larger than 1x1 after its first one"
        )
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
    # There is no activation between the two, so the depthwise one must preserve the variance. Then the outputs of the
    # pair start as large as those of the replaced convolution.
    nn.init.kaiming_normal_(depthwise.weight, nonlinearity="linear")
    pointwise = nn.Conv2d(in_channels, out_channels, 1, bias=vanilla.bias is not None)
    return nn.Sequential(OrderedDict(depthwise=depthwise, pointwise=pointwise))
