"""The expected results for the golden images: inputs, scores of two models, and the list of unstable answers."""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from arithmetic import HALF, Pixels, beyond_border, exactly
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from scriptkd_sdk import ScriptIdentifier
from scriptkd_sdk.crop import crops
from scriptkd_sdk.modelfile import METADATA_KEY
from scriptkd_sdk.preprocess import Preprocessing

Scores = NDArray[np.float64]

SDK = Path(__file__).parents[2] / "sdk"
GOLDEN = SDK / "contract" / "golden"
BUNDLED = SDK / "scriptkd_sdk" / "models" / "student.onnx"  # the default, of the newest format
FLOAT = GOLDEN / "fp32.onnx"
MODELS = {"fp32": (FLOAT, 1e-3), "int8": (BUNDLED, 5e-3)}  # file, and by how much a score may be off
# Networks that the bundled one is not: of an older format, several channels, one width for all images.
OTHER_INPUTS = {
    "upright": Preprocessing(1, 48, 48, 384, 24),
    "rgb": Preprocessing(3, 48, 48, 192, 8),
    "square": Preprocessing(3, 61, 61, 61, 1),
}
NEAR_TIE = 1e-3  # levels; float32 sums of a thousand products are off by less
MOST_TIES = 100  # for OTHER_INPUTS: with more, a checksum says little and costs a long list
NUDGES = (-3e-6, -1e-6, 1e-6, 3e-6)  # shares, see `unstable`; platforms are below 1e-6 apart
LAST_BITS = 5e-5  # by which scores differ between processors without any rounding to 8 bits; 2.8e-5 was measured


