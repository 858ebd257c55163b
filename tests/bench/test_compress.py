"""Families of compression: the stages that each is trained with, the page, and the whole command in miniature."""

import json
from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner

from scriptkd_bench import compress_cli
from scriptkd_bench.ablation import Figures
from scriptkd_bench.compress import FAMILIES, RECIPES, Family, FamilyFile, family_variants, finalists
from scriptkd_bench.compress_report import CLAIMS, claims_table, figures_table, page, points, ratios_table, summary
from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.engine.check import check_networks
from scriptkd_train.paper.reproduce import plan_jobs
from scriptkd_train.recipe import load_recipe

SMALL = """
stages:
  teacher:
    network: {name: textnet, arguments: {width: 0.5}}
    input: {channels: 1, height: 32, width_min: 32, width_max: 32}
    epochs: 6
    batch_size: 8
    optimizer: {name: adamw, lr: 0.002}
  parconv:
    network: {name: parconv, arguments: {network: textnet, arguments: {width: 0.5}}}
    input: {channels: 1, height: 32, width_min: 32, width_max: 32}
    epochs: 1
    batch_size: 8
    optimizer: {name: adamw, lr: 0.002}
    distil: {teacher: teacher}
  tucker:
    decompose: {stage: teacher, macs: 0.5}
    input: {channels: 1, height: 32, width_min: 32, width_max: 32}
    epochs: 1
    batch_size: 8
    optimizer: {name: adamw, lr: 0.0001}
    distil: {teacher: teacher}
"""


@pytest.mark.parametrize("scale", ["cpu", "gpu"])
def test_the_recipes_hold_every_family_and_can_be_built(scale: str):
    recipe = load_recipe(str(RECIPES / f"{scale}.yaml"))
    check_networks(recipe, list("abcdefghij"))
    variants = {variant.name: list(variant.recipe.stages) for variant in family_variants(recipe, Path("data"))}
    assert list(variants) == list(FAMILIES)
    assert variants["teacher"] == ["teacher"] and variants["tucker"] == ["teacher", "tucker"]
    assert variants["textnet_int8"] == ["teacher", "textnet", "textnet_int8"]
    assert variants["darknet_bilstm"] == ["teacher", "bilstm", "matched", "darknet_bilstm"]


def test_every_stage_is_trained_once(tmp_path: Path):
    recipe = load_recipe(str(RECIPES / "cpu.yaml"))
    rows = {variant.name: variant.recipe for variant in family_variants(recipe, tmp_path)}
    trained = [stage for job in plan_jobs(rows, [1], tmp_path) for stage in job.own]
    assert sorted(trained) == sorted(recipe.stages)


def test_chosen_families_alone():
    recipe = load_recipe(str(RECIPES / "cpu.yaml"))
    assert [each.name for each in family_variants(recipe, Path("data"), ["tucker", "textnet"])] == [
        "teacher",
        "textnet",
        "tucker",
    ]
    with pytest.raises(ArgumentError, match="family 'tuker' is unknown; allowed are teacher, textnet, darknet, "):
        family_variants(recipe, Path("data"), ["tuker"])
    with pytest.raises(ArgumentError, match="at least one more of"):
        family_variants(recipe, Path("data"), ["teacher"])


def test_a_recipe_without_the_teacher_is_refused():
    with pytest.raises(ArgumentError, match="needs the stage teacher and at least one more of"):
        family_variants(load_recipe("digits").model_copy(update={"stages": {}}), Path("data"))


def _family(name: str, parameters: int, macs: int, ms: tuple[float, float], *accuracy: float) -> Family:
    def file(milliseconds: float, kilobytes: float, less: float) -> FamilyFile:
        figures = [Figures(parameters, kilobytes, unseen, unseen - 0.1 - less) for unseen in accuracy]
        return FamilyFile(figures, milliseconds)

    return Family(name, macs, file(ms[0], parameters / 250, 0.0), file(ms[1], parameters / 1000, 0.02))


TEACHER = _family("teacher", 1_000_000, 80_000_000, (4.0, 2.0), 0.96, 0.98)
PARCONV = _family("parconv", 100_000, 10_000_000, (1.0, 0.8), 0.95, 0.98)
TUCKER = _family("tucker", 125_000, 8_000_000, (0.5, 0.4), 0.90, 0.92)


