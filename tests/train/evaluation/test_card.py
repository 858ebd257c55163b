"""Model cards hold the facts of the model file and the measured figures."""

import json
import math
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer import Typer
from typer.testing import CliRunner

from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.modelfile import ModelInfo, open_model
from scriptkd_train.commands import card as card_command
from scriptkd_train.commands.card import card
from scriptkd_train.data.dataset import fingerprint, read_dataset
from scriptkd_train.evaluation import card as home
from scriptkd_train.evaluation.card import learned_from, model_card, read_sources
from scriptkd_train.evaluation.report import Accuracy, EvaluationReport, ScriptFigures, ThresholdFigures
from scriptkd_train.models.networks import ppocr, teacher

BUNDLED = Path(__file__).parents[3] / "sdk" / "scriptkd_sdk" / "models" / "upright.onnx"

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


@pytest.fixture
def fonts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of fonts, on a system without Debian's."""
    monkeypatch.setattr(home, "debian_licences", Counter)
    folder = tmp_path / "fonts"
    folder.mkdir()
    rows = ["package,licence", 'a,"5.3.0, OFL-1.1"', 'b,"5.1.0, OFL-1.1"', 'c,"4.0.0, MIT"']
    (folder / "LICENSES.csv").write_text("\n".join(rows))
    return folder


def test_a_card_of_the_bundled_model(data: Path, fonts: Path) -> None:
    sources = read_sources(data, [fonts])
    assert sources.fonts == {"other fonts": {"OFL": 2, "MIT, BSD and the like": 1}}
    text = model_card(BUNDLED, sources, [report({"Arabic": 0.75, "Latin": 1.0})], None, ["scriptkd train mobile"])
    for part in (
        "| licence | other fonts |",
        "| OFL | 2 |\n| MIT, BSD and the like | 1 |",
        "| Latin | 127,364 | 294 | 49 | 48 | 1,313 |",
        "| Arabic | 75.0 (200) |  | 75.0 |",
        "| Latin | 100.0 (9) | 100.0 |  |",
        "| Tamil | – (0) |  |  |",
        "| **mean of the scripts** | **87.5** | **100.0** | **75.0** |",
        "- Real words: `real` (400 words).",
        "area under the ROC 0.975",
        "Real words under 95.0 %: Arabic 75.0 %.",
        "Arabic taken for Latin (7)",
        "Few real words were available for Latin (9);",
        "No real words were available for Bengali, Devanagari,",
        "scriptkd train mobile",
        "seed 5",
    ):
        assert part in text
    assert "GPL" not in text and "handwritten" not in text


def test_several_sets_of_real_words_are_one_column(data: Path) -> None:
    """Each word weighs the same, whichever set it is from; handwriting stands apart."""
    first = report({"Arabic": 0.75, "Latin": 1.0})
    second = replace(
        report({"Latin": 0.5, "Tamil": 0.5}),
        data="world",
        non_text_roc_area=None,
        groups={
            "Latin": {"scan": Accuracy(11, 0.0), "scene": Accuracy(20, 1.0)},
            "Tamil": {"handwritten": Accuracy(30, 0.5), "table": Accuracy(30, 0.9)},
        },
        apart={"table": 30},
    )
    plain = replace(
        report({"Oriya": 0.9, "Latin": None}), data="flat", groups={}, group_by=None, non_text_roc_area=None
    )
    text = model_card(BUNDLED, read_sources(data, []), [first, second, plain], None)
    for part in (
        "| script | real words (images) | handwritten | scan | scene |",
        "| Arabic | 75.0 (200) |  |  | 75.0 |",
        "| Latin | 72.5 (40) |  | 45.0 | 100.0 |",
        "| Oriya | 90.0 (200) |  |  |  |",
        "| Tamil | – (0) | 50.0 |  |  |",
        "| **mean of the scripts** | **79.2** | **50.0** | **45.0** | **87.5** |",
        "Words that are handwritten are not counted",
        "- Real words: `real` (400 words), `world` (400 words), `flat` (400 words).",
        "- Expected calibration error on real words of `world`: 2.0 %.",
        "Real words under 95.0 %: Arabic 75.0 %, Latin 72.5 %, Oriya 90.0 %.",
        "Arabic taken for Latin (7), Latin taken for Tamil (7), Oriya taken for Latin (7)",
    ):
        assert part in text
    assert text.count("area under the ROC") == 1


