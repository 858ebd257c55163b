"""Writes sdk/contract/golden: images of ten scripts and what every SDK must make of them (`make golden`).

Without an option only the answers are made anew, from the images that lie there, with the model that the Python SDK
brings along and with an 8-bit one. `--images` renders the images again, which needs the fonts: another machine's fonts
give other images, which is why they are committed.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import struct
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import onnx
import onnxruntime
import onnxsim
import typer
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from PIL import Image

from scriptkd_export.quantize import quantize_int8
from scriptkd_sdk import ScriptIdentifier
from scriptkd_sdk.images import load_image
from scriptkd_sdk.modelfile import METADATA_KEY
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.data.fonts import faces_by_split
from scriptkd_train.data.picture import draw_picture
from scriptkd_train.data.render import SCRIPTS

Pixels = NDArray[np.uint8]
Scores = NDArray[np.float64]
Words = Iterator[Pixels]
Random = np.random.Generator

CONTRACT = Path(__file__).parent
GOLDEN = CONTRACT / "golden"
BUNDLED = CONTRACT.parent / "scriptkd_sdk" / "models" / "student.onnx"
INT8 = GOLDEN / "int8.onnx"
# Two networks that the bundled one is not: several channels, and one width for all images.
OTHER_INPUTS = {"rgb": Preprocessing(3, 48, 48, 192, 8), "square": Preprocessing(3, 61, 61, 61, 1)}
HALF = 0.5 + 2**-9  # the contract's: values of this fraction and more round up
NEAR_TIE = 1e-3  # levels; float32 sums of a thousand products are off by less
DECIDED = (
    1e-4  # levels from a half at least, for the bundled model's input: then float32 and float64 give the same scores
)
NUDGE, NUDGES = 5e-7, 8  # see `unstable`; a float32 product is off by 6e-8 at most
LAST_BITS = 5e-5  # by which scores differ between processors without any rounding to 8 bits; 2.8e-5 was measured
MOST_TIES = 100  # for OTHER_INPUTS: with more, a checksum says little and costs a long list
UNSHAPED = {"SetoFont"}  # has the letters of many scripts, but not the tables that put them together
PER_SCRIPT = 20
SEED = 20150823


def main(
    images: Annotated[bool, typer.Option("--images", help="Render the images again.")] = False,
    int8: Annotated[Path | None, typer.Option(help="8-bit model file; else made of the bundled one.")] = None,
) -> None:
    """Write the golden vectors."""
    cv2.setNumThreads(1)
    if images:
        draw_images()
    names = sorted(path.stem for path in (GOLDEN / "pixels").iterdir())
    pixels = {name: load_image(GOLDEN / "pixels" / f"{name}.png") for name in names}
    if int8 is not None:
        shutil.copyfile(int8, INT8)
    else:
        onnx.save(quantised(list(pixels.values())), INT8)
    write_answers(pixels)


# --- the images ---------------------------------------------------------------------------------------------------


def draw_images() -> None:
    """Render all vectors: `pixels/NAME.png`, and for some also a file of another kind that holds the same picture."""
    for folder in ("pixels", "files", "refused"):
        shutil.rmtree(GOLDEN / folder, ignore_errors=True)
        (GOLDEN / folder).mkdir(parents=True)
    encodings = list(ENCODINGS.items())
    input_ = ScriptIdentifier(BUNDLED).preprocessing
    for number, script in enumerate(SCRIPTS):
        rng = np.random.default_rng([SEED, number])
        families = [faces for name, faces in faces_by_split(script)["train"].items() if name not in UNSHAPED]
        words = (small(draw_picture(rng, script, families), int(rng.integers(16, 37))) for _ in iter(int, 1))
        shapes = list(SHAPES.items())
        for index in range(PER_SCRIPT):
            stem = f"{script.lower()}-{index:02d}"
            if index < len(shapes):
                kind, shape = shapes[index]
                write_pixels(
                    f"{stem}-{kind}", next(image for image in drawn(shape, words, rng) if decided(image, input_))
                )
            else:
                kind, (suffix, encode) = encodings[(number * (PER_SCRIPT - len(shapes)) + index) % len(encodings)]
                files = map(encode, words)
                write_file(f"{stem}-{kind}", suffix, next(file for file in files if decided(load_image(file), input_)))
    for name, image in plain_images():
        write_pixels(f"plain-{name}", image)
    for name, content in refused_images():
        (GOLDEN / "refused" / name).write_bytes(content)
    for name, content in refused_models():
        (GOLDEN / "refused" / name).write_bytes(content)


def drawn(shape: Callable[[Words, Random], Pixels], words: Words, rng: Random) -> Iterator[Pixels]:
    while True:
        yield shape(words, rng)


def decided(image: Pixels, preprocessing: Preprocessing) -> bool:
    """Whether the order of a sum decides no value of the input: one level in one pixel can move a score by 0.001."""
    return bool((beyond_border(exactly(image, preprocessing)) > DECIDED).all())


def small(image: Pixels, height: int) -> Pixels:
    """The image at most `height` rows high, so that 220 of them are small."""
    if len(image) <= height:
        return image
    width = max(4, round(image.shape[1] * height / len(image)))
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def gray(image: Pixels) -> Pixels:
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)


def _tiny(words: Words, rng: Random) -> Pixels:
    return small(next(words), int(rng.integers(5, 11)))


def _wide(words: Words, rng: Random) -> Pixels:
    row = [cv2.resize(gray(next(words)), (int(rng.integers(50, 90)), 14)) for _ in range(6)]
    return np.concatenate(row, axis=1)


def _tall(words: Words, rng: Random) -> Pixels:
    return np.ascontiguousarray(np.rot90(gray(next(words))))


def _big(words: Words, rng: Random) -> Pixels:
    times = int(rng.integers(5, 14))  # whole pixels repeated: compresses as the small image does
    return gray(next(words)).repeat(times, axis=0).repeat(times + int(rng.integers(3)), axis=1)


def _flat_strip(words: Words, rng: Random) -> Pixels:
    word = gray(next(words))
    return cv2.resize(word, (int(rng.integers(40, 120)), int(rng.integers(2, 5))), interpolation=cv2.INTER_AREA)


def _faint(words: Words, rng: Random) -> Pixels:
    return (gray(next(words)) // 8 + int(rng.integers(0, 220))).astype(np.uint8)


SHAPES: dict[str, Callable[[Words, Random], Pixels]] = {
    "rgb": lambda words, rng: next(words),
    "rgb-b": lambda words, rng: next(words),
    "gray": lambda words, rng: gray(next(words)),
    "gray-b": lambda words, rng: gray(next(words)),
    "inverted": lambda words, rng: 255 - gray(next(words)),
    "tiny": _tiny,
    "wide": _wide,
    "tall": _tall,
    "big": _big,
    "strip": _flat_strip,
    "faint": _faint,
}


def plain_images() -> Iterator[tuple[str, Pixels]]:
    """Images without a word, at which an SDK's arithmetic shows: flat, single pixels, extremes of size and shape."""
    yield "black", np.zeros((20, 60), np.uint8)
    yield "white", np.full((20, 60, 3), 255, np.uint8)
    yield "red", np.full((33, 77, 3), (255, 0, 0), np.uint8)
    yield "smallest", np.array([[0, 255], [255, 0]], np.uint8)
    yield "two-rows", np.tile(np.array([[0, 255, 40], [200, 10, 90]], np.uint8), 21)
    yield "two-columns", np.tile(np.array([[0, 255, 40], [200, 10, 90]], np.uint8), 21).T.copy()
    yield "longest", np.tile(np.arange(0, 256, 4, dtype=np.uint8), (2, 256))  # 16384, the longest side allowed
    yield "highest", np.tile(np.arange(0, 256, 4, dtype=np.uint8), (2, 64)).T.copy()
    checks = (np.indices((41, 123)).sum(0) % 2 * 255).astype(np.uint8)
    yield "checks", checks
    yield "ramp", np.tile(np.arange(256, dtype=np.uint8), (32, 1))
    yield "same-size", np.tile(np.arange(128, dtype=np.uint8), (32, 1))  # the input's own size: nothing is resampled
    colours = np.indices((8, 8, 8)).reshape(3, 16, 32).transpose(1, 2, 0) * 36
    yield "colours", colours.astype(np.uint8)


