"""Is a model file what its checkpoint was? Every difference that would matter to a client is a check."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from scriptkd_sdk import ScriptIdentifier
from scriptkd_sdk.errors import ScriptkdError
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.checkpoint import Checkpoint
from scriptkd_train.networks import parameter_count

from . import metadata
from .graph import INPUT, OUTPUT, example_width, fixed_to
from .samples import Samples, by_width

BATCHES = (1, 2, 7)
CHUNK_PIXELS = 2**21  # input pixels handled at once, so that a 299x299 network's activations fit in memory
FLOAT_DIFFERENCE = 1e-4  # of the largest logit; rounding gives about 1e-6
FLOAT_AGREEMENT = 0.999
INT8_AGREEMENT = 0.97
INT8_SCORE_SHIFT = 0.05

Run = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""Images uint8 [N, C, H, W] -> logits float32 [N, K]."""


@dataclass(frozen=True)
class Check:
    """One check: what was looked at, whether it is as it must be, and what was found."""

    name: str
    passed: bool
    found: str


def verify(path: Path, checkpoint: Checkpoint, samples: Samples, precision: str = "fp32") -> list[Check]:
    """Compare a model file with the checkpoint that it was made from, on images, by batch and by width.

    "fp32" must give the same numbers but for rounding. For other precisions, top script and scores must be close.
    A file that cannot be loaded at all gives the one check that says so.
    """
    try:
        model = onnx.load(path)
        onnx.checker.check_model(model, full_check=True)
        ScriptIdentifier(path)
    except (DecodeError, onnx.checker.ValidationError, onnx.shape_inference.InferenceError, ScriptkdError) as error:
        return [Check("file", False, " ".join(str(error).split())[:200])]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    network = checkpoint.build()

    def run_onnx(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return session.run([OUTPUT], {INPUT: images})[0]

    def run_torch(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        with torch.inference_mode():
            return network(torch.from_numpy(images)).numpy()

    checks = [
        Check("file", True, "valid ONNX, and the SDK loads it"),
        *_interface(model, checkpoint),
        _metadata(model, checkpoint, precision, parameter_count(network)),
    ]
    try:
        with _one_torch_thread():
            expected, got = _on_all(run_torch, run_onnx, samples, checkpoint.preprocessing)
            checks.append(_batches_and_widths(run_torch, run_onnx, samples, checkpoint, precision))
    except Exception as error:  # onnxruntime has no exception of its own; a graph with a frozen axis fails here
        reason = " ".join(str(error).split())[:200]
        return [*checks, Check("run", False, f"onnxruntime cannot run it: {reason}")]
    if precision != "fp32":
        checks.append(_scores(expected, got, checkpoint.temperature))
    checks.append(_agreement(expected, got, samples, precision))
    return checks


@contextmanager
def _one_torch_thread() -> Iterator[None]:
    """torch on one thread: small networks gain nothing by more, and beside a training they took 20 times as long."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _interface(model: onnx.ModelProto, checkpoint: Checkpoint) -> list[Check]:
    """Names, types and axes of input and output."""
    preprocessing = checkpoint.preprocessing
    width: int | str = preprocessing.width_min if preprocessing.fixed_width else "width"
    expected_input = f"{INPUT} uint8 [batch, {preprocessing.channels}, {preprocessing.height}, {width}]"
    expected_output = f"{OUTPUT} float32 [batch, {len(checkpoint.labels)}]"
    checks = []
    for side, values, expected in (
        ("input", model.graph.input, expected_input),
        ("output", model.graph.output, expected_output),
    ):
        found = ", ".join(_signature(value) for value in values)
        checks.append(Check(side, found == expected, found if found == expected else f"{found}, not {expected}"))
    return checks


def _signature(value: onnx.ValueInfoProto) -> str:
    tensor = value.type.tensor_type
    kind = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type).name
    axes = ", ".join(axis.dim_param or str(axis.dim_value) for axis in tensor.shape.dim)
    return f"{value.name} {kind} [{axes}]"


def _metadata(model: onnx.ModelProto, checkpoint: Checkpoint, precision: str, parameters: int) -> Check:
    found, expected = metadata.read(model), metadata.describe(checkpoint, precision, parameters)
    wrong = [key for key, value in expected.items() if found.get(key) != value]
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
    if precision != "fp32":
        return Check("difference", finite, found)
    limit = FLOAT_DIFFERENCE * largest
    return Check("difference", finite and difference <= limit, f"{found} (allowed {limit:.2g})")


def _scores(expected: NDArray[np.float32], got: NDArray[np.float32], temperature: float) -> Check:
    """How far the scores of a quantised file are off, as its user sees them."""
    shift = float(np.abs(_softmax(expected / temperature) - _softmax(got / temperature)).max(axis=1).mean())
    passed = shift <= INT8_SCORE_SHIFT  # False for NaN as well
    return Check("scores", passed, f"off by {shift:.4f} in the mean (allowed {INT8_SCORE_SHIFT})")


def _agreement(expected: NDArray[np.float32], got: NDArray[np.float32], samples: Samples, precision: str) -> Check:
    limit = FLOAT_AGREEMENT if precision == "fp32" else INT8_AGREEMENT
    share = float((expected.argmax(axis=1) == got.argmax(axis=1)).mean())
    return Check("top-1 agreement", share >= limit, f"{share:.2%} on {samples.source} (at least {limit:.1%})")


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
