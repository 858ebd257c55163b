"""A stage's `optimizer` keys: learning rates for layers by name, and gradients clipped to a norm."""

import pytest
import torch
from lightning_fabric import Fabric

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.data.in_memory import InMemoryDataset
from scriptkd_train.engine.check import check_networks
from scriptkd_train.engine.trainer import Trainer, parameter_groups
from scriptkd_train.models.networks import build_network
from scriptkd_train.recipe import Optimizer, ResolvedStage, parse_recipe

LABELS = ["Arabic", "Latin", "Tamil"]


def recipe(**optimizer):
    stage = {
        "network": {"name": "textnet", "arguments": {"width": 0.25}},
        "input": {"channels": 1, "height": 32, "width_min": 32, "width_max": 32},
        "epochs": 1,
        "batch_size": 6,
        "optimizer": {"name": "sgd", "lr": 0.1, "momentum": 0.0, **optimizer},
    }
    return parse_recipe({"stages": {"student": stage}}, "test")


def moved(**optimizer):
    """How far one step moves each parameter, by name, float32."""
    pixels = torch.randint(0, 256, (6, 1, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    data = InMemoryDataset({32: pixels}, {32: torch.arange(6) % 3}, {32: torch.arange(6)})
    generator = torch.Generator().manual_seed(0)
    stage = ResolvedStage.of(recipe(**optimizer).stages["student"])
    trainer = Trainer(Fabric(accelerator="cpu", devices=1), "student", stage, 3, 0)
    network = trainer.eval_model
    before = {name: value.detach().clone() for name, value in network.named_parameters()}
    trainer.step(next(iter(data.batches(6, generator))), 0.0, generator)
    return {name: value.detach() - before[name] for name, value in network.named_parameters()}


def test_layers_learn_at_their_own_rates():
    plain, scaled = moved(), moved(lr_scale={"body": 0.25, "body.1": 0.5})
    assert any(name.startswith("body.1.") for name in plain) and any(name.startswith("body.0.") for name in plain)
    for name, change in plain.items():
        scale = 0.5 if name.startswith("body.1.") else 0.25 if name.startswith("body.") else 1.0
        torch.testing.assert_close(scaled[name], scale * change, rtol=1e-3, atol=1e-7)


def test_the_gradient_is_cut_to_a_norm_and_keeps_its_direction():
    plain, cut, loose = moved(), moved(clip=0.01), moved(clip=1e6)
    norm = torch.cat([each.flatten() for each in plain.values()]).norm() / 0.1
    assert norm > 0.02
    for name, change in plain.items():
        torch.testing.assert_close(cut[name], change * 0.01 / norm, rtol=1e-2, atol=1e-7)
        torch.testing.assert_close(loose[name], change, rtol=0, atol=0)


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_every_parameter_is_in_one_group(name):
    network = build_network("textnet", 3, recipe().stages["student"].input.preprocessing())
    spec = Optimizer(name=name, lr=0.1, weight_decay=0.01, lr_scale={"body": 0.1, "head": 2.0})
    groups = parameter_groups(network, spec)
    members = [id(parameter) for group in groups for parameter in group["params"]]
    assert sorted(members) == sorted(id(parameter) for parameter in network.parameters())
    assert {group["lr_scale"] for group in groups if group["params"]} == {0.1, 2.0}
    decayed = {parameter.ndim > 1 for group in groups if group["weight_decay"] for parameter in group["params"]}
    assert decayed == ({True, False} if name == "sgd" else {True})


def test_a_layer_that_the_network_lacks_is_named_before_training():
    with pytest.raises(
        ArgumentError,
        match=r"^stage student: optimizer\.lr_scale: no trainable parameter is in a layer 'trunk'; layers are body",
    ):
        check_networks(recipe(lr_scale={"trunk": 0.1}), LABELS)
    check_networks(recipe(lr_scale={"body": 0.1}), LABELS)


@pytest.mark.parametrize(
    ("key", "value"), [("clip", 0), ("clip", "much"), ("lr_scale", {"body": 0}), ("lr_scale", 0.1)]
)
def test_impossible_values_are_refused(key, value):
    with pytest.raises(ArgumentError, match=rf"recipe test: stages\.student\.optimizer\.{key}"):
        recipe(**{key: value})
