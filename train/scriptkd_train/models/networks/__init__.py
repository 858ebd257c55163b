"""The networks of the chain, by name. Each takes uint8 images and normalises them itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.models.networks import ppocr
from scriptkd_train.models.networks.base import FEATURE_MAPS, Network, parameter_count
from scriptkd_train.models.networks.darknet import DarkNet, DarkNetAssistant
from scriptkd_train.models.networks.factorised import factorised
from scriptkd_train.models.networks.paper import PaperAssistant, PaperStudent
from scriptkd_train.models.networks.parconv import parconv
from scriptkd_train.models.networks.teacher import PACKAGED_WEIGHTS, TimmTeacher
from scriptkd_train.models.networks.textnet import TextNet


def _from_another(change: Callable[..., Network]) -> Callable[..., Network]:
    """A network that is made of another, `network` with `arguments`, by a change that takes the other arguments."""

    def build(
        *, classes: int, preprocessing: Preprocessing, network: str, arguments: Mapping[str, Any] = {}, **others: Any
    ) -> Network:
        return change(build_network(network, classes, preprocessing, **arguments), **others)

    return build


WAYS = 4  # up: 0, 90, 180 and 270 degrees

NETWORKS: dict[str, Callable[..., Network]] = {
    "assistant": PaperAssistant,
    "darknet": DarkNet,
    "darknet-assistant": DarkNetAssistant,
    "parconv": _from_another(parconv),
    "ppocr": ppocr.PPOCR,
    "student": PaperStudent,
    "textnet": TextNet,
    "timm": TimmTeacher,
    "tucker": _from_another(factorised),
}

__all__ = [
    "FEATURE_MAPS",
    "NETWORKS",
    "Network",
    "build_network",
    "parameter_count",
    "pretrained_origin",
    "without_download",
]


def build_network(name: str, classes: int, preprocessing: Preprocessing, **arguments: Any) -> Network:
    """Builds a network with random weights (or pretrained ones, where asked for).

    One whose pre-processing has a `square_height` gets a head for orientation: it is for any crop (contract 3).

    Args:
        name: one of NETWORKS.
        classes: how many scripts K it tells apart.
        preprocessing: that of its input.
        **arguments: the network's own.

    Returns:
        The network, for uint8 images [N, C, H, W].

    Raises:
        ArgumentError: an unknown name, or arguments that the network does not take.
    """
    if not isinstance(name, str) or name not in NETWORKS:
        raise ArgumentError(f"network {name!r} is unknown; allowed are {', '.join(NETWORKS)}")
    try:
        network = NETWORKS[name](classes=classes, preprocessing=preprocessing, **arguments)
    except TypeError as error:
        raise ArgumentError(f"network {name!r}: {error}") from error
    if preprocessing.square_height is not None and network.orientation_head is None:
        network.orientation_head = nn.Linear(network.feature_width, WAYS)
    return network


def without_download(network: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of the same network with random weights, wherever it gets its own; also where it is made of one.

    Nothing but them is needed to build it: no download, no package and no file. For networks that get their weights
    from a checkpoint.
    """
    if network == "ppocr":
        return ppocr.without_file(arguments)
    inner = arguments.get("arguments")
    return {
        **arguments,
        **({"pretrained": False} if "pretrained" in arguments else {}),
        **({"arguments": without_download(arguments["network"], inner)} if isinstance(inner, Mapping) else {}),
    }


def pretrained_origin(network: str, arguments: Mapping[str, Any]) -> dict[str, str] | None:
    """The package (version, file, SHA-256, licence) or file that a network gets its weights from; None where neither.

    Raises:
        ArgumentError: a file that cannot be read.
    """
    if network == "ppocr":
        return ppocr.origin(arguments)
    if network == "timm" and arguments.get("pretrained") == "package" and arguments.get("model") in PACKAGED_WEIGHTS:
        return PACKAGED_WEIGHTS[arguments["model"]].provenance
    inner = arguments.get("arguments")
    return pretrained_origin(arguments["network"], inner) if isinstance(inner, Mapping) else None
