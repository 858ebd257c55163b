"""The Java SDK: its own tests with the golden vectors, and a comparison with the Python SDK on many pictures."""

import base64
import importlib
import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from scriptkd_sdk import ScriptIdentifier
from scriptkd_sdk.crop import crops
from scriptkd_sdk.images import load_image
from scriptkd_sdk.preprocess import luma

ROOT = Path(__file__).parents[2]
SDK = ROOT / "build/java/scriptkd-sdk.jar"
ARTIFACTS = (ROOT / "sdk/java/artifacts.txt").read_text()
LEVELS = {"Dark": 60.0, "Gray": 120.0, "Light": 180.0}
TIE = 0.001  # closer to where the rounding turns, a float's last bits decide: as for the golden vectors
TURN = 0.5 - 2**-9  # of a level, where the rounding turns

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        os.geteuid() != 0 and not (shutil.which("javac") and shutil.which("mvn")), reason="needs a JDK and Maven"
    ),
]


@dataclass(frozen=True)
class Picture:
    """pixels: uint8 [H, W, 3] or [H, W, 4]."""

    pixels: np.ndarray
    upright: bool = False


@pytest.fixture(scope="session")
def tested() -> str:
    """What `make test-java` says; afterwards build/java holds the SDK."""
    result = subprocess.run([ROOT / "sdk/java/test.sh"], capture_output=True, text=True, check=False)
    if result.returncode == 75:  # something could not be downloaded
        pytest.skip(result.stderr)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="session")
