"""`scriptkd evaluate`, on a model file that tells gray levels apart and on a checkpoint with random weights."""

import json
import os
import shutil
import sys
from dataclasses import asdict, replace
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from typer import Typer
from typer.testing import CliRunner

from scriptkd_export.ort_format import ort_bytes
from scriptkd_sdk.errors import ArgumentError, ModelError
from scriptkd_sdk.modelfile import MODELS
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.commands import evaluate as evaluate_module
from scriptkd_train.commands.evaluate import confusion_text
from scriptkd_train.commands.evaluate import evaluate as evaluate_command
from scriptkd_train.data.dataset import read_dataset
from scriptkd_train.data.folder import Item
from scriptkd_train.evaluation.evaluate import evaluate, predict_scores, write_evaluation
from scriptkd_train.evaluation.report import Accuracy, ScriptFigures, ThresholdFigures
from scriptkd_train.models.checkpoint import Checkpoint, save_checkpoint
from scriptkd_train.models.networks import build_network

GRAY = {"Arabic": 20, "Latin": 120, "Tamil": 220}
PREPROCESSING = Preprocessing(channels=1, height=8, width_min=8, width_max=32, width_step=8)

app = Typer()
app.command()(evaluate_command)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model file whose logits are -(mean gray - level)^2 / 1000 for each script's level; temperature 2."""
    levels = np.array([list(GRAY.values())], np.float32)
    nodes = [
        helper.make_node("Cast", ["image"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["pixels", "axes"], ["mean"], keepdims=0),
        helper.make_node("Unsqueeze", ["mean", "one"], ["column"]),
        helper.make_node("Sub", ["column", "levels"], ["gap"]),
        helper.make_node("Mul", ["gap", "gap"], ["square"]),
        helper.make_node("Mul", ["square", "scale"], ["logits"]),
    ]
    scale = np.array([-1e-3], np.float32)
    constants = {"axes": np.array([1, 2, 3]), "one": np.array([1]), "levels": levels, "scale": scale}
    graph = helper.make_graph(
        nodes,
        "gray",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", 1, 8, "W"])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 3])],
        [onnx.numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    metadata = {
        "format": 1,
        "network": "gray",
        "labels": [{"name": name, "code": name[:4]} for name in GRAY],
        "preprocessing": PREPROCESSING.to_dict(),
        "temperature": 2.0,
        "threshold": 0.5,
        "precision": "fp32",
        "provenance": {},
    }
    helper.set_model_props(proto, {"scriptkd": json.dumps(metadata)})
    path = tmp_path_factory.mktemp("model") / "gray.onnx"
    onnx.save(proto, path)
    return path


def write(path: Path, gray: int, width: int = 24) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.full((12, width), gray, np.uint8))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A flat folder: two words of Arabic and Latin, three of Tamil of which one looks like Latin; and other things."""
    root = tmp_path / "words"
    for label, grays in {"Arabic": (20, 30), "Latin": (120, 110), "Tamil": (220, 230, 125)}.items():
        for i, gray in enumerate(grays):
            write(root / label / f"word-{i}.png", gray, 12 + 12 * i)
    write(root / "Tamil" / "line-0.png", 20)
    write(root / "none" / "wall.png", 70)
    write(root / "none" / "sky.png", 170)
    (root / "Latin" / "broken.png").write_bytes(b"no image")
    rows = ["file,script,kind,source"]
    for path in sorted(root.glob("*/*.png")):
        kind = {"line-0.png": "scan-line", "word-0.png": "scan"}.get(path.name, "scene")
        kind = "non-text" if path.parent.name == "none" else kind
        rows.append(f"{path.relative_to(root).as_posix()},{path.parent.name},{kind},here")
    (root / "manifest.csv").write_text("\n".join(rows) + "\n")
    return root


def test_report(model: Path, data: Path) -> None:
    evaluation = evaluate(model, data)
    report = evaluation.report
    assert report.images == 7
    assert report.accuracy == pytest.approx(6 / 7)
    assert report.macro_accuracy == pytest.approx((1 + 1 + 2 / 3) / 3)
    assert report.confusion == [[2, 0, 0], [0, 2, 0], [0, 1, 2]]
    assert asdict(report.scripts["Latin"]) == pytest.approx({"images": 2, "precision": 2 / 3, "recall": 1.0, "f": 0.8})
    assert report.unknown_labels == {"none": 2}
    ((broken, reason),) = report.unreadable.items()
    assert Path(broken).name == "broken.png" and reason.startswith("not a PNG")
    assert report.apart == {"scan-line": 1}
    assert report.groups["Tamil"] == {
        "scan": Accuracy(1, 1.0),
        "scan-line": Accuracy(1, 0.0),
        "scene": Accuracy(2, 0.5),
    }
    assert report.non_text_roc_area == 1.0  # gray 70 and 170 lie half-way between two scripts
    assert report.threshold == ThresholdFigures(
        0.5, right_words_kept=1.0, wrong_words_unknown=0.0, non_text_unknown=1.0
    )
    assert list(report.to_dict()) == [
        *("model", "data", "split", "task", "images", "accuracy", "macro_accuracy", "calibration_error", "scripts"),
        *("confusion", "unknown_labels", "unreadable", "notes", "group_by", "groups", "apart", "non_text_roc_area"),
        *("non_text", "threshold"),
    ]
    assert report.to_dict()["groups"]["Tamil"]["scene"] == {"images": 2, "accuracy": 0.5}
    (mistake,) = evaluation.mistakes
    assert (mistake.item.path.name, mistake.item.label, mistake.predicted) == ("word-2.png", "Tamil", "Latin")
    logits = -((125 - np.array(list(GRAY.values()))) ** 2) / 1000 / 2
    assert mistake.score == pytest.approx(np.exp(logits[1]) / np.exp(logits).sum(), abs=1e-5)


def test_split_data_without_manifest(model: Path, tmp_path: Path) -> None:
    write(tmp_path / "train" / "Latin" / "1.png", 120)
    write(tmp_path / "test" / "Latin" / "1.png", 220)
    assert evaluate(model, tmp_path, "train").report.accuracy == 1
    report = evaluate(model, tmp_path).report
    assert report.accuracy == 0 and report.split == "test" and report.groups == {} and "groups" not in report.to_dict()
    assert report.scripts["Arabic"] == ScriptFigures(0, None, None, None)
    with pytest.raises(ArgumentError, match=r"no folder .*val"):
        evaluate(model, tmp_path, "val")


def test_other_columns(model: Path, data: Path, tmp_path: Path) -> None:
    report = evaluate(model, data, group_by="source").report
    assert report.groups["Tamil"] == {"here": Accuracy(4, 0.5)}
    assert report.images == 7  # the line is still apart
    with pytest.raises(ArgumentError, match=r"cannot group by 'page': .*has the columns file, script, kind, source"):
        evaluate(model, data, group_by="page")
    (data / "manifest.csv").unlink()
    with pytest.raises(ArgumentError, match="does not exist"):
        evaluate(model, data, group_by="source")


def test_a_manifest_from_a_spreadsheet(model: Path, data: Path) -> None:
    path = data / "manifest.csv"
    text = path.read_text()
    path.write_text(text.replace("Arabic/word-0.png,Arabic,scan,here", "Arabic/word-0.png,Arabic"), "utf-8-sig")
    report = evaluate(model, data).report
    assert report.apart == {"scan-line": 1}
    assert report.groups["Arabic"] == {  # the row without a kind has none
        "": Accuracy(1, 1.0),
        "scene": Accuracy(1, 1.0),
    }
    for content, reason in (
        (b"file,kind\nA\xff,scan\n", "not UTF-8"),
        (b"file,kind\n" + b"a" * 2**18, "not CSV: field"),
    ):
        path.write_bytes(content)
        with pytest.raises(ArgumentError, match=rf"cannot read .*manifest\.csv: it is {reason}"):
            evaluate(model, data)


def test_nothing_to_measure(model: Path, tmp_path: Path) -> None:
    write(tmp_path / "Oriya" / "1.png", 0)
    with pytest.raises(ArgumentError, match="its labels are Oriya, the model's Arabic, Latin, Tamil"):
        evaluate(model, tmp_path)
    with pytest.raises(
        ArgumentError, match=r"its labels are Oriya, the task's Latin, Devanagari, Kannada, Tamil, Telugu"
    ):
        evaluate(model, tmp_path, task="3")


def test_written_files(model: Path, data: Path, tmp_path: Path) -> None:
    evaluation, out = evaluate(model, data), tmp_path / "new" / "out"
    pictures = ["confusion.png", "reliability.png", "roc.png", "wrong.png"]
    assert [path.name for path in write_evaluation(evaluation, out)] == ["report.json", *pictures]
    assert json.loads((out / "report.json").read_text("utf-8")) == evaluation.report.to_dict()
    drawn = [cv2.imread(str(out / name)) for name in pictures[:3]]
    assert all(picture is not None and min(picture.shape[:2]) > 300 for picture in drawn)
    assert cv2.imread(str(out / "wrong.png")) is not None
    (data / "Tamil" / "word-2.png").unlink()
    shutil.rmtree(data / "none")
    assert [path.name for path in write_evaluation(evaluate(model, data), out)] == ["report.json", *pictures[:2]]
    assert not (out / "wrong.png").exists() and not (out / "roc.png").exists()


def test_command(model: Path, data: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, [str(model), str(data), "--out", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    said = " ".join(result.output.split())
    for text in (
        "2 pictures without text, measured separately",
        "1 image of kind scan-line, reported separately",
        "accuracy 85.7 %, macro accuracy over 3 scripts 88.9 %",
        "area under the ROC 1.000",
    ):
        assert text in said
    assert (tmp_path / "out" / "report.json").is_file()


def test_where_nothing_can_be_written_nothing_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate_module, "evaluate_model", None)
    file = tmp_path / "file"
    file.write_text("")
    for out in (file, file / "below"):
        error = CliRunner().invoke(app, ["student", str(tmp_path), "--out", str(out)]).exception
        assert isinstance(error, ArgumentError) and str(error) == f"{file} is a file; --out needs a folder there"
    monkeypatch.setattr("os.access", lambda path, mode: not mode & os.W_OK)
    error = CliRunner().invoke(app, ["student", str(tmp_path), "--out", str(tmp_path / "new" / "out")]).exception
    assert isinstance(error, ArgumentError) and str(error) == f"{tmp_path} cannot be written to; give another --out"
    assert not (tmp_path / "new").exists()


def test_what_is_missing_is_said_before_the_work(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate_module, "evaluate_model", None)
    error = CliRunner().invoke(app, ["student", str(data), "--against", "gone.onnx"]).exception
    assert isinstance(error, ModelError) and "gone.onnx" in str(error)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    error = CliRunner().invoke(app, ["student", str(data), "--out", str(tmp_path / "new")]).exception
    assert isinstance(error, ModuleNotFoundError) and error.name == "matplotlib"
    assert not (tmp_path / "new").exists()


def test_a_split_that_is_not_there(model: Path, tmp_path: Path) -> None:
    write(tmp_path / "words" / "train" / "Latin" / "1.png", 120)
    write(tmp_path / "words" / "val" / "Latin" / "1.png", 120)
    write(tmp_path / "CVSI" / "TrainDataset_CVSI2015" / "Hindi" / "HIN_001.jpg", 120)
    for name, reason in (
        ("words", "train, val"),
        ("CVSI", "train: CVSI-2015 keeps test in GroundTruth_TestDataset_CVSI2015/Task4"),
    ):
        error = CliRunner().invoke(app, [str(model), str(tmp_path / name)]).exception
        assert isinstance(error, ArgumentError)
        assert str(error) == f"{tmp_path / name} has no split 'test'; --split chooses one of {reason}"
    result = CliRunner().invoke(app, [str(model), str(tmp_path / "words"), "--split", "val"])
    assert result.exit_code == 0, result.output


def test_bundled_names_and_ort_files(model: Path, data: Path, tmp_path: Path) -> None:
    named, by_path = (evaluate(each, data).report for each in ("student", MODELS / "student.onnx"))
    assert replace(named, model="student.onnx") == by_path
    ort = tmp_path / "gray.ort"
    ort.write_bytes(ort_bytes(onnx.load(model)))
    assert evaluate(ort, data).report.confusion == [[2, 0, 0], [0, 2, 0], [0, 1, 2]]


def test_checkpoint_scores_are_the_network_s(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = build_network("textnet", 3, PREPROCESSING).eval()
    checkpoint = Checkpoint("textnet", {}, list(GRAY), PREPROCESSING, network.state_dict(), temperature=1.5)
    save_checkpoint(tmp_path / "net.pt", checkpoint)
    random = np.random.default_rng(0)
    images = [random.integers(0, 256, (16, width), np.uint8) for width in (16, 64, 40, 16, 20)]
    for i, image in enumerate(images):
        path = tmp_path / "test" / "Latin" / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), image)
    items = [*read_dataset(tmp_path, "test"), Item(tmp_path / "gone.png", "Latin")]
    labels, scores, failures = predict_scores(tmp_path / "net.pt", items)
    assert labels == list(GRAY) and failures == {5: "no such file"}
    for image, row in zip(images, scores, strict=False):
        with torch.inference_mode():
            logits = network(torch.from_numpy(PREPROCESSING.apply(image))[None]) / 1.5
        np.testing.assert_allclose(row, logits.softmax(dim=1)[0].numpy(), atol=1e-5)


def test_model_errors(tmp_path: Path) -> None:
    with pytest.raises(
        ArgumentError, match=r"a checkpoint \(\.pt\), a model file .* \(student, upright, world, world-upright\)"
    ):
        predict_scores(tmp_path / "model.h5", [])
    for name in ("gone.pt", "gone.onnx"):
        with pytest.raises(ModelError, match="gone"):
            predict_scores(tmp_path / name, [])


def test_confusion_text() -> None:
    assert confusion_text(["Arabic", "Latin"], [[12, 0], [3, 456]]) == (
        "       Arab Lati\nArabic   12    .\nLatin     3  456"
    )
