"""Assistant and student of Ghosh Dastidar et al. 2021 (arXiv 2102.10335), at any input size.

The paper gives the widths of the convolutions and of the LSTM, and the parameter totals, ~14 M and ~1 M at 299x299.
Other choices follow from the totals, and are documented below.
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.models.networks.base import Network, Normalise

_COLUMN = 300  # channels of the input map of the assistant's LSTM


def _convolutions(channels: tuple[int, ...]) -> nn.Sequential:
    """Four times a 3x3 'same' convolution, ReLU and 2x2 max-pool, which halves height and width."""
    layers: list[nn.Module] = []
    for in_channels, out_channels in pairwise(channels):
        layers += [nn.Conv2d(in_channels, out_channels, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers)


def _map_size(preprocessing: Preprocessing) -> tuple[int, int]:
    """Height and width of the map after four poolings, for the narrowest input."""
    height, width = preprocessing.height // 16, preprocessing.width_min // 16
    if height < 1 or width < 1:
        raise ArgumentError(
            f"the paper's networks pool four times and need at least 16x16 pixels, "
            f"not {preprocessing.height}x{preprocessing.width_min}"
        )
    return height, width


class PaperAssistant(Network):
    """Four convolutions (64, 128, 256, 300), a 2-layer bidirectional LSTM over the columns, and two linear layers.

    At 299x299 the map is 300 x 18 x 18, read as 18 columns of 300*18 = 5,400 features. If the first linear layer is 128
    wide, the total is 14.29 M parameters (paper: ~14 M). The feature vector of eq. 5 ("after the LSTM") is the mean of
    the LSTM's 2 x 256 outputs over the columns. So the network reads any width.

    Args:
        hidden: width of the first linear layer.
        pool: read each column's mean over its rows, 300 features at any height. The LSTM's first input matrices hold
            11.1 M of the 14.29 M parameters at 299x299; pooling saves 10.4 M.
    """

    feature_width = 512

    def __init__(self, classes: int, preprocessing: Preprocessing, hidden: int = 128, pool: bool = False) -> None:
        super().__init__()
        channels = preprocessing.channels
        self.normalise = Normalise((0.5,) * channels, (0.5,) * channels)
        self.convolutions = self.build_convolutions(channels, _COLUMN)
        self.pool = pool
        in_features = _COLUMN * (1 if pool else _map_size(preprocessing)[0])
        self.lstm = nn.LSTM(in_features, 256, num_layers=2, bidirectional=True, batch_first=True)
        self.head = nn.Sequential(nn.Linear(512, hidden), nn.ReLU(), nn.Linear(hidden, classes))

    @staticmethod
    def build_convolutions(channels: int, out_channels: int) -> nn.Sequential:
        """The convolutional part: image channels -> maps of `out_channels` channels, a sixteenth as high and wide."""
        return _convolutions((channels, 64, 128, 256, out_channels))

    def feature_maps(self, images: Tensor) -> dict[str, Tensor]:
        maps = self.convolutions(self.normalise(images))  # [N, 300, H, W]
        rows = maps.mean(dim=2, keepdim=True) if self.pool else maps
        columns = rows.permute(0, 3, 1, 2).flatten(2)  # [N, W, 300 * H]
        read = self.lstm(columns)[0]  # [N, W, 512]
        return {"conv_output": maps, "lstm_input": columns, "lstm_output": read, "features": read.mean(dim=1)}

    def classify(self, features: Tensor) -> Tensor:
        logits: Tensor = self.head(features)
        return logits


class PaperStudent(Network):
    """Four convolutions (32, 64, 128, 128) and two linear layers.

    At 299x299 the flattened map has 41,472 numbers. The convolutions hold 0.24 M parameters, so a total of ~1 M leaves
    0.75 M for the first linear layer. It is 18 wide, which gives 0.99 M in all. The feature vector of eq. 5 ("after its
    four convolutional layers") is the mean of the map over its positions. The linear layer fixes the input size; for
    any width use `textnet`.

    Args:
        hidden: width of the first linear layer.
        pool: let the first linear layer read the map's mean over its positions, 128 numbers at any input size. This
            layer then has 2,322 parameters instead of 0.75 M at 299x299, and the network reads any width.
    """

    feature_width = 128

    def __init__(self, classes: int, preprocessing: Preprocessing, hidden: int = 18, pool: bool = False) -> None:
        super().__init__()
        if not pool and preprocessing.width_min != preprocessing.width_max:
            raise ArgumentError(
                "the paper's student reads a single input size: set width_min equal to width_max, or pool: true"
            )
        channels = preprocessing.channels
        height, width = _map_size(preprocessing)
        self.normalise = Normalise((0.5,) * channels, (0.5,) * channels)
        self.convolutions = _convolutions((channels, 32, 64, 128, 128))
        self.pool = pool
        in_features = 128 * (1 if pool else height * width)
        self.head = nn.Sequential(nn.Linear(in_features, hidden), nn.ReLU(), nn.Linear(hidden, classes))

    def feature_maps(self, images: Tensor) -> dict[str, Tensor]:
        maps = self.convolutions(self.normalise(images))
        return {"conv_output": maps, "features": maps}

    def classify(self, features: Tensor) -> Tensor:
        logits: Tensor = self.head(self.vector(features) if self.pool else features.flatten(1))
        return logits

    def vector(self, features: Tensor) -> Tensor:
        return features.mean(dim=(2, 3))
