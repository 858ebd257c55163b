"""The base class and building blocks of the networks."""

from __future__ import annotations

import torch
from torch import Tensor, nn

FEATURE_MAPS = {
    "features": "the feature vector of eq. 5, [N, F]",
    "conv_output": "the last convolution's map, activation included, [N, F, H, W]",
    "lstm_input": "the columns that the LSTM reads, [N, W, F]",
    "lstm_output": "the last LSTM layer's outputs at each column, [N, W, F]",
}
"""Points at which a student can be matched with its teacher. Not every network has all of them."""


class Network(nn.Module):
    """From uint8 images to logits. Subclasses define the normalisation, and the vector that distillation matches."""

    feature_width: int
    """Length F of the vector that `forward_features` returns."""

    orientation_head: nn.Linear | None
    """F -> 4 logits, for 0, 90, 180 and 270 degrees. Only networks for any crop (contract 3) have this head."""

    def __init__(self) -> None:
        super().__init__()
        self.register_module("orientation_head", None)

    def features(self, images: Tensor) -> Tensor:
        """The input of the classifier. images: uint8 or float [N, C, H, W] in 0..255 -> [N, ...]."""
        return self.feature_maps(images)["features"]

    def feature_maps(self, images: Tensor) -> dict[str, Tensor]:
        """The feature maps for matching, by the names of FEATURE_MAPS; `features` is always there."""
        raise TypeError(f"{type(self).__name__} defines no feature maps")

    def classify(self, features: Tensor) -> Tensor:
        """Features -> logits [N, K]."""
        raise TypeError(f"{type(self).__name__} defines no classifier")

    def vector(self, features: Tensor) -> Tensor:
        """The vector [N, F] that eq. 5 matches: the features themselves, unless a network overrides it."""
        return features

    def forward(self, images: Tensor) -> Tensor:
        """uint8 or float images [N, C, H, W] in 0..255 -> logits [N, K]."""
        return self.classify(self.features(images))

    def forward_outputs(self, images: Tensor) -> tuple[Tensor, ...]:
        """The outputs of an exported model: logits [N, K] and, for any crop, orientation logits [N, 4]."""
        features = self.features(images)
        orientation = self.orient(self.vector(features))
        return (self.classify(features),) if orientation is None else (self.classify(features), orientation)

    def forward_feature_maps(self, images: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Logits [N, K] and the feature maps from one pass, with the features as a vector [N, F]."""
        feature_maps = self.feature_maps(images)
        return self.classify(feature_maps["features"]), {
            **feature_maps,
            "features": self.vector(feature_maps["features"]),
        }

    def orient(self, features: Tensor) -> Tensor | None:
        """Feature vector [N, F] -> orientation logits [N, 4]; None for a network without orientation head."""
        return None if self.orientation_head is None else self.orientation_head(features)

    def forward_features(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Logits [N, K] and the feature vector [N, F], from one pass."""
        logits, feature_maps = self.forward_feature_maps(images)
        return logits, feature_maps["features"]

    def forward_training(self, images: Tensor) -> tuple[Tensor, dict[str, Tensor], Tensor | None]:
        """As forward_feature_maps, and the logits [N, K] of an auxiliary head, if the network is trained with one."""
        return *self.forward_feature_maps(images), None


class Normalise(nn.Module):
    """0..255 -> (x / 255 - mean) / std, with one mean and std per channel."""

    mean: Tensor
    std: Tensor

    def __init__(self, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1) * 255, persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, -1, 1, 1) * 255, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        return (images.float() - self.mean) / self.std


class Standardise(nn.Module):
    """Scale each image to mean 0, deviation 1, so that faint and glaring crops look alike. Flat images stay near 0."""

    _FLOOR = 4.0  # gray levels: an image of smaller deviation is noise, not text, and is not amplified

    def forward(self, images: Tensor) -> Tensor:
        pixels = images.float()
        centred = pixels - self._mean(pixels)
        return centred * torch.rsqrt(self._mean(centred.square()) + self._FLOOR**2)

    @staticmethod
    def _mean(values: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, 1, 1, 1].

        The mean is computed row by row. A single float32 sum over all pixels would be off by up to 1e-4 on runtimes
        that add in sequence, such as WebAssembly's. Answers would then differ between platforms.
        """
        return values.mean(dim=3, keepdim=True).mean(dim=(1, 2), keepdim=True)


def convolution(
    in_channels: int, out_channels: int, stride: tuple[int, int] = (1, 1), size: int = 3, activation: bool = True
) -> nn.Sequential:
    """'Same' convolution of size x size, batch normalisation and, optionally, ReLU."""
    layers = [
        nn.Conv2d(in_channels, out_channels, size, stride=stride, padding=size // 2, bias=False),
        nn.BatchNorm2d(out_channels),
        *([nn.ReLU()] if activation else []),
    ]
    return nn.Sequential(*layers)


def replace_module(network: nn.Module, name: str, module: nn.Module) -> None:
    """Replace the module of this dotted name."""
    parent, _, leaf = name.rpartition(".")
    setattr(network.get_submodule(parent), leaf, module)


def parameter_count(module: nn.Module) -> int:
    """Number of trainable parameters of a module."""
    return sum(parameter.numel() for parameter in module.parameters())
