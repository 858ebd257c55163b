"""Checkpoints: one file holds a network, its provenance and its metrics. Loading a checkpoint runs no code."""

from __future__ import annotations

import hashlib
import json
import os
import warnings
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import torch
from torch import Tensor

from scriptkd_sdk.errors import ModelError, ScriptkdError
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.models.networks import Network, build_network, without_download
from scriptkd_train.utils.files import named

FORMAT = 1
_FLOATS = {torch.float16, torch.bfloat16, torch.float32, torch.float64}
_INTEGERS = {torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64}  # of buffers such as counters
_FOLDER = 0x10  # flag of a folder in the attributes of a zip member


@dataclass(frozen=True)
class Checkpoint:
    """A trained network.

    network, arguments: name and keyword arguments for `build_network`. labels: K script names in the order of the
    logits. metrics, provenance: plain JSON-like values. temperature: divides the logits before the softmax. threshold:
    a top score below it means `unknown`. orientation_temperature, orientation_threshold: the same for orientation; None
    unless the network is for any crop. source: the path of the file, for error messages.
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
    orientation_temperature: float | None = None
    orientation_threshold: float | None = None
    source: str = field(default="the checkpoint", compare=False)

    @property
    def sha256(self) -> str:
        """SHA-256, hexadecimal, over all that the answers depend on: network, pre-processing, labels and weights."""
        parts = (self.network, self.arguments, self.labels, self.preprocessing.to_dict())
        digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode())
        for name, value in sorted(self.state_dict.items()):
            digest.update(f"{name} {value.dtype} {list(value.shape)}".encode())
            # As bytes, since numpy lacks bfloat16. Flattened first, since a scalar has no last axis.
            digest.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
        return digest.hexdigest()

    def build(self) -> Network:
        """The network with its weights, in eval mode.

        Raises:
            ModelError: the network cannot be built from its arguments, or the weights do not fit it.
        """
        try:
            network = build_network(
                self.network, len(self.labels), self.preprocessing, **without_download(self.network, self.arguments)
            )
        except ScriptkdError:
            raise
        except Exception as error:  # the arguments come from a file, and may be wrong in any way
            reason = " ".join(str(error).split())[:200]
            raise ModelError(f"{self.source}: its network {self.network!r} cannot be built: {reason}") from error
        self._check_fit(network.state_dict())
        keys = network.load_state_dict(self.state_dict, strict=False)
        for names, what in ((keys.missing_keys, "is missing"), (keys.unexpected_keys, "has no place in it")):
            if names:
                others = f" (and {len(names) - 1} more)" if len(names) > 1 else ""
                raise self._misfit(f"{names[0]!r} {what}{others}")
        return network.eval()

    def _check_fit(self, expected: dict[str, Tensor]) -> None:
        """Raise ModelError for a tensor with another shape or type than the network's."""
        pairs = {name: (self.state_dict[name], own) for name, own in expected.items() if name in self.state_dict}
        shapes = {name: (list(got.shape), list(own.shape)) for name, (got, own) in pairs.items()}
        wrong = {name: each for name, each in shapes.items() if each[0] != each[1]}
        # If tensors differ only in their number of outputs, and should have one output per label, the head is wrong.
        if wrong and all(got and own == [len(self.labels), *got[1:]] for got, own in wrong.values()):
            outputs = next(iter(wrong.values()))[0][0]
            raise ModelError(f"{self.source}: {len(self.labels)} labels, but the head has {outputs} outputs")
        for name, (shape, expected_shape) in wrong.items():
            raise self._misfit(f"{name!r} has the shape {shape} instead of {expected_shape}")
        for name, (value, own) in pairs.items():
            if own.is_floating_point() and not value.is_floating_point():
                raise self._misfit(f"{name!r} holds {_kind(value)} instead of {_kind(own)}")

    def _misfit(self, reason: str) -> ModelError:
        return ModelError(f"{self.source}: its weights do not fit its network {self.network!r}: {reason}")