def floating() -> onnx.ModelProto:
    """The default model, with the ends of its activations' ranges alone: computed in float32.

    It rounds activations to 8 bits. The ends stay, since a range that starts at 0 does what a ReLU did. It is here to
    test arithmetic, not to ship.
    """
    model = onnx.load(BUNDLED)
    numbers = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
    rounded = {node.output[0]: node for node in model.graph.node if node.op_type == "QuantizeLinear"}
    if not rounded:
        raise ValueError(f"{BUNDLED.name} rounds no activations: it is no model in 8 bits")
    nodes = []
    for node in model.graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in rounded:
            scale, zero = (numbers[name].astype(np.float32) for name in node.input[1:])
            ends = [f"{node.output[0]}_{end}" for end in ("lowest", "highest")]
            for end, code in zip(ends, (0, 255), strict=True):
                model.graph.initializer.append(numpy_helper.from_array((code - zero) * scale, end))
            nodes.append(helper.make_node("Clip", [rounded[node.input[0]].input[0], *ends], [node.output[0]]))
        elif node.output[0] not in rounded:
            nodes.append(node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    (entry,) = (entry for entry in model.metadata_props if entry.key == METADATA_KEY)
    description = json.loads(entry.value) | {"precision": "fp32"}
    entry.value = json.dumps(description, ensure_ascii=False, separators=(",", ":"))
    return model


def write_answers(pixels: dict[str, Pixels]) -> None:
    """Write golden.json: models, pre-processings, and for each image what comes of it."""
    identifiers = {name: ScriptIdentifier(path) for name, (path, _) in MODELS.items()}
    inputs = {"fp32": identifiers["fp32"].preprocessing} | OTHER_INPUTS
    files = {path.stem: path for path in (GOLDEN / "files").iterdir()}
    models: dict[str, dict[str, Any]] = {
        name: {
            "file": str(path.relative_to(SDK)),
            "sha256": sha256(path.read_bytes()),
            "tolerance": tolerance,
            "input": "fp32",
            "labels": [label.name for label in identifiers[name].labels],
        }
        for name, (path, tolerance) in MODELS.items()
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
        vector |= {field: {} for field in ("scores", "orientation", "orientation_score", "shares")}
        for key, identifier in identifiers.items():
            answer = identifier.identify(image)
            vector["scores"][key] = [round(answer.scores[label], 7) for label in models[key]["labels"]]
            vector["orientation"][key] = answer.orientation
            vector["orientation_score"][key] = round(answer.orientation_score or 0.0, 7)
            vector["shares"][key] = answer.shares
        vectors.append(vector)
    for key, (path, tolerance) in MODELS.items():
        answers = {vector["name"]: np.array(vector["scores"][key]) for vector in vectors}
        models[key]["unstable"] = unstable(path, pixels, answers, models[key]["labels"], tolerance)
    heads = {"format": 2, "models": models, "preprocessings": {k: p.to_dict() for k, p in inputs.items()}}
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

    What differs is the input's deviation, a sum over all its pixels; a model in 8 bits rounds the input that is divided
    by it, and its layers are integers. So the divided input is moved by as much as platforms differ: where a score then
    moves by more than the tolerance, the first two are closer than the scores move, or the orientation or the shares
    change, the vector is unstable.
    """
    moved = dict.fromkeys(answers, LAST_BITS)
    plain = ScriptIdentifier(path)
    before = {name: plain.identify(image) for name, image in pixels.items()}
    changed = set()
    for share in NUDGES:
        with tempfile.TemporaryDirectory() as folder:
            onnx.save(nudged(onnx.load(path), share), f"{folder}/nudged.onnx")
            identifier = ScriptIdentifier(f"{folder}/nudged.onnx")
            for name, image in pixels.items():
                after = identifier.identify(image)
                change = float(np.abs([after.scores[label] for label in labels] - answers[name]).max())
                shift = abs((after.orientation_score or 0.0) - (before[name].orientation_score or 0.0))
                moved[name] = max(moved[name], change, shift)
                if (after.orientation, after.shares) != (before[name].orientation, before[name].shares):
                    changed.add(name)
    gaps = {name: np.diff(np.sort(scores)[-2:])[0] for name, scores in answers.items()}
    return [name for name in answers if moved[name] > tolerance or gaps[name] < 2 * moved[name] or name in changed]


def nudged(model: onnx.ModelProto, share: float) -> onnx.ModelProto:
    """The model with its standardised input, which is the first to be rounded or convolved, times 1 + share."""
    nodes = model.graph.node
    index = next(i for i, node in enumerate(nodes) if node.op_type in ("QuantizeLinear", "Conv"))
    model.graph.initializer.append(numpy_helper.from_array(np.array(1 + share, np.float32), "nudge"))
    nodes.insert(index, helper.make_node("Mul", [nodes[index].input[0], "nudge"], ["nudged"]))
    nodes[index + 1].input[0] = "nudged"
    return model


def describe_input(image: Pixels, preprocessing: Preprocessing) -> dict[str, Any]:
    """Width and checksum of the network's input, uint8 [channels, height, width].

    Of a format 3 input also its rows and by what the crop was turned, and a checksum for each window in place of the
    one. Where the exact value lies within NEAR_TIE of the border between two bytes, rounding hangs on the order of a
    sum: those pixels are listed (`ties`, flat indices) and count as 0 in the checksum.
    """
    seen, rows, turned = crops(image, preprocessing)
    each = [describe_crop(crop, preprocessing, rows) for crop in seen]
    width, checksum, ties = each[0]
    if preprocessing.square_height is None:
        return {"width": width, "sha256": checksum, "ties": ties}
    return {
        "rows": rows,
        "width": width,
        "turned": turned,
        "windows": [checksum for _, checksum, _ in each],
        "ties": [ties for _, _, ties in each],
    }


def describe_crop(crop: Pixels, preprocessing: Preprocessing, rows: int) -> tuple[int, str, list[int]]:
    """Width, checksum and ties of a crop's input."""
    exact = exactly(crop, preprocessing, rows)
    found = preprocessing.apply(crop, rows)
    near = beyond_border(exact) < NEAR_TIE
    wrong = (found != np.floor(exact + HALF).clip(0, 255)) & ~near
    if wrong.any():
        raise AssertionError(f"{wrong.sum()} pixels of {found.shape} are not what the contract says")
    return found.shape[2], sha256(np.where(near, 0, found).astype(np.uint8).tobytes()), np.flatnonzero(near).tolist()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
