"""Verify that a model file answers as its checkpoint does: one check for each difference that matters to a client.

A float32 file must give torch's numbers. A file of lower precision is judged by the harm of its rounding: lost right
answers, changed confident answers, and shifted scores. It is refused if the images prove that one of these exceeds the
limit in `precisions`; `intervals` defines such a proof. A changed answer proves nothing if torch itself was unsure,
since another processor's rounding may change it too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import onnx
import torch
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from scriptkd_sdk import ScriptIdentifier
from scriptkd_sdk.crop import crops
from scriptkd_sdk.errors import ScriptkdError
from scriptkd_sdk.modelfile import INPUT, METADATA_KEY, OUTPUT
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_sdk.runtime import cpu_session
from scriptkd_train.models.checkpoint import Checkpoint
from scriptkd_train.models.networks import WAYS, parameter_count

from . import metadata
from .graph import OPSET, example_width, fixed_to, outputs
from .intervals import least_drop, least_mean, least_share
from .ort_format import ort_bytes
from .precisions import Limits, Precision
from .preprocessing import WINDOWS, preprocessing_graph
from .samples import Samples, by_size

BATCHES = (1, 2, 7)
CHUNK_PIXELS = 2**21  # input pixels handled at once, so that a 299x299 network's activations fit in memory
FLOAT_DIFFERENCE = 1e-4  # share of the largest logit; rounding gives about 1e-6
SURE = 0.9  # from this score on, a file of lower precision must give the same answer
SURE_TURNED = 0.01  # share of these answers that may change
ODD_SIZES = ((1, 1), (1, 400), (300, 1), (5, 9), (33, 127), (400, 1200), (1200, 400))  # rows x columns

Answers = list[NDArray[np.float32]]
"""Logits [N, K] and, for any crop, orientation logits [N, 4]."""

Run = Callable[[NDArray[np.uint8]], Answers]
"""Inputs uint8 [N, C, H, W] -> the network's outputs."""