def test_the_gap_is_of_scripts_that_have_real_words(data: Path) -> None:
    unseen = replace(report({"Arabic": 0.95, "Latin": 0.9, "Tamil": 0.1}), confusion=[], groups={})
    real = report({"Arabic": 0.75, "Latin": 1.0})
    text = model_card(BUNDLED, read_sources(data, []), [real], unseen)
    assert "| Tamil | – (0) | 10.0 (200) |  |  |" in text
    assert "| **mean of the scripts** | **87.5** | **65.0** |" in text
    found = re.search(r"95 % interval of that mean, of real words: ([\d.]+) to ([\d.]+) %", text)
    assert found is not None
    margin = 100 * 1.96 * math.sqrt(0.75 * 0.25 / 199) / 2  # of two scripts, one of them without an error
    assert [float(each) for each in found.groups()] == pytest.approx([87.5 - margin, 87.5 + margin], abs=0.7)
    assert "to real words of the same scripts: -5.0 points." in text


def test_no_interval_passes_100_percent(data: Path) -> None:
    few = {"Arabic": ScriptFigures(6, 1.0, 5 / 6, 0.9), "Latin": ScriptFigures(6, 1.0, 1.0, 1.0)}
    text = model_card(
        BUNDLED, read_sources(data, []), [replace(report({"Arabic": 1.0, "Latin": 1.0}), scripts=few, groups={})], None
    )
    assert re.search(r"of real words: 7\d\.\d to 100\.0 %", text)


def test_what_is_not_known_is_not_told() -> None:
    text = model_card(BUNDLED, read_sources(None, []), [], None)
    assert "is not recorded here" in text and "No images were given" in text
    assert "licence" not in text.split("## Training data")[1] and "Made by" not in text and "ROC" not in text


def card_with(monkeypatch: pytest.MonkeyPatch, **provenance: Any) -> str:
    """The teachers' part of the bundled model's card, had it another provenance."""
    info = open_model(BUNDLED)[1]
    info = replace(info, provenance={**info.provenance, **provenance})

    class Identifier:
        def __init__(self, model: Path) -> None:
            self.info: ModelInfo = info

    monkeypatch.setattr(home, "ScriptIdentifier", Identifier)
    text = model_card(BUNDLED, read_sources(None, []), [], None)
    return text.split("## Teachers\n")[1].split("\n## ")[0]


def test_the_chain_and_what_it_was_pretrained_on(monkeypatch: pytest.MonkeyPatch) -> None:
    origin = ppocr.PACKAGED["v6"].provenance
    settings = {"distil": {"teacher": "assistant", "loss": "dist"}, "start": None}
    text = card_with(monkeypatch, settings=settings, pretrained={"teacher": origin})
    assert "from labels and from the answers of `assistant` in its recipe (loss `dist`)." in text
    row = next(line for line in text.splitlines() if line.startswith("| `teacher` |"))
    for part in ("rapidocr 3.10.0", "PP-OCRv6_rec_small.onnx", origin["sha256"], "no Indic script", "Apache-2.0"):
        assert part in row
    assert "This file's weights are not derived from these." in text
    text = card_with(monkeypatch, settings=settings, stage="teacher", pretrained={"teacher": origin})
    assert "This file's weights are derived from these." in text
    several = {
        "distil": {"teacher": {"a": 0.5, "b": 0.5}, "loss": "kd"},
        "start": {"stage": None, "model": "student", "keep": 0.25},
    }
    text = card_with(monkeypatch, settings=several, pretrained={})
    assert "answers of `a`, `b` in its recipe (loss `kd`). It started from the weights of the model `student`" in text
    assert "Each weight of the result is a mean: 25 % of it is the weight before training." in text
    assert "No network of its recipe started from pretrained weights of others." in text
    mine = {"teacher": {"file": "mine.onnx", "sha256": "ab"}}
    text = card_with(monkeypatch, settings={"decompose": {"stage": "whole"}}, pretrained=mine)
    assert "from labels alone, without a teacher. It started from the weights of `whole` in its recipe." in text
    assert "| `teacher` | none | mine.onnx, SHA-256 `ab` | not recorded | not recorded |" in text


def test_every_package_is_said_what_it_learned_from() -> None:
    packages = [each.package for each in (*ppocr.PACKAGED.values(), *teacher.PACKAGED_WEIGHTS.values())]
    assert set(packages) == set(home.PRETRAINED_ON)


def test_an_old_file_tells_less(monkeypatch: pytest.MonkeyPatch) -> None:
    text = card_with(monkeypatch, pretrained=None)
    assert "from labels alone, without a teacher. It started from the weights of `assistant` in its recipe." in text
    assert "It is not recorded whether a network of its chain started from pretrained weights of others." in text
    assert "Teachers and initial weights are not recorded" in card_with(monkeypatch, settings=None)


