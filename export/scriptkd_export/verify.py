"""Is a model file what its checkpoint was? Every difference that would matter to a client is a check."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
import torch
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from scriptkd_sdk import ScriptIdentifier
from scriptkd_sdk.errors import ScriptkdError
from scriptkd_sdk.modelfile import METADATA_KEY
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.models.checkpoint import Checkpoint
from scriptkd_train.models.networks import parameter_count

from . import metadata
from .graph import INPUT, OUTPUT, example_width, fixed_to
from .samples import Samples, by_width

BATCHES = (1, 2, 7)
CHUNK_PIXELS = 2**21  # input pixels handled at once, so that a 299x299 network's activations fit in memory
FLOAT_DIFFERENCE = 1e-4  # of the largest logit; rounding gives about 1e-6
FLOAT_AGREEMENT = 0.999
HALF_AGREEMENT = 0.99
HALF_SCORE_SHIFT = 0.01
INT8_AGREEMENT = 0.97
INT8_SCORE_SHIFT = 0.05
ANY_SIZE_SHIFT = 1e-3  # of a score: what two SDKs may differ by
ANY_SIZE_SHIFT_INT8 = 1e-2  # a pixel that is one level off can tip an activation to the next of 256
ODD_SIZES = ((1, 1), (1, 400), (300, 1), (5, 9), (33, 127), (400, 1200), (1200, 400))  # rows x columns

Run = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""Images uint8 [N, C, H, W] -> logits float32 [N, K]."""


@dataclass(frozen=True)
class Check:
    """One check: what was looked at, whether it is as it must be, and what was found.

    value, limit: the number behind it, where there is one, and how far it may go.
    """

    name: str
    passed: bool
    found: str
    value: float | None = None
    limit: float | None = None


