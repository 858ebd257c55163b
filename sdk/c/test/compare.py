"""Compares the C core with the Python SDK on pictures of all shapes, all formats of models and pixels, and bad input.

`.venv/bin/python sdk/c/test/compare.py build/c/shared/prefix/lib/libscriptkd.so`
"""

from __future__ import annotations

import ctypes
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from scriptkd_sdk import ArgumentError, ImageError, ModelError, Prediction, ScriptIdentifier

SDK = Path(__file__).parents[2]
LABELS = [("Arabic", "Arab", 40), ("Latin", "Latn", 120), ("Tamil", "Taml", 200)]
STATUS = {ImageError: 1, ModelError: 2, ArgumentError: 3}
# How much scores may differ. With the same network input, only the order of float32 sums differs. An input value near a
# rounding threshold may become another byte, depending on a float's last bits. This changes a float32 model's scores by
# less than 0.001, an 8-bit model's by hundredths (section 5 of the contract). Most pictures have no such value.
SAME, CLOSE, CLOSE_8_BITS = 2e-6, 0.001, 0.1
MOST = 0.9
FORMATS = {1: (0,), 2: (0, 1, 2), 3: (2, 1, 0), 4: (0, 1, 2, 3), 5: (2, 1, 0, 3), 6: (3, 0, 1, 2)}
Pixels = npt.NDArray[np.uint8]


class Image(ctypes.Structure):
    """scriptkd_image."""

    _fields_ = [
        ("pixels", ctypes.c_void_p),
        ("width", ctypes.c_int),
        ("height", ctypes.c_int),
        ("stride", ctypes.c_ssize_t),
        ("format", ctypes.c_int),
    ]


class Options(ctypes.Structure):
    """scriptkd_options."""

    _fields_ = [
        ("box", ctypes.POINTER(ctypes.c_double)),
        ("corners", ctypes.POINTER(ctypes.c_double)),
        ("threshold", ctypes.POINTER(ctypes.c_double)),
        ("allow", ctypes.POINTER(ctypes.c_char_p)),
        ("allow_count", ctypes.c_size_t),
        ("deny", ctypes.POINTER(ctypes.c_char_p)),
        ("deny_count", ctypes.c_size_t),
        ("upright", ctypes.c_bool),
    ]


class Score(ctypes.Structure):
    """scriptkd_score."""

    _fields_ = [("name", ctypes.c_char_p), ("code", ctypes.c_char_p), ("value", ctypes.c_double)]


class Answer(ctypes.Structure):
    """scriptkd_prediction."""

    _fields_ = [
        ("script", ctypes.c_char_p),
        ("code", ctypes.c_char_p),
        ("score", ctypes.c_double),
        ("best", ctypes.c_char_p),
        ("orientation", ctypes.c_int),
        ("orientation_score", ctypes.c_double),
        ("scores", ctypes.POINTER(Score)),
        ("score_count", ctypes.c_size_t),
        ("shares", ctypes.POINTER(Score)),
        ("share_count", ctypes.c_size_t),
    ]


