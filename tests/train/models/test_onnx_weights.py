"""Training that continues from an exported model: equal answers before the first step, and named mistakes."""

import re
import shutil
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import numpy_helper

from scriptkd_export import Precision, convert, draw_samples, export_graph, export_onnx
from scriptkd_sdk import ScriptIdentifier
from scriptkd_sdk.crop import crops
from scriptkd_sdk.errors import ArgumentError, ModelError
from scriptkd_sdk.images import load_image
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.engine.chain import train_chain
from scriptkd_train.engine.check import check_networks
from scriptkd_train.models.checkpoint import Checkpoint
from scriptkd_train.models.networks import build_network
from scriptkd_train.models.onnx_weights import constants, load_trained, read_onnx_weights
from scriptkd_train.recipe import load_recipe, parse_recipe

ROOT = Path(__file__).parents[3]
SAMPLES = sorted((ROOT / "samples").glob("*.jpg"))
TEN = read_onnx_weights("upright").labels
FINETUNE = load_recipe("finetune")


def changed(**start):
    """Recipe `finetune` with another start."""
    stage = FINETUNE.stages["student"].model_dump() | {"start": start}
    return parse_recipe({"stages": {"student": stage}}, "test")


def sample_words(folder):
    """A data set of the samples, each in both splits."""
    for path in SAMPLES:
        for split in ("train", "val"):
            own = folder / "data" / split / path.stem.split("-")[0].capitalize()
            own.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, own)
    return folder / "data"


def scores_in_training(model):
    """Of the samples: of the network that goes on training, and what the model's own file answers."""
    exported, identifier = read_onnx_weights(model), ScriptIdentifier(model)
    assert len(SAMPLES) == 20
    steps = exported.info.preprocessing
    inputs = []
    for path in SAMPLES:
        (crop,), rows, _ = crops(load_image(path), steps)
        inputs.append(torch.from_numpy(steps.apply(crop, rows))[None])
    network = exported.network()
    network.load_state_dict(exported.state_dict(inputs))
    assert all(norm.running_mean.abs().max() > 0.01 for norm in network.modules() if hasattr(norm, "running_mean"))
    network.eval()
    with torch.no_grad():
        logits = torch.cat([network(image) for image in inputs]).double()
    answers = [identifier.identify(path).scores for path in SAMPLES]
    mine = torch.softmax(logits / exported.info.temperature, dim=1).numpy()
    return mine, np.array([[answer[label] for label in exported.labels] for answer in answers])


def test_the_network_answers_as_the_float_model_does():
    mine, theirs = scores_in_training(str(ROOT / "sdk/contract/golden/fp32.onnx"))
    np.testing.assert_allclose(mine, theirs, atol=1e-3)


@pytest.mark.parametrize("model", ["student", "world", "upright", "world-upright"])
def test_the_network_agrees_with_models_in_8_bits(model):
    mine, theirs = scores_in_training(model)
    clear = theirs.max(axis=1) > 0.6  # between two scripts the rounding decides
    assert clear.sum() >= 15
    np.testing.assert_array_equal(mine.argmax(axis=1)[clear], theirs.argmax(axis=1)[clear])