def test_fonts_under_the_gpl(data: Path, fonts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (fonts / "LICENSES.csv").open("a") as file:
        file.write('\nd,"0.1.2, a.ttf: GPL; b.ttf: GPL; c.ttf: OFL"\n')
    more = tmp_path / "more"
    more.mkdir()
    rows = [
        "file,family,licence",
        "a,One,OFL-1.1 (font record)",
        "b,One,OFL-1.1",
        "c,Two,GPL-2.0 WITH Font-exception-2.0",
    ]
    (more / "manifest.csv").write_text("\n".join(rows))
    monkeypatch.setattr(home, "debian_licences", lambda: Counter({"LPPL": 3}))
    text = model_card(BUNDLED, read_sources(data, [fonts, more]), [], None)
    for part in (
        "| licence | Debian's packages | other fonts |",
        "| OFL | 0 | 4 |",
        "| LPPL | 3 | 0 |",
        "| GPL with font exception | 0 | 1 |",
        "| GPL | 0 | 1 |",
        "holds no copy of a font and embeds none",
        "This is not legal advice.",
    ):
        assert part in text


def test_other_data_is_refused(data: Path) -> None:
    assert not learned_from(BUNDLED, data)
    result = CliRunner().invoke(app, [str(BUNDLED), "--data", str(data)])
    assert isinstance(result.exception, ArgumentError) and "did not learn from" in str(result.exception)


def test_the_split_is_chosen_as_by_evaluate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(card_command, "learned_from", lambda model, data: True)
    root = tmp_path / "mine"
    for split in ("train", "val"):
        (root / split / "Latin").mkdir(parents=True)
        sample = (Path(__file__).parents[3] / "samples" / "latin-0.jpg").read_bytes()
        (root / split / "Latin" / "0.jpg").write_bytes(sample)
    for option in ("--data", "--real"):
        error = CliRunner().invoke(app, [str(BUNDLED), option, str(root), "--out", str(tmp_path / "a.md")]).exception
        assert isinstance(error, ArgumentError)
        assert str(error) == f"{root} has no split 'test'; --split chooses one of train, val"
    words = [str(BUNDLED), "--data", str(root), "--out", str(tmp_path / "a.md"), "--split"]
    error = CliRunner().invoke(app, [*words, "train"]).exception
    assert isinstance(error, ArgumentError) and "is what the model learned from" in str(error)
    result = CliRunner().invoke(app, [*words, "val"])
    assert result.exit_code == 0, result.output
    assert "- Real words: `mine` (1 words of val)." in (tmp_path / "a.md").read_text("utf-8")


def test_rendered_words_of_val_are_not_called_unseen_alone(data: Path) -> None:
    unseen = replace(report({"Arabic": 0.95, "Latin": 0.9}), split="val", groups={})
    text = model_card(BUNDLED, read_sources(data, []), [], unseen)
    assert "error on rendered, unseen fonts of val: 2.0 %" in text
    assert "- Training chose its best epoch, the temperature and the threshold by these rendered words." in text


def test_the_same_images_are_recognised(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = fingerprint(read_dataset(data, "train"))

    class Identifier:
        def __init__(self, model: Path) -> None:
            self.info = type("Info", (), {"provenance": {"data_sha256": told}})

    monkeypatch.setattr("scriptkd_train.evaluation.card.ScriptIdentifier", Identifier)
    assert learned_from(BUNDLED, data)


def test_foreign_files(data: Path, tmp_path: Path) -> None:
    (data / "dataset.json").write_text("[]")
    with pytest.raises(ArgumentError, match=r"dataset\.json was not written by `scriptkd data render`"):
        read_sources(data, [])
    with pytest.raises(ArgumentError, match=r"cannot read the fonts' licences from .*LICENSES\.csv"):
        read_sources(None, [tmp_path])
    (tmp_path / "LICENSES.csv").write_text("name\nx\n")
    with pytest.raises(ArgumentError, match="cannot read the fonts' licences"):
        read_sources(None, [tmp_path])


def test_the_command_writes_beside_the_model(tmp_path: Path) -> None:
    model = tmp_path / "mine.onnx"
    model.write_bytes(BUNDLED.read_bytes())
    result = CliRunner().invoke(app, [str(model)])
    assert result.exit_code == 0, result.output
    assert "mine.onnx" in (tmp_path / "mine.md").read_text("utf-8")


def test_own_pictures_are_not_called_rendered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A data set without the renderer's record is the user's own, and its test split counts as real words."""
    monkeypatch.setattr(card_command, "learned_from", lambda model, data: True)
    picture = tmp_path / "mine" / "test" / "Latin" / "0.jpg"
    picture.parent.mkdir(parents=True)
    picture.write_bytes((Path(__file__).parents[3] / "samples" / "latin-0.jpg").read_bytes())
    result = CliRunner().invoke(app, [str(BUNDLED), "--data", str(tmp_path / "mine"), "--out", str(tmp_path / "a.md")])
    assert result.exit_code == 0, result.output
    text = (tmp_path / "a.md").read_text("utf-8")
    assert "- Real words: `mine` (1 words)." in text and "rendered, unseen fonts" not in text


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
