"""Open any kind of model as an identifier, so that a checkpoint and its exported file answer the same."""

from __future__ import annotations

from pathlib import Path

from scriptkd_sdk import ScriptIdentifier
from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.modelfile import bundled_models, model_path

THREADS = 2


def open_identifier(model: str | Path) -> ScriptIdentifier:
    """Open a checkpoint (.pt), a model file (.onnx, .ort) or a bundled model by its name.

    Raises:
        ArgumentError: `model` is another kind of file.
        ModelError: the file is missing or damaged.
    """
    path = model_path(model)
    kind = path.suffix.lower()
    if kind == ".pt":
        # Imported here, so that the evaluation of a model file does not load torch.
        from scriptkd_train.evaluation.checkpoint_identifier import CheckpointIdentifier

        return CheckpointIdentifier(path)
    if kind in (".onnx", ".ort"):
        return ScriptIdentifier(path, threads=THREADS)
    raise ArgumentError(
        f"cannot evaluate {model}: it must be a checkpoint (.pt), a model file (.onnx, .ort) or the name of a bundled "
        f"model ({', '.join(bundled_models()) or 'none'})"
    )
