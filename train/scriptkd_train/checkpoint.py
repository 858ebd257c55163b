"""Checkpoints: one file says what a network is, what it was trained on and how well it did. Loading runs no code."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from scriptkd_sdk.errors import ModelError
from scriptkd_sdk.preprocess import Preprocessing

from .networks import Network, build_network

FORMAT = 1


@dataclass(frozen=True)
class Checkpoint:
    """A trained network.

    network, arguments: name and keyword arguments for `build_network`. labels: K script names in the order of the
    logits. metrics, provenance: plain JSON-like values. temperature: divides the logits before the softmax.
    threshold: a top score below it means that the image shows none of the scripts.
    """

    network: str
    arguments: dict[str, Any]
    labels: list[str]
    preprocessing: Preprocessing
    state_dict: dict[str, Tensor]
    metrics: dict[str, float] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)
    temperature: float = 1.0
    threshold: float = 0.0

    def build(self) -> Network:
        """The network with its weights, in eval mode.

        Raises:
            ModelError: the weights do not fit the network that the checkpoint names.
        """
        arguments = {**self.arguments, "pretrained": False} if "pretrained" in self.arguments else self.arguments
        network = build_network(self.network, len(self.labels), self.preprocessing, **arguments)
        try:
            network.load_state_dict(self.state_dict)
        except RuntimeError as error:
            reason = " ".join(str(error).split())[:300]
            raise ModelError(f"the checkpoint's weights do not fit its network {self.network!r}: {reason}") from error
        return network.eval()


def save_atomically(content: Any, path: Path) -> None:
    """torch.save that leaves either the old file or the whole new one, also when killed half-way."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("wb") as file:
            torch.save(content, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Writes a checkpoint atomically."""
    content = {
        "format": FORMAT,
        "network": checkpoint.network,
        "arguments": checkpoint.arguments,
        "labels": checkpoint.labels,
        "preprocessing": checkpoint.preprocessing.to_dict(),
        "state_dict": {name: value.detach().cpu().contiguous() for name, value in checkpoint.state_dict.items()},
        "metrics": checkpoint.metrics,
        "provenance": checkpoint.provenance,
        "temperature": checkpoint.temperature,
        "threshold": checkpoint.threshold,
    }
    save_atomically(content, path)


def load_checkpoint(path: Path) -> Checkpoint:
    """Reads a checkpoint; only tensors and plain values are unpickled.

    Raises:
        ModelError: the file is missing, is no checkpoint of ours, or holds weights that are not numbers.
    """
    path = Path(path)
    if not path.is_file():
        raise ModelError(f"checkpoint {path} does not exist" if not path.exists() else f"{path} is not a file")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # what it raises depends on which kind of file it takes a foreign file for
        raise ModelError(f"{path} is not a scriptkd checkpoint: it cannot be read as plain tensors") from error
    if not isinstance(content, dict) or "format" not in content:
        raise ModelError(f"{path} is not a scriptkd checkpoint: it has no format version")
    if content["format"] != FORMAT:
        raise ModelError(f"{path} has checkpoint format {content['format']!r}; this version reads format {FORMAT}")
    expected = {"network": str, "arguments": dict, "labels": list, "preprocessing": dict, "state_dict": dict}
    for key, kind in expected.items():
        if not isinstance(content.get(key), kind):
            raise ModelError(f"{path} is damaged: {key!r} is missing or not a {kind.__name__}")
    state = content["state_dict"]
    if not all(isinstance(value, Tensor) for value in state.values()):
        raise ModelError(f"{path} is damaged: its state dict holds something other than tensors")
    broken = [name for name, value in state.items() if value.is_floating_point() and not torch.isfinite(value).all()]
    if broken:
        raise ModelError(f"{path} holds NaN or infinite weights in {broken[0]!r}; its training diverged")
    return Checkpoint(
        network=content["network"],
        arguments=content["arguments"],
        labels=[str(label) for label in content["labels"]],
        preprocessing=Preprocessing.from_dict(content["preprocessing"]),
        state_dict=state,
        metrics=content.get("metrics", {}),
        provenance=content.get("provenance", {}),
        temperature=float(content.get("temperature", 1.0)),
        threshold=float(content.get("threshold", 0.0)),
    )
