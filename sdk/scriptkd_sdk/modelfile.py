"""Opening a model file: an ONNX network with metadata that says how to use it."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from scriptkd_sdk.errors import ArgumentError, ModelError
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_sdk.runtime import import_onnxruntime, open_session
from scriptkd_sdk.scripts import Script

METADATA_KEY = "scriptkd"
INPUT, OUTPUT = "image", "logits"  # names of the network's input and of its first output
ORIENTATION = "orientation"  # name of the second output, which only networks of format 3 have
FORMAT = 3  # the newest format of metadata that this version reads; see section 4 of the contract
ANY_CROP = 3  # from this format on, a network takes any crop and tells the orientation
MOST_THREADS = 256
MOST_BYTES = 2**31  # the largest file that ONNX allows
MODELS = Path(__file__).parent / "models"  # the bundled ones
DEFAULT = "student"  # among the bundled models
SUFFIX = ".onnx"
SUMS = "SHA256SUMS"
EXTERNAL_FOLDER = "session.model_external_initializers_file_folder_path"  # where onnxruntime looks for external data
NOWHERE = Path(__file__) / "external data"  # a path below a file never exists


@dataclass(frozen=True)
class ModelInfo:
    """A model file's metadata.

    Attributes:
        network: the architecture's name, for people.
        labels: one script for each logit, in the order of the logits.
        preprocessing: how an image becomes the network's input.
        temperature: divides the logits before the softmax.
        threshold: if the best probability is lower, the answer is "unknown".
        precision: of weights and computation, for people.
        provenance: the model's origin, for people.
        any_size: whether the network takes whole images, uint8 [H, W, 3], and pre-processes them itself.
        orientation_temperature: the temperature of the orientation's logits. None in formats 1 and 2, whose networks
            tell no orientation.
        orientation_threshold: if the best probability of the orientation is lower, the orientation is None. None in
            formats 1 and 2.
    """

    network: str
    labels: tuple[Script, ...]
    preprocessing: Preprocessing
    temperature: float
    threshold: float
    precision: str
    provenance: dict[str, Any]
    any_size: bool = False
    orientation_temperature: float | None = None
    orientation_threshold: float | None = None

    @property
    def outputs(self) -> list[str]:
        """The names of the network's outputs."""
        return [OUTPUT] if self.orientation_temperature is None else [OUTPUT, ORIENTATION]

    @classmethod
    def from_json(cls, text: str) -> ModelInfo:
        """Read the JSON object of the metadata.

        Args:
            text: the metadata, as JSON text.

        Returns:
            The model's metadata.

        Raises:
            ModelError: a field is missing or wrong, and the message names it; or the format is newer than this version
                reads.
        """
        try:
            fields = json.loads(text)
        except ValueError as error:
            raise ModelError(f"its metadata is not JSON: {error}") from error
        if not isinstance(fields, dict):
            raise ModelError("its metadata is not a JSON object")
        version = fields.get("format")
        if type(version) is not int or version < 1:
            raise ModelError(f"its metadata has no format version: {version!r}")
        if version > FORMAT:
            raise ModelError(
                f"its format is {version}, but this scriptkd reads formats up to {FORMAT}: update scriptkd"
            )
        provenance = fields.get("provenance", {})
        if not isinstance(provenance, dict):
            raise ModelError(f"its provenance must be an object, not {provenance!r}")
        form = fields.get("input", "pixels")
        if form not in ("pixels", "image"):
            raise ModelError(f"its input must be 'pixels' or 'image', not {form!r}")
        preprocessing = Preprocessing.from_dict(fields.get("preprocessing", {}))
        any_crop = version >= ANY_CROP
        if any_crop != (preprocessing.square_height is not None):
            raise ModelError(
                f"its pre-processing must have square_height from format {ANY_CROP} on, not before; its is {version}"
            )
        return cls(
            network=_text(fields, "network"),
            labels=_labels(fields.get("labels")),
            preprocessing=preprocessing,
            temperature=_number(fields, "temperature", 1e-3, 1e3),
            threshold=_number(fields, "threshold", 0.0, 1.0),
            precision=_text(fields, "precision"),
            provenance=provenance,
            any_size=form == "image",
            orientation_temperature=_number(fields, "orientation_temperature", 1e-3, 1e3) if any_crop else None,
            orientation_threshold=_number(fields, "orientation_threshold", 0.0, 1.0) if any_crop else None,
        )