def test_a_model_for_any_crop_is_read_with_its_orientation(tmp_path):
    torch.manual_seed(0)
    preprocessing = Preprocessing(1, 48, 48, 384, 24, square_height=72)
    network = build_network("textnet", 2, preprocessing, width=0.25).eval()
    for norm in network.modules():
        if isinstance(norm, torch.nn.BatchNorm2d):  # new, it changes nothing and leaves no bias in the file
            torch.nn.init.uniform_(norm.weight, 0.5, 1.5)
            torch.nn.init.normal_(norm.bias)
    checkpoint = Checkpoint(
        "textnet",
        {"width": 0.25},
        ["Latin", "Thai"],
        preprocessing,
        network.state_dict(),
        orientation_temperature=1.0,
        orientation_threshold=0.5,
    )
    samples = draw_samples(4)
    export_onnx(checkpoint, tmp_path / "student.onnx", samples)
    exported = read_onnx_weights(str(tmp_path / "student.onnx"))
    images = torch.randint(0, 256, (2, 1, 72, 96), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    again = exported.network().eval()
    again.load_state_dict(exported.state_dict([images]))
    with torch.no_grad():
        answers, expected = again.forward_outputs(images), network.forward_outputs(images)
    assert [answer.shape[1] for answer in answers] == [2, 4]
    torch.testing.assert_close(answers, expected, rtol=1e-3, atol=1e-4)
    trained = load_trained(tmp_path / "student.onnx")
    with torch.no_grad():
        torch.testing.assert_close(trained.build().forward_outputs(images), expected, rtol=1e-3, atol=1e-4)
    assert (trained.labels, trained.preprocessing, trained.orientation_threshold) == (
        ["Latin", "Thai"],
        preprocessing,
        0.5,
    )


@pytest.mark.parametrize(
    ("precision", "least"),  # cosine between the weights read and the network's
    [
        ("fp32", 1.0),
        ("fp16", 0.99999),
        ("fp16-compute", 0.99999),
        ("int8", 0.9999),
        ("int8-u8", 0.9999),
        ("int8-weights", 0.9999),
        ("int4-u8", 0.99),
        ("int4-weights", 0.99),
    ],
)
def test_weights_are_read_in_every_precision(precision, least):
    torch.manual_seed(0)
    preprocessing = Preprocessing(1, 48, 48, 384, 24, square_height=72)
    network = build_network("textnet", 2, preprocessing, width=0.5).eval()
    for norm in network.modules():
        if isinstance(norm, torch.nn.BatchNorm2d):
            torch.nn.init.ones_(norm.weight)  # in a new residual block it is 0, and so would be the folded weights
    graph = export_graph(Checkpoint("textnet", {"width": 0.5}, ["Latin", "Thai"], preprocessing, network.state_dict()))
    images = [np.random.default_rng(0).integers(0, 256, (4, 1, 48, 96), np.uint8)]
    read = constants(convert(Precision(precision), graph, images))
    names = [name for name, value in network.named_parameters() if name.endswith("weight") and value.dim() > 1]
    assert len(names) == 12
    for name in names:
        weight, found = (values[name].ravel().astype(np.float64) for values in (constants(graph), read))
        assert weight @ found / np.sqrt((weight @ weight) * (found @ found)) >= least - 1e-9, name


def test_an_exported_file_teaches(tmp_path):
    data = sample_words(tmp_path)
    student = FINETUNE.stages["student"].model_dump() | {"epochs": 1, "ema": 0.0}
    taught = student | {"distil": {"teacher": "teacher", "alpha": 1.0}, "start": None}
    teacher = student | {"checkpoint": "upright", "start": None}
    recipe = parse_recipe({"stages": {"teacher": teacher, "student": taught}}, "test")
    finished = train_chain(recipe, "test", data, tmp_path / "run", devices=1)
    assert finished["teacher"].labels == TEN
    assert finished["teacher"].provenance["recipe"] == "mobile"
    assert finished["student"].metrics["val_accuracy"] < finished["teacher"].metrics["val_accuracy"]


def test_statistics_do_not_change_the_answers():
    exported = read_onnx_weights("upright")
    images = torch.randint(0, 256, (4, 1, 48, 96), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    logits = []
    for batches in ([], [images]):
        network = exported.network().eval()
        network.load_state_dict(exported.state_dict(batches))
        with torch.no_grad():
            logits.append(network(images))
    torch.testing.assert_close(*logits, rtol=1e-3, atol=1e-3)


def test_fine_tuning_begins_where_the_model_stood(tmp_path):
    data = sample_words(tmp_path)
    stage = FINETUNE.stages["student"].model_copy(update={"epochs": 1, "ema": 0.0})
    recipe = FINETUNE.model_copy(update={"stages": {"student": stage}})
    checkpoint = train_chain(recipe, "test", data, tmp_path / "run", devices=1)["student"]
    assert checkpoint.metrics["val_accuracy"] >= 0.9  # from new weights one epoch of twenty images is a guess


def test_other_scripts_take_the_body_alone():
    check_networks(changed(model="upright", layers=["body"]), ["Latin", "Thai"])
    with pytest.raises(ArgumentError, match=r"upright knows Arabic, .*, but the data holds Latin, Thai: set `la"):
        check_networks(changed(model="upright"), ["Latin", "Thai"])


def test_wrong_starts_are_named(tmp_path):
    with pytest.raises(ArgumentError, match="exactly one of stage and model must be given"):
        changed(model="upright", stage="student")
    with pytest.raises(ArgumentError, match="exactly one of stage and model must be given"):
        changed()
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "student.ort")
    options.add_session_config_entry("session.save_model_format", "ORT")
    onnxruntime.InferenceSession(ROOT / "sdk/scriptkd_sdk/models/upright.onnx", options)
    with pytest.raises(ArgumentError, match=r"student\.ort: it is in the \.ort format; give its \.onnx file"):
        check_networks(changed(model=str(tmp_path / "student.ort")), TEN)
    with pytest.raises(ModelError, match="the models that come with this scriptkd are: student, upright, world"):
        check_networks(changed(model="nowhere"), TEN)
    wider = changed(model="upright").stages["student"].model_dump() | {"network": {"name": "textnet"}}
    wider["network"]["arguments"] = {"width": 2.0}
    with pytest.raises(ArgumentError, match=re.escape("stage student: start from upright cannot copy the whole net")):
        check_networks(parse_recipe({"stages": {"student": wider}}, "test"), TEN)


def test_a_form_whose_weights_cannot_be_read_is_named(tmp_path):
    model = onnx.load(ROOT / "sdk/scriptkd_sdk/models/upright.onnx")
    (bias,) = (each for each in model.graph.initializer if each.name == "head.1.bias")
    renamed = numpy_helper.from_array(numpy_helper.to_array(bias), "other")
    model.graph.initializer.remove(bias)
    model.graph.initializer.append(renamed)
    model.graph.node[-1].input[2] = "other"
    onnx.save(model, tmp_path / "other.onnx")
    exported = read_onnx_weights(str(tmp_path / "other.onnx"))
    with pytest.raises(ArgumentError, match=r"head\.1\.bias cannot be read from a file in int8-u8; give the model's"):
        exported.state_dict([])
