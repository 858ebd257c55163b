"""Handwritten digits: each image is in one split, and labels that are no script names reach the answer."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from scriptkd_export import draw_samples, export_onnx
from scriptkd_sdk import ScriptIdentifier
from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.commands.data import app
from scriptkd_train.data.dataset import read_dataset
from scriptkd_train.engine.chain import train_chain
from scriptkd_train.evaluation.evaluate import evaluate
from scriptkd_train.models.checkpoint import load_checkpoint
from scriptkd_train.recipe import load_recipe
from scriptkd_train.synth.digits import write_digits

DIGITS = [str(digit) for digit in range(10)]


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("digits") / "data"
    result = CliRunner().invoke(app, ["digits", "--out", str(folder)])
    assert result.exit_code == 0 and "1,206 train, 221 val, 370 test" in result.output
    return folder


def test_every_image_is_in_one_split(digits: Path):
    splits = {split: read_dataset(digits, split) for split in ("train", "val", "test")}
    contents = [item.path.read_bytes() for items in splits.values() for item in items]
    assert len(contents) == len(set(contents)) == 1797
    assert all(sorted({item.label for item in items}) == DIGITS for items in splits.values())


def test_what_is_there_is_not_overwritten(digits: Path):
    with pytest.raises(ArgumentError, match="not an empty folder"):
        write_digits(digits)


def test_a_student_learns_them_and_answers_with_their_names(digits: Path, tmp_path: Path):
    recipe = load_recipe("digits")
    student = recipe.stages["student"]
    brief = student.model_copy(update={"distil": None, "epochs": 4, "ema": 0.9})
    train_chain(recipe.model_copy(update={"stages": {"student": brief}}), "digits", digits, tmp_path, devices=1)
    report = evaluate(tmp_path / "student.pt", digits, "test").report
    assert report.macro_accuracy > 0.85 and list(report.scripts) == DIGITS
    model = tmp_path / "student.onnx"
    export_onnx(load_checkpoint(tmp_path / "student.pt"), model, draw_samples(8))
    identifier = ScriptIdentifier(model)
    answers = [identifier.identify(item.path) for item in read_dataset(digits, "test")[::7]]
    truth = [item.label for item in read_dataset(digits, "test")[::7]]
    assert {answer.code for answer in answers if answer.known} == {"Zzzz"}
    assert sum(answer.best == label for answer, label in zip(answers, truth, strict=True)) > 0.8 * len(truth)