def verify(
    path: Path,
    checkpoint: Checkpoint,
    samples: Samples,
    precision: str = "fp32",
    plain: onnx.ModelProto | None = None,
) -> list[Check]:
    """Compare a model file (.onnx or .ort) with the checkpoint that it was made from, on images, by batch and by width.

    "fp32" must give the same numbers but for rounding. For other precisions, top script and scores must be close.
    plain: for a file that takes images of any size, the model without pre-processing that it was made from; the two
    must agree on images of all shapes.
    A file that cannot be loaded at all gives the one check that says so.
    """
    try:
        if path.suffix == ".onnx":
            onnx.checker.check_model(onnx.load(path), full_check=True)
        ScriptIdentifier(path)
    except (DecodeError, onnx.checker.ValidationError, onnx.shape_inference.InferenceError, ScriptkdError) as error:
        return [Check("file", False, " ".join(str(error).split())[:200])]
    session = open_session(path.read_bytes())
    network, preprocessing = checkpoint.build(), checkpoint.preprocessing

    def run_onnx(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        return session.run([OUTPUT], {INPUT: pixels})[0]

    def run_torch(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        with torch.inference_mode():
            return network(torch.from_numpy(pixels)).numpy()

    checks = [
        Check("file", True, f"valid {path.suffix[1:].upper()}, and the SDK loads it"),
        *_interface(session, checkpoint, plain is not None),
        _metadata(session, checkpoint, precision, parameter_count(network), plain is not None),
    ]
    try:
        with _one_torch_thread():
            if plain is None:
                expected, got = _on_all(run_torch, run_onnx, samples, preprocessing)
                checks.append(_batches_and_widths(run_torch, run_onnx, samples, checkpoint, precision))
            else:
                images = [_coloured(image) for image in samples.images]
                expected = np.concatenate([run_torch(preprocessing.apply(image)[None]) for image in images])
                got = np.concatenate([run_onnx(image) for image in images])
                checks.append(
                    _any_size(open_session(plain.SerializeToString()), run_onnx, samples, checkpoint, precision)
                )
    except Exception as error:  # onnxruntime has no exception of its own; a graph with a frozen axis fails here
        reason = " ".join(str(error).split())[:200]
        return [*checks, Check("run", False, f"onnxruntime cannot run it: {reason}")]
    if precision != "fp32":
        checks.append(_scores(expected, got, checkpoint.temperature, precision))
    checks.append(_agreement(expected, got, samples, precision))
    return checks


def open_session(content: bytes) -> onnxruntime.InferenceSession:
    """A model file's content, on one thread of the CPU."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


@contextmanager
def _one_torch_thread() -> Iterator[None]:
    """torch on one thread: small networks gain nothing by more, and beside a training they took 20 times as long."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _interface(session: onnxruntime.InferenceSession, checkpoint: Checkpoint, any_size: bool) -> list[Check]:
    """Names, types and axes of input and output."""
    preprocessing = checkpoint.preprocessing
    width: int | str = preprocessing.width_min if preprocessing.fixed_width else "width"
    axes = "rows, columns, 3" if any_size else f"batch, {preprocessing.channels}, {preprocessing.height}, {width}"
    batch = 1 if any_size else "batch"
    checks = []
    for side, values, expected in (
        ("input", session.get_inputs(), f"{INPUT} tensor(uint8) [{axes}]"),
        ("output", session.get_outputs(), f"{OUTPUT} tensor(float) [{batch}, {len(checkpoint.labels)}]"),
    ):
        found = ", ".join(f"{value.name} {value.type} [{', '.join(map(str, value.shape))}]" for value in values)
        checks.append(Check(side, found == expected, found if found == expected else f"{found}, not {expected}"))
    return checks


def _metadata(
    session: onnxruntime.InferenceSession, checkpoint: Checkpoint, precision: str, parameters: int, any_size: bool
) -> Check:
    found = json.loads(session.get_modelmeta().custom_metadata_map[METADATA_KEY])  # the SDK has read it
    expected = metadata.describe(checkpoint, precision, parameters, any_size)
    wrong = [key for key in {**expected, **found} if found.get(key) != expected.get(key)]
    if wrong:
        return Check("metadata", False, f"{', '.join(wrong)} differ from the checkpoint's")
    return Check("metadata", True, f"{len(checkpoint.labels)} labels, pre-processing, temperature, provenance")


def _on_all(
    run_torch: Run, run_onnx: Run, samples: Samples, preprocessing: Preprocessing
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Logits [N, K] of torch and of the file on all samples, each at its own width."""
    expected, got = [], []
    for width, group in by_width(samples, preprocessing).items():
        size = max(1, CHUNK_PIXELS // (preprocessing.height * width))
        for start in range(0, len(group), size):
            images = group[start : start + size]
            expected.append(run_torch(images))
            got.append(run_onnx(images))
    return np.concatenate(expected), np.concatenate(got)


def _batches_and_widths(
    run_torch: Run, run_onnx: Run, samples: Samples, checkpoint: Checkpoint, precision: str
) -> Check:
    """Largest difference of a logit, for some batch sizes at some widths: axes that the exporter froze show here."""
    preprocessing = checkpoint.preprocessing
    step = preprocessing.width_step
    widths = [preprocessing.width_min, example_width(preprocessing), preprocessing.width_max]
    if not preprocessing.fixed_width:
        widths.append(min(preprocessing.width_min + step, preprocessing.width_max))
    widths = sorted(set(widths))
    largest, difference, finite = 0.0, 0.0, True
    for width in widths:
        images = [samples.images[i % len(samples.images)] for i in range(max(BATCHES))]
        pixels = np.stack([fixed_to(preprocessing, width).apply(image) for image in images])
        for size in BATCHES:
            expected, got = run_torch(pixels[:size]), run_onnx(pixels[:size])
            if got.shape != expected.shape:
                return Check("difference", False, f"shape {got.shape} instead of {expected.shape} at width {width}")
            finite = finite and bool(np.isfinite(got).all())
            largest = max(largest, float(np.abs(expected).max()))
            difference = max(difference, float(np.abs(got - expected).max()))
    sizes = ", ".join(map(str, BATCHES))
    where = f"batches of {sizes}, widths {', '.join(map(str, widths))}"
    found = f"at most {difference:.2g} in logits up to {largest:.3g}; {where}"
    if not finite:
        return Check("difference", False, f"NaN or infinite logits; {where}")
    if precision != "fp32":
        return Check("difference", True, found, difference)
    limit = FLOAT_DIFFERENCE * largest
    return Check("difference", difference <= limit, f"{found} (allowed {limit:.2g})", difference, limit)


def _any_size(
    plain: onnxruntime.InferenceSession, run_onnx: Run, samples: Samples, checkpoint: Checkpoint, precision: str
) -> Check:
    """Largest difference of a score between the pre-processing inside and the SDK's, before the same network."""
    images = [_coloured(image) for image in samples.images]
    images += [cv2.resize(images[i % len(images)], size[::-1]) for i, size in enumerate(ODD_SIZES)]
    largest = 0.0
    for image in images:
        outside = plain.run([OUTPUT], {INPUT: checkpoint.preprocessing.apply(image)[None]})[0]
        shift = np.abs(_softmax(outside / checkpoint.temperature) - _softmax(run_onnx(image) / checkpoint.temperature))
        if not np.isfinite(shift).all():
            return Check("any size", False, f"NaN or infinite scores of an image of {image.shape[0]}x{image.shape[1]}")
        largest = max(largest, float(shift.max()))
    limit = ANY_SIZE_SHIFT_INT8 if precision.endswith(("int8", "u8")) else ANY_SIZE_SHIFT
    sizes = ", ".join(f"{rows}x{columns}" for rows, columns in ODD_SIZES)
    found = f"scores off by at most {largest:.2g} (allowed {limit:g}); all samples, and {sizes} pixels"
    return Check("any size", largest <= limit, found, largest, limit)


def _coloured(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return image if image.ndim == 3 else np.repeat(image[:, :, None], 3, axis=2)


def _scores(expected: NDArray[np.float32], got: NDArray[np.float32], temperature: float, precision: str) -> Check:
    """How far the scores of a smaller precision are off, as its user sees them."""
    limit = HALF_SCORE_SHIFT if precision.startswith("fp16") else INT8_SCORE_SHIFT
    shift = float(np.abs(_softmax(expected / temperature) - _softmax(got / temperature)).max(axis=1).mean())
    if not np.isfinite(shift):
        return Check("scores", False, "NaN or infinite")
    return Check("scores", shift <= limit, f"off by {shift:.4f} in the mean (allowed {limit})", shift, limit)


def _agreement(expected: NDArray[np.float32], got: NDArray[np.float32], samples: Samples, precision: str) -> Check:
    limit = {"fp32": FLOAT_AGREEMENT, "fp16": HALF_AGREEMENT, "fp16-compute": HALF_AGREEMENT}.get(
        precision, INT8_AGREEMENT
    )
    share = float((expected.argmax(axis=1) == got.argmax(axis=1)).mean())
    found = f"{share:.2%} on {samples.source} (at least {limit:.1%})"
    return Check("top-1 agreement", share >= limit, found, share, limit)


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
