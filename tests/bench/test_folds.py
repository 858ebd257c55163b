"""`scriptkd folds`: the designs are divided into three folds, and each fold is tested once."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from scriptkd_bench import folds_cli
from scriptkd_bench.folds import FoldRow
from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.synth.designs import held_out
from scriptkd_train.synth.fonts import FOLDS, split_families

NAMES = [f"font {i}" for i in range(20)] + list(held_out("Tamil"))
RECIPE = """
stages:
  student:
    network: {name: textnet, arguments: {width: 0.25}}
    input: {channels: 1, height: 16, width_min: 16, width_max: 64, width_step: 16}
    epochs: 1
    batch_size: 32
    optimizer: {name: adamw, lr: 0.003}
"""


def run(out: Path, *arguments: str):
    app = typer.Typer()
    app.command()(folds_cli.folds)
    return CliRunner().invoke(app, ["--out", str(out), *arguments])


def test_every_design_but_the_held_out_ones_is_tested_once():
    splits = [split_families(NAMES, "Tamil", fold) for fold in range(1, FOLDS + 1)]
    for name in NAMES:
        own = [each[name] for each in splits]
        assert own == ["val"] * FOLDS if name in held_out("Tamil") else sorted(own) == ["test", "train", "train"]


def test_the_spread_is_from_the_worst_fold_to_the_best():
    assert FoldRow("Tamil", [0.9, 0.8, 0.95], [3, 3, 2]).spread == pytest.approx(0.15)


@pytest.mark.slow
def test_the_command_renders_trains_and_tests_and_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(folds_cli, "SCRIPTS", ("Arabic", "Latin"))  # Debian has designs enough of them
    recipe = tmp_path / "tiny.yaml"
    recipe.write_text(RECIPE)
    asked = ["--words-per-script", "12", "--recipe", str(recipe)]
    result = run(tmp_path / "out", *asked)
    assert result.exit_code == 0, result.output
    assert "families tested" in result.output
    content = json.loads((tmp_path / "out" / "folds.json").read_text("utf-8"))
    assert [row["script"] for row in content["rows"][:1]] == ["macro"]
    assert {row["script"] for row in content["rows"][1:]} == {"Arabic", "Latin"}
    assert all(0 <= each <= 1 for row in content["rows"] for each in row["accuracy"])
    again = run(tmp_path / "out", *asked)
    assert "done before" in again.output
    assert "rendering" not in again.output
    other = run(tmp_path / "out", "--words-per-script", "14", "--recipe", str(recipe))
    assert isinstance(other.exception, ArgumentError)
    assert "holds another rendering" in str(other.exception)