class Core:
    """A model in the C core, with the Python SDK's interface."""

    def __init__(self, library: ctypes.CDLL, model: Path) -> None:
        self._library = library
        self._identifier = ctypes.c_void_p()
        error = ctypes.create_string_buffer(1024)
        status = library.scriptkd_open(str(model).encode(), 1, ctypes.byref(self._identifier), error)
        check(status, error)

    def identify(
        self, pixels: Pixels, form: int, region: Any = None, threshold: float | None = None, **names: Any
    ) -> Prediction:
        """pixels: [H, W, 4] or [H, W, 3] RGB, or [H, W]; form: scriptkd_format."""
        options = Options(upright=names.get("upright", False))
        if region is not None:
            numbers = np.asarray(region, np.float64)
            setattr(
                options, "box" if numbers.ndim == 1 else "corners", (ctypes.c_double * numbers.size)(*numbers.ravel())
            )
        if threshold is not None:
            options.threshold = ctypes.pointer(ctypes.c_double(threshold))
        for list_name in ("allow", "deny"):
            listed = names.get(list_name)
            if listed is not None:
                setattr(
                    options, list_name, (ctypes.c_char_p * max(len(listed), 1))(*(each.encode() for each in listed))
                )
                setattr(options, f"{list_name}_count", len(listed))
        channels = pixels[:, :, None] if pixels.ndim == 2 else pixels
        laid = np.ascontiguousarray(channels[:, :, list(FORMATS[form])])
        height, width, size = laid.shape
        image = Image(laid.ctypes.data, width, height, width * size, form)
        answer, error = ctypes.POINTER(Answer)(), ctypes.create_string_buffer(1024)
        status = self._library.scriptkd_identify(
            self._identifier, ctypes.byref(image), ctypes.byref(options), ctypes.byref(answer), error
        )
        check(status, error)
        found = answer.contents
        result = Prediction(
            found.script.decode(),
            found.code.decode(),
            found.score,
            {each.name.decode(): each.value for each in found.scores[: found.score_count]},
            found.best.decode(),
            None if found.orientation < 0 else found.orientation,
            None if found.orientation_score < 0 else found.orientation_score,
            {each.name.decode(): each.value for each in found.shares[: found.share_count]},
        )
        self._library.scriptkd_prediction_free(answer)
        return result

    def close(self) -> None:
        """Free the model."""
        self._library.scriptkd_close(self._identifier)


def check(status: int, error: ctypes.Array[ctypes.c_char]) -> None:
    """Raise a C error as the Python SDK's error of the same kind."""
    for kind, number in STATUS.items():
        if status == number:
            raise kind(error.value.decode())
    assert status == 0 and error.value == b"", (status, error.value)


def difference(one: Prediction, other: Prediction, loose: float) -> float:
    """Return the scores' largest difference, at most `loose`. Fails if they agree and anything else differs."""
    assert set(one.scores) == set(other.scores), (one, other)
    largest = max(abs(one.scores[name] - other.scores[name]) for name in one.scores)
    assert largest <= loose, (largest, one, other)
    assert (one.orientation_score is None) == (other.orientation_score is None), (one, other)
    assert abs((one.orientation_score or 0) - (other.orientation_score or 0)) <= loose, (one, other)
    if largest <= SAME:
        assert (one.best, one.script, one.code) == (other.best, other.script, other.code), (one, other)
        assert one.orientation == other.orientation and one.shares == other.shares, (one, other)
    return largest


def gray_levels(path: Path, version: int, channels: int, whole: bool, widths: tuple[int, int, int]) -> Path:
    """Write a tiny network of format 1 or 2: the label with the nearest level to the mean of all bytes wins."""
    low, high, step = widths
    shape: list[Any] = ["h", "w", 3] if whole else ["n", channels, 16, low if low == high else "w"]
    names = {
        "levels": np.array([[level for *_, level in LABELS]], np.float32),
        "slope": np.array(-1 / 400, np.float32),
        "flat": np.array([1, 1] if whole else [-1, 1]),
    }
    axes = numpy_helper.from_array(np.array([0, 1, 2] if whole else [1, 2, 3]), "axes")
    nodes = [
        helper.make_node("Cast", ["image"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["floats", "axes"], ["mean"]),
        helper.make_node("Reshape", ["mean", "flat"], ["rows"]),
        helper.make_node("Sub", ["rows", "levels"], ["away"]),
        helper.make_node("Mul", ["away", "away"], ["squares"]),
        helper.make_node("Mul", ["squares", "slope"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "gray-levels",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, shape)],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ("n", len(LABELS)))],
        [*(numpy_helper.from_array(values, name) for name, values in names.items()), axes],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    metadata = {
        "format": version,
        "input": "image" if whole else "pixels",
        "network": "gray-levels",
        "labels": [{"name": name, "code": code} for name, code, _ in LABELS],
        "preprocessing": {"channels": channels, "height": 16, "width_min": low, "width_max": high, "width_step": step},
        "temperature": 1.7,
        "threshold": 0.6,
        "precision": "fp32",
        "provenance": {"é": [1, None]},
    }
    helper.set_model_props(model, {"scriptkd": json.dumps(metadata, ensure_ascii=False)})
    onnx.save(model, str(path))
    return path


