"""A checkpoint that answers as a model file does: torch runs only the network, and the SDK does the rest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from scriptkd_sdk import ScriptIdentifier
from scriptkd_sdk.decision import Decision
from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.modelfile import ModelInfo
from scriptkd_sdk.network import Network
from scriptkd_sdk.scripts import Script, script
from scriptkd_train.models.checkpoint import Checkpoint, load_checkpoint

UNCODED = "Zzzz"  # ISO 15924's code for an uncoded script


class CheckpointIdentifier(ScriptIdentifier):
    """Identifies the script of word images by a checkpoint, on a GPU if there is one.

    The SDK handles crops, windows, batches and the decision. So the exported float32 file gives the same answers.
    """

    def __init__(self, path: str | Path) -> None:
        """Load a checkpoint. Raises ModelError if it is missing or unusable."""
        self._network = _CheckpointNetwork(Path(path))
        self._info = self._network.info
        self._decision = Decision(self._info.labels, self._info.temperature, self._info.threshold)


class _CheckpointNetwork(Network):
    """Stands in for an onnxruntime session, with torch."""

    def __init__(self, path: Path) -> None:
        checkpoint = load_checkpoint(path)
        self.info = _info(checkpoint)
        self._path = path
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._torch = checkpoint.build().to(self._device)

    def run(self, images: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        with torch.inference_mode():
            outputs = self._torch.forward_outputs(torch.from_numpy(images).to(self._device))
        return [output.float().cpu().numpy() for output in outputs]

    def __reduce__(self) -> tuple[Callable[..., Network], tuple[Any, ...]]:
        return type(self), (self._path,)


def _info(checkpoint: Checkpoint) -> ModelInfo:
    return ModelInfo(
        network=checkpoint.network,
        labels=tuple(Script(label, _code(label)) for label in checkpoint.labels),
        preprocessing=checkpoint.preprocessing,
        temperature=checkpoint.temperature,
        threshold=checkpoint.threshold,
        precision="fp32",
        provenance=checkpoint.provenance,
        orientation_temperature=checkpoint.orientation_temperature,
        orientation_threshold=checkpoint.orientation_threshold,
    )


def _code(label: str) -> str:
    try:
        return script(label).code
    except ArgumentError:
        return UNCODED
