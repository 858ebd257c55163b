"""Recipes: the ready ones load, and messages name each mistake and what is allowed."""

import copy
import re
from pathlib import Path

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


MATCH = ("stages", "student", "distil", "match")


@pytest.mark.parametrize("name", sorted(ready_recipes()))
def test_ready_recipes_load(name):
    recipe = load_recipe(name)
    assert list(recipe.stages)[-1] == ("teacher" if name == "teacher" else "student")


@pytest.mark.parametrize("teacher", ["inceptionv3", "efficientnet-b4", "vgg19"])
def test_paper_recipes_say_what_the_paper_says(teacher):
    """PAPER: 299x299, SGD with Nesterov momentum 0.95, rate 0.001, decay 0.001, 150 epochs, alpha = lambda = 0.4."""
    recipe = load_recipe(f"paper-{teacher}")
    assert list(recipe.stages) == ["teacher", "assistant", "student"]
    for stage in recipe.stages.values():
        assert (stage.input.channels, stage.input.height, stage.input.width_min, stage.input.width_max) == (
            3,
            *[299] * 3,
        )
        assert stage.optimizer.model_dump() == {
            "name": "sgd", "lr": 0.001, "weight_decay": 0.001, "momentum": 0.95, "schedule": "constant", "warmup": 0.0,
            "clip": None, "lr_scale": {},
        }  # fmt: skip
        assert (stage.epochs, stage.augment, stage.ema, stage.label_smoothing) == (150, "photometric", 0, 0)
    network = recipe.stages["teacher"].network
    assert network.arguments["model"] == teacher
    assert network.arguments["pretrained"] is True
    assert network.arguments.get("auxiliary", False) is (teacher == "inceptionv3")
    assistant, student = recipe.stages["assistant"].distil, recipe.stages["student"].distil
    assert (assistant.teacher, assistant.alpha, assistant.match) == ("teacher", 0.4, {})
    assert (student.teacher, student.alpha) == ("assistant", 0.4)
    assert {point: (match.loss, match.weight) for point, match in student.match.items()} == {"features": ("kl", 0.4)}
    assert {(d.loss, d.labels) for d in (assistant, student)} == {("kd", "cached")}


@pytest.mark.parametrize("teacher", ["inceptionv3", "efficientnet-b4", "vgg19"])
def test_cpu_recipes_differ_from_the_paper_in_scale_alone(teacher):
    paper, small = load_recipe(f"paper-{teacher}"), load_recipe(f"paper-{teacher}-cpu")
    assert list(small.stages) == list(paper.stages)
    for name, stage in small.stages.items():
        assert stage.distil == paper.stages[name].distil
        assert stage.augment == paper.stages[name].augment
        assert stage.network.name == paper.stages[name].network.name
        assert stage.epochs < 50
        assert stage.input.height == stage.input.width_min == stage.input.width_max < 100
    assert not small.stages["teacher"].network.arguments["pretrained"]


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
        (("stages", "student", "distil", "teacher"), "student", r"'student' is not an earlier stage \(teacher\)"),
        (("stages", "student", "distil", "alpha"), 1.5, r"distil\.alpha = 1\.5: .*less than or equal to 1"),
        (
            ("stages", "student", "distil", "teacher"),
            3,
            r"distil\.teacher: 3 must be the name of an earlier stage, a list of names, or",
        ),
        (
            ("stages", "student", "distil", "teacher"),
            ["teacher", "x"],
            r"teacher 'x' is not an earlier stage \(teacher\)",
        ),
        (("stages", "student", "distil", "teacher"), {"teacher": 0}, r"mapping of names to weights above 0"),
        (("stages", "student", "distil", "teacher"), [], r"\[\] must be the name of an earlier stage"),
        (
            ("stages", "student", "distil", "loss"),
            "dk",
            r"loss 'dk' is unknown; allowed are kd, dkd, dist, standardised",
        ),
        (
            ("stages", "student", "distil", "tau"),
            [4, -1],
            r"tau \[4, -1\] must be above 0 and at most 100, or a list of",
        ),
        (("stages", "student", "distil", "tau"), [], r"tau \[\] must be above 0"),
        (
            ("stages", "student", "distil", "loss"),
            "none",
            r"with loss 'none' and no `match`, nothing is learned from the teacher",
        ),
        (MATCH, {"lstm": {"loss": "l2"}}, r"point 'lstm' is unknown; allowed are features, conv_output, lstm_input"),
        (MATCH, {"features": {"loss": "x"}}, r"match\.features: loss 'x' is unknown; allowed are kl, l2, mahalanobis"),
        (MATCH, {"features": {"los": "l2"}}, r"los = 'l2': no such key; allowed here are loss, weight"),
        (MATCH, {"features": {"loss": "l2", "weight": 0}}, r"match\.features\.weight = 0: .*greater than 0"),
        (MATCH, {"features": {"loss": "feedforward"}}, r"'feedforward' is only for lstm_input, not for features"),
        (MATCH, {"conv_output": {"loss": "l2"}}, r"conv_output needs labels 'online'"),
        (("stages", "student", "distil", "arguments"), {"beta": 2}, r"loss 'kd' has no argument 'beta'; it has none"),
        (("stages", "student", "quantize"), {"weights": 3}, r"quantize\.weights = 3: .*4 or 8"),
        (("stages", "student", "quantize"), {"weigths": 4}, r"weigths = 4: no such key; allowed here are weights, act"),
        (("stages", "student"), None, r"stages\.student = null: there is no key of this name to remove"),
        (("stages", "teacher", "augment"), "mixup", r"augment = 'mixup': .*'none', 'photometric' or 'text'"),
        (
            ("stages", "teacher", "input", "width_min"),
            256,
            r"stages\.teacher\.input: width_min \(256\) must not exceed",
        ),
        (("sead",), 3, r"sead = 3: no such key; allowed here are seed, precision, stages, parent"),
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
    with pytest.raises(ArgumentError, match="labels 'online' needs the same input as its teacher"):
        parse_recipe(content, "other input")