class Opened(NamedTuple):
    """An opened model: its session, its metadata, and what is needed to open it again.

    model: a bundled model's name, or an absolute path. sha256: of the file's content, in hexadecimal.
    """

    session: Any
    info: ModelInfo
    model: str
    sha256: str


def bundled_models() -> list[str]:
    """Return the names of the bundled models, sorted. `ScriptIdentifier` takes these names."""
    return sorted(path.stem for path in MODELS.glob(f"*{SUFFIX}"))


def model_path(model: str | Path) -> Path:
    """Return the file of a bundled model.

    Args:
        model: the bundled model's name. Any other value is taken as a path.

    Returns:
        The file's path.

    Raises:
        ModelError: the bundled model was changed.
    """
    if str(model) not in bundled_models():
        return Path(model)
    _bundled(str(model))
    return MODELS / f"{model}{SUFFIX}"


def open_model(
    model: str | Path | None = None,
    threads: int | None = None,
    providers: Sequence[str | tuple[str, dict[str, Any]]] | None = None,
    session_options: Any = None,
) -> tuple[Any, ModelInfo]:
    """Return a model's onnxruntime session and its metadata.

    The network is run on blank images first, so that the first real image is not slower than the others.

    A model file is a program: a network with a loop may run for any length of time, even while it is opened. Open only
    files from sources that you trust.

    Args:
        model: a bundled model's name, or the path of a model file; None is the default model.
        threads: how many one call may use, 1 to 256; None is one.
        providers: onnxruntime's execution providers, best first; None is the CPU.
        session_options: an onnxruntime.SessionOptions, used as it is, with its own number of threads. Only its folder
            for external data is changed, to one that does not exist.

    Returns:
        The onnxruntime.InferenceSession, and the file's metadata.

    Raises:
        ArgumentError: a wrong number of threads, both threads and session_options, session_options of another type, or
            a provider that this onnxruntime lacks.
        ModelError: the file is missing, not ONNX, not scriptkd's, newer than this version, or keeps data in another
            file; its network does not fit its metadata; or it is a bundled model that was changed.
    """
    opened = open_exactly(model, threads, providers, session_options)
    return opened.session, opened.info


def open_exactly(
    model: str | Path | None,
    threads: int | None,
    providers: Sequence[str | tuple[str, dict[str, Any]]] | None,
    session_options: Any,
    sha256: str | None = None,
) -> Opened:
    """Do as `open_model`, and name the opened file. Raises ModelError if the file's SHA-256 is not the given one."""
    import hashlib  # here, so that importing the SDK does without

    if threads is not None and (type(threads) is not int or not 1 <= threads <= MOST_THREADS):
        raise ArgumentError(f"threads must be an integer from 1 to {MOST_THREADS}, not {threads!r}")
    if threads is not None and session_options is not None:
        raise ArgumentError("give threads or session_options, not both: the options hold the number of threads")
    name, content = read_content(model)
    digest = hashlib.sha256(content).hexdigest()
    if sha256 not in (None, digest):
        raise ModelError(f"{name}: is no longer the file that was opened first; make a new identifier")
    session, info = load_content(name, content, threads or 1, providers, session_options)
    in_package = model is None or (isinstance(model, str) and model in bundled_models())
    return Opened(session, info, name if in_package else os.path.abspath(name), digest)


def read_content(model: str | Path | None) -> tuple[str, bytes]:
    """Return a model's name, for people, and its content. Raises ModelError if it cannot be read."""
    names = bundled_models()
    if model is None:
        if DEFAULT not in names:
            raise ModelError(f"this copy of scriptkd holds no model of its own (models/{DEFAULT}{SUFFIX}); name a file")
        model = DEFAULT
    if isinstance(model, str) and model in names:
        return model, _bundled(model)
    try:
        path = Path(model)
    except TypeError as error:
        raise ArgumentError(f"a model must be a name or a path, not {type(model).__name__}") from error
    try:
        if not path.is_file():
            if path.is_dir():
                raise ModelError(f"{path}: a folder, not a model file")
            bundled = ", ".join(names) or "none"
            raise ModelError(f"{path}: no such model file; the models that come with this scriptkd are: {bundled}")
        if path.stat().st_size > MOST_BYTES:
            raise ModelError(f"{path}: a file of more than {MOST_BYTES >> 30} GB, which no model file can be")
        return str(path), path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
        raise ModelError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error