def save_atomically(content: Any, path: Path) -> None:
    """Write a file with torch.save, atomically: a killed process leaves the old file or the whole new one.

    Args:
        content: The object to save.
        path: The path of the file; its folder is created.

    Raises:
        OSError: the file cannot be written, for example on a full disk. The error names it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with named(path):
        try:
            with draft.open("wb") as file:
                _save(content, file)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)


def _save(content: Any, file: BinaryIO) -> None:
    output = _Output(file)
    try:
        torch.save(content, cast(IO[bytes], output))  # torch.save only writes and flushes
    except RuntimeError as error:
        raise output.refusal or error from error


def remove_drafts(path: Path) -> None:
    """Delete drafts of a file that killed writers left. Call it only while no other process writes there.

    path: the file; its name may be a pattern, such as `*.pt`.
    """
    for draft in path.parent.glob(f".{path.name}.*"):
        draft.unlink(missing_ok=True)


class _Output:
    """An output file for torch.save that keeps the system's error, since torch's error lacks the reason."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.refusal: OSError | None = None

    def write(self, content: bytes) -> int:
        try:
            return self.file.write(content)
        except OSError as error:
            self.refusal = error
            raise

    def flush(self) -> None:
        self.file.flush()


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint atomically.

    Args:
        path: the file; folders above it are created.
        checkpoint: the checkpoint.

    Raises:
        OSError: the file cannot be written, for example on a full disk. The error names it.
    """
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
    if checkpoint.orientation_temperature is not None:
        content["orientation_temperature"] = checkpoint.orientation_temperature
        content["orientation_threshold"] = checkpoint.orientation_threshold
    save_atomically(content, path)


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint. Only tensors and plain values are unpickled.

    Args:
        path: the file.

    Returns:
        The checkpoint, with its weights on the CPU.

    Raises:
        ModelError: the file is missing or damaged, is not a scriptkd checkpoint, or holds weights that are not finite
            real numbers.
    """
    path = Path(path)
    if not path.is_file():
        raise ModelError(f"checkpoint {path} does not exist" if not path.exists() else f"{path} is not a file")
    _check_archive(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch warns of files that it then refuses
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # for foreign files, torch raises errors of many kinds
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
        raise ModelError(f"{path} is damaged: its labels must be distinct texts")
    state = content["state_dict"]
    # Our files hold contiguous tensors. With strides, a few bytes can claim to be terabytes.
    plain = all(isinstance(v, Tensor) and v.layout == torch.strided and v.is_contiguous() for v in state.values())
    if not plain or not all(isinstance(name, str) for name in state):
        raise ModelError(f"{path} is damaged: its state dict holds something other than plain tensors")
    unreal = [name for name, value in state.items() if value.dtype not in _FLOATS | _INTEGERS]
    if unreal:
        raise ModelError(
            f"{path} holds {_kind(state[unreal[0]])} in {unreal[0]!r}; "
            "weights must be real floating point numbers of 16, 32 or 64 bits"
        )
    broken = [name for name, value in state.items() if value.is_floating_point() and not torch.isfinite(value).all()]
    if broken:
        raise ModelError(f"{path} holds NaN or infinite weights in {broken[0]!r}; its training diverged")
    preprocessing = Preprocessing.from_dict(content["preprocessing"])
    orientation: dict[str, float] = {}
    if preprocessing.square_height is not None:
        for key, default, low, high in (("temperature", 1.0, 1e-3, 1e3), ("threshold", 0.0, 0.0, 1.0)):
            name = f"orientation_{key}"
            orientation[name] = _number(path, content.get(name, default), name, low, high)
    return Checkpoint(
        network=content["network"],
        arguments=content["arguments"],
        labels=labels,
        preprocessing=preprocessing,
        state_dict=state,
        metrics=content.get("metrics", {}),
        provenance=content.get("provenance", {}),
        temperature=_number(path, content.get("temperature", 1.0), "temperature", 1e-3, 1e3),
        threshold=_number(path, content.get("threshold", 0.0), "threshold", 0.0, 1.0),
        **orientation,
        source=str(path),
    )


def _check_archive(path: Path) -> None:
    """Raise ModelError for a zip file that torch would not write, or that has a wrong checksum. torch checks neither.

    Compressed members could fill the memory, and overlapping members could take hours to check. torch reads nothing
    from a member marked as a folder, and uses uninitialised memory as weights.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return  # torch reports the error
    with archive:
        members = archive.infolist()
        if any(member.compress_type != zipfile.ZIP_STORED for member in members):
            raise ModelError(
                f"{path} is not a scriptkd checkpoint: its contents are compressed, which torch never does"
            )
        if sum(member.file_size for member in members) > path.stat().st_size:
            raise ModelError(f"{path} is damaged: its parts are larger than the file")
        folder = next((member.filename for member in members if member.external_attr & _FOLDER), None)
        if folder is not None:
            raise ModelError(f"{path} is damaged: its part {folder!r} is marked as a folder")
        try:
            damaged = archive.testzip()
        except (RuntimeError, ValueError, EOFError) as error:  # a damaged header may require anything
            raise ModelError(f"{path} is damaged: its parts cannot be read") from error
        if damaged is not None:
            raise ModelError(f"{path} is damaged: the checksum of its part {damaged!r} is wrong")


def _kind(value: Tensor) -> str:
    """The type of a tensor's numbers, such as "float32"."""
    return str(value.dtype).removeprefix("torch.")


def _number(path: Path, value: Any, name: str, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise ModelError(f"{path} is damaged: its {name} must be a number in {low:g}..{high:g}, not {str(value)[:40]}")
    return float(value)