def test_missing_and_broken_files(tmp_path):
    with pytest.raises(ArgumentError, match=r"neither a file nor a ready recipe: any-crop, demo, .*mobile, "):
        load_recipe("nothing")
    broken = tmp_path / "broken.yaml"
    broken.write_text("stages: [")
    with pytest.raises(ArgumentError, match="is not YAML"):
        load_recipe(str(broken))
    broken.write_text("- 1")
    with pytest.raises(ArgumentError, match="must be a mapping"):
        load_recipe(str(broken))


def test_several_teachers_and_their_shares():
    content = copy.deepcopy(GOOD)
    content["stages"]["second"] = {**content["stages"]["student"], "distil": None}
    content["stages"]["third"] = {**content["stages"]["student"], "distil": {"teacher": ["teacher", "second"]}}
    assert parse_recipe(content, "list").stages["third"].distil.teachers == {"teacher": 0.5, "second": 0.5}
    content["stages"]["third"]["distil"] = {"teacher": {"teacher": 3, "second": 1}}
    assert parse_recipe(content, "weights").stages["third"].distil.teachers == {"teacher": 0.75, "second": 0.25}
    content["stages"]["third"]["distil"]["match"] = {"features": {"loss": "kl"}}
    with pytest.raises(ArgumentError, match="match needs a single teacher: the vectors of several"):
        parse_recipe(content, "features")
    content["stages"]["third"]["distil"] = {"teacher": ["teacher", "second"], "loss": "l2"}
    with pytest.raises(ArgumentError, match="loss 'l2' needs a single teacher"):
        parse_recipe(content, "logits")


def test_the_example_of_the_training_guide_is_a_recipe(tmp_path):
    guide = (Path(__file__).parents[2] / "train" / "README.md").read_text()
    (found,) = re.findall(r"`(parent: [^`]+)`\s+and\s+`(stages: [^`]+)`", guide)
    (tmp_path / "mine.yaml").write_text("\n".join(found))
    assert load_recipe(str(tmp_path / "mine.yaml")).stages["student"].distil.loss == "dist"


def write(path, text):
    path.write_text(text)
    return str(path)


@pytest.fixture
def parent(tmp_path):
    return write(tmp_path / "parent.yaml", yaml.safe_dump(GOOD, sort_keys=False))


