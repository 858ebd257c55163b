"""The networks of the chain, by name. Each takes uint8 images, and normalises them itself."""

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
    """Return a function that builds `network` with `arguments`, and applies `change` with its other arguments."""

    def build(
        *, classes: int, preprocessing: Preprocessing, network: str, arguments: Mapping[str, Any] = {}, **others: Any
    ) -> Network:
        return change(build_network(network, classes, preprocessing, **arguments), **others)

    return build


WAYS = 4  # orientations: 0, 90, 180 and 270 degrees

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
    """Build a network with random weights, or with pretrained ones if its arguments ask for them.

    A network whose pre-processing has a `square_height` is for any crop (contract 3), and gets an orientation head.

    Args:
        name: one of NETWORKS.
        classes: number K of scripts.
        preprocessing: the pre-processing of its input.
        **arguments: arguments of the network.

    Returns:
        The network, for uint8 images [N, C, H, W].

    Raises:
        ArgumentError: the name is unknown, or the network does not take the arguments.
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
    """The arguments of the same network with random instead of pretrained weights, nested networks included.

    With them, the network is built without a download, a package or a file. Used when the weights come from a
    checkpoint.
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
    """The source of a network's pretrained weights, a package (version, file, SHA-256, licence), a file or None.

    Raises:
        ArgumentError: the file cannot be read.
    """
    if network == "ppocr":
        return ppocr.origin(arguments)
    if network == "timm" and arguments.get("pretrained") == "package" and arguments.get("model") in PACKAGED_WEIGHTS:
        return PACKAGED_WEIGHTS[arguments["model"]].provenance
    inner = arguments.get("arguments")
    return pretrained_origin(arguments["network"], inner) if isinstance(inner, Mapping) else None