@dataclass(frozen=True)
class Check:
    """One check and its result.

    If the check is on a sample of images, `value` is the lower limit of a confidence interval.

    Attributes:
        name: the property that was checked.
        passed: whether the property is as required.
        found: the result, as a text for people.
        value: the number behind the result, if there is one.
        limit: the largest allowed value.
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
    precision: str = Precision.fp32,
    plain: onnx.ModelProto | None = None,
) -> list[Check]:
    """Compare a model file with its checkpoint, on images, in several batch sizes and image sizes.

    Args:
        path: the file, .onnx or .ort.
        checkpoint: the network that the file was made from.
        samples: images for the comparison. With labels, the accuracy is compared too.
        precision: one of `Precision`; "fp32" must give the same numbers up to rounding.
        plain: for a file that takes images of any size, its model without pre-processing.

    Returns:
        All checks, passed or not. A file that cannot be loaded gives a single failed check.
    """
    precision = Precision(precision)
    try:
        if path.suffix == ".onnx":
            onnx.checker.check_model(onnx.load(path), full_check=True)
        ScriptIdentifier(path)
    except (DecodeError, onnx.checker.ValidationError, onnx.shape_inference.InferenceError, ScriptkdError) as error:
        return [Check("file", False, " ".join(str(error).split())[:200])]
    session = cpu_session(path.read_bytes())
    network, preprocessing = checkpoint.build(), checkpoint.preprocessing
    temperatures = (checkpoint.temperature, checkpoint.orientation_temperature or 1.0)

    def run_onnx(pixels: NDArray[np.uint8]) -> Answers:
        answers: Answers = session.run(outputs(preprocessing), {INPUT: pixels})
        return answers

    def run_torch(pixels: NDArray[np.uint8]) -> Answers:
        with torch.inference_mode():
            return [answer.numpy() for answer in network.forward_outputs(torch.from_numpy(pixels))]

    checks = [
        Check("file", True, f"valid {path.suffix[1:].upper()}, and the SDK loads it"),
        *_interface(session, checkpoint, plain is not None),
        _metadata(session, checkpoint, precision, parameter_count(network), plain is not None),
    ]
    try:
        with _one_torch_thread():
            if plain is None:
                expected, got = _on_all(run_torch, run_onnx, samples, preprocessing)
                checks += _batches_and_sizes(run_torch, run_onnx, samples, preprocessing, precision)
            else:
                inside = cpu_session(preprocessing_graph(preprocessing, plain.ir_version, OPSET).SerializeToString())
                images = _of_all_sizes(samples)
                seen = [_Seen(*inside.run(None, {INPUT: image})) for image in images]
                order = np.arange(len(samples.images))
                expected = _joined([_middle(each.of_the_image(run_torch(each.pixels))) for each in seen], order)
                got = _joined([_middle(run_onnx(image)) for image in images], order)
                checks += [
                    _pixels(images, seen, preprocessing),
                    _embedded(
                        images, seen, run_onnx, _plain_session(plain, path.suffix), temperatures, precision.spec.limits
                    ),
                ]
    except Exception as error:  # onnxruntime raises errors of any kind; a graph with a frozen axis fails here
        reason = " ".join(str(error).split())[:200]
        return [*checks, Check("run", False, f"onnxruntime cannot run it: {reason}")]
    for name, temperature, true, found in zip(outputs(preprocessing), temperatures, expected, got, strict=False):
        if precision is Precision.fp32:
            checks.append(_same_answers(true, found, samples, name))
            continue
        before, after = (_softmax(logits / temperature) for logits in (true, found))
        if not np.isfinite(after).all():
            checks.append(Check(_check_name("scores", name), False, "NaN or infinite"))
            continue
        limits = precision.spec.limits
        checks.append(_scores(before, after, limits, name))
        if name == OUTPUT:  # the samples have labels for scripts, not for orientation
            checks += _accuracy(before, after, samples, checkpoint, limits)
        checks.append(_sure_answers(before, after, samples, name))
    return checks


def _check_name(what: str, output: str) -> str:
    """Return the name of a check on an output. A check on the logits is named by the property alone."""
    return what if output == OUTPUT else f"{output} {what}"


@contextmanager
def _one_torch_thread() -> Iterator[None]:
    """Run torch on one thread: small networks gain nothing from more, and took 20 times as long beside a training."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _interface(session: Any, checkpoint: Checkpoint, any_size: bool) -> list[Check]:
    """Check names, types and axes of the input and the outputs."""
    preprocessing = checkpoint.preprocessing
    width: int | str = preprocessing.width_min if preprocessing.fixed_width else "width"
    height: int | str = "height" if len(preprocessing.heights) > 1 else preprocessing.height
    axes = "rows, columns, 3" if any_size else f"batch, {preprocessing.channels}, {height}, {width}"
    several = preprocessing.square_height is not None and not preprocessing.fixed_width
    batch = "batch" if not any_size else WINDOWS if several else 1
    answers = [
        f"{name} tensor(float) [{batch}, {classes}]"
        for name, classes in zip(outputs(preprocessing), (len(checkpoint.labels), WAYS), strict=False)
    ]
    checks = []
    for side, values, expected in (
        ("input", session.get_inputs(), f"{INPUT} tensor(uint8) [{axes}]"),
        ("output", session.get_outputs(), ", ".join(answers)),
    ):
        found = ", ".join(f"{value.name} {value.type} [{', '.join(map(str, value.shape))}]" for value in values)
        checks.append(Check(side, found == expected, found if found == expected else f"{found}, not {expected}"))
    return checks


def _metadata(session: Any, checkpoint: Checkpoint, precision: Precision, parameters: int, any_size: bool) -> Check:
    found = json.loads(session.get_modelmeta().custom_metadata_map[METADATA_KEY])  # the SDK has read it, so it is valid
    expected = metadata.describe(checkpoint, precision, parameters, any_size)
    wrong = [key for key in {**expected, **found} if found.get(key) != expected.get(key)]
    if wrong:
        return Check("metadata", False, f"{', '.join(wrong)} differ from the checkpoint's")
    return Check("metadata", True, f"{len(checkpoint.labels)} labels, pre-processing, temperature, provenance")


