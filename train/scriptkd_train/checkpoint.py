"""Checkpoints: one file says what a network is, what it was trained on and how well it did. Loading runs no code."""

from __future__ import annotations

import os
import warnings
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from scriptkd_sdk.errors import ModelError, ScriptkdError
from scriptkd_sdk.preprocess import Preprocessing

from .networks import Network, build_network, offline

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
            ModelError: the network cannot be built from its arguments, or the weights do not fit it.
        """
        try:
            network = build_network(self.network, len(self.labels), self.preprocessing, **offline(self.arguments))
        except ScriptkdError:
            raise
        except Exception as error:  # the arguments are a file's, and anything may be wrong with them
            reason = " ".join(str(error).split())[:200]
            raise ModelError(f"the checkpoint's network {self.network!r} cannot be built: {reason}") from error
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
    if _is_compressed(path):
        raise ModelError(f"{path} is not a scriptkd checkpoint: its contents are compressed, which torch never does")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of files that it then refuses
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # what it raises depends on which kind of file it takes a foreign file for
        raise ModelError(f"{path} is not a scriptkd checkpoint: it cannot be read as plain tensors") from error
    if not isinstance(content, dict) or "format" not in content:
        raise ModelError(f"{path} is not a scriptkd checkpoint: it has no format version")
    if type(content["format"]) is not int or content["format"] != FORMAT:
        raise ModelError(f"{path} has checkpoint format {content['format']!r}; this version reads format {FORMAT}")
    expected = {"network": str, "arguments": dict, "labels": list, "preprocessing": dict, "state_dict": dict}
    for key, kind in expected.items():
        if not isinstance(content.get(key), kind):
            raise ModelError(f"{path} is damaged: {key!r} is missing or not a {kind.__name__}")
    for key in ("metrics", "provenance"):
        if not isinstance(content.get(key, {}), dict):
            raise ModelError(f"{path} is damaged: {key!r} is not a dict")
    labels = content["labels"]
    if not all(isinstance(label, str) for label in labels) or not 0 < len(set(labels)) == len(labels):
        raise ModelError(f"{path} is damaged: its labels must be texts, each another")
    state = content["state_dict"]
    # Not contiguous: no file of ours, and a few bytes can then claim to be terabytes.
    plain = all(isinstance(v, Tensor) and v.layout == torch.strided and v.is_contiguous() for v in state.values())
    if not plain or not all(isinstance(name, str) for name in state):
        raise ModelError(f"{path} is damaged: its state dict holds something other than plain tensors")
    broken = [name for name, value in state.items() if value.is_floating_point() and not torch.isfinite(value).all()]
    if broken:
        raise ModelError(f"{path} holds NaN or infinite weights in {broken[0]!r}; its training diverged")
    return Checkpoint(
        network=content["network"],
        arguments=content["arguments"],
        labels=labels,
        preprocessing=Preprocessing.from_dict(content["preprocessing"]),
        state_dict=state,
        metrics=content.get("metrics", {}),
        provenance=content.get("provenance", {}),
        temperature=_number(path, content.get("temperature", 1.0), "temperature", 1e-3, 1e3),
        threshold=_number(path, content.get("threshold", 0.0), "threshold", 0.0, 1.0),
    )


def _is_compressed(path: Path) -> bool:
    """Whether it is a zip file with compressed members: a small one could fill the memory."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError):
        return False  # torch says what else is wrong


def _number(path: Path, value: Any, name: str, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise ModelError(f"{path} is damaged: its {name} must be a number in {low:g}..{high:g}, not {str(value)[:40]}")
    return float(value)
