"""Recipes: the ready ones load, and mistakes are named with what is allowed."""

import copy

import pytest
import yaml

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.recipe import load_recipe, parse_recipe
from scriptkd_train.recipe_files import ready_recipes

GOOD = yaml.safe_load("""
seed: 1
stages:
  teacher:
    network: {name: textnet, arguments: {width: 0.5}}
    input: {channels: 1, height: 32, width_min: 32, width_max: 128, width_step: 16}
    epochs: 1
    batch_size: 8
    optimizer: {name: adamw, lr: 0.001}
  student:
    network: {name: textnet, arguments: {width: 0.25}}
    input: {channels: 1, height: 32, width_min: 32, width_max: 128, width_step: 16}
    epochs: 1
    batch_size: 8
    optimizer: {name: adamw, lr: 0.001}
    distil: {teacher: teacher}
""")


@pytest.mark.parametrize("name", sorted(ready_recipes()))
def test_ready_recipes_load(name):
    recipe = load_recipe(name)
    assert list(recipe.stages) == ["teacher", "assistant", "student"]


def test_the_good_one_is_good():
    assert parse_recipe(GOOD, "good").stages["student"].distil.tau == 4.0


@pytest.mark.parametrize(
    ("where", "value", "message"),
    [
        (("stages", "teacher", "epoch"), 3, r"stages\.teacher\.epoch = 3: no such key; allowed .*epochs"),
        (("stages", "teacher", "optimizer", "lrr"), 3, r"optimizer\.lrr = 3: no such key; allowed here are name, lr,"),
        (("stages", "teacher", "optimizer", "lr"), -1, r"optimizer\.lr = -1: .*greater than 0"),
        (("stages", "teacher", "optimizer", "name"), "adam", r"optimizer\.name = 'adam': .*'sgd' or 'adamw'"),
        (("stages", "teacher", "network", "name"), "resnet", r"'resnet' is unknown; allowed are assistant"),
        (("stages", "student", "distil", "teacher"), "student", r"'student' is no earlier stage \(teacher\)"),
        (("stages", "student", "distil", "alpha"), 1.5, r"distil\.alpha = 1\.5: .*less than or equal to 1"),
        (("stages", "teacher", "augment"), "mixup", r"augment = 'mixup': .*'none', 'photometric' or 'text'"),
        (
            ("stages", "teacher", "input", "width_min"),
            256,
            r"stages\.teacher\.input: width_min \(256\) must not exceed",
        ),
        (("sead",), 3, r"sead = 3: no such key; allowed here are seed, precision, stages"),
        (("stages",), {}, r"stages = \{\}: .*at least 1"),
    ],
)
def test_mistakes_are_named(where, value, message):
    content = copy.deepcopy(GOOD)
    place = content
    for key in where[:-1]:
        place = place[key]
    place[where[-1]] = value
    with pytest.raises(ArgumentError, match=message):
        parse_recipe(content, "mine.yaml")


def test_online_labels_need_one_input():
    content = copy.deepcopy(GOOD)
    content["stages"]["student"]["distil"]["labels"] = "online"
    parse_recipe(content, "same input")
    content["stages"]["student"]["input"]["height"] = 40
    with pytest.raises(ArgumentError, match="labels 'online' needs its teacher's input"):
        parse_recipe(content, "other input")


def test_missing_and_broken_files(tmp_path):
    with pytest.raises(ArgumentError, match="neither a file nor one of the ready ones: demo, mobile"):
        load_recipe("nothing")
    broken = tmp_path / "broken.yaml"
    broken.write_text("stages: [")
    with pytest.raises(ArgumentError, match="is not YAML"):
        load_recipe(str(broken))
    broken.write_text("- 1")
    with pytest.raises(ArgumentError, match="must be a mapping"):
        load_recipe(str(broken))