def pictures(rng: np.random.Generator, count: int) -> list[Pixels]:
    """Return pictures of random strokes with plain margins, in all shapes: gray, RGB and RGBA."""
    result = []
    for index in range(count):
        height, width = (int(2 ** rng.uniform(1, 8.5)) for _ in range(2))
        channels = (1, 3, 4)[index % 3]
        ink, paper = rng.integers(0, 256, (2, channels))
        blocks = rng.random((height // 6 + 1, width // 5 + 1)) < 0.5
        drawn = np.kron(blocks, np.ones((6, 5), bool))[:height, :width]
        margin = int(rng.integers(0, max(min(height, width) // 4, 1)))
        drawn[:margin], drawn[:, :margin] = False, False
        pixels = np.where(drawn[:, :, None], ink, paper) + rng.integers(-6, 7, (height, width, channels))
        pixels = np.clip(pixels, 0, 255).astype(np.uint8)
        if channels == 4 and index % 2:
            pixels[:, :, 3] = np.where(drawn, 255, 0)
        result.append(pixels[:, :, 0] if channels == 1 else pixels)
    return result


def compare_answers(library: ctypes.CDLL, model: Path, rng: np.random.Generator, count: int) -> str:
    """Return the differences of scores, in words, over random pictures, regions and options."""
    core, identifier = Core(library, model), ScriptIdentifier(model)
    labels = [label.name for label in identifier.labels]
    whole = identifier.info.any_size and identifier.info.orientation_temperature is not None
    differences = []
    loose = CLOSE_8_BITS if identifier.info.precision.startswith("int") else CLOSE
    for index, pixels in enumerate(pictures(rng, count)):
        forms = (1,) if pixels.ndim == 2 else (2, 3) if pixels.shape[2] == 3 else (4, 5, 6)
        height, width = pixels.shape[:2]
        choices: dict[str, Any] = {}
        if index % 4 == 1:
            left, top = rng.integers(-3, width - 1), rng.integers(-3, height - 1)
            choices["region"] = (left, top, left + rng.integers(4, width + 9), top + rng.uniform(4, height + 9))
        if index % 5 == 1:
            choices["allow"] = list(rng.choice(labels, 2, replace=False))
        if index % 5 == 2:
            choices["deny"] = [labels[int(rng.integers(len(labels)))].upper()]
        if index % 5 == 3:
            choices["threshold"] = float(rng.random())
        if index % 7 == 1 and not whole:
            choices["upright"] = True
        try:
            expected: Any = identifier.identify(pixels, **choices)
        except (ImageError, ArgumentError) as error:
            expected = error
        for form in forms:
            try:
                found: Any = core.identify(pixels, form, **choices)
            except (ImageError, ArgumentError) as error:
                found = error
            if isinstance(expected, Exception):
                assert type(found) is type(expected), (found, expected)
                assert words(found) == words(expected), (found, expected)
            else:
                assert isinstance(found, Prediction), (found, expected, choices, pixels.shape)
                differences.append(difference(expected, found, loose))
    core.close()
    same = float(np.mean(np.array(differences) <= SAME))
    assert same >= MOST, differences
    return f"largest difference {max(differences):.1e}, {100 * same:.0f} % within {SAME:.0e}"


def compare_corners(library: ctypes.CDLL, model: Path, rng: np.random.Generator) -> float:
    """Return the mean difference of scores with four corners, whose resampling the contract leaves open."""
    core, identifier = Core(library, model), ScriptIdentifier(model)
    page = np.repeat(np.repeat(rng.integers(0, 256, (30, 40, 3), np.uint8), 8, axis=0), 8, axis=1)
    differences = []
    for index in range(40):
        centre = rng.uniform((60, 60), (260, 180))
        corners = np.array([(-40, -15), (40, -15), (40, 15), (-40, 15)]) + rng.uniform(-8, 8, (4, 2)) + centre
        if index % 4 == 0:
            corners -= (corners.min(axis=0) + corners.max(axis=0)) / 2  # around the image's corner, partly outside
        one = identifier.identify(page, region=corners)
        other = core.identify(page, 2, region=corners)
        differences.append(difference(one, other, 1.0))
    core.close()
    mean = float(np.mean(differences))
    assert mean < 0.02, differences
    return mean


def words(error: Exception) -> str:
    """Return a message without the model's name and without values, whose form differs between languages."""
    return str(error).split(", not ")[0].split("the region")[0].split("format version: ")[0]


def compare_refusals(library: ctypes.CDLL, folder: Path) -> int:
    """Compare model files and arguments that both SDKs refuse. Return their number."""
    content = (SDK / "web/test/models/any-crop.onnx").read_bytes()
    model = onnx.load_from_string(content)
    good = json.loads(model.metadata_props[0].value)
    steps = good["preprocessing"]
    spoilt: list[Any] = [
        *({**good, key: value} for key in good for value in (None, 0, -1.5, "", [], {}, "word")),
        *({**good, "preprocessing": {**steps, key: value}} for key in steps for value in (0, 1.5, 4097, "a", None)),
        *({each: value for each, value in good.items() if each != key} for key in good),
        *({**good, "preprocessing": {each: value for each, value in steps.items() if each != key}} for key in steps),
        [],
        {**good, "labels": [{"name": "a", "code": "b"}] * 3},
        {**good, "labels": [{"name": f"a\x85{number}", "code": "b"} for number in range(3)]},
        {**good, "labels": [{"name": str(number), "code": "b"} for number in range(4)]},
    ]
    path = folder / "spoilt.onnx"
    count = 0
    for metadata in spoilt:
        helper.set_model_props(model, {"scriptkd": json.dumps(metadata)})
        onnx.save(model, str(path))
        count += same_refusal(lambda: ScriptIdentifier(path), lambda: Core(library, path).close())
    return count


def same_refusal(one: Callable[[], object], other: Callable[[], object]) -> int:
    """Return 1 if both raise the same error with the same message, 0 if neither raises one."""
    raised: list[Exception | None] = []
    for call in (one, other):
        try:
            call()
            raised.append(None)
        except (ModelError, ImageError, ArgumentError) as error:
            raised.append(error)
    first, second = raised
    assert type(first) is type(second), raised
    if first is None or second is None:
        return 0
    assert words(first) == words(second), raised
    return 1


def main(arguments: Sequence[str]) -> None:
    """Compare and print the largest differences."""
    library = ctypes.CDLL(arguments[0])
    library.scriptkd_close.argtypes = [ctypes.c_void_p]
    library.scriptkd_prediction_free.argtypes = [ctypes.POINTER(Answer)]
    library.scriptkd_identify.argtypes = [ctypes.c_void_p] * 5
    rng = np.random.default_rng(27)
    passed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        models = {
            "upright, format 1": (SDK / "scriptkd_sdk/models/upright.onnx", 100),
            "world-upright, format 1": (SDK / "scriptkd_sdk/models/world-upright.onnx", 40),
            "student, format 3": (SDK / "scriptkd_sdk/models/student.onnx", 100),
            "world, format 3": (SDK / "scriptkd_sdk/models/world.onnx", 40),
            "fp32, format 3": (SDK / "contract/golden/fp32.onnx", 60),
            "tiny, format 3": (SDK / "web/test/models/any-crop.onnx", 100),
            "tiny, format 3, whole images": (SDK / "web/test/models/any-size.onnx", 60),
            "tiny, format 1, three channels": (gray_levels(folder / "1.onnx", 1, 3, False, (16, 48, 8)), 60),
            "tiny, format 1, one width": (gray_levels(folder / "2.onnx", 1, 1, False, (16, 16, 1)), 60),
            "tiny, format 2, whole images": (gray_levels(folder / "3.onnx", 2, 3, True, (16, 48, 8)), 60),
        }
        for what, (model, count) in models.items():
            print(f"{what}: {count} pictures, {compare_answers(library, model, rng, count)}", flush=True)
            passed += count
        print(f"four corners: mean difference {compare_corners(library, models['fp32, format 3'][0], rng):.1e}")
        refused = compare_refusals(library, folder)
        print(f"{refused} damaged model files are refused with the same message")
    print(f"{passed + refused + 40} passed, 0 failed")


if __name__ == "__main__":
    main(sys.argv[1:])