def refused_images() -> Iterator[tuple[str, bytes]]:
    """Files that every SDK refuses as images."""
    word = encoded("PNG")(np.tile(np.arange(120, dtype=np.uint8), (40, 1)))
    yield "empty.png", b""
    yield "text.png", b"This is not an image.\n"
    yield "truncated.png", word[: len(word) // 2]
    yield "one-row.png", encoded("PNG")(np.zeros((1, 50), np.uint8))
    yield "one-column.jpg", encoded("JPEG")(np.zeros((50, 1), np.uint8))
    yield "too-long.png", encoded("PNG")(np.zeros((2, 16_385), np.uint8))
    size = struct.pack(">II", 60_000, 60_000)  # in the header alone: there are no such pixels
    header = b"IHDR" + size + word[24:29]
    yield "claims-too-much.png", word[:12] + header + struct.pack(">I", zlib.crc32(header)) + word[33:]


def refused_models() -> Iterator[tuple[str, bytes]]:
    """Files that every SDK refuses as models: a network whose two logits are the mean, and what is wrong with it."""
    good = {
        "format": 1,
        "network": "mean",
        "labels": [{"name": "Latin", "code": "Latn"}, {"name": "Tamil", "code": "Taml"}],
        "preprocessing": {"channels": 1, "height": 32, "width_min": 32, "width_max": 64, "width_step": 16},
        "temperature": 1.0,
        "threshold": 0.0,
        "precision": "fp32",
        "provenance": {},
    }
    yield "text.onnx", b"This is not a model.\n"
    yield "no-metadata.onnx", mean_model(None)
    yield "newer-format.onnx", mean_model({**good, "format": 99})
    yield "three-labels.onnx", mean_model({**good, "labels": [*good["labels"], {"name": "Telugu", "code": "Telu"}]})
    yield "no-temperature.onnx", mean_model({key: value for key, value in good.items() if key != "temperature"})
    yield "zero-temperature.onnx", mean_model({**good, "temperature": 0})
    yield "wrong-width.onnx", mean_model({**good, "preprocessing": {**good["preprocessing"], "width_min": 128}})


def mean_model(description: dict[str, Any] | None) -> bytes:
    nodes = [
        helper.make_node("Cast", ["image"], ["float"], to=onnx.TensorProto.FLOAT),
        helper.make_node("GlobalAveragePool", ["float"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["flat"]),
        helper.make_node("Concat", ["flat", "flat"], ["logits"], axis=1),
    ]
    image = helper.make_tensor_value_info("image", onnx.TensorProto.UINT8, ["n", 1, 32, "w"])
    logits = helper.make_tensor_value_info("logits", onnx.TensorProto.FLOAT, ["n", 2])
    graph = helper.make_graph(nodes, "mean", [image], [logits])
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 18)])
    if description is not None:
        describe(model, description)
    return model.SerializeToString()


