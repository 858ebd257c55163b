"""The networks of the chain, by name. Each takes uint8 images and normalises them itself."""

from __future__ import annotations

from typing import Any

from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.preprocess import Preprocessing

from .base import Network, parameter_count
from .paper import PaperAssistant, PaperStudent
from .teacher import TimmTeacher
from .textnet import TextNet

NETWORKS: dict[str, type[Network]] = {
    "assistant": PaperAssistant,
    "student": PaperStudent,
    "textnet": TextNet,
    "timm": TimmTeacher,
}

__all__ = ["NETWORKS", "Network", "build_network", "parameter_count"]


def build_network(name: str, classes: int, preprocessing: Preprocessing, **arguments: Any) -> Network:
    """Builds a network with random weights (or a timm teacher's pretrained ones, where asked for).

    Raises:
        ArgumentError: an unknown name, or arguments that the network does not take.
    """
    if name not in NETWORKS:
        raise ArgumentError(f"network {name!r} is unknown; allowed are {', '.join(NETWORKS)}")
    try:
        return NETWORKS[name](classes=classes, preprocessing=preprocessing, **arguments)
    except TypeError as error:
        raise ArgumentError(f"network {name!r}: {error}") from error
