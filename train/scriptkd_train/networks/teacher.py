"""Teachers: any network of timm, with a new head. The paper's three have short names."""

from __future__ import annotations

import timm
from torch import Tensor

from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.preprocess import Preprocessing

from .base import Network, Normalise

PAPER_TEACHERS = {"inceptionv3": "inception_v3", "efficientnet-b4": "efficientnet_b4", "vgg19": "vgg19"}


class TimmTeacher(Network):
    """A timm network with a K-way head.

    Args:
        model: a timm name, or `inceptionv3`, `efficientnet-b4`, `vgg19` for the paper's three.
        pretrained: start from ImageNet weights, which timm downloads; its own mean and std are then used, else 0.5.
    """

    def __init__(self, classes: int, preprocessing: Preprocessing, model: str, pretrained: bool = False) -> None:
        super().__init__()
        name = PAPER_TEACHERS.get(model, model)
        if not timm.is_model(name):
            raise ArgumentError(f"timm has no network {model!r}; `timm.list_models()` names them all")
        # InceptionV3 trains with its auxiliary head in the paper's day; timm keeps it behind an argument of its own.
        extra = {"aux_logits": False} if name == "inception_v3" else {}
        try:
            self.backbone = timm.create_model(
                name, pretrained=pretrained, num_classes=classes, in_chans=preprocessing.channels, **extra
            )
        except (OSError, RuntimeError, ValueError) as error:
            if not pretrained:
                raise ArgumentError(f"timm cannot build {model!r}: {error}") from error
            raise ArgumentError(
                f"the ImageNet weights of {model!r} could not be downloaded; "
                f"connect to the network once, or set pretrained: false in the recipe"
            ) from error
        self.feature_width = int(self.backbone.head_hidden_size or self.backbone.num_features)
        channels = preprocessing.channels
        config = self.backbone.pretrained_cfg
        by_imagenet = pretrained and len(config["mean"]) == channels
        self.normalise = Normalise(
            tuple(config["mean"]) if by_imagenet else (0.5,) * channels,
            tuple(config["std"]) if by_imagenet else (0.5,) * channels,
        )

    def features(self, images: Tensor) -> Tensor:
        return self.backbone.forward_head(self.backbone.forward_features(self.normalise(images)), pre_logits=True)

    def classify(self, features: Tensor) -> Tensor:
        return self.backbone.get_classifier()(features)