def test_a_child_changes_a_few_keys(tmp_path, parent):
    child = write(
        tmp_path / "child.yaml",
        "parent: parent.yaml\nstages: {student: {optimizer: {lr: 0.01}, distil: {loss: dkd, arguments: {beta: 2}}}}",
    )
    mine, theirs = load_recipe(child), load_recipe(parent)
    assert mine.seed == theirs.seed
    assert mine.stages["teacher"] == theirs.stages["teacher"]
    student = mine.stages["student"]
    assert (student.optimizer.lr, student.optimizer.name) == (0.01, "adamw")
    assert (student.distil.teacher, student.distil.loss, student.distil.arguments) == ("teacher", "dkd", {"beta": 2})
    # A grandchild, of a path from its own folder, with another loss: DKD's constants do not follow it.
    (tmp_path / "below").mkdir()
    grandchild = write(
        tmp_path / "below" / "grandchild.yaml",
        "parent: ../child.yaml\nseed: 7\nstages: {student: {distil: {loss: dist}}}",
    )
    assert load_recipe(grandchild).seed == 7
    assert load_recipe(grandchild).stages["student"].distil.arguments == {}
    assert load_recipe(grandchild).stages["student"].optimizer.lr == 0.01


def test_a_new_stage_stands_where_it_is_written(tmp_path, parent):
    new = yaml.safe_dump(GOOD["stages"]["teacher"], default_flow_style=True, width=1000).strip()
    stages = f"first: {new}, teacher: {{epochs: 9}}, a: {new}, b: {new}, student: {{}}, last: {new}"
    text = f"parent: {parent}\nstages: {{{stages}}}"
    recipe = load_recipe(write(tmp_path / "child.yaml", text))
    assert list(recipe.stages) == ["first", "teacher", "a", "b", "student", "last"]
    assert recipe.stages["teacher"].epochs == 9


def test_null_takes_away(tmp_path, parent):
    student = "{distil: null, network: {arguments: null}}"
    alone = load_recipe(write(tmp_path / "a.yaml", f"parent: {parent}\nstages: {{teacher: null, student: {student}}}"))
    assert list(alone.stages) == ["student"]
    assert alone.stages["student"].distil is None
    assert alone.stages["student"].network.arguments == {}
    # Without its teacher the student cannot learn from it.
    with pytest.raises(ArgumentError, match="stage student: teacher 'teacher' is not an earlier stage"):
        load_recipe(write(tmp_path / "b.yaml", f"parent: {parent}\nstages: {{teacher: null}}"))
    with pytest.raises(ArgumentError, match=r"stages\.taecher = null: there is no key of this name to remove"):
        load_recipe(write(tmp_path / "c.yaml", f"parent: {parent}\nstages: {{taecher: null}}"))


def test_another_network_does_not_inherit_arguments(tmp_path, parent):
    child = f"parent: {parent}\nstages: {{student: {{network: {{name: assistant}}}}}}"
    assert load_recipe(write(tmp_path / "child.yaml", child)).stages["student"].network.arguments == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("parent: child.yaml", "is its own ancestor: .*child.yaml -> .*child.yaml"),
        ("parent: other.yaml", "is its own ancestor: .*child.yaml -> .*other.yaml -> .*child.yaml"),
        ("parent: nothing", "parent 'nothing' is neither a file nor a ready recipe: any-crop, demo"),
        ("parent: [a, b]", r"parent = \['a', 'b'\]: must be a path or one of any-crop, demo"),
        ("parent: list.yaml", "its parent 'list.yaml' is not a mapping"),
        ("parents: demo", "parents = 'demo': no such key; allowed here are seed, precision, stages, parent"),
        ("parent: demo\nstages: {studnet: {epochs: 3}}", r"stages\.studnet\.network is missing"),
        ("parent: demo\nstages: {student: {epoch: 3}}", r"student\.epoch = 3: no such key; allowed here are network"),
        ("parent: demo\nstages: 3", "stages = 3: "),
        ("parent: binary.yaml", "binary.yaml cannot be read as text"),
    ],
)
def test_mistakes_with_parents_are_named(tmp_path, text, message):
    (tmp_path / "other.yaml").write_text("parent: child.yaml")
    (tmp_path / "list.yaml").write_text("- 1")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ArgumentError, match=message):
        load_recipe(write(tmp_path / "child.yaml", text))
