"""Changed pictures, on a model that tells scripts by gray level, and orientation by the side of the dark half."""

import json
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from typer import Typer
from typer.testing import CliRunner

from scriptkd_sdk import ScriptIdentifier
from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.commands.evaluate import evaluate as evaluate_command
from scriptkd_train.evaluation.evaluate import evaluate
from scriptkd_train.evaluation.report import ChangeFigures
from scriptkd_train.evaluation.robustness import LINES, change_figures

GRAY = {"Latin": 70.0, "Tamil": 180.0}
LOOSE = ("border's colour", "white", "random colour")

app = Typer()
app.command()(evaluate_command)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of format 3. Orientation 0 is a dark upper half, 180 a dark lower half; where they are alike there is no telling.

    Scripts: 70 and 180 have a score of nearly 1, levels half-way between them 0.5.
    """
    steps = Preprocessing(channels=1, height=8, width_min=8, width_max=32, width_step=8, square_height=16)
    weights = {
        "axes": np.array([1, 2, 3]),
        "levels": np.array([list(GRAY.values())], np.float32),
        "scale": np.array([-0.01], np.float32),
        "one": np.array([1]),
        "ways": np.array([[0.2, 0, -0.2, 0]], np.float32),
        "sideways": np.array([[0, -9, 0, -9]], np.float32),
    }
    nodes = [
        helper.make_node("Cast", ["image"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["pixels", "axes"], ["mean"], keepdims=0),
        helper.make_node("Unsqueeze", ["mean", "one"], ["column"]),
        helper.make_node("Sub", ["column", "levels"], ["gap"]),
        helper.make_node("Mul", ["gap", "gap"], ["square"]),
        helper.make_node("Mul", ["square", "scale"], ["logits"]),
        helper.make_node("Split", ["pixels"], ["upper", "lower"], axis=2, num_outputs=2),
        helper.make_node("Sub", ["lower", "upper"], ["lighter"]),
        helper.make_node("ReduceMean", ["lighter", "axes"], ["light"], keepdims=0),
        helper.make_node("Unsqueeze", ["light", "one"], ["tall"]),
        helper.make_node("MatMul", ["tall", "ways"], ["up"]),
        helper.make_node("Add", ["up", "sideways"], ["orientation"]),
    ]
    graph = helper.make_graph(
        nodes,
        "halves",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", 1, "H", "W"])],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 2]),
            helper.make_tensor_value_info("orientation", TensorProto.FLOAT, ["N", 4]),
        ],
        [onnx.numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    metadata = {
        "format": 3,
        "network": "halves",
        "labels": [{"name": name, "code": name[:4]} for name in GRAY],
        "preprocessing": steps.to_dict(),
        "temperature": 1.0,
        "threshold": 0.95,
        "orientation_temperature": 1.0,
        "orientation_threshold": 0.8,
        "precision": "fp32",
        "provenance": {},
    }
    helper.set_model_props(proto, {"scriptkd": json.dumps(metadata)})
    path = tmp_path_factory.mktemp("model") / "halves.onnx"
    onnx.save(proto, path)
    return path


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight Latin and three Tamil words, textured, the upper half dark; one of each is a square."""
    root = tmp_path_factory.mktemp("words")
    random = np.random.default_rng(0)
    for label, count in {"Latin": 8, "Tamil": 3}.items():
        for number in range(count):
            width = 20 if number == 0 else 70
            image = GRAY[label] + random.uniform(-30, 30, (20, width))
            image[:10] -= 30
            image[10:] += 30
            path = root / label / f"{number}.png"
            path.parent.mkdir(exist_ok=True)
            assert cv2.imwrite(str(path), image.astype(np.uint8))
    return root


def test_turned(model: Path, data: Path) -> None:
    report = evaluate(model, data, changes=["turned"]).report
    names = ["as they are", "turned by 90", "turned by 180", "turned by 270", "turned by 20"]
    assert [row.change for row in report.changes] == names
    for row in report.changes[:4]:
        assert row == ChangeFigures(row.change, 11, 2, 1.0, 1.0, 1.0, 1.0)
    wide, everything = report.orientation
    assert (wide.images, wide.half_turns, wide.quarter_turns) == (9, 1.0, 1.0)
    # On its side a square is not laid down, and the halves are alike: an unsure answer is a wrong one.
    assert (everything.images, everything.half_turns) == (11, 1.0)
    assert everything.quarter_turns == pytest.approx((4 * 9 + 2 * 2) / (4 * 11))
    assert list(report.to_dict())[-3:] == ["changes", "orientation", "threshold"]
    assert report.to_dict()["changes"][1]["change"] == "turned by 90"


def test_loose_and_lines(model: Path, data: Path) -> None:
    report = evaluate(model, data, changes=["lines", "loose"]).report
    rows = {row.change: row for row in report.changes}
    assert [sum(name in row for row in rows) for name in LOOSE] == [3, 3, 3] and report.orientation == []
    # Seven words of 3.5:1 and a square make 25:1, not 40:1; three Tamil ones not even 10:1.
    assert [name for name in rows if name.startswith("line")] == ["line of 10:1", "line of 25:1"]
    assert rows["line of 10:1"] == ChangeFigures("line of 10:1", LINES, 1, 1.0, 1.0, 1.0, 1.0)
    assert evaluate(model, data, changes=["lines", "loose"]).report.changes == report.changes
    alone = evaluate(model, data, changes=["lines"]).report.changes
    assert alone == [row for row in report.changes if row.change in ("as they are", *rows) and "x" not in row.change]


def test_without_changes_nothing_is_changed(model: Path, data: Path) -> None:
    report = evaluate(model, data).report
    assert report.changes == [] and not {"changes", "orientation"} & set(report.to_dict())
    with pytest.raises(ArgumentError, match="unknown changes 'bent': allowed are turned, loose, lines"):
        evaluate(model, data, changes=["bent"])


def test_unknown_is_wrong_by_the_thresholded_answer(model: Path) -> None:
    identifier = ScriptIdentifier(model)
    between = np.full((20, 70), 126, np.uint8)  # nearer to Tamil, and below the threshold
    answers = identifier.identify_batch([np.full((20, 70), 70, np.uint8), between, between, b"no image"])
    row = change_figures("x", ["Latin", "Latin", "Tamil", "Tamil"], answers)
    assert (row.images, row.scripts, row.accuracy, row.thresholded_accuracy) == (3, 2, pytest.approx(2 / 3), 1 / 3)
    assert (row.macro_accuracy, row.thresholded_macro_accuracy) == (0.75, 0.25)
    assert change_figures("x", [], []).images == 0


def test_command(model: Path, data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = CliRunner().invoke(app, [str(model), str(data), "--turned", "--lines", "--out", str(out)])
    assert result.exit_code == 0, result.output
    for text in ("turned by 270", "line of 25:1", "at least twice as wide as high"):
        assert text in result.output
    assert "loose" not in result.output
    report = json.loads((out / "report.json").read_text("utf-8"))
    assert [row["change"] for row in report["changes"]][-2:] == ["line of 10:1", "line of 25:1"]
    assert report["orientation"][0]["quarter_turns"] == 1.0


def test_a_format_without_orientation(data: Path) -> None:
    report = evaluate("upright", data, changes=["turned"]).report
    assert len(report.changes) == 5 and report.orientation == []
