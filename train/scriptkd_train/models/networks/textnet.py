"""TextNet, the mobile network. Words are wide, so it reduces height sooner than width. It reads any width.

It has plain 3x3 convolutions in short residual blocks. On phone and server CPUs they reach a far larger share of peak
speed than depthwise convolutions. They also train an order of magnitude faster on a CPU, and quantize well.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.models.networks.base import Network, Standardise, convolution

# Channels at width 1, and stride (height, width), of each stage.
_STAGES = ((32, (2, 2)), (64, (2, 1)), (96, (2, 2)))
_STEM = 16


class Residual(nn.Module):
    """x + conv(relu(conv(x))), then ReLU.

    Its last batch-norm scale starts at 0 (Goyal et al. 2017, arXiv 1706.02677, 5.1), so a block after a ReLU starts as
    the identity. A deeper network can thus continue from a shallower one without loss.
    """

    starts_as_identity = True

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden, size = self.first_shape(channels)
        self.first = convolution(channels, hidden, size=size)
        self.second = convolution(hidden, channels, activation=False)
        nn.init.zeros_(self.second.get_submodule("1").get_parameter("weight"))

    @staticmethod
    def first_shape(channels: int) -> tuple[int, int]:
        """Output channels and kernel size of the first convolution."""
        return channels, 3

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.second(self.first(x)))


class TextNet(Network):
    """Stem, three stages, then mean and maximum over the whole map, so that one telling letter anywhere can decide.

    Args:
        width: multiplies every stage's channels (32, 64, 96), rounded to 8. Width 1 has 0.34 M parameters.
        depth: residual blocks per stage.
    """

    block: type[Residual] = Residual  # called with the number of channels

    def __init__(
        self, classes: int, preprocessing: Preprocessing, width: float = 1.0, depth: int = 1, dropout: float = 0.0
    ) -> None:
        super().__init__()
        scaled = [max(8, round(channels * width / 8) * 8) for channels in (_STEM, *(stage[0] for stage in _STAGES))]
        self.standardise = Standardise()
        stages = [
            nn.Sequential(
                convolution(in_channels, out_channels, stride), *(self.block(out_channels) for _ in range(depth))
            )
            for in_channels, out_channels, (_, stride) in zip(scaled, scaled[1:], _STAGES, strict=False)
        ]
        self.body = nn.Sequential(convolution(preprocessing.channels, scaled[0], (2, 2)), *stages)
        self.feature_width = 2 * scaled[-1]
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(self.feature_width, classes))

    def feature_maps(self, images: Tensor) -> dict[str, Tensor]:
        maps = self.body(self.standardise(images))
        pooled = torch.cat((maps.mean(dim=(2, 3)), maps.amax(dim=(2, 3))), dim=1)
        return {"conv_output": maps, "features": pooled}

    def classify(self, features: Tensor) -> Tensor:
        logits: Tensor = self.head(features)
        return logits
