"""What the SDK reads from a model file: one JSON object under the key `scriptkd` (see sdk/contract)."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import Any

import onnx

from scriptkd_sdk.errors import ArgumentError, ModelError
from scriptkd_sdk.modelfile import ANY_CROP, METADATA_KEY
from scriptkd_sdk.scripts import script
from scriptkd_train.models.checkpoint import Checkpoint

UNCODED = "Zzzz"  # ISO 15924's code for an uncoded script: used for labels outside the SDK's table
FORMAT, ANY_SIZE_FORMAT = 1, 2  # readers of format 1 must refuse a file that takes images of any size
_PACKAGES = ("torch", "onnx", "onnxruntime", "onnxscript", "onnxsim")


def describe(checkpoint: Checkpoint, precision: str, parameters: int, any_size: bool = False) -> dict[str, Any]:
    """Return the metadata of a model file made from a checkpoint.

    Args:
        checkpoint: what the file is made from.
        precision: the precision of the file, one of `Precision`.
        parameters: number of the network's parameters.
        any_size: whether the file takes images of any size and pre-processes them itself.

    Raises:
        ModelError: the checkpoint's arguments, metrics or provenance are not plain values.
    """
    any_crop = checkpoint.preprocessing.square_height is not None
    orientation = {
        "orientation_temperature": checkpoint.orientation_temperature,
        "orientation_threshold": checkpoint.orientation_threshold,
    }
    description = {
        "format": ANY_CROP if any_crop else ANY_SIZE_FORMAT if any_size else FORMAT,
        **({"input": "image"} if any_size else {}),
        "network": checkpoint.network,
        "labels": [{"name": label, "code": _code(label)} for label in checkpoint.labels],
        "preprocessing": checkpoint.preprocessing.to_dict(),
        "temperature": checkpoint.temperature,
        "threshold": checkpoint.threshold,
        **(orientation if any_crop else {}),
        "precision": precision,
        "provenance": {
            **checkpoint.provenance,
            "arguments": checkpoint.arguments,
            "parameters": parameters,
            "metrics": checkpoint.metrics,
            "export": {package: version(package) for package in _PACKAGES},
        },
    }
    try:
        plain: dict[str, Any] = json.loads(json.dumps(description, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ModelError(f"the checkpoint's arguments, metrics or provenance are not plain values: {error}") from error
    return plain


def attach(model: onnx.ModelProto, description: dict[str, Any]) -> None:
    """Write the metadata into the model, replacing any that is there."""
    del model.metadata_props[:]
    text = json.dumps(description, ensure_ascii=False, separators=(",", ":"))
    onnx.helper.set_model_props(model, {METADATA_KEY: text})


def _code(label: str) -> str:
    try:
        return script(label).code
    except ArgumentError:
        return UNCODED
