"""Teachers: any network of timm, with a new head. The paper's three have short names."""

from __future__ import annotations

import timm
from torch import Tensor, nn

from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.models.networks.base import Network, Normalise

_INCEPTION = "inception_v3"
PAPER_TEACHERS = {"inceptionv3": _INCEPTION, "efficientnet-b4": "efficientnet_b4", "vgg19": "vgg19"}

_AUXILIARY_NEEDS = 299  # pixels: at fewer, the map that the auxiliary head reads is smaller than its kernels


class TimmTeacher(Network):
    """A timm network with a K-way head. Pixels get mean 0.5 and std 0.5, whatever the weights.

    So the paper says it. InceptionV3's ImageNet weights were trained so; those of the other two with ImageNet's mean
    and std (about 0.45 and 0.23): their inputs differ by a shift and a scale, which fine-tuning absorbs.

    Args:
        model: a timm name, or `inceptionv3`, `efficientnet-b4`, `vgg19` for the paper's three.
        pretrained: start from ImageNet weights, which timm downloads.
        auxiliary: InceptionV3's second classifier, half-way up, which takes part in training only.

    Raises:
        ArgumentError: timm has no such network or no weights for it, or an auxiliary head where there can be none.
    """

    def __init__(
        self,
        classes: int,
        preprocessing: Preprocessing,
        model: str,
        pretrained: bool = False,
        auxiliary: bool = False,
    ) -> None:
        super().__init__()
        name = PAPER_TEACHERS.get(model, model)
        if not timm.is_model(name):
            raise ArgumentError(f"timm has no network {model!r}; `timm.list_models()` names them all")
        architecture = name.split(".")[0]  # what follows names weights
        if auxiliary and architecture != _INCEPTION:
            raise ArgumentError(f"{model!r} has no auxiliary head, only inceptionv3 has one: set auxiliary: false")
        if auxiliary and min(preprocessing.height, preprocessing.width_min) < _AUXILIARY_NEEDS:
            raise ArgumentError(
                f"the auxiliary head of {model!r} needs at least {_AUXILIARY_NEEDS}x{_AUXILIARY_NEEDS} pixels, not "
                f"{preprocessing.height}x{preprocessing.width_min}: set auxiliary: false"
            )
        self.auxiliary = auxiliary
        try:
            self.backbone = timm.create_model(
                name,
                pretrained=pretrained,
                in_chans=preprocessing.channels,
                # ImageNet's weights fill both classifiers before they are replaced; timm replaces only one by itself.
                **({"aux_logits": True} if auxiliary else {"num_classes": classes}),
            )
        except Exception as error:  # what a download raises depends on which of its clients timm finds
            reason = " ".join(str(error).split())[:200]
            if not pretrained:
                raise ArgumentError(f"timm cannot build {model!r}: {reason}") from error
            raise ArgumentError(
                f"the ImageNet weights of {model!r} could not be had ({reason}): connect to the network once, or set "
                f"pretrained: false, in the recipe or in one that names it as its parent"
            ) from error
        if auxiliary:
            self.backbone.reset_classifier(classes)
        if architecture == _INCEPTION and not pretrained:
            _draw_weights(self.backbone)
        elif isinstance(head := self.backbone.get_classifier(), nn.Linear):
            head.reset_parameters()  # it is new; timm draws EfficientNets' so that logits begin at +-3
        self.feature_width = int(self.backbone.head_hidden_size or self.backbone.num_features)
        self.normalise = Normalise((0.5,) * preprocessing.channels, (0.5,) * preprocessing.channels)

    def feature_maps(self, images: Tensor) -> dict[str, Tensor]:
        return self._feature_maps(self._maps(images)[0])

    def classify(self, features: Tensor) -> Tensor:
        return self.backbone.get_classifier()(features)

    def forward_training(self, images: Tensor) -> tuple[Tensor, dict[str, Tensor], Tensor | None]:
        maps, half_way = self._maps(images)
        feature_maps = self._feature_maps(maps)
        return (
            self.classify(feature_maps["features"]),
            feature_maps,
            self.backbone.AuxLogits(half_way) if self.auxiliary else None,
        )

    def _maps(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """The last map and, with an auxiliary head, the one that it reads (else the last again)."""
        if not self.auxiliary:
            maps = self.backbone.forward_features(self.normalise(images))
            return maps, maps
        half_way = self.backbone.forward_preaux(self.normalise(images))
        return self.backbone.forward_postaux(half_way), half_way

    def _feature_maps(self, maps: Tensor) -> dict[str, Tensor]:
        # timm's transformers give tokens or maps with the channels last, which are no convolution's.
        convolved = maps.ndim == 4 and maps.shape[1] == self.backbone.num_features
        features = self.backbone.forward_head(maps, pre_logits=True)
        return {"conv_output": maps, "features": features} if convolved else {"features": features}


def _draw_weights(network: nn.Module) -> None:
    """Draws a ReLU network's weights after He et al. 2015, eq. 14: gradients keep their size from layer to layer.

    timm draws all of InceptionV3's with a deviation of 0.1, however many inputs a layer has. Its loss then begins at
    twice a guesser's; with recipe paper-inceptionv3-cpu it ends at 31 % of validation, from here at 56 %.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.Linear):
            module.reset_parameters()