def java(tested: str, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command of the probe, but for its arguments."""
    (version,) = re.findall(r"com\.microsoft\.onnxruntime:(onnxruntime:.*)", ARTIFACTS)
    libraries = f"{SDK}:{ROOT}/build/maven/{version.replace(':', '-')}.jar"
    classes = tmp_path_factory.mktemp("probe")
    sources = [ROOT / "tests/java" / name for name in ("Probe.java", "FindWords.java")]
    subprocess.run(["javac", "-cp", libraries, "-d", classes, *sources], check=True)
    return ["java", "-cp", f"{classes}:{libraries}", "org.scriptkd.sdk.Probe"]


def ask(java: list[str], model: Path, pictures: list[Picture]) -> list[dict[str, Any]]:
    """What the Java SDK answers."""
    file = model.with_suffix(".pictures")
    with file.open("wb") as stream:
        for picture in pictures:
            height, width, channels = picture.pixels.shape
            argb = np.full((height, width, 4), 255, np.uint8)
            argb[:, :, 1:] = picture.pixels[:, :, :3]
            argb[:, :, 0] = picture.pixels[:, :, 3] if channels == 4 else 255
            stream.write(np.array([width, height, picture.upright], ">i4").tobytes() + argb.tobytes())
    result = subprocess.run([*java, model, file], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_the_java_sdks_own_tests_pass(tested: str) -> None:
    passed, failed = (int(re.findall(rf"\[ +(\d+) tests {word} +\]", tested)[0]) for word in ("successful", "failed"))
    assert passed > 600  # the golden vectors alone are over 200, for inputs and two models
    assert failed == 0


@pytest.mark.parametrize("threshold", [0.0, 0.9])
def test_a_file_that_takes_whole_images(java: list[str], tmp_path: Path, threshold: float) -> None:
    model = whole_image_model(tmp_path / "whole.onnx", threshold)
    rng = np.random.default_rng(5)
    shapes = [(2, 2, 3), (40, 3, 3), (17, 130, 3), (60, 60, 3)]
    pictures = [Picture(rng.integers(0, 60 * (index + 1), shape, np.uint8)) for index, shape in enumerate(shapes)]
    identifier = ScriptIdentifier(model)
    for picture, found in zip(pictures, ask(java, model, pictures), strict=True):
        answer = identifier.identify(picture.pixels)
        assert (found["script"], found["code"]) == (answer.script, answer.code)
        assert list(found["scores"]) == list(answer.scores)
        assert found["scores"] == pytest.approx(answer.scores, abs=1e-6)
        assert found["orientation"] is None and found["shares"] == {answer.script: 1.0}
        assert base64.b64decode(found["image"]) == picture.pixels.tobytes()


def test_a_file_that_cuts_windows_itself(java: list[str], tmp_path: Path) -> None:
    model = whole_image_model(tmp_path / "windows.onnx", 0.6, windows=True)
    red, blue = np.full((20, 60, 3), (200, 0, 0), np.uint8), np.full((20, 60, 3), (0, 0, 200), np.uint8)
    pictures = [Picture(np.concatenate([one, other], axis=1)) for one in (red, blue) for other in (red, blue)]
    for picture, found in zip(pictures, ask(java, model, pictures), strict=True):
        first, last = ("Reds" if pixel[0] else "Blues" for pixel in picture.pixels[0, [0, -1]])
        shares = {first: 1.0} if first == last else {"Reds": 0.5, "Blues": 0.5}
        assert found["shares"] == shares
        assert found["scores"]["Reds"] == pytest.approx(1 - found["scores"]["Blues"], abs=1e-3)
        assert found["orientation"] == (None if first != last else 0 if first == "Reds" else 180)
    with pytest.raises(subprocess.CalledProcessError) as caught:
        ask(java, model, [Picture(red, upright=True)])
    assert (
        "this model turns tall crops inside its graph (--any-size), so it takes no upright=True" in caught.value.stderr
    )


@pytest.mark.parametrize(
    "preprocessing",
    [
        {"channels": 1, "height": 48, "width_min": 48, "width_max": 384, "width_step": 24, "square_height": 72},
        {"channels": 3, "height": 12, "width_min": 8, "width_max": 40, "width_step": 8, "square_height": 8},
        {"channels": 1, "height": 10, "width_min": 30, "width_max": 30, "width_step": 1, "square_height": 10},
        {"channels": 1, "height": 48, "width_min": 48, "width_max": 384, "width_step": 24},
    ],
)
def test_java_and_python_agree_on_pictures_of_all_shapes(
    java: list[str], tmp_path: Path, preprocessing: dict[str, int]
) -> None:
    model = any_crop_model(tmp_path / "model.onnx", preprocessing)
    identifier = ScriptIdentifier(model)
    steps = identifier.preprocessing
    pictures = pictures_of_all_shapes()
    found = ask(java, model, pictures)
    seen: set[tuple[Any, ...]] = set()
    ties = total = 0
    for picture, answer in zip(pictures, found, strict=True):
        expected = identifier.identify(picture.pixels, upright=picture.upright)
        cut, rows, turned = crops(load_image(picture.pixels), steps, picture.upright)
        assert (answer["windows"], answer["rows"], answer["turned"]) == (len(cut), rows, turned)
        inputs = np.stack([steps.apply(each, rows) for each in cut])
        given = np.frombuffer(base64.b64decode(answer["inputs"]), np.uint8).reshape(inputs.shape)
        for window, channel, row, column in np.argwhere(inputs != given):
            crop = cut[window]
            if steps.channels == 1:
                crop = (luma(crop) if crop.ndim == 3 else crop)[:, :, None]
            height, width = inputs.shape[2:]
            assert is_tie(crop[:, :, channel], height, width, row, column)
        ties, total = ties + int((inputs != given).sum()), total + inputs.size
        assert answer["script"] == expected.script and answer["code"] == expected.code
        assert list(answer["scores"]) == list(expected.scores)
        # A tie is one gray level, and the smallest input has only 300 pixels.
        near = 2e-6 if np.array_equal(inputs, given) else 1e-3
        assert answer["scores"] == pytest.approx(expected.scores, abs=near)
        assert answer["orientation"] == expected.orientation
        assert answer["orientation_score"] == pytest.approx(expected.orientation_score, abs=near)
        assert answer["shares"] == expected.shares and list(answer["shares"]) == list(expected.shares)
        seen.add((expected.orientation, turned, rows, len(cut) > 1, len(expected.shares) > 1))
    assert ties <= total / 20_000, (ties, total)
    if steps.square_height is None:
        assert {orientation for orientation, *_ in seen} == {None}
        return
    assert {orientation for orientation, *_ in seen} == {None, 0, 90, 180, 270}
    assert {turned for _, turned, *_ in seen} == {0, 90} and {rows for _, _, rows, *_ in seen} == set(steps.heights)
    assert {lines for *_, lines, _ in seen} == {True, False} - ({True} if steps.fixed_width else set())
    assert steps.fixed_width or {mixed for *_, mixed in seen} == {True, False}


def test_words_are_found_as_the_contract_says(java: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the real detector: its map, boxed by the reference. A float's last bits may move a pixel over the limit."""
    detector = Path(pytest.importorskip("rapidocr").__file__).parent / "models/PP-OCRv6_det_small.onnx"
    monkeypatch.syspath_prepend(str(ROOT / "tests/contract"))
    arithmetic, boxing = (importlib.import_module(name) for name in ("arithmetic", "boxing"))
    image = load_image(ROOT / "benchmarks/pages/set/sign-01.jpg")
    cv2.imwrite(str(tmp_path / "sign.png"), image[:, :, ::-1])
    (height, width, _), identifier = image.shape, ScriptIdentifier()
    columns, rows = boxing.input_size(width, height)
    planes = image[:, :, ::-1].transpose(2, 0, 1).astype(float)
    levels = np.round(arithmetic.weights(height, rows) @ planes @ arithmetic.weights(width, columns).T)
    session = onnxruntime.InferenceSession(detector)
    (found,) = session.run(None, {session.get_inputs()[0].name: (levels[None] / 127.5 - 1).astype(np.float32)})
    expected = boxing.boxes(found[0, 0], width, height)
    model = ROOT / "sdk/scriptkd_sdk/models/student.onnx"
    program = [*java[:-1], "org.scriptkd.sdk.FindWords"]
    lines = subprocess.run(
        [*program, detector, model, tmp_path / "sign.png"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    words = [json.loads(line) for line in lines]
    assert len(words) == len(expected) == 3  # a line each
    for word, box in zip(words, expected, strict=True):
        np.testing.assert_allclose(word["corners"], box.corners, atol=0.1)
        assert word["score"] == pytest.approx(box.score, abs=1e-3)
        answer = identifier.identify(image, region=box.corners)
        assert (word["script"], word["orientation"]) == (answer.script, answer.orientation)


def test_nothing_is_written_and_nothing_is_sent(java: list[str], tmp_path: Path) -> None:
    """The temporary folder is where onnxruntime's Java unpacks its libraries, which it deletes at the end."""
    if not shutil.which("strace"):
        pytest.skip("needs strace")
    model = any_crop_model(
        tmp_path / "model.onnx", {"channels": 1, "height": 8, "width_min": 8, "width_max": 8, "width_step": 8}
    )
    ask(java, model, [Picture(np.zeros((8, 8, 3), np.uint8))])
    home, temporary, trace = tmp_path / "home", tmp_path / "temporary", tmp_path / "trace"
    home.mkdir()
    temporary.mkdir()
    options = ["-XX:-UsePerfData", f"-Djava.io.tmpdir={temporary}", f"-Duser.home={home}"]
    calls = "trace=open,openat,creat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,symlink,socket,connect,sendto"
    command = ["strace", "-f", "-qq", "-e", calls, "-o", trace, java[0], *options, *java[1:]]
    subprocess.run(
        [*map(str, command), str(model), str(model.with_suffix(".pictures"))],
        check=True,
        cwd=home,
        env={"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(temporary)},
        stdout=subprocess.DEVNULL,
    )
    lines = [line for line in trace.read_text().splitlines() if not line.endswith("(No such file or directory)")]
    assert any("libonnxruntime.so" in line for line in lines)
    network = [line for line in lines if re.search(r"AF_INET|AF_NETLINK|sendto|/etc/(resolv.conf|hosts)", line)]
    made = [line for line in lines if re.search(r"O_CREAT|O_WRONLY|O_RDWR|mkdir|creat\(|rename|link", line)]
    allowed = re.compile(rf'"{temporary}/onnxruntime-java\d+(/libonnxruntime(4j_jni)?\.so)?"|"/dev/|"/proc/')
    assert network == []
    assert [line for line in made if not allowed.search(line)] == []
    assert not list(home.rglob("*")) and not [path for path in temporary.rglob("*") if path.is_file()]


def pictures_of_all_shapes() -> list[Picture]:
    """Over 200: near-square, tall, lines, loose in plain and noisy margins, turned, in one tone and with alpha."""
    rng = np.random.default_rng(24)
    pictures = []
    for index in range(220):
        short = int(rng.integers(2, 70))
        height, width = short, max(2, int(short * rng.choice([1, 1.2, 1.45, 1.5, 1.55, 3, 8, 20, 45])))
        pixels = cv2.resize(
            rng.integers(0, 256, (max(height // 3, 1), max(width // 3, 1), 3), np.uint8),
            (width, height),
            interpolation=cv2.INTER_LINEAR,
        ).astype(np.uint8)
        pixels = (pixels // 4 + rng.integers(40, 150)).astype(np.uint8)
        if index % 3 == 0:
            pixels[:, width // 2 :] = np.minimum(pixels[:, width // 2 :], 190) + 60  # a line of two tones
        pixels[: max(height // 8, 1)] //= 4  # the upper side is dark
        pixels = np.rot90(pixels, int(rng.integers(4)))
        if index % 4 == 1:
            ground, (top, left) = int(rng.integers(256)), rng.integers(0, 60, 2)
            page = np.full((pixels.shape[0] + 70, pixels.shape[1] + 70, 3), ground, np.int16)
            page += rng.integers(-6, 7, page.shape) if index % 8 == 1 else 0
            page[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
            pixels = np.clip(page, 0, 255).astype(np.uint8)
        if index % 10 == 7:
            alpha = rng.choice(np.array([0, 90, 128, 255], np.uint8), pixels.shape[:2], p=rng.dirichlet(np.ones(4)))
            pixels = np.dstack([pixels, alpha * np.uint8(index % 20 == 7)])
        pictures.append(Picture(np.ascontiguousarray(pixels), upright=index % 9 == 4))
    pictures += [Picture(np.full((height, 30, 3), 77, np.uint8)) for height in (2, 30, 90)]
    # A dark page with round corners and little light text: its rim decides what lies under the corners.
    page = np.full((60, 120, 4), (30, 30, 30, 255), np.uint8)
    page[28:32, 40:80, :3] = 200
    page[:3, :3, 3] = page[-3:, -3:, 3] = 0
    return [*pictures, Picture(page)]


def is_tie(plane: np.ndarray, rows: int, columns: int, row: int, column: int) -> bool:
    """Whether a value of a network's input lies so near to where the rounding turns that a float's bits decide."""
    value = triangle(len(plane), rows)[row] @ plane.astype(np.float64) @ triangle(plane.shape[1], columns)[column]
    return bool(abs(value % 1 - TURN) < TIE)


def triangle(size: int, out: int) -> np.ndarray:
    """The resampling matrix [out, size] of the contract, section 3, in double precision."""
    scale = size / out
    distances = np.abs((np.arange(out)[:, None] + 0.5) * scale - np.arange(size) - 0.5)
    weights = np.maximum(1 - distances / max(scale, 1), 0)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def save(
    path: Path,
    nodes: list[Any],
    constants: dict[str, np.ndarray],
    shape: tuple[Any, ...],
    outputs: dict[str, tuple[Any, ...]],
    **description: Any,
) -> Path:
    """Write a model file of three scripts with one uint8 input and float32 outputs of these shapes."""
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, sides) for name, sides in outputs.items()],
        [numpy_helper.from_array(values, name) for name, values in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    common = {"network": "test", "temperature": 1.0, "precision": "fp32", "provenance": {}}
    helper.set_model_props(model, {"scriptkd": json.dumps(common | description)})
    onnx.save(model, path)
    return path


def whole_image_model(path: Path, threshold: float, windows: bool = False) -> Path:
    """A file that takes whole images, whose logits are (mean of a colour) / 25: the most frequent one wins.

    With `windows` it is of format 3 and sees the first and the last column apart; red stands upright, blue is turned.
    """
    nodes = [helper.make_node("Cast", ["image"], ["floats"], to=TensorProto.FLOAT)]
    constants = {"divisor": np.array(25, np.float32), "first": np.array([0]), "ends": np.array([0, -1])}
    outputs: dict[str, tuple[Any, ...]] = {"logits": (1, 3)}
    description: dict[str, Any] = {"format": 2}
    preprocessing = {"channels": 3, "height": 8, "width_min": 8, "width_max": 32, "width_step": 8}
    if windows:
        nodes += [
            helper.make_node("ReduceMean", ["floats", "first"], ["columns"], keepdims=0),
            helper.make_node("Gather", ["columns", "ends"], ["row"], axis=0),
            helper.make_node("Div", ["row", "divisor"], ["logits"]),
            helper.make_node("Split", ["logits"], ["red", "green", "blue"], axis=1, num_outputs=3),
            helper.make_node("Concat", ["red", "green", "blue", "green"], ["orientation"], axis=1),
        ]
        outputs = {"logits": ("n", 3), "orientation": ("n", 4)}
        preprocessing["square_height"] = 8
        description = {"format": 3, "orientation_temperature": 1.0, "orientation_threshold": 0.6}
    else:
        constants["sides"] = np.array([0, 1])
        nodes += [
            helper.make_node("ReduceMean", ["floats", "sides"], ["means"], keepdims=0),
            helper.make_node("Div", ["means", "divisor"], ["row"]),
            helper.make_node("Unsqueeze", ["row", "first"], ["logits"]),
        ]
    return save(
        path,
        nodes,
        constants,
        ("h", "w", 3),
        outputs,
        input="image",
        labels=[{"name": name, "code": name} for name in ("Reds", "Greens", "Blues")],
        preprocessing=preprocessing,
        threshold=threshold,
        **description,
    )


def any_crop_model(path: Path, preprocessing: dict[str, int]) -> Path:
    """A file whose nearest level to an input's mean wins, and whose darkest side is the upper one (format 3)."""
    constants = {
        "rest": np.array([1, 2, 3]),
        "last": np.array([1]),
        "channels": np.array([1, 2]),
        "rows": np.array([1, 3]),
        "levels": np.array([list(LEVELS.values())], np.float32),
        "slope": np.array(-1 / 900, np.float32),
        "shade": np.array(-1 / 12, np.float32),
        "start": np.array([0]),
        "end": np.array([-1]),
    }
    nodes = [
        helper.make_node("Cast", ["image"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["floats", "rest"], ["means"], keepdims=0),
        helper.make_node("Unsqueeze", ["means", "last"], ["column"]),
        helper.make_node("Sub", ["column", "levels"], ["gaps"]),
        helper.make_node("Mul", ["gaps", "gaps"], ["squares"]),
        helper.make_node("Mul", ["squares", "slope"], ["logits"]),
    ]
    outputs: dict[str, tuple[Any, ...]] = {"logits": ("n", 3)}
    description: dict[str, Any] = {"format": 1}
    if "square_height" in preprocessing:
        nodes += [
            helper.make_node("ReduceMean", ["floats", "channels"], ["across"], keepdims=0),
            helper.make_node("ReduceMean", ["floats", "rows"], ["down"], keepdims=0),
            helper.make_node("Gather", ["down", "start"], ["side0"], axis=1),
            helper.make_node("Gather", ["across", "end"], ["side90"], axis=1),
            helper.make_node("Gather", ["down", "end"], ["side180"], axis=1),
            helper.make_node("Gather", ["across", "start"], ["side270"], axis=1),
            helper.make_node("Concat", ["side0", "side90", "side180", "side270"], ["sides"], axis=1),
            helper.make_node("Mul", ["sides", "shade"], ["orientation"]),
        ]
        outputs["orientation"] = ("n", 4)
        description = {"format": 3, "orientation_temperature": 1.3, "orientation_threshold": 0.7}
    return save(
        path,
        nodes,
        constants,
        ("n", preprocessing["channels"], "h", "w"),
        outputs,
        labels=[{"name": name, "code": name} for name in LEVELS],
        preprocessing=preprocessing,
        threshold=0.5,
        **description,
    )