def _bundled(name: str) -> bytes:
    """Read a bundled model and check it against models/SHA256SUMS, which `sha256sum *.onnx` wrote."""
    import hashlib  # here, so that importing the SDK does without

    sums = MODELS / SUMS
    try:
        content = (MODELS / f"{name}{SUFFIX}").read_bytes()
        lines = sums.read_bytes().decode().splitlines() if sums.is_file() else []
    except OSError as error:
        raise ModelError(f"{name}: cannot be read: {error.strerror or error}") from error
    if f"{hashlib.sha256(content).hexdigest()}  {name}{SUFFIX}" not in lines:
        raise ModelError(f"{name}: the model that comes with scriptkd is not as it was made; install scriptkd again")
    return content


def load_content(
    name: str,
    content: bytes,
    threads: int = 1,
    providers: Sequence[str | tuple[str, dict[str, Any]]] | None = None,
    options: Any = None,
) -> tuple[Any, ModelInfo]:
    """Do as `open_model`, for the result of `read_content`."""
    try:
        return _load(content, threads, providers, options)
    except ModelError as error:
        # The message may quote text from the file, so control characters are escaped.
        reason = "".join(each if each.isprintable() else " " for each in str(error))
        raise ModelError(f"{name}: {reason}") from error


def _load(
    content: bytes,
    threads: int,
    providers: Sequence[str | tuple[str, dict[str, Any]]] | None,
    options: Any,
) -> tuple[Any, ModelInfo]:
    onnxruntime = import_onnxruntime()
    if options is None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4  # fatal only: other errors also come as exceptions
    elif not isinstance(options, onnxruntime.SessionOptions):
        raise ArgumentError(f"session_options must be an onnxruntime.SessionOptions, not {type(options).__name__}")
    wanted = ["CPUExecutionProvider"] if providers is None else providers
    names = _provider_names(wanted, onnxruntime.get_available_providers())
    # Otherwise onnxruntime would look for external data in the current folder, as it only gets the file's content.
    options.add_session_config_entry(EXTERNAL_FOLDER, os.fsencode(NOWHERE))
    try:
        session = open_session(content, options, wanted)
    except Exception as error:  # onnxruntime's errors have no common base
        if re.search("external (data|tensors)", str(error), re.IGNORECASE):  # most messages name the folder that we set
            raise ModelError("it keeps data in another file (ONNX's external data); a model is one file") from error
        raise ModelError(f"not an ONNX file that onnxruntime can load ({_first_line(error)})") from error
    missing = names - set(session.get_providers())  # onnxruntime itself only prints a warning
    if missing:
        raise ArgumentError(f"onnxruntime cannot use {', '.join(sorted(missing))} on this machine")
    try:
        text = session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
        if text is None:
            raise ModelError("an ONNX file without scriptkd's metadata; export it with scriptkd-export")
        info = ModelInfo.from_json(text)
        _check_network(session, info)
    except UnicodeDecodeError as error:  # onnxruntime decodes a file's text only on access
        raise ModelError("an ONNX file whose names or metadata are not UTF-8") from error
    return session, info


def _provider_names(providers: object, available: list[str]) -> set[str]:
    """Return the names of execution providers, which are given as names or as pairs of name and options."""
    listed = list(providers) if isinstance(providers, (list, tuple)) else []
    names = [each[0] if _is_pair(each) else each for each in listed]
    if not names or any(name not in available for name in names):
        raise ArgumentError(f"providers must be a list of some of {', '.join(available)}, not {providers!r}")
    return set(names)