def write_pixels(name: str, image: Pixels) -> None:
    Image.fromarray(image).save(GOLDEN / "pixels" / f"{name}.png", optimize=True)


def write_file(name: str, suffix: str, content: bytes) -> None:
    """Write a file as a client meets it, and as the binding pixels what the Python SDK decodes from it."""
    (GOLDEN / "files" / f"{name}.{suffix}").write_bytes(content)
    write_pixels(name, load_image(content))


def encoded(kind: str, change: Callable[[Image.Image], Image.Image] = lambda image: image, **options: Any) -> Any:
    """An encoder by Pillow of the kind, after a change of the image."""

    def encode(image: Pixels) -> bytes:
        stream = io.BytesIO()
        change(Image.fromarray(image)).save(stream, kind, **options)
        return stream.getvalue()

    return encode


def turned(orientation: int) -> Callable[[Pixels], bytes]:
    """JPEG whose pixels lie as a camera held otherwise stores them, and whose EXIF block says so."""
    exif = Image.Exif()
    exif[0x0112] = orientation

    def store(image: Image.Image) -> Image.Image:
        array = np.asarray(image)  # the inverse of what a reader does, step by step backwards
        if orientation in (3, 4, 7, 8):
            array = array[::-1]
        if orientation in (2, 3, 6, 7):
            array = array[:, ::-1]
        if orientation in (5, 6, 7, 8):
            array = array.swapaxes(0, 1)
        return Image.fromarray(np.ascontiguousarray(array))

    return encoded("JPEG", store, quality=88, exif=exif)