def _on_all(run_torch: Run, run_onnx: Run, samples: Samples, preprocessing: Preprocessing) -> tuple[Answers, Answers]:
    """Return the answers of torch and of the file to all samples, in their order, each at its own size."""
    expected, got, order = [], [], []
    for indices, group in by_size(samples, preprocessing):
        order += indices
        size = max(1, CHUNK_PIXELS // (group.shape[2] * group.shape[3]))
        for start in range(0, len(group), size):
            images = group[start : start + size]
            expected.append(run_torch(images))
            got.append(run_onnx(images))
    back = np.argsort(order)
    return _joined(expected, back), _joined(got, back)


def _joined(parts: list[Answers], order: NDArray[np.int64]) -> Answers:
    """Concatenate the answers to several batches, and order them by image."""
    return [np.concatenate(each)[order] for each in zip(*parts, strict=True)]


def _batches_and_sizes(
    run_torch: Run, run_onnx: Run, samples: Samples, preprocessing: Preprocessing, precision: Precision
) -> list[Check]:
    """Check the largest difference of a logit at several batch sizes and input sizes. Frozen axes show here."""
    step = preprocessing.width_step
    widths = [preprocessing.width_min, example_width(preprocessing), preprocessing.width_max]
    if not preprocessing.fixed_width:
        widths.append(min(preprocessing.width_min + step, preprocessing.width_max))
    widths = sorted(set(widths))
    heights = preprocessing.heights
    images = [samples.images[i % len(samples.images)] for i in range(max(BATCHES))]
    expected: list[Answers] = []
    got: list[Answers] = []
    for height, width, size in product(heights, widths, BATCHES):
        pixels = np.stack([fixed_to(preprocessing, width).apply(image, height) for image in images[:size]])
        expected.append(run_torch(pixels))
        got.append(run_onnx(pixels))
        for name, true, found in zip(outputs(preprocessing), expected[-1], got[-1], strict=True):
            if found.shape != true.shape:
                wrong = f"shape {found.shape} instead of {true.shape} at {height}x{width}"
                return [Check(_check_name("difference", name), False, wrong)]
    tall = f"heights {', '.join(map(str, heights))}, " if len(heights) > 1 else ""
    where = f"batches of {', '.join(map(str, BATCHES))}, {tall}widths {', '.join(map(str, widths))}"
    everything = np.arange(len(heights) * len(widths) * sum(BATCHES))
    return [
        _difference(_check_name("difference", name), true, found, where, precision)
        for name, true, found in zip(
            outputs(preprocessing), _joined(expected, everything), _joined(got, everything), strict=True
        )
    ]


def _difference(
    name: str, expected: NDArray[np.float32], got: NDArray[np.float32], where: str, precision: Precision
) -> Check:
    """Compare logits with torch's. In float32 they must be the same up to rounding."""
    if not np.isfinite(got).all():
        return Check(name, False, f"NaN or infinite logits; {where}")
    largest, difference = float(np.abs(expected).max()), float(np.abs(got - expected).max())
    found = f"at most {difference:.2g} in logits up to {largest:.3g}; {where}"
    if precision is not Precision.fp32:
        return Check(name, True, found, difference)
    limit = FLOAT_DIFFERENCE * largest
    return Check(name, difference <= limit, f"{found} (allowed {limit:.2g})", difference, limit)


def _of_all_sizes(samples: Samples) -> list[NDArray[np.uint8]]:
    """Return the samples, and some of them in odd sizes, with and without a margin, as uint8 [H, W, 3]."""
    images = [image if image.ndim == 3 else np.repeat(image[:, :, None], 3, axis=2) for image in samples.images]
    odd = [cv2.resize(images[i % len(images)], size[::-1]).astype(np.uint8) for i, size in enumerate(ODD_SIZES)]
    loose = [np.pad(image, ((9, 40), (70, 0), (0, 0)), constant_values=200) for image in odd]
    return images + odd + loose


class _Seen(NamedTuple):
    """The result of the pre-processing inside a file for an image.

    pixels: uint8 [n, C, H, W], the network's inputs. tall: whether the image was turned by 90 degrees.
    """

    pixels: NDArray[np.uint8]
    tall: NDArray[np.bool_] | bool = False

    def of_the_image(self, answers: Answers) -> Answers:
        """Return the network's answers to the pixels, with orientation corrected for the turn."""
        return [answers[0], *(np.roll(ways, int(self.tall), axis=1) for ways in answers[1:])]


def _middle(answers: Answers) -> Answers:
    """Return the answers to an image's middle window."""
    return [each[len(each) // 2][None] for each in answers]


def _pixels(images: list[NDArray[np.uint8]], seen: list[_Seen], preprocessing: Preprocessing) -> Check:
    """Compare the pixels from the pre-processing inside a file with those from the SDK."""
    most = 0
    for image, (inside, tall) in zip(images, seen, strict=True):
        windows, rows, turned = crops(image, preprocessing)
        outside = np.stack([preprocessing.apply(window, rows) for window in windows])
        size = f"{image.shape[0]}x{image.shape[1]}"
        if inside.shape != outside.shape:
            return Check("pixels", False, f"shape {inside.shape}, not {outside.shape}, of an image of {size}")
        if bool(tall) != bool(turned):
            return Check("pixels", False, f"turned by {90 * int(tall)} degrees, not {turned}, of an image of {size}")
        most = max(most, int(np.abs(inside.astype(np.int64) - outside).max()))
    return Check("pixels", most <= 1, f"at most {most} of 255 levels from the SDK's (allowed 1)", most, 1)


def _plain_session(plain: onnx.ModelProto, suffix: str) -> Any:
    """A session of the plain model in the file's own format, as .ort and .onnx files round 8 bits differently."""
    return cpu_session(ort_bytes(plain) if suffix == ".ort" else plain.SerializeToString())


def _embedded(
    images: list[NDArray[np.uint8]],
    seen: list[_Seen],
    run_onnx: Run,
    plain: Any,
    temperatures: tuple[float, ...],
    limits: Limits,
) -> Check:
    """Compare a file's scores with those of the plain model's session on the same pre-processed images."""
    largest = 0.0
    for image, given in zip(images, seen, strict=True):
        expected = given.of_the_image(plain.run(None, {INPUT: given.pixels}))
        for before, after, temperature in zip(expected, run_onnx(image), temperatures, strict=False):
            shift = np.abs(_softmax(before / temperature) - _softmax(after / temperature))
            if not np.isfinite(shift).all():
                size = f"{image.shape[0]}x{image.shape[1]}"
                return Check("any size", False, f"NaN or infinite scores of an image of {size}")
            largest = max(largest, float(shift.max()))
    limit = limits.embedded_shift
    sizes = ", ".join(f"{rows}x{columns}" for rows, columns in ODD_SIZES)
    found = (
        f"scores off by at most {largest:.2g} (allowed {limit:g}); all samples, and {sizes} pixels, with and without a "
        "margin"
    )
    return Check("any size", largest <= limit, found, largest, limit)


def _same_answers(
    expected: NDArray[np.float32], got: NDArray[np.float32], samples: Samples, output: str = OUTPUT
) -> Check:
    """Compare the answers of a float32 file with torch's, ignoring near-ties that rounding could swap."""
    name = _check_name("top-1 agreement", output)
    if not np.isfinite(got).all():
        return Check(name, False, f"NaN or infinite logits on {samples.source}")
    rounding = 2 * FLOAT_DIFFERENCE * float(np.abs(expected).max())
    rows = np.arange(len(expected))
    behind = expected.max(axis=1) - expected[rows, got.argmax(axis=1)]
    turned = int((behind > rounding).sum())
    share = _agreement(expected, got)
    found = f"{share:.2%} on {samples.source}, {turned} changed by more than rounding (allowed 0)"
    return Check(name, turned == 0, found, turned, 0)


def _scores(before: NDArray[np.float32], after: NDArray[np.float32], limits: Limits, output: str = OUTPUT) -> Check:
    """Check how far the scores of a file of lower precision shift."""
    shifts = np.abs(before - after).max(axis=1).astype(np.float64)
    least, limit = least_mean(shifts), limits.score_shift
    found = f"off by {shifts.mean():.4f} on average, proven: {max(0.0, least):.4f} (allowed {limit:g})"
    return Check(_check_name("scores", output), least <= limit, found, least, limit)


def _accuracy(
    before: NDArray[np.float32],
    after: NDArray[np.float32],
    samples: Samples,
    checkpoint: Checkpoint,
    limits: Limits,
) -> list[Check]:
    """Check how much accuracy is lost on images whose labels the network knows; no check without such images."""
    if samples.labels is None:
        return []
    known = [i for i, label in enumerate(samples.labels) if label in checkpoint.labels]
    if not known:
        return []
    truth = np.array([checkpoint.labels.index(samples.labels[i]) for i in known])
    was, now = before[known].argmax(axis=1) == truth, after[known].argmax(axis=1) == truth
    lost, gained = int((was & ~now).sum()), int((~was & now).sum())
    least = 100 * least_drop(lost, gained, len(known))
    found = (
        f"{now.mean():.2%}, {100 * (was.mean() - now.mean()):+.2f} points lost ({lost} images lost, {gained} gained of "
        f"{len(known)}), proven: {max(0.0, least):.2f} (allowed {limits.drop:g})"
    )
    return [Check("accuracy", least <= limits.drop, found, least, limits.drop)]


def _sure_answers(
    before: NDArray[np.float32], after: NDArray[np.float32], samples: Samples, output: str = OUTPUT
) -> Check:
    """Check how many of torch's confident answers changed."""
    sure = before.max(axis=1) >= SURE
    turned = int((before.argmax(axis=1) != after.argmax(axis=1))[sure].sum())
    least = least_share(turned, int(sure.sum()))
    found = (
        f"{_agreement(before, after):.2%} on {samples.source}; {turned} of torch's {sure.sum()} confident answers "
        f"(score {SURE:g} or more) changed, proven: {least:.2%} (allowed {SURE_TURNED:.0%})"
    )
    return Check(_check_name("top-1 agreement", output), least <= SURE_TURNED, found, least, SURE_TURNED)


def _agreement(expected: NDArray[np.float32], got: NDArray[np.float32]) -> float:
    return float((expected.argmax(axis=1) == got.argmax(axis=1)).mean())


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    powers: NDArray[np.float32] = np.exp(logits - logits.max(axis=1, keepdims=True))
    scores: NDArray[np.float32] = powers / powers.sum(axis=1, keepdims=True)
    return scores
