"""`scriptkd analyse`, on a model of gray levels that is wrong on dark, flat and narrow images by design."""

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer import Typer
from typer.testing import CliRunner

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.commands import analyse as command_module
from scriptkd_train.commands.analyse import analyse
from scriptkd_train.data.dataset import NON_TEXT, Item
from scriptkd_train.evaluation import analyse as module
from scriptkd_train.evaluation.analyse import (
    Confusion,
    ImageTraits,
    ModelResults,
    WordResult,
    markdown,
    measure_image,
    run_model,
    summarise,
    write_analysis,
)

app = Typer()
app.command()(analyse)

LABELS = ["Arabic", "Latin"]


def write(path: Path, gray: int, size: tuple[int, int] = (20, 60)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.full(size, gray, np.uint8))


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Arabic is dark, Latin is light; one tall Arabic word is light, and so is told as Latin."""

    def predict(model: Path, items: list[Item], progress: object) -> tuple:
        scores, failures = [], {}
        for i, item in enumerate(items):
            image = cv2.imread(str(item.path), cv2.IMREAD_GRAYSCALE)
            if image is None:
                failures[i] = "not an image"
            light = 0.0 if image is None else image.mean() / 255
            scores.append([1 - light, light])
        return LABELS, np.array(scores), failures

    monkeypatch.setattr(module, "predict_scores", predict)
    root = tmp_path / "words"
    for i, gray in enumerate((20, 30, 40)):
        write(root / "Arabic" / f"{i}.png", gray)
        write(root / "Latin" / f"{i}.png", 255 - gray)
    write(root / "Arabic" / "tall.png", 204, (60, 30))
    write(root / "Latin" / "line.png", 0)
    write(root / "Tamil" / "other.png", 0)
    write(root / NON_TEXT / "wall.png", 100)
    (root / "Latin" / "broken.png").write_bytes(b"no image")
    rows = ["file,kind,source"]
    for path in sorted(root.glob("*/*.png")):
        kind = {"tall": "scene", "line": "scan-line", "wall": "non-text"}.get(path.stem, "scan")
        rows.append(f"{path.relative_to(root).as_posix()},{kind},here")
    (root / "manifest.csv").write_text("\n".join(rows) + "\n")
    return root


def test_words_and_figures(data: Path) -> None:
    found = run_model("gray.onnx", data)
    assert len(found.words) == 7 and [word.item.path.name for word in found.non_text] == ["wall.png"]
    report = summarise(found)
    assert report.wrong == 1 and report.accuracy == pytest.approx(6 / 7)
    assert report.macro_accuracy == pytest.approx((3 / 4 + 1) / 2)
    assert report.confusions == [Confusion("Arabic", "Latin", 1)] and report.second_is_true == 1
    assert report.score_of_wrong["50 %"] == pytest.approx(0.8)
    (tall, wide) = report.tables["length"]
    assert (tall.group, tall.images, tall.accuracy) == ("< 0.8", 1, 0)
    assert (wide.group, wide.images, wide.share) == ("2.4–3.4", 6, pytest.approx(6 / 7))
    assert {row.group: row.wrong for row in report.tables["kind"]} == {"scan": 0, "scene": 1}
    assert [row.group for row in report.tables["source"]] == ["here"]


def test_looks() -> None:
    flat = measure_image(np.full((64, 128), 77, np.uint8))
    assert flat == ImageTraits(length=2.0, height=64.0, sharpness=0.0, contrast=0.0, clutter=0.0)
    random = np.random.default_rng(0)
    image = np.full((64, 256, 3), 200, np.uint8)
    image[20:44, 30:220] = random.integers(0, 2, (24, 190, 1), dtype=np.uint8) * 200
    sharp, soft = measure_image(image), measure_image(cv2.GaussianBlur(image, (0, 0), 4).astype(np.uint8))
    assert sharp.sharpness > 10 * soft.sharpness and sharp.contrast > soft.contrast > 0
    assert sharp.clutter == 0  # nothing touches the upper or lower edge
    image[:3] = random.integers(0, 255, (3, 256, 3), dtype=np.uint8)
    assert measure_image(image).clutter > 5


def test_written_files_and_gap(data: Path, tmp_path: Path) -> None:
    found, out = run_model("gray.onnx", data), tmp_path / "out"
    other = ModelResults("gray.onnx", "rendered", [word for word in found.words if word.correct], [])
    (out).mkdir()
    (out / "wrong-Telugu.png").write_bytes(b"an earlier run's")
    names = [path.name for path in write_analysis(found, out, other)]
    assert names == ["analysis.md", "analysis.json", "bands.png", "wrong-Arabic.png", "wrong-none.png"]
    assert sorted(path.name for path in out.iterdir()) == sorted(names)
    assert all(cv2.imread(str(out / name)) is not None for name in names[2:])
    content = json.loads((out / "analysis.json").read_text("utf-8"))
    assert content["confusions"] == [["Arabic", "Latin", 1]]
    assert content["tables"]["script"][0]["confusions"] == [["Arabic", "Latin", 1]]
    assert content["wrong"] == 1 and content["against"]["wrong"] == 0
    text = (out / "analysis.md").read_text("utf-8")
    assert "Macro accuracy: 100.0 % on rendered (6 words), 87.5 % on words: a gap of 12.5 points." in text
    row = next(line for line in text.splitlines() if line.startswith("| < 0.8 "))
    assert row == "| < 0.8 | 1 | 14.3 | 1 | 0.0 | 0.0 | – | Arabic > Latin 1 |"


def test_a_model_without_errors() -> None:
    word = WordResult(Item(Path("a.png"), "Latin"), "Latin", "Arabic", 0.9, ImageTraits(2, 30, 900, 90, 3), {})
    text = markdown(summarise(ModelResults("m", "d", [word], [])), None)
    assert "0 of 1 words wrong: accuracy 100.0 %" in text and "Confusions" not in text


def test_nothing_to_analyse(data: Path, tmp_path: Path) -> None:
    write(tmp_path / "else" / "Tamil" / "1.png", 0)
    with pytest.raises(ArgumentError, match="holds no word of Arabic, Latin"):
        run_model("gray.onnx", tmp_path / "else")


def test_command(data: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["gray.onnx", str(data), "--against", str(data), "--out", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    said = " ".join(result.output.split())
    assert "1 of 7 words wrong" in said and "a gap of 0.0 points" in said and "wrong-Arabic.png" in said


def test_what_is_missing_is_said_before_the_work(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command_module, "run_model", None)
    write(tmp_path / "split" / "val" / "Latin" / "1.png", 200)
    out = ["--out", str(tmp_path / "new")]
    error = CliRunner().invoke(app, ["gray.onnx", str(data), "--against", str(tmp_path / "split"), *out]).exception
    assert isinstance(error, ArgumentError)
    assert str(error) == f"{tmp_path / 'split'} has no split 'test'; --split chooses one of val"
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    error = CliRunner().invoke(app, ["gray.onnx", str(data), *out]).exception
    assert isinstance(error, ModuleNotFoundError) and error.name == "matplotlib"


def test_where_nothing_can_be_written_nothing_is_measured(data: Path) -> None:
    file = data / "manifest.csv"
    error = CliRunner().invoke(app, ["gone.onnx", "no data", "--out", str(file)]).exception
    assert isinstance(error, ArgumentError) and str(error) == f"{file} is a file; --out needs a folder there"
