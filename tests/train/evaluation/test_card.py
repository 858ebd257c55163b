"""Model cards: what is in them is what the file says and what was measured."""

import json
from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.commands import card as card_command
from scriptkd_train.commands.card import card
from scriptkd_train.data.dataset import fingerprint, read_dataset
from scriptkd_train.evaluation.card import learned_from, model_card, read_sources
from scriptkd_train.evaluation.report import Accuracy, EvaluationReport, ScriptFigures, ThresholdFigures

BUNDLED = Path(__file__).parents[3] / "sdk" / "scriptkd_sdk" / "models" / "student.onnx"

app = Typer()
app.command()(card)


def report(recalls: dict[str, float | None]) -> EvaluationReport:
    labels = list(recalls)
    return EvaluationReport(
        model="student.onnx",
        data="real",
        split=None,
        task=None,
        images=400,
        accuracy=0.9,
        macro_accuracy=0.9,
        calibration_error=0.02,
        scripts={
            label: ScriptFigures(0 if recall is None else 200, recall, recall, recall)
            for label, recall in recalls.items()
        },
        confusion=[[150, 7], [0, 200]] if len(labels) == 2 else [],
        threshold=ThresholdFigures(0.5, right_words_kept=0.991, wrong_words_unknown=0.4, non_text_unknown=0.8),
        group_by="kind",
        groups={"Arabic": {"scene": Accuracy(200, 0.75)}, "Latin": {"scan": Accuracy(9, 1.0)}},
        non_text_roc_area=0.975,
    )


@pytest.fixture
def data(tmp_path: Path) -> Path:
    root = tmp_path / "words"
    for split in ("train", "test"):
        (root / split / "Latin").mkdir(parents=True)
        (root / split / "Latin" / "0.png").write_bytes(b"an image")
    facts = {"code": "Latn", "words": 127364, "fonts_train": 294, "fonts_val": 49, "fonts_test": 48, "faces": 1313}
    (root / "dataset.json").write_text(
        json.dumps({"plan": {"words_per_script": 1, "seed": 5}, "scripts": {"Latin": facts}})
    )
    return root


def test_a_card_of_the_bundled_model(data: Path, tmp_path: Path) -> None:
    fonts = tmp_path / "fonts"
    fonts.mkdir()
    (fonts / "LICENSES.csv").write_text('package,licence\na,"5.3.0, OFL-1.1"\nb,"5.1.0, OFL-1.1"\nc,"4.0.0, MIT"\n')
    sources = read_sources(data, fonts)
    assert sources.fonts == {"OFL-1.1": 2, "MIT": 1}
    text = model_card(BUNDLED, sources, report({"Arabic": 0.75, "Latin": 1.0}), None, ["scriptkd train mobile"])
    for part in (
        "3 packages that `scriptkd data fonts` fetches, by licence: OFL-1.1 2, MIT 1",
        "| Latin | 127,364 | 294 | 49 | 48 | 1,313 |",
        "| Arabic | 75.0 (200) |  | 75.0 |",
        "| **mean of the scripts** | **90.0** | **100.0** | **75.0** |",
        "area under the ROC 0.975",
        "Real words under 95.0 %: Arabic 75.0 %.",
        "Arabic taken for Latin (7)",
        "scriptkd train mobile",
        "seed 5",
    ):
        assert part in text


def test_what_is_not_known_is_not_told() -> None:
    text = model_card(BUNDLED, read_sources(None, None), None, None)
    assert "The data set was not at hand" in text and "No images were given" in text
    assert "Fonts:" not in text and "Made by" not in text and "ROC" not in text


def test_other_data_is_refused(data: Path) -> None:
    assert not learned_from(BUNDLED, data)
    result = CliRunner().invoke(app, [str(BUNDLED), "--data", str(data)])
    assert isinstance(result.exception, ArgumentError) and "did not learn from" in str(result.exception)


def test_the_same_images_are_recognised(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = fingerprint(read_dataset(data, "train"))

    class Identifier:
        def __init__(self, model: Path) -> None:
            self.info = type("Info", (), {"provenance": {"data_sha256": told}})

    monkeypatch.setattr("scriptkd_train.evaluation.card.ScriptIdentifier", Identifier)
    assert learned_from(BUNDLED, data)


def test_foreign_files(data: Path, tmp_path: Path) -> None:
    (data / "dataset.json").write_text("[]")
    with pytest.raises(ArgumentError, match=r"dataset\.json is not what `scriptkd data render` wrote"):
        read_sources(data, None)
    with pytest.raises(ArgumentError, match=r"cannot read the fonts' licences from .*LICENSES\.csv"):
        read_sources(None, tmp_path)
    (tmp_path / "LICENSES.csv").write_text("name\nx\n")
    with pytest.raises(ArgumentError, match="cannot read the fonts' licences"):
        read_sources(None, tmp_path)


def test_the_command_writes_beside_the_model(tmp_path: Path) -> None:
    model = tmp_path / "mine.onnx"
    model.write_bytes(BUNDLED.read_bytes())
    result = CliRunner().invoke(app, [str(model)])
    assert result.exit_code == 0, result.output
    assert "mine.onnx" in (tmp_path / "mine.md").read_text("utf-8")


def test_a_bundled_model_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its card goes into the current folder: the package is not to be written to."""
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["student"])
    assert result.exit_code == 0, result.output
    assert "student.onnx" in (tmp_path / "student.md").read_text("utf-8")


def test_where_nothing_can_be_written_nothing_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(card_command, "evaluate", None)
    for out, message in ((tmp_path, "is a folder; --out needs a file"), (BUNDLED / "x.md", "is a file; --out needs")):
        error = CliRunner().invoke(app, ["student", "--real", "nowhere", "--out", str(out)]).exception
        assert isinstance(error, ArgumentError) and message in str(error)
