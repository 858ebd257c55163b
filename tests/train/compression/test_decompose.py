"""Decompositions against NumPy: the parts' output, the kept energy, and the number of remaining multiply-adds."""

import re

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.compression.decompose import (
    decompose,
    factorised_macs,
    factors,
    layer_costs,
    ranks_by_budget,
    ranks_by_energy,
)
from scriptkd_train.engine.chain import train_chain
from scriptkd_train.engine.check import check_networks
from scriptkd_train.models.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from scriptkd_train.models.networks import build_network, parameter_count
from scriptkd_train.models.networks.factorised import full_rank, layers
from scriptkd_train.recipe import parse_recipe

TEXT = Preprocessing(1, 32, 32, 128, 16)
SMALL = Preprocessing(3, 16, 48, 48, 1)
SIZE = {"channels": 1, "height": 32, "width_min": 32, "width_max": 64, "width_step": 16}
BASE = {"network": {"name": "textnet", "arguments": {"width": 0.75}}, "input": SIZE, "epochs": 10, "batch_size": 16,
        "optimizer": {"name": "adamw", "lr": 0.003}}  # fmt: skip
PARTS = {"decompose": {"stage": "base", "macs": 0.6}, "input": SIZE, "epochs": 1, "batch_size": 16,
         "optimizer": {"name": "adamw", "lr": 1e-5}}  # fmt: skip


def checkpoint(name, preprocessing, **arguments):
    torch.manual_seed(0)
    network = build_network(name, 3, preprocessing, **arguments)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):  # as after training: not one and nothing
            nn.init.uniform_(module.running_mean, -0.5, 0.5)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
    return Checkpoint(name, arguments, ["Arabic", "Latin", "Tamil"], preprocessing, network.state_dict())


