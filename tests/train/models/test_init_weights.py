"""Stages that start from earlier ones: copied weights, weights fixed to the last bit, and named mistakes."""

import copy
import re

import cv2
import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from rich.console import Console

from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.data.in_memory import Batch
from scriptkd_train.engine.chain import train_chain
from scriptkd_train.engine.check import check_networks
from scriptkd_train.engine.trainer import Trainer
from scriptkd_train.models.average import average_with_start
from scriptkd_train.models.init_weights import freeze, select_init_weights
from scriptkd_train.models.networks import build_network
from scriptkd_train.recipe import ResolvedStage, parse_recipe

SIZE = {"channels": 1, "height": 32, "width_min": 32, "width_max": 32}
FIRST = {"network": {"name": "assistant", "arguments": {"hidden": 8}}, "input": SIZE, "epochs": 1, "batch_size": 8,
         "optimizer": {"name": "adamw", "lr": 0.01, "weight_decay": 0.1}}  # fmt: skip
TEXTNET = {**FIRST, "network": {"name": "textnet", "arguments": {"width": 0.25, "dropout": 0.5}}, "ema": 0.9}


def recipe(**stages):
    return parse_recipe({"seed": 3, "stages": stages}, "test")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    for split, count in (("train", 16), ("val", 4)):
        for name in ("Latin", "Tamil"):
            (root / split / name).mkdir(parents=True)
            for i in range(count):
                cv2.imwrite(str(root / split / name / f"{i}.png"), rng.integers(0, 255, (32, 32), np.uint8))
    return root


def batch():
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (8, 1, 32, 32), generator=generator, dtype=torch.uint8)
    return Batch(images, torch.arange(8) % 2, torch.arange(8))


def trained(stage, source):
    """A trainer of the stage after five steps."""
    trainer = Trainer(Fabric(accelerator="cpu"), "second", ResolvedStage.of(stage), 2, 0, source=source)
    trainer.learner.train()
    for _ in range(5):
        trainer.step(batch(), 0.0, torch.Generator().manual_seed(0))
    return trainer


@pytest.mark.parametrize("optimizer", [{"name": "sgd", "lr": 0.1, "weight_decay": 0.1}, FIRST["optimizer"]])
def test_a_frozen_layer_does_not_move_by_one_bit(optimizer):
    """Nor do its running statistics, though the rest moves, also in the moving average that is kept."""
    start = {"stage": "first", "freeze": ["body.0", "body.1"]}
    stage = recipe(first=TEXTNET, second={**TEXTNET, "optimizer": optimizer, "start": start}).stages["second"]
    source = build_network("textnet", 2, Preprocessing(1, 32, 32, 32, 1), width=0.25, dropout=0.5).state_dict()
    source = {name: torch.rand_like(value, dtype=torch.float).to(value.dtype) for name, value in source.items()}
    trainer = trained(stage, source)
    for network in (trainer.eval_model, trainer.learner.module.network):
        for name, value in network.state_dict().items():
            if name.startswith(("body.0.", "body.1.")):
                assert torch.equal(value, source[name]), name
            elif "num_batches" not in name:
                assert not torch.equal(value, source[name]), name


def test_named_layers_are_copied_and_the_rest_is_the_seeds():
    start = {"stage": "first", "layers": ["lstm", "head.2"], "freeze": ["head.2", "lstm"]}
    stages = recipe(first=FIRST, second={**FIRST, "start": start}, third=FIRST).stages
    source = build_network("assistant", 2, Preprocessing(1, 32, 32, 32, 1), hidden=8).state_dict()
    fabric = Fabric(accelerator="cpu")
    mine = Trainer(fabric, "second", ResolvedStage.of(stages["second"]), 2, 0, source=source).eval_model.state_dict()
    alone = Trainer(fabric, "second", ResolvedStage.of(stages["third"]), 2, 0).eval_model.state_dict()
    assert all(
        torch.equal(value, (source if name.startswith(("lstm.", "head.2.")) else alone)[name])
        for name, value in mine.items()
    )
    moved = trained(stages["second"], source).eval_model.state_dict()
    for name, value in moved.items():
        assert torch.equal(value, mine[name]) == name.startswith(("lstm.", "head.2.")), name