def _is_pair(provider: object) -> bool:
    """Whether a provider is a pair of name and options. For a wrong pair onnxruntime only prints a warning."""
    return isinstance(provider, tuple) and len(provider) == 2 and isinstance(provider[1], dict)


def _check_network(session: Any, info: ModelInfo) -> None:
    """Check the inputs and outputs against the metadata, then run the network on blank images."""
    inputs, outputs = session.get_inputs(), [each.name for each in session.get_outputs()]
    if [each.name for each in inputs] != [INPUT] or not set(info.outputs) <= set(outputs):
        wanted_names = " and ".join(f"'{name}'" for name in info.outputs)
        raise ModelError(
            f"the network must have the one input 'image' and the output {wanted_names}, not "
            f"{[each.name for each in inputs]} and {outputs}"
        )
    if inputs[0].type != "tensor(uint8)":
        raise ModelError(f"the network's input must be tensor(uint8), not {inputs[0].type}")
    wanted = info.preprocessing
    expected: tuple[int | None, ...] = (None, None, 3)
    if not info.any_size:
        heights = wanted.heights
        width = wanted.width_max if wanted.fixed_width else None
        expected = (None, wanted.channels, heights[0] if len(heights) == 1 else None, width)
    shape = tuple(side if isinstance(side, int) else None for side in inputs[0].shape)
    # A dynamic dimension takes any size. A fixed dimension must equal the size of our inputs.
    if len(shape) != len(expected) or any(side not in (None, size) for side, size in zip(shape, expected, strict=True)):
        raise ModelError(
            f"the network's input has the shape {inputs[0].shape}, but its metadata asks for {expected}, None being any"
        )
    if info.any_size:
        for shape in [(1, 9, 3), (16, 2, 3)]:
            _run_blank(session, info, shape, 1)
        return
    # Two images at each limit of the width reveal a batch size or a width that the export fixed.
    for height in wanted.heights:
        for width in {wanted.width_min, wanted.width_max}:
            _run_blank(session, info, (2, wanted.channels, height, width), 2)


def _run_blank(session: Any, info: ModelInfo, shape: tuple[int, ...], count: int) -> None:
    """Run the network on a blank uint8 input of a shape, which holds `count` images, and check its outputs."""
    try:
        answers = session.run(info.outputs, {INPUT: np.zeros(shape, np.uint8)})
    except Exception as error:
        raise ModelError(f"the network does not run on a blank image ({_first_line(error)})") from error
    if info.any_size and len(answers) > 1:
        count = max(1, len(answers[0]))  # the graph itself cuts an image into windows
    for answer, classes, what in zip(answers, (len(info.labels), 4), ("labels", "ways up"), strict=False):
        if answer.dtype != np.float32 or answer.shape != (count, classes):
            raise ModelError(
                f"the metadata has {classes} {what}, but the network answers {count} blank images with "
                f"{answer.dtype} of shape {answer.shape}, not float32 of shape ({count}, {classes})"
            )
        if not np.isfinite(answer).all():
            raise ModelError("the network answers a blank image with NaN or infinity")


def _labels(values: Any) -> tuple[Script, ...]:
    if not isinstance(values, list) or not values:
        raise ModelError(f"its labels must be a list of scripts, not {values!r}")
    for value in values:
        if not isinstance(value, Mapping) or not all(isinstance(value.get(key), str) for key in ("name", "code")):
            raise ModelError(f"each of its labels must have a name and a code, not {value!r}")
        # Labels are printed unescaped: a line break would break a table, and an escape sequence could control a
        # terminal.
        if not (value["name"] + value["code"]).isprintable():
            raise ModelError(f"the name and the code of each of its labels must be printable, not {value!r}")
    labels = tuple(Script(value["name"], value["code"]) for value in values)
    if len({label.name for label in labels}) < len(labels):
        raise ModelError("two of its labels have the same name")
    return labels


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise ModelError(f"its {name} must be text, not {value!r}")
    return value


def _number(fields: Mapping[str, Any], name: str, low: float, high: float) -> float:
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ModelError(f"its {name} must be a number, not {value!r}")
    if not low <= value <= high:
        raise ModelError(f"its {name} must lie in {low:g}..{high:g}, not {value!r}")
    return float(value)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)[:200]
