"""What every network of the chain has in common."""

from __future__ import annotations

import torch
from torch import Tensor, nn

FEATURE_MAPS = {
    "features": "the feature vector of eq. 5, [N, F]",
    "conv_output": "the last convolution's map, activation included, [N, F, H, W]",
    "lstm_input": "the columns that the LSTM reads, [N, W, F]",
    "lstm_output": "the last LSTM layer's outputs at each column, [N, W, F]",
}
"""Places inside networks where a student can be matched with its teacher; not every network has all of them."""


class Network(nn.Module):
    """uint8 images in, logits out. Subclasses say how pixels are normalised, and which vector distillation matches."""

    feature_width: int
    """Length F of the vector that `forward_features` returns."""

    orientation_head: nn.Linear | None
    """F -> 4 logits, of 0, 90, 180 and 270 degrees; only networks for any crop (contract 3) have one."""

    def __init__(self) -> None:
        super().__init__()
        self.register_module("orientation_head", None)

    def features(self, images: Tensor) -> Tensor:
        """What the classifier reads. images: uint8 or float [N, C, H, W] in 0..255 -> [N, ...]."""
        return self.feature_maps(images)["features"]

    def feature_maps(self, images: Tensor) -> dict[str, Tensor]:
        """The feature maps that a student can be matched at, by the names of FEATURE_MAPS; always the features."""
        raise TypeError(f"{type(self).__name__} defines no feature maps")

    def classify(self, features: Tensor) -> Tensor:
        """Features -> logits [N, K]."""
        raise TypeError(f"{type(self).__name__} defines no classifier")

    def vector(self, features: Tensor) -> Tensor:
        """Features as the one vector [N, F] that eq. 5 matches; the features themselves unless a network says else."""
        return features

    def forward(self, images: Tensor) -> Tensor:
        """uint8 or float images [N, C, H, W] in 0..255 -> logits [N, K]."""
        return self.classify(self.features(images))

    def forward_outputs(self, images: Tensor) -> tuple[Tensor, ...]:
        """What an exported model answers: logits [N, K] and, of a network for any crop, those of orientation [N, 4]."""
        features = self.features(images)
        orientation = self.orient(self.vector(features))
        return (self.classify(features),) if orientation is None else (self.classify(features), orientation)

    def forward_feature_maps(self, images: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Logits [N, K] and the feature maps, the features as the vector [N, F], from one pass."""
        feature_maps = self.feature_maps(images)
        return self.classify(feature_maps["features"]), {
            **feature_maps,
            "features": self.vector(feature_maps["features"]),
        }

    def orient(self, features: Tensor) -> Tensor | None:
        """The vector of features [N, F] -> logits of orientation [N, 4]; None of a network without."""
        return None if self.orientation_head is None else self.orientation_head(features)

    def forward_features(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Logits [N, K] and the feature vector [N, F], from one pass."""
        logits, feature_maps = self.forward_feature_maps(images)
        return logits, feature_maps["features"]

    def forward_training(self, images: Tensor) -> tuple[Tensor, dict[str, Tensor], Tensor | None]:
        """As forward_feature_maps, and the logits [N, K] of an auxiliary head in networks that are trained with one."""
        return *self.forward_feature_maps(images), None


class Normalise(nn.Module):
    """0..255 -> (x / 255 - mean) / std, one mean and std a channel."""

    mean: Tensor
    std: Tensor

    def __init__(self, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1) * 255, persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, -1, 1, 1) * 255, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        return (images.float() - self.mean) / self.std


class Standardise(nn.Module):
    """Each image to mean 0 and deviation 1: faint and glaring crops look alike. Flat images stay near 0."""

    _FLOOR = 4.0  # gray levels: below this an image is noise, not text, and must not be blown up

    def forward(self, images: Tensor) -> Tensor:
        pixels = images.float()
        centred = pixels - self._mean(pixels)
        return centred * torch.rsqrt(self._mean(centred.square()) + self._FLOOR**2)

    @staticmethod
    def _mean(values: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, 1, 1, 1].

        Row by row: one float32 sum over all pixels would be off by up to 1e-4 on runtimes that add in sequence, such as
        WebAssembly's, and answers would differ between platforms.
        """
        return values.mean(dim=3, keepdim=True).mean(dim=(1, 2), keepdim=True)


def convolution(
    in_channels: int, out_channels: int, stride: tuple[int, int] = (1, 1), size: int = 3, activation: bool = True
) -> nn.Sequential:
    """'Same' convolution of size x size, batch normalisation and, if wanted, ReLU."""
    layers = [
        nn.Conv2d(in_channels, out_channels, size, stride=stride, padding=size // 2, bias=False),
        nn.BatchNorm2d(out_channels),
        *([nn.ReLU()] if activation else []),
    ]
    return nn.Sequential(*layers)


def replace_module(network: nn.Module, name: str, module: nn.Module) -> None:
    """Put a module in the place of the one of this dotted name."""
    parent, _, leaf = name.rpartition(".")
    setattr(network.get_submodule(parent), leaf, module)


def parameter_count(module: nn.Module) -> int:
    """Trainable numbers in a module."""
    return sum(parameter.numel() for parameter in module.parameters())