def _transparent(image: Image.Image) -> Image.Image:
    """Dark parts opaque and light ones see-through, as cut-out words are."""
    result = image.convert("RGBA")
    result.putalpha(image.convert("L").point(lambda value: 255 - value // 2))
    return result


def _gray_alpha(image: Image.Image) -> Image.Image:
    result = image.convert("LA")
    result.putalpha(image.convert("L").point(lambda value: 255 - value // 3))
    return result


def _deep(colour: bool) -> Callable[[Pixels], bytes]:
    """PNG of 16 bits, which Pillow does not write in colour."""

    def encode(image: Pixels) -> bytes:
        source = image[..., ::-1] if colour else gray(image)
        deep = source.astype(np.uint16) * 257
        return cv2.imencode(".png", deep)[1].tobytes()

    return encode


ENCODINGS: dict[str, tuple[str, Callable[[Pixels], bytes]]] = {
    "jpeg": ("jpg", encoded("JPEG", quality=90, subsampling=0)),
    "jpeg-poor": ("jpg", encoded("JPEG", quality=45)),
    "jpeg-gray": ("jpg", encoded("JPEG", lambda image: image.convert("L"), quality=80)),
    "jpeg-progressive": ("jpg", encoded("JPEG", quality=75, progressive=True)),
    **{f"jpeg-exif{orientation}": ("jpg", turned(orientation)) for orientation in range(1, 9)},
    "webp": ("webp", encoded("WEBP", quality=80)),
    "webp-lossless": ("webp", encoded("WEBP", lossless=True, quality=100)),
    "webp-alpha": ("webp", encoded("WEBP", _transparent, lossless=True, exact=True)),
    "bmp": ("bmp", encoded("BMP")),
    "bmp-gray": ("bmp", encoded("BMP", lambda image: image.convert("L"))),
    "gif": ("gif", encoded("GIF", lambda image: image.convert("P", palette=Image.Palette.ADAPTIVE))),
    "tiff": ("tif", encoded("TIFF", compression="tiff_lzw")),
    "png-rgba": ("png", encoded("PNG", _transparent)),
    "png-gray-alpha": ("png", encoded("PNG", _gray_alpha)),
    "png-palette": ("png", encoded("PNG", lambda image: image.quantize(64))),
    "png-1bit": ("png", encoded("PNG", lambda image: image.convert("1"))),
    "png-16bit": ("png", _deep(colour=True)),
    "png-16bit-gray": ("png", _deep(colour=False)),
}


# --- the answers --------------------------------------------------------------------------------------------------


def quantised(images: list[Pixels]) -> onnx.ModelProto:
    """The bundled model with weights and activations in 8 bits, calibrated on the golden images themselves.

    It is here to test arithmetic, not to be shipped: a shipped one is calibrated on validation images.
    """
    bundled = onnx.load(BUNDLED)
    (text,) = (entry.value for entry in bundled.metadata_props if entry.key == METADATA_KEY)
    description = json.loads(text)
    preprocessing = Preprocessing.from_dict(description["preprocessing"])
    inputs: dict[int, list[Pixels]] = {}  # by width: a batch holds one
    for image in images:
        pixels = preprocessing.apply(image)
        inputs.setdefault(pixels.shape[2], []).append(pixels)
    floats, _ = onnxsim.simplify(bundled)  # weights stored in 8 bits become float32 again
    model = quantize_int8(floats, (np.stack(group) for group in inputs.values()))
    describe(model, {**description, "precision": "int8"})
    return model


def describe(model: onnx.ModelProto, description: dict[str, Any]) -> None:
    """Write the model's metadata, in place of what is there."""
    text = json.dumps(description, ensure_ascii=False, separators=(",", ":"))
    helper.set_model_props(model, {METADATA_KEY: text})


def write_answers(pixels: dict[str, Pixels]) -> None:
    """Write golden.json: models, pre-processings, and for each image what comes of it."""
    identifiers = {"fp32": ScriptIdentifier(BUNDLED), "int8": ScriptIdentifier(INT8)}
    inputs = {"fp32": identifiers["fp32"].preprocessing} | OTHER_INPUTS
    if identifiers["int8"].preprocessing != inputs["fp32"]:
        inputs["int8"] = identifiers["int8"].preprocessing
    files = {path.stem: path for path in (GOLDEN / "files").iterdir()}
    models = {
        name: {
            "file": str(path.relative_to(CONTRACT.parent)),
            "sha256": sha256(path.read_bytes()),
            "tolerance": tolerance,
            "input": name if name in inputs else "fp32",
            "labels": [label.name for label in identifiers[name].labels],
        }
        for name, path, tolerance in (("fp32", BUNDLED, 1e-3), ("int8", INT8, 5e-3))
    }
    vectors = []
    for name, image in pixels.items():
        vector: dict[str, Any] = {
            "name": name,
            "pixels": f"pixels/{name}.png",
            "width": image.shape[1],
            "height": image.shape[0],
            "channels": 1 if image.ndim == 2 else 3,
            "pixels_sha256": sha256(image.tobytes()),
        }
        if name in files:
            vector["file"] = f"files/{files[name].name}"
            vector["lossless"] = name.rsplit("-", 1)[-1] != "webp" and "-jpeg" not in name
        made = {key: describe_input(image, preprocessing) for key, preprocessing in inputs.items()}
        vector["inputs"] = {k: v for k, v in made.items() if k not in OTHER_INPUTS or len(v["ties"]) <= MOST_TIES}
        vector["scores"] = {}
        for key, identifier in identifiers.items():
            scores = identifier.identify(image).scores
            vector["scores"][key] = [round(scores[label], 7) for label in models[key]["labels"]]
        vectors.append(vector)
    for key, path in (("fp32", BUNDLED), ("int8", INT8)):
        answers = {vector["name"]: np.array(vector["scores"][key]) for vector in vectors}
        models[key]["unstable"] = unstable(path, pixels, answers, models[key]["labels"], models[key]["tolerance"])
    heads = {"format": 1, "models": models, "preprocessings": {k: p.to_dict() for k, p in inputs.items()}}
    rows = ",\n".join(json.dumps(vector, separators=(",", ":")) for vector in vectors)
    head = json.dumps(heads, indent=1)[:-2]
    (GOLDEN / "golden.json").write_text(f'{head},\n "vectors": [\n{rows}\n]\n}}\n')
    print(f"{len(vectors)} vectors, {len(files)} of them also as files")
    for key in models:
        best = np.sort([vector["scores"][key] for vector in vectors], axis=1)
        print(f"{key}: smallest distance of the first two scores {(best[:, -1] - best[:, -2]).min():.4f}")
        print(f"{key}: unstable: {', '.join(models[key]['unstable']) or 'none'}")


def unstable(
    path: Path, pixels: dict[str, Pixels], answers: dict[str, Scores], labels: list[str], tolerance: float
) -> list[str]:
    """The vectors whose answer by this model hangs on the last bits of a float, which processors round differently.

    A model in 8 bits rounds each activation, and where the exact value lies on the border between two bytes, the last
    bit decides between them. So every value is moved by NUDGE before it is rounded, up or down by chance: where a score
    then moves by more than the tolerance, or the first two are closer than the scores move, the vector is unstable.
    """
    moved = dict.fromkeys(answers, LAST_BITS)
    for seed in range(NUDGES):
        with tempfile.TemporaryDirectory() as folder:
            model = nudged(onnx.load(path), np.random.default_rng(seed))
            onnx.save(model, f"{folder}/nudged.onnx")
            options = onnxruntime.SessionOptions()  # as the file says it: fused kernels would leave the nudges out
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
            identifier = ScriptIdentifier(f"{folder}/nudged.onnx", session_options=options)
            for name, image in pixels.items():
                scores = identifier.identify(image).scores
                change = np.abs([scores[label] for label in labels] - answers[name]).max()
                moved[name] = max(moved[name], float(change))
    gaps = {name: np.diff(np.sort(scores)[-2:])[0] for name, scores in answers.items()}
    return [name for name in answers if moved[name] > tolerance or gaps[name] < 2 * moved[name]]


def nudged(model: onnx.ModelProto, rng: Random) -> onnx.ModelProto:
    """The model with all that it rounds to 8 bits multiplied by 1 + NUDGE or 1 - NUDGE before."""
    nodes = []
    for number, node in enumerate(model.graph.node):
        if node.op_type == "QuantizeLinear":
            factor = np.array(1 + NUDGE * rng.choice([-1, 1]), np.float32)
            model.graph.initializer.append(numpy_helper.from_array(factor, f"nudge-{number}"))
            nodes.append(helper.make_node("Mul", [node.input[0], f"nudge-{number}"], [f"nudged-{number}"]))
            node.input[0] = f"nudged-{number}"
        nodes.append(node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


def describe_input(image: Pixels, preprocessing: Preprocessing) -> dict[str, Any]:
    """Width and checksum of the network's input, uint8 [channels, height, width].

    Where the exact value lies within NEAR_TIE of the border between two bytes, rounding hangs on the order of a sum:
    those pixels are listed (`ties`, flat indices) and count as 0 in the checksum.
    """
    exact = exactly(image, preprocessing)
    found = preprocessing.apply(image)
    near = beyond_border(exact) < NEAR_TIE
    wrong = (found != np.floor(exact + HALF).clip(0, 255)) & ~near
    if wrong.any():
        raise AssertionError(f"{wrong.sum()} pixels of {found.shape} are not what the contract says")
    return {
        "width": found.shape[2],
        "sha256": sha256(np.where(near, 0, found).astype(np.uint8).tobytes()),
        "ties": np.flatnonzero(near).tolist(),
    }


def beyond_border(exact: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far each value lies, in levels, from where the rounding turns from one byte to the next."""
    lifted = exact + HALF
    return np.abs(lifted - np.round(lifted))


def exactly(image: Pixels, preprocessing: Preprocessing) -> NDArray[np.float64]:
    """The input before rounding, [channels, height, width], straight from the contract's words in double precision."""
    if preprocessing.channels == 1 and image.ndim == 3:
        image = ((image.astype(np.int64) @ [299, 587, 114] + 500) // 1000).astype(np.uint8)
    planes = image.transpose(2, 0, 1) if image.ndim == 3 else image[None].repeat(preprocessing.channels, axis=0)
    width = preprocessing.width_for(*image.shape[:2])
    return weights(image.shape[0], preprocessing.height) @ planes.astype(float) @ weights(image.shape[1], width).T


def weights(n: int, m: int) -> NDArray[np.float64]:
    """The triangle filter from n to m pixels, [m, n]."""
    s = n / m
    distances = np.abs(np.arange(n) + 0.5 - (np.arange(m)[:, None] + 0.5) * s) / max(s, 1.0)
    filters = np.maximum(0.0, 1.0 - distances)
    return filters / filters.sum(axis=1, keepdims=True)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    typer.run(main)
