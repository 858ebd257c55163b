"""Coverage-guided fuzzing of the two kinds of files that strangers give to the SDK: images and model files.

    make fuzz                                              # 100,000 inputs of each
    python tests/fuzz/fuzz.py images FOLDER -runs=100000   # libFuzzer's own options; FOLDER keeps what it finds

An input fails if it crashes the process, takes more than a second of processor time, or raises anything but the SDK's
own errors. With `twice` it also fails if two processes, whose fresh memory is filled with different values, read
different pictures from it. libFuzzer then writes the input to a file, which the same command takes in FOLDER's place.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["scriptkd_sdk"]):
    from scriptkd_sdk import ScriptkdError, images, modelfile, regions
    from scriptkd_sdk.preprocess import Preprocessing

import cv2
import numpy as np
from PIL import features

sys.path.append(str(Path(__file__).parents[1] / "sdk"))
from perturbed import VALUES, Reader
from picture_files import FILES, PICTURE, encode, tiff

SLOW = 1.0  # seconds of processor time
SAMPLES = Path(__file__).parents[2] / "samples"
WORD = Preprocessing(channels=1, height=32, width_min=32, width_max=256, width_step=16)


def image(data: bytes) -> None:
    """Read an image and make a network's input of it, and of a region that its last bytes name."""
    pixels = images.load_image(data)
    WORD.apply(pixels)
    height, width = pixels.shape[:2]
    corners = np.frombuffer(data[-8:].rjust(8, b"\0"), np.uint8).reshape(4, 2) / 250  # now and then outside
    WORD.apply(regions.cut(pixels, corners * (width, height)))
    WORD.apply(regions.cut(pixels, tuple(np.sort(corners[:2], axis=0).ravel() * (width, height, width, height))))


def model(data: bytes) -> None:
    """Load a model file, which runs it on blank images."""
    modelfile.load_content("model", data)


def twice(readers: list[Reader]) -> Callable[[bytes], None]:
    """A target that reads an image here, by which the fuzzer is guided, and by two readers, and compares."""

    def target(data: bytes) -> None:
        for reader in readers:
            reader.send(data)
        first, second = (reader.receive() for reader in readers)
        assert first == second, "a picture of memory that nobody has written to"
        images.load_image(data)

    return target


def check(target: Callable[[bytes], None], data: bytes) -> None:
    """Hand an input to a target; raises AssertionError if it is slow, and whatever is not the SDK's own error."""
    started = time.process_time()
    try:
        target(data)
    except ScriptkdError as error:
        assert "\n" not in str(error), "an error of more than one line"
    taken = time.process_time() - started
    assert taken < SLOW, f"{taken:.1f} seconds for one input"


def image_seeds() -> dict[str, bytes]:
    """A small file of each kind, depth and number of channels, and the smallest samples."""
    random = np.random.default_rng(0)
    found = {path.name: path.read_bytes() for path in sorted(SAMPLES.glob("*.jpg"), key=lambda p: p.stat().st_size)[:4]}
    options = {".jpg": [cv2.IMWRITE_JPEG_PROGRESSIVE, 1], ".tiff": [cv2.IMWRITE_TIFF_COMPRESSION, 5]}
    for suffix in images.SUFFIXES:
        for channels in (1, 3, 4):
            for dtype, high in ((np.uint8, 256), (np.uint16, 65536)):
                pixels = random.integers(0, high, (9, 14, channels), dtype=dtype)
                try:
                    written, data = cv2.imencode(suffix, pixels, options.get(suffix, []))
                except cv2.error:
                    continue  # a kind without that depth
                if written:
                    found[f"{channels}-{high}{suffix}"] = data.tobytes()
    found |= {name.replace(" ", "-"): content for name, content in FILES.items()}
    found["no-end.jpg"] = FILES["JPEG"][:-2]
    found["key.png"] = encode(PICTURE.convert("L"), "PNG", transparency=0)
    if features.check("avif"):
        found["picture.avif"] = encode(PICTURE, "AVIF")
    for depth in ("uint8", "uint16", "float32"):
        for extra in (0, 1, 2):
            for planes in (1, 2):
                pixels = random.integers(0, 2, (20, 30, 4)).astype(depth)
                tags = {"t284": planes, "t338": extra, "t339": 3 if depth == "float32" else 1}
                found[f"{depth}-{extra}-{planes}.tif"] = tiff(pixels, "<", **tags)
    return found


def model_seeds() -> dict[str, bytes]:
    """Two small networks with metadata, one plain and one with other operators.

    None has a loop: a model file is a program, and how long it computes is its maker's choice.
    """
    from onnx import TensorProto, helper, numpy_helper

    labels = [{"name": "Latin", "code": "Latn"}, {"name": "Arabic", "code": "Arab"}]
    sides = {"channels": 1, "height": 8, "width_min": 8, "width_max": 32, "width_step": 8}
    rest = {"temperature": 1.0, "threshold": 0.5, "precision": "fp32", "provenance": {}}
    text = json.dumps({"format": 1, "network": "n", "labels": labels, "preprocessing": sides, **rest})
    weights = np.linspace(-1, 1, 18, dtype=np.float32).reshape(2, 1, 3, 3)
    found = {}
    for name, middle in (("plain", ["Relu"]), ("deep", ["Sigmoid", "HardSwish", "Identity"])):
        nodes = [
            helper.make_node("Cast", ["image"], ["x"], to=TensorProto.FLOAT),
            helper.make_node("Conv", ["x", "w"], ["y0"], pads=[1, 1, 1, 1]),
        ]
        nodes += [helper.make_node(kind, [f"y{i}"], [f"y{i + 1}"]) for i, kind in enumerate(middle)]
        nodes.append(helper.make_node("GlobalAveragePool", [f"y{len(middle)}"], ["pooled"]))
        nodes.append(helper.make_node("Flatten", ["pooled"], ["logits"]))
        inputs = [helper.make_tensor_value_info("image", TensorProto.UINT8, ("n", 1, 8, "w"))]
        outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ("n", 2))]
        graph = helper.make_graph(nodes, "g", inputs, outputs, [numpy_helper.from_array(weights, "w")])
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
        helper.set_model_props(made, {"scriptkd": text})
        found[f"{name}.onnx"] = made.SerializeToString()
    return found


def main() -> None:
    kind, folder, *options = sys.argv[1:]
    seeds = model_seeds() if kind == "models" else image_seeds()
    if not Path(folder).is_file():  # else a single input to try again
        Path(folder).mkdir(parents=True, exist_ok=True)
        for name, data in seeds.items():
            (Path(folder) / name).write_bytes(data)
    # The readers end when their standard input does.
    target = {"images": image, "models": model}.get(kind) or twice([Reader(value) for value in VALUES])
    atheris.Setup([sys.argv[0], folder, *options], lambda data: check(target, data))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