def images(preprocessing):
    size = 4, preprocessing.channels, preprocessing.height, preprocessing.width_for(1, 3)
    return torch.randint(0, 256, size, generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


@pytest.mark.parametrize(
    ("name", "preprocessing", "arguments"),
    [
        ("textnet", TEXT, {"width": 0.5}),
        ("darknet", TEXT, {"width": 0.5}),
        ("student", SMALL, {}),
        ("darknet-assistant", SMALL, {"hidden": 16}),
        ("parconv", TEXT, {"network": "textnet", "arguments": {"width": 0.5}}),
        ("timm", SMALL, {"model": "test_resnet"}),
    ],
)
def test_full_rank_is_the_original_network(name, preprocessing, arguments, tmp_path):
    whole = checkpoint(name, preprocessing, **arguments)
    network = whole.build()
    ranks = {layer: full_rank(module) for layer, module in layers(network).items()}
    parts = decompose(whole, ranks)
    save_checkpoint(tmp_path / "parts.pt", parts)
    loaded = load_checkpoint(tmp_path / "parts.pt")
    assert loaded.network == "tucker" and loaded.arguments["network"] == name and loaded.arguments["ranks"] == ranks
    with torch.no_grad():
        expected, found = network(images(preprocessing)), loaded.build()(images(preprocessing))
    assert (found - expected).abs().max() < 1e-4


def test_parts_multiply_to_the_truncated_kernel():
    """The higher-order SVD of De Lathauwer et al. 2000, in NumPy, bounds what orthogonal iteration may lose."""
    weight = np.random.default_rng(0).normal(size=(12, 8, 3, 3)) * np.arange(1, 13)[:, None, None, None] ** -1.5
    parts = {name: part.numpy() for name, part in factors(torch.from_numpy(weight), [5, 6]).items()}
    assert [parts[name].shape for name in ("reduce", "core", "expand")] == [(5, 8, 1, 1), (6, 5, 3, 3), (12, 6, 1, 1)]
    found = np.einsum("doyx,oikl,icyx->dckl", parts["expand"], parts["core"], parts["reduce"])
    outer = np.linalg.svd(weight.reshape(12, -1))[0][:, :6]
    inner = np.linalg.svd(weight.swapaxes(0, 1).reshape(8, -1))[0][:, :5]
    hosvd = np.einsum("do,eo,ci,fi,efkl->dckl", outer, outer, inner, inner, weight)
    lost, most = (np.square(weight - kernel).sum() for kernel in (found, hosvd))
    assert 0 < lost <= most * (1 + 1e-9)
    discarded = [
        np.square(np.linalg.svd(unfolded, compute_uv=False)[rank:]).sum()
        for unfolded, rank in ((weight.reshape(12, -1), 6), (weight.swapaxes(0, 1).reshape(8, -1), 5))
    ]
    assert max(discarded) - 1e-9 <= lost <= sum(discarded) + 1e-9


def test_a_linear_layer_becomes_its_nearest_matrix_of_that_rank():
    weight = np.random.default_rng(1).normal(size=(7, 20))
    parts = factors(torch.from_numpy(weight), 3)
    found = (parts["expand"] @ parts["reduce"]).numpy()
    singular = np.linalg.svd(weight, compute_uv=False)
    assert np.linalg.norm(weight - found) == pytest.approx(np.sqrt(np.square(singular[3:]).sum()))  # Eckart-Young


def test_a_convolution_in_parts_is_one_with_the_product_of_their_kernels():
    whole = checkpoint("student", SMALL)
    parts = decompose(whole, {"convolutions.3": [7, 9]}).build().convolutions[3]
    reduce, core, expand = (part.weight.detach().double() for part in parts)
    kernel = torch.einsum("doyx,oikl,icyx->dckl", expand, core, reduce)
    image = torch.randn(1, 32, 9, 7, dtype=torch.double, generator=torch.Generator().manual_seed(0))
    expected = nn.functional.conv2d(image, kernel, parts.expand.bias.detach().double(), padding=1)
    with torch.no_grad():
        torch.testing.assert_close(parts.double()(image), expected)


def test_ranks_by_energy_are_those_of_the_unfoldings_spectra():
    network = checkpoint("textnet", TEXT).build()
    with torch.no_grad():  # spectra that fall, as trained ones do
        for layer in layers(network).values():
            layer.weight.mul_(torch.arange(1, len(layer.weight) + 1).view(-1, *[1] * (layer.weight.ndim - 1)) ** -1.0)
    ranks = ranks_by_energy(network, TEXT, 0.8, [])
    assert ranks
    for name, (inner, outer) in ranks.items():
        weight = dict(network.named_modules())[name].weight.detach().double().numpy()
        for rank, unfolded in ((inner, weight.swapaxes(0, 1)), (outer, weight)):
            squares = np.linalg.svd(unfolded.reshape(len(unfolded), -1), compute_uv=False) ** 2
            kept = squares.cumsum() / squares.sum()
            least = int((kept < 0.8 - 1e-9).sum()) + 1
            assert rank == min(-(-least // 8) * 8, len(unfolded))


def test_multiply_adds_by_hand():
    """The student at 16x48: four convolutions, each on half the height and width of the one before, and two layers."""
    work = layer_costs(build_network("student", 3, SMALL), SMALL)
    assert {name: each.macs for name, each in work.items()} == {
        "convolutions.0": 16 * 48 * 27 * 32,
        "convolutions.3": 8 * 24 * 9 * 32 * 64,
        "convolutions.6": 4 * 12 * 9 * 64 * 128,
        "convolutions.9": 2 * 6 * 9 * 128 * 128,
        "head.0": 128 * 3 * 18,
        "head.2": 18 * 3,
    }
    # Two layers of two directions, four gates of 256 each, over three columns.
    lstm = layer_costs(build_network("assistant", 3, SMALL), SMALL)["lstm"]
    assert lstm.macs == 3 * 2 * 4 * 256 * ((300 + 256) + (512 + 256))


@pytest.mark.parametrize("budget", [0.3, 0.7])
def test_a_budget_is_kept_and_used(budget):
    whole = checkpoint("textnet", TEXT)
    network = whole.build()
    parts = decompose(whole, ranks_by_budget(network, TEXT, budget, [])).build()
    before, after = (sum(each.macs for each in layer_costs(each, TEXT).values()) for each in (network, parts))
    assert budget - 0.03 < after / before <= budget


def test_work_of_parts_is_what_they_do():
    whole = checkpoint("textnet", TEXT)
    network = whole.build()
    ranks = {"body.1.0.0": [6, 10], "body.2.0.0": [8, 9], "head.1": 2}
    before, after = layer_costs(network, TEXT), layer_costs(decompose(whole, ranks).build(), TEXT)
    for name, rank in ranks.items():
        parts = sum(each.macs for part, each in after.items() if part.startswith(f"{name}."))
        assert parts == factorised_macs(layers(network)[name], rank, before[name])


def test_only_the_named_layers():
    network = checkpoint("assistant", SMALL).build()
    assert set(ranks_by_energy(network, SMALL, 0.5, ["head.0", "convolutions.6"])) == {"head.0", "convolutions.6"}
    assert set(ranks_by_energy(network, SMALL, 0.5, [])) <= {f"convolutions.{i}" for i in (0, 3, 6, 9)}


@pytest.mark.parametrize(
    ("ranks", "message"),
    [
        ({"convolutions.3": [0, 4]}, "layer convolutions.3: its rank must be [input, output] from [1, 1] to [32, 64]"),
        ({"convolutions.3": [4, 65]}, "got [4, 65]"),
        ({"convolutions.3": [1, 10]}, "neither may be more than 9 times the other; got [1, 10]"),
        ({"convolutions.3": 5}, "got 5"),
        ({"convolutions.3": [4.0, 4]}, "got [4.0, 4]"),
        ({"convolutions.3": "high"}, "got 'high'"),
        ({"head.0": 19}, "layer head.0: its rank must be a whole number from 1 to 18, not 19"),
        ({"head.0": [3, 3]}, "not [3, 3]"),
        ({"head.0": True}, "not True"),
        (
            {"convolution.3": [4, 4]},
            "layer 'convolution.3' is not in the network; layers that can be decomposed are conv",
        ),
        ({"convolutions.1": [4, 4]}, "layer 'convolutions.1' is neither a plain convolution nor a linear layer"),
    ],
)
def test_impossible_ranks_are_one_sentence(ranks, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        decompose(checkpoint("student", SMALL), ranks)


def test_nothing_to_decompose():
    twin = checkpoint("parconv", TEXT, network="textnet").build()
    twin.body[0] = nn.Identity()  # the one vanilla convolution that it keeps
    with pytest.raises(
        ArgumentError, match="nothing to decompose: the network has no plain convolution larger than 1x1"
    ):
        ranks_by_energy(twin, TEXT, 0.9, [])
    network = checkpoint("textnet", TEXT).build()
    with pytest.raises(ArgumentError, match=r"energy 0\.999 decomposes nothing: no layer would become cheaper"):
        ranks_by_energy(network, TEXT, 0.999, [])
    with pytest.raises(
        ArgumentError, match=r"macs 0\.5 cannot be met: with the lowest ranks in head\.1 the network still needs 1 of"
    ):
        ranks_by_budget(network, TEXT, 0.5, ["head.1"])


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Two "scripts": upright and level bars."""
    root = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    for split, count in (("train", 40), ("val", 12)):
        for name in ("Latin", "Tamil"):
            (root / split / name).mkdir(parents=True)
            for i in range(count):
                bars = np.full((32, 48), 220.0)
                bars[:, ::6] -= 180 if name == "Latin" else 0
                bars[::6] -= 180 if name == "Tamil" else 0
                noisy = np.clip(bars + rng.normal(0, 20, bars.shape), 0, 255).astype(np.uint8)
                cv2.imwrite(str(root / split / name / f"{i}.png"), noisy)
    return root


def recipe(**stages):
    return parse_recipe({"seed": 1, "stages": stages}, "test")


def test_a_stage_decomposes_and_fine_tunes(data, tmp_path):
    again = {**PARTS, "decompose": {"stage": "small", "ranks": {"head.1": 1, "body.2.1.first.0.core": [2, 2]}}}
    chain = recipe(base=BASE, small=PARTS, smaller=again)
    found = train_chain(chain, "test", data, tmp_path / "run")
    small, smaller = found["small"], found["smaller"]
    assert small.network == smaller.network == "tucker"
    assert small.arguments["network"] == "textnet" and smaller.arguments["network"] == "tucker"
    counts = [parameter_count(each.build()) for each in found.values()]
    assert counts[0] > counts[1] > counts[2]
    # Its one epoch at a low rate teaches nothing: what it knows is from the weights that were decomposed.
    assert found["base"].metrics["val_accuracy"] == 1 and small.metrics["val_accuracy"] > 0.9
    assert small.provenance["settings"]["decompose"]["macs"] == 0.6
    # Again: all is there, and nothing is trained anew.
    before = (tmp_path / "run" / "small.pt").stat().st_mtime_ns
    train_chain(chain, "test", data, tmp_path / "run")
    assert (tmp_path / "run" / "small.pt").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"decompose": {"stage": "bass", "macs": 0.5}},
            "stage small: decompose.stage 'bass' is not an earlier stage (base)",
        ),
        ({"decompose": {"stage": "base"}}, "exactly one of energy, macs and ranks must be given"),
        ({"decompose": {"stage": "base", "macs": 0.5, "energy": 0.5}}, "exactly one of energy, macs and ranks"),
        ({"decompose": {"stage": "base", "macs": 1.5}}, "decompose.macs = 1.5: Input should be less than 1"),
        ({"decompose": {"stage": "base", "energy": 0}}, "decompose.energy = 0: Input should be greater than 0"),
        ({"decompose": {"stage": "base", "enery": 0.5}}, "no such key; allowed here are stage, energy, macs, ranks"),
        ({"decompose": {"stage": "base", "ranks": {"a": 1}, "layers": ["a"]}}, "leave out `layers`"),
        ({"network": BASE["network"]}, "set network and start to null"),
        ({"start": {"stage": "base"}}, "set network and start to null"),
        ({"decompose": None, "network": None}, "network = null: a stage without `decompose` needs a network"),
        ({"input": {**SIZE, "height": 16}}, "stage small: its input must equal the input of base, which it decomposes"),
    ],
)
def test_wrong_recipes(change, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        recipe(base=BASE, small={**PARTS, **change})


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"energy": 0.5, "layers": ["body.9"]}, "stage small: layer 'body.9' is not in the network"),
        ({"macs": 0.01}, "stage small: macs 0.01 cannot be met: with the lowest ranks in body.0.0, body.1.0.0, "),
        ({"ranks": {"body.1.0.0": [99, 9]}}, "stage small: layer body.1.0.0: its rank must be [input, output]"),
    ],
)
def test_layers_and_ranks_are_checked_before_the_first_stage_begins(spec, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        check_networks(recipe(base=BASE, small={**PARTS, "decompose": {"stage": "base", **spec}}), ["Latin", "Tamil"])
