"""TextNet: the mobile network. Words are wide, so height is reduced sooner than width, and any width is read.

Plain 3x3 convolutions in short residual blocks: on phone and server CPUs they reach a far larger share of the peak rate
than depthwise ones, train an order of magnitude faster on a CPU, and quantise well.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from scriptkd_sdk.preprocess import Preprocessing

from .base import Network, Standardise, convolution

# Channels at width 1 and stride (height, width) of each stage.
_STAGES = ((32, (2, 2)), (64, (2, 1)), (96, (2, 2)))
_STEM = 16


class _Residual(nn.Module):
    """x + conv(relu(conv(x))), then ReLU."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = convolution(channels, channels)
        self.second = convolution(channels, channels, activation=False)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.second(self.first(x)))


class TextNet(Network):
    """Stem, three stages, then mean and maximum over the whole map: one telling letter anywhere decides.

    Args:
        width: multiplies every stage's channels (32, 64, 96), rounded to 8. Width 1 has 0.34 M parameters.
        depth: residual blocks a stage.
    """

    block: type[nn.Module] = _Residual  # from its channels

    def __init__(
        self, classes: int, preprocessing: Preprocessing, width: float = 1.0, depth: int = 1, dropout: float = 0.0
    ) -> None:
        super().__init__()
        scaled = [max(8, round(channels * width / 8) * 8) for channels in (_STEM, *(stage[0] for stage in _STAGES))]
        self.standardise = Standardise()
        layers: list[nn.Module] = [convolution(preprocessing.channels, scaled[0], (2, 2))]
        for inside, outside, (_, stride) in zip(scaled, scaled[1:], _STAGES, strict=False):
            layers.append(convolution(inside, outside, stride))
            layers += [self.block(outside) for _ in range(depth)]
        self.body = nn.Sequential(*layers)
        self.feature_width = 2 * scaled[-1]
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(self.feature_width, classes))

    def taps(self, images: Tensor) -> dict[str, Tensor]:
        maps = self.body(self.standardise(images))
        pooled = torch.cat((maps.mean(dim=(2, 3)), maps.amax(dim=(2, 3))), dim=1)
        return {"conv_output": maps, "features": pooled}

    def classify(self, features: Tensor) -> Tensor:
        return self.head(features)