def test_the_whole_network_through_a_chain_and_resumed(data, tmp_path):
    """Stopped after a stage's first epoch and started again, it ends with the same weights."""
    second = {**TEXTNET, "epochs": 2, "start": {"stage": "first", "freeze": ["body.0"]}}
    whole = train_chain(recipe(first=TEXTNET, second=second), "x", data, tmp_path / "whole")
    assert torch.equal(whole["first"].state_dict["body.0.0.weight"], whole["second"].state_dict["body.0.0.weight"])
    begun = parse_recipe({"seed": 3, "stages": {"first": TEXTNET, "second": second}}, "test")
    with pytest.raises(KeyboardInterrupt):
        train_chain(begun, "x", data, tmp_path / "broken", console=Stop())
    resumed = train_chain(begun, "x", data, tmp_path / "broken")
    for name, value in whole["second"].state_dict.items():
        assert torch.equal(value, resumed["second"].state_dict[name]), name


class Stop(Console):
    """Stops the run where it says that the second stage's first epoch is done."""

    def print(self, *texts, **_):
        if texts[0].startswith("second 1/2"):
            raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("first", "start", "message"),
    [
        (FIRST, {"layers": ["lsmt"]}, "layer 'lsmt' is not in the network, which has convolutions, lstm, head"),
        (FIRST, {"freeze": ["lstm.weight_hh_l0"]}, "layer 'lstm.weight_hh_l0' is not in the network"),
        (FIRST, {"freeze": ["convolutions", "lstm", "head"]}, "freeze covers the whole network"),
        (
            {**FIRST, "network": {"name": "assistant", "arguments": {"hidden": 9}}},
            {},
            "cannot copy the whole network: head.0.bias is 9 in the source and 8 in this network",
        ),
        (
            {**FIRST, "input": {**SIZE, "height": 64}},
            {"layers": ["head", "lstm"]},
            "cannot copy layer 'lstm': lstm.weight_ih_l0 is 1024x1200 in the source and 1024x600 in this network",
        ),
        (TEXTNET, {"layers": ["lstm"]}, "lstm.bias_hh_l0 is missing in the source and 1024 in this network"),
    ],
)
def test_what_does_not_fit_is_said_before_anything_is_trained(data, tmp_path, first, start, message):
    stages = recipe(first=first, second={**FIRST, "start": {"stage": "first", **start}})
    with pytest.raises(ArgumentError, match=re.escape(message)):
        train_chain(stages, "x", data, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("start", "message"),
    [
        ({"stage": "third"}, "stage second: start.stage 'third' is not an earlier stage (first)"),
        ({"stage": "second"}, "stage second: start.stage 'second' is not an earlier stage (first)"),
        ({}, "stages.second.start: exactly one of stage and model must be given"),
        ({"stage": "first", "layer": ["lstm"]}, "no such key; allowed here are stage, model, layers, freeze"),
        ({"stage": "first", "layers": "lstm"}, "stages.second.start.layers = 'lstm': "),
        ({"stage": "first", "layers": [""]}, "a layer's name must not be empty"),
        ({"stage": "first", "layers": ["lstm"], "freeze": ["head"]}, "'head' is not among the copied layers lstm"),
    ],
)  # fmt: skip
def test_mistakes_in_a_recipe_are_named(start, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        recipe(first=FIRST, second={**FIRST, "start": start})


def test_pretrained_networks_are_checked_without_a_download():
    timm = {**FIRST, "network": {"name": "timm", "arguments": {"model": "test_resnet", "pretrained": True}}}
    check_networks(recipe(first=timm, second={**timm, "start": {"stage": "first"}}), ["Latin", "Tamil"])


def test_an_lstm_that_is_frozen_still_passes_gradients():
    network = build_network("assistant", 2, Preprocessing(1, 32, 32, 32, 1), hidden=8)
    frozen = freeze(network, ["lstm"], "here")
    assert frozen == [network.lstm]
    network(torch.zeros(2, 1, 32, 32, dtype=torch.uint8)).sum().backward()
    assert network.convolutions[0].weight.grad is not None
    assert network.lstm.weight_ih_l0.grad is None
    twin = copy.deepcopy(network)
    assert select_init_weights(twin, network.state_dict(), ["lstm"], "here").keys() == {
        name for name in network.state_dict() if name.startswith("lstm.")
    }


def test_a_deeper_network_goes_on_where_a_shallower_one_was():
    """Its new blocks pass on what comes, until they learn: the answers are the source's to the last bit."""
    size = Preprocessing(1, 32, 32, 32, 1)
    torch.manual_seed(0)
    shallow, deep = (build_network("textnet", 2, size, width=0.25, depth=depth).eval() for depth in (1, 3))
    for parameter in shallow.parameters():  # as if trained, so that no block of its own is the identity
        parameter.data.add_(torch.rand_like(parameter), alpha=0.1)
    copied = select_init_weights(deep, shallow.state_dict(), [], "stage")
    assert copied.keys() == shallow.state_dict().keys()
    deep.load_state_dict(copied, strict=False)
    assert torch.equal(deep(batch().images), shallow(batch().images))
    deep(batch().images).sum().backward()
    assert deep.body[1][3].second[1].weight.grad.abs().sum() > 0
    with pytest.raises(ArgumentError, match=r"weight is 8x8x3x3 in the source and missing in this network"):
        select_init_weights(shallow, deep.state_dict(), [], "stage")


def test_a_wider_network_goes_on_where_a_narrower_one_was():
    """Nothing reads its new channels at first, so the source's channels hold what they held. The new ones can learn."""
    size = Preprocessing(1, 32, 32, 32, 1)
    torch.manual_seed(0)
    narrow, wide = (build_network("textnet", 2, size, width=width).eval() for width in (0.25, 0.75))
    for parameter in narrow.parameters():
        parameter.data.add_(torch.rand_like(parameter), alpha=0.1)
    own = copy.deepcopy(wide.state_dict())
    wide.load_state_dict(select_init_weights(wide, narrow.state_dict(), ["body"], "stage"), strict=False)
    maps, before = (network.feature_maps(batch().images)["conv_output"] for network in (wide, narrow))
    channels = before.shape[1]
    assert channels < maps.shape[1]
    torch.testing.assert_close(maps[:, :channels], before)
    assert torch.equal(wide.body[1][0][0].weight[16:], own["body.1.0.0.weight"][16:])
    maps[:, :channels].sum().backward()
    assert wide.body[3][1].first[0].weight.grad[:channels, channels:].abs().sum() > 0
    with pytest.raises(ArgumentError, match=r"body.0.0.weight is 16x1x3x3 in the source and 8x1x3x3 in this"):
        select_init_weights(narrow, wide.state_dict(), ["body"], "stage")


def outputs(checkpoint):
    return checkpoint.build()(batch().images)


def test_a_share_of_the_start_stays_in_the_result(data, tmp_path):
    """At the ends, the mean answers as the one or the other network. Between, it is a network of its own."""
    one, two = (
        train_chain(
            recipe(first=TEXTNET, second={**TEXTNET, "epochs": 2, "start": {"stage": "first", "keep": keep}}),
            "x",
            data,
            tmp_path / name,
        )
        for name, keep in (("none", 0.0), ("some", 0.25))
    )
    before, after = one["first"], one["second"]
    for keep, like in ((0.0, after), (1.0, before)):
        mean = average_with_start(after, before.state_dict, keep)
        torch.testing.assert_close(outputs(mean), outputs(like), rtol=1e-4, atol=1e-4)
    mean = average_with_start(after, before.state_dict, 0.25)
    assert torch.equal(outputs(mean), outputs(two["second"]))
    assert not torch.allclose(outputs(mean), outputs(after), atol=1e-3)
    folded = (average_with_start(each, each.state_dict, 0.0).state_dict for each in (before, after))
    weights = [each["body.1.0.0.weight"] for each in folded]
    torch.testing.assert_close(mean.state_dict["body.1.0.0.weight"], 0.25 * weights[0] + 0.75 * weights[1])


@pytest.mark.parametrize(
    ("start", "deeper", "message"),
    [
        ({"keep": 0.5, "layers": ["body"]}, 1, "keep needs the whole network to be copied and trained"),
        ({"keep": 1.0}, 1, "stages.second.start.keep = 1.0"),
        (
            {"keep": 0.5},
            2,
            "start from first: keep needs the source's architecture, and this network is deeper or wider",
        ),
    ],
)
def test_what_cannot_be_averaged_is_said_before_anything_is_trained(data, tmp_path, start, deeper, message):
    network = {"name": "textnet", "arguments": {**TEXTNET["network"]["arguments"], "depth": deeper}}
    with pytest.raises(ArgumentError, match=re.escape(message)):
        second = {**TEXTNET, "epochs": 2, "network": network, "start": {"stage": "first", **start}}
        train_chain(recipe(first=TEXTNET, second=second), "x", data, tmp_path / "run")
    assert not (tmp_path / "run").exists()
