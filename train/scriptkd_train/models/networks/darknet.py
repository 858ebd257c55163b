"""DarkNet-style networks: 3x3 and 1x1 convolutions alternate. A 1x1 convolution halves the channels for the next 3x3.

Sources: the DarkNet-DBLSTM on the slides "CNN-DBLSTM compression" ("Teacher-Student Learning"), a student of a
VGG-DBLSTM, and Redmon & Farhadi 2017 and 2018 (arXiv 1612.08242, 1804.02767).
"""

from __future__ import annotations

from torch import nn

from scriptkd_train.models.networks.base import convolution
from scriptkd_train.models.networks.paper import PaperAssistant
from scriptkd_train.models.networks.textnet import Residual, TextNet

_CHANNELS = (16, 32, 64, 128)  # of the assistant's four steps; in the last two, a 1x1 and a 3x3 follow


class _Bottleneck(Residual):
    """x + conv3x3(relu(conv1x1(x))), then ReLU: 5 C^2 weights, against 18 C^2 in TextNet's block."""

    @staticmethod
    def first_shape(channels: int) -> tuple[int, int]:
        return channels // 2, 1


class DarkNet(TextNet):
    """TextNet with DarkNet's residual blocks, 3x3 and 1x1 alternating, and the same map sizes.

    Width 1 has 0.15 M parameters.
    """

    block = _Bottleneck


class DarkNetAssistant(PaperAssistant):
    """The paper's assistant with a DarkNet-style convolutional part of 0.24 M instead of 1.06 M parameters.

    `lstm` and `head` have the same names and shapes as in the assistant, so they can be copied from it and frozen. The
    LSTM's input map has the same size, so the two maps can be compared column by column.
    """

    @staticmethod
    def build_convolutions(channels: int, out_channels: int) -> nn.Sequential:
        first, second, third, fourth = _CHANNELS
        return nn.Sequential(
            convolution(channels, first), nn.MaxPool2d(2),
            convolution(first, second), nn.MaxPool2d(2),
            convolution(second, third), convolution(third, third // 2, size=1), convolution(third // 2, third),
            nn.MaxPool2d(2),
            convolution(third, fourth), convolution(fourth, fourth // 2, size=1), convolution(fourth // 2, fourth),
            nn.MaxPool2d(2),
            convolution(fourth, out_channels, size=1),
        )  # fmt: skip
