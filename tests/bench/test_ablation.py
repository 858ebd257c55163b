"""Ablations: specs are read strictly, variants are trained once, and figures are those of `evaluate`."""

import json
import shutil
from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner

from scriptkd_bench import ablation as module
from scriptkd_bench.ablation import Figures, Row, cells, read_spec
from scriptkd_bench.ablation_cli import ablation
from scriptkd_sdk.errors import ArgumentError

SPECS = Path(__file__).parents[2] / "benchmarks" / "ablation"
RECIPE = """
stages:
  student:
    network: {name: textnet, arguments: {width: 0.25}}
    input: {channels: 1, height: 32, width_min: 32, width_max: 32}
    epochs: 1
    batch_size: 8
    optimizer: {name: adamw, lr: 0.002}
"""

app = Typer()
app.command()(ablation)


@pytest.mark.parametrize(
    "path", sorted(set(SPECS.glob("*.yaml")) - set(SPECS.glob("*base.yaml"))), ids=lambda p: p.stem
)
def test_the_specs_of_the_repository_are_recipes(path: Path):
    variants = read_spec(path, Path("data"))
    assert len(variants) >= 5
    assert len({(variant.recipe.model_dump_json(), variant.data) for variant in variants}) == len(variants)


def test_changes_data_and_other_recipes(tmp_path: Path):
    (tmp_path / "base.yaml").write_text(RECIPE)
    spec = tmp_path / "spec.yaml"
    spec.write_text(
        "parent: base.yaml\nvariants:\n  base:\n  long: {recipe: {stages: {student: {epochs: 7}}}}\n"
        "  other: {recipe: base.yaml, data: else/where}\n  ready: {recipe: demo}\n"
    )
    base, long, other, ready = read_spec(spec, tmp_path / "words")
    assert base.recipe.stages["student"].epochs == 1 and long.recipe.stages["student"].epochs == 7
    assert other.recipe == base.recipe and other.data == Path("else/where") and long.data == tmp_path / "words"
    assert list(ready.recipe.stages) == ["teacher", "assistant", "student"]
    assert ready.checkpoint(tmp_path, 2) == tmp_path / "words" / "seed-2" / "ready" / "student.pt"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("variants: {a: {}}", "variant a changes a recipe, but the spec names no parent"),
        ("parent: demo", "must be a mapping with the keys variants"),
        ("parent: demo\nvariants: [a]", "variants must be a mapping of names"),
        ("parent: demo\nvariants: {a/b: {}}", "a name may hold letters"),
        ("parent: demo\nvariants: {a: {receipt: {}}}", "must be a mapping with the keys recipe and data"),
        ("parent: demo\nvariants: {a: {recipe: 3}}", "recipe must be a name, a path, or the keys"),
        ("parent: demo\nvariants: {a: {recipe: {stages: {student: {epoch: 3}}}}}", "epoch.*no such key"),
        ("parent: nowhere.yaml\nvariants: {a: {}}", "neither a file nor a ready recipe"),
        ("variants: {a: [", "is not YAML"),
        ("parent: demo\nvariants: {a: {}, b: {data: other/words}}", "need folders of different names, not /"),
    ],
)
def test_wrong_specs(text: str, message: str, tmp_path: Path):
    (tmp_path / "spec.yaml").write_text(text)
    with pytest.raises(ArgumentError, match=message):
        read_spec(tmp_path / "spec.yaml", Path("words"))


def test_a_missing_spec(tmp_path: Path):
    with pytest.raises(ArgumentError, match="cannot read the spec"):
        read_spec(tmp_path / "spec.yaml", tmp_path)


def test_the_table_tells_differences_and_spread():
    rows = [
        Row(
            "base",
            [Figures(1000, 350.4, 0.90, 0.80, roc_area=0.95), Figures(1000, 350.4, 0.92, 0.84, roc_area=0.97)],
            0.1,
        ),
        Row(
            "other",
            [Figures(2000, 700.0, 0.95, 0.85, roc_area=0.9), Figures(2000, 700.0, 0.95, 0.85, roc_area=0.9)],
            12.3,
        ),
    ]
    heads, (base, other) = cells(rows)
    table = dict(zip(heads, other, strict=True))
    assert dict(zip(heads, base, strict=True))["unseen fonts %"] == "91.0 ± 1.4"
    assert table["unseen fonts %"] == "95.0 ± 0.0 (+4.0)" and table["real %"] == "85.0 ± 0.0 (+3.0)"
    assert table["gap"] == "10.0 ± 0.0 (+1.0)" and table["ROC area"] == "0.900 ± 0.000 (-0.060)"
    assert table["scene %"] == "–" and table["run ms"] == "12.3" and table["parameters"] == "2,000"


@pytest.mark.slow
def test_command(words: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "base.yaml").write_text(RECIPE)
    spec, out = tmp_path / "small.2.yaml", tmp_path / "out"
    spec.write_text("parent: base.yaml\nvariants:\n  base:\n  smooth: {recipe: {stages: {student: {augment: text}}}}\n")
    command = [str(spec), "--data", str(words), "--out", str(out), "--repeats", "20"]
    real = shutil.copytree(words / "test", tmp_path / "real")
    command += ["--real", str(real)]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in out.glob("small*")) == ["small.2.json", "small.2.md", "small.2.png"]
    rows = json.loads((out / "small.2.json").read_text())["rows"]
    assert [row["name"] for row in rows] == ["base", "smooth"]
    (kept,) = out.glob("*/seed-1/base/student.figures.json")
    assert json.loads(kept.read_text())["figures"] == rows[0]["figures"][0]

    # A second time nothing is trained or measured again; other images are.
    measured = []

    def again(*inputs: object) -> None:
        measured.append(inputs)
        pytest.fail("measured again")

    monkeypatch.setattr(module, "evaluate", again)
    assert CliRunner().invoke(app, command).exit_code == 0
    with pytest.raises(pytest.fail.Exception):
        CliRunner().invoke(app, [*command, "--split", "test"], catch_exceptions=False)
    assert len(measured) == 1 and measured[0][2] == "test"
    next(real.rglob("*.png")).unlink()
    with pytest.raises(pytest.fail.Exception):
        CliRunner().invoke(app, command, catch_exceptions=False)
