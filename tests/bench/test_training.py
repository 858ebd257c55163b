"""The cost of a training step: a step is timed as a whole and in parts, and wrong requests are named."""

import pytest
import typer
import yaml
from typer.testing import CliRunner

from scriptkd_bench.training import time_stage
from scriptkd_bench.training_cli import bench_train
from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.recipe import parse_recipe

CHAIN = yaml.safe_load("""
stages:
  teacher:
    network: {name: timm, arguments: {model: test_resnet, pretrained: true}}
    input: {channels: 3, height: 32, width_min: 32, width_max: 32}
    epochs: 1
    batch_size: 8
    optimizer: {name: sgd, lr: 0.001}
  student:
    network: {name: textnet, arguments: {width: 0.25}}
    input: {channels: 1, height: 16, width_min: 16, width_max: 64, width_step: 16}
    epochs: 1
    batch_size: 4
    optimizer: {name: adamw, lr: 0.001}
    augment: text
    ema: 0.9
    distil: {teacher: teacher, match: {features: {loss: kl, weight: 0.4}}}
""")


def test_a_step_is_timed_in_whole_and_in_parts():
    seen = []
    cost = time_stage(parse_recipe(CHAIN, "x"), "student", 3, 0, lambda done, total: seen.append((done, total)))
    assert cost.shape == (4, 1, 16, 48)  # 39x114 at height 16
    assert cost.images == 32
    assert min(cost.bare, cost.whole, cost.loading, cost.augmenting, cost.averaging) > 0
    assert cost.peak > 32 * 16 * 48
    assert seen[-1] == (3, 3)


def test_no_weights_are_downloaded(monkeypatch):
    monkeypatch.setattr("timm.models._builder.load_pretrained", lambda *_, **__: pytest.fail("downloads"))
    assert time_stage(parse_recipe(CHAIN, "x"), "teacher", 3, 16).images == 16


def test_fewer_images_than_a_batch_are_refused():
    with pytest.raises(ArgumentError, match="--images 3: stage student has batches of 4; give at least as many"):
        time_stage(parse_recipe(CHAIN, "x"), "student", 3, 3)


def test_an_unknown_stage_is_named(tmp_path):
    app = typer.Typer()
    app.command()(bench_train)
    (tmp_path / "x.yaml").write_text(yaml.safe_dump(CHAIN, sort_keys=False))
    result = CliRunner().invoke(app, [str(tmp_path / "x.yaml"), "--stage", "assistant"])
    assert isinstance(result.exception, ArgumentError)
    assert "has no stage 'assistant'; it has teacher, student" in str(result.exception)