def test_finalists_are_what_none_as_fast_beats_clearly():
    slow = _family("darknet", 100_000, 10_000_000, (1.1, 0.9), 0.90)  # parconv is faster and 6 points better
    level = _family("textnet", 100_000, 10_000_000, (1.1, 0.9), 0.96)
    assert finalists([TEACHER, level, slow, PARCONV, TUCKER]) == ["teacher", "textnet", "parconv", "tucker"]
    assert finalists([TEACHER, _family("tucker", 1, 1, (5.0, 5.0), 0.5)]) == ["teacher"]


def test_the_page_counts_against_the_teacher():
    families = [TEACHER, PARCONV, TUCKER]
    heads, rows = ratios_table(families)
    parconv = dict(zip(heads, rows[1], strict=True))
    assert parconv["parameters ÷"] == "10.0" and parconv["multiply-adds ÷"] == "8.0"
    assert parconv["file ÷ fp32"] == "10.0" and parconv["file ÷ int8"] == "40.0"
    assert parconv["faster x fp32"] == "4.0" and parconv["faster x int8"] == "5.0"
    assert parconv["lost rendered fp32"] == "+0.5" and parconv["lost real int8"] == "+2.5"
    heads, rows = figures_table(families)
    teacher = dict(zip(heads, rows[0], strict=True))
    assert teacher["real % fp32"] == "87.0 ± 1.4" and teacher["ms int8"] == "2" and teacher["KB fp32"] == "4,000"
    assert "The fastest within 1 point of the teacher is parconv fp32: 4.0x faster" in summary(families)[1]
    assert summary([TEACHER, TUCKER])[1] == "No family comes within 1 point of the teacher."
    assert "tucker int8, tucker fp32, parconv fp32, teacher fp32" in summary(families)[0].replace("parconv int8, ", "")


def test_others_figures_stand_beside_ours_and_are_told_apart():
    bilstm = _family("bilstm", 4_000_000, 200_000_000, (8.0, 6.0), 0.9)
    darknet = _family("darknet_bilstm", 1_000_000, 50_000_000, (2.0, 1.5), 0.9)
    heads, rows = claims_table([TEACHER, PARCONV, TUCKER, bilstm, darknet])
    table = {row[0]: dict(zip(heads, row, strict=True)) for row in rows}
    assert list(table) == list(CLAIMS)
    assert table["darknet_bilstm"]["here, against"] == "bilstm" and table["darknet_bilstm"]["faster x"] == "4.0"
    assert "14.2x" in table["darknet_bilstm"]["they report"] and table["tucker"]["here, against"] == "teacher"
    text = page([TEACHER, TUCKER], {"cores": "2"})
    assert "7.5x" in text and "14.2x" not in text and "Their tasks" in text
    assert text.count(" |\n| ---") == 3 and " |\n\n|" not in text  # three tables, each in one piece


def test_a_file_that_failed_its_checks_leaves_a_gap():
    failed = Family("parconv", PARCONV.macs, PARCONV.fp32, None)
    heads, rows = figures_table([TEACHER, failed])
    assert dict(zip(heads, rows[1], strict=True))["ms int8"] == "–"
    assert [point.name for point in points([TEACHER, failed])] == ["teacher fp32", "teacher int8", "parconv fp32"]
    assert "parconv" in page([TEACHER, failed], {})


@pytest.mark.slow
def test_command(words: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "cpu.yaml").write_text(SMALL)
    monkeypatch.setattr(compress_cli, "RECIPES", tmp_path)
    app, out = Typer(), tmp_path / "out"
    app.command()(compress_cli.compress)
    command = ["--data", str(words), "--real", str(words / "test")]
    command += ["--out", str(out), "--repeats", "20", "--seeds", "2"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    families = json.loads((out / "compress.json").read_text())["families"]
    assert [family["name"] for family in families] == ["teacher", "parconv", "tucker"]
    teacher, parconv, tucker = families
    assert parconv["macs"] < teacher["macs"] and tucker["macs"] < 0.6 * teacher["macs"]
    assert all(family["fp32"]["figures"][0]["real"] is not None for family in families)
    assert len(teacher["fp32"]["figures"]) == 2 and teacher["fp32"]["figures"][0] != teacher["fp32"]["figures"][1]
    assert "| parconv |" in (out / "compress.md").read_text() and (out / "compress.png").stat().st_size > 10_000

    refused = CliRunner().invoke(app, [*command, "--real", str(tmp_path / "nowhere")])
    assert isinstance(refused.exception, ArgumentError) and "missing" in str(refused.exception)
