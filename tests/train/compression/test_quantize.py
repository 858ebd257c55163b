"""Fake quantization against NumPy, and stages that train with it."""

import copy

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric

from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.compression.quantize import fake_quantize, quantizable_layers, quantized_state_dict, weight_scales
from scriptkd_train.data.in_memory import Batch, InMemoryDataset
from scriptkd_train.engine.distiller import Teacher
from scriptkd_train.engine.trainer import Trainer
from scriptkd_train.models.networks import build_network
from scriptkd_train.recipe import ResolvedStage, parse_recipe

SIZE = Preprocessing(1, 32, 32, 32, 1)
STAGE = {"network": {"name": "textnet", "arguments": {"width": 0.25}}, "input": SIZE.to_dict(), "epochs": 1,
         "batch_size": 8, "optimizer": {"name": "adamw", "lr": 0.01}}  # fmt: skip


def textnet():
    torch.manual_seed(0)
    return build_network("textnet", 3, SIZE, width=0.25).eval()


def images(seed=0):
    return torch.randint(0, 256, (8, 1, 32, 32), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)


def np_rounded(weight, scales, top):
    shape = (-1, *[1] * (weight.ndim - 1))
    return np.clip(np.round(weight / scales.reshape(shape)), -top, top) * scales.reshape(shape)


def test_scales_in_8_bits_give_the_largest_weight_the_largest_code():
    rows = np.random.default_rng(0).normal(0, 1, (5, 40)).astype(np.float32)
    rows[2] = 0
    scales = weight_scales(torch.tensor(rows), 8).numpy()
    np.testing.assert_allclose(scales, np.where(np.arange(5) == 2, 1, np.abs(rows).max(axis=1) / 127), rtol=1e-6)


def test_scales_in_4_bits_have_the_least_error_of_eleven():
    rows = np.random.default_rng(0).standard_t(3, (6, 200)).astype(np.float32)  # a few large ones, many small ones
    scales = weight_scales(torch.tensor(rows), 4).numpy()
    largest = np.abs(rows).max(axis=1) / 7
    for row, scale, most in zip(rows, scales, largest, strict=True):
        tried = [most * fraction for fraction in np.linspace(0.5, 1, 11)]
        errors = [np.sum((np_rounded(row[None], np.array([s]), 7)[0] - row) ** 2) for s in tried]
        mine = np.sum((np_rounded(row[None], np.array([scale]), 7)[0] - row) ** 2)
        assert mine == pytest.approx(min(errors), rel=1e-5)
    assert (scales < 0.99 * largest).any()


@pytest.mark.parametrize("bits", [4, 8])
def test_weights_on_the_grid_get_their_step_back(bits):
    """Also when batch normalisation, folded into the convolution, has multiplied the channels."""
    rows = torch.tensor(np.random.default_rng(1).standard_t(3, (6, 200)), dtype=torch.float32)
    scales = weight_scales(rows, bits)
    top = 2 ** (bits - 1) - 1
    codes = (rows / scales[:, None]).round().clamp(-top, top)
    factor = torch.tensor([0.3, 1.0, 7.0, 0.01, 2.0, 100.0])
    torch.testing.assert_close(weight_scales(codes * (scales * factor)[:, None], bits), scales * factor)


@pytest.mark.parametrize("bits", [4, 8])
def test_rounded_weights_against_numpy_and_their_gradients(bits):
    network = textnet()
    before = {name: network.get_submodule(name).weight.detach().clone() for name in quantizable_layers(network)}
    fake_quantize(network, bits, None)
    top = 2 ** (bits - 1) - 1
    for name, weight in before.items():
        layer = network.get_submodule(name)
        scales = weight_scales(weight.flatten(1), bits).numpy()
        rounded = layer.weight
        np.testing.assert_allclose(rounded.detach().numpy(), np_rounded(weight.numpy(), scales, top), atol=1e-6)
        # The gradient passes where the weight is not clipped, and only there.
        rounded.sum().backward()
        ratio = np.abs(weight.numpy()) / scales.reshape(-1, *[1] * (weight.ndim - 1))
        inside = torch.tensor(ratio < top + 0.499)
        assert torch.equal(layer.parametrizations.weight.original.grad[inside], torch.ones(int(inside.sum())))
        assert (layer.parametrizations.weight.original.grad[torch.tensor(ratio > top + 0.501)] == 0).all()


class One(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.only = torch.nn.Linear(64, 32)

    def forward(self, x):
        return self.only(x)


def test_inputs_are_rounded_to_256_levels_of_the_range_seen():
    linear = One()
    weight = linear.only.weight.detach().clone()
    fake_quantize(linear, 8, 8)
    first, second = (torch.tensor(np.random.default_rng(i).normal(1, 2, (8, 64)), dtype=torch.float32) for i in (0, 1))
    linear.train()(first)
    linear(second)
    low, high = (
        0.99 * getattr(first, extreme)().item() + 0.01 * getattr(second, extreme)().item() for extreme in ("min", "max")
    )
    scale = (high - low) / 255
    zero = np.round(-low / scale)
    codes = np.clip(np.round(second.numpy() / scale) + zero, 0, 255)
    scales = weight_scales(weight, 8).numpy()
    rounded = np_rounded(weight.numpy(), scales, 127)
    expected = ((codes - zero) * scale) @ rounded.T + linear.only.bias.detach().numpy()
    # A value on the border between two levels may fall to either side.
    np.testing.assert_allclose(linear.eval()(second).detach().numpy(), expected, atol=2 * scale * np.abs(rounded).max())
    before = [buffer.clone() for buffer in linear.buffers()]
    linear(second * 10)
    assert all(torch.equal(a, b) for a, b in zip(before, linear.buffers(), strict=True))  # served, it learns no range


def test_what_is_kept_is_a_plain_network_with_weights_on_the_grid():
    network, plain = textnet(), textnet()
    fake_quantize(network, 4, 8)
    network.train()(images())
    network.eval()
    state = quantized_state_dict(network)
    assert state.keys() == plain.state_dict().keys()
    assert quantized_state_dict(plain).keys() == plain.state_dict().keys()
    plain.load_state_dict(state)
    for name in quantizable_layers(plain):
        weight = plain.get_submodule(name).weight.detach()
        for row in weight.flatten(1):
            assert len(row.unique()) <= 15
    assert "body.0.0" not in quantizable_layers(plain)  # so few weights are not worth rounding
    assert torch.equal(plain.body[0][0].weight, textnet().body[0][0].weight)


def test_frozen_layers_and_lstms_are_not_rounded():
    network = build_network("assistant", 3, SIZE, hidden=16)
    network.head.requires_grad_(False)
    assert quantizable_layers(network) == [f"convolutions.{i}" for i in (3, 6, 9)]
    network.requires_grad_(False)
    with pytest.raises(ArgumentError, match="no convolution or linear layer of 1024 weights or more is trained"):
        fake_quantize(network, 8, None)


@pytest.mark.parametrize("ema", [0.0, 0.9])
@pytest.mark.parametrize("quantize", [{"weights": 8, "activations": 8}, {"weights": 4}])
def test_a_stage_under_three_teachers_learns_and_resumes(quantize, ema):
    """The state after three steps, loaded into a fresh trainer, gives the same fourth step to the bit."""
    teachers = ["one", "two", "three"]
    second = {**STAGE, "ema": ema, "start": {"stage": "one"}, "quantize": quantize,
              "distil": {"teacher": teachers, "labels": "online"}}  # fmt: skip
    stage = parse_recipe({"stages": {**dict.fromkeys(teachers, STAGE), "low": second}}, "x").stages["low"]
    split = InMemoryDataset({32: images()}, {32: torch.arange(8) % 3}, {32: torch.arange(8)})

    def trainer():
        theirs = [Teacher(textnet(), SIZE, split, 1 / 3) for _ in teachers]
        made = Trainer(Fabric(accelerator="cpu"), "low", ResolvedStage.of(stage), 3, 0, theirs, textnet().state_dict())
        made.learner.train()
        return made

    batch = Batch(images(), torch.arange(8) % 3, torch.arange(8))
    draw = torch.Generator()
    one = trainer()
    losses = [one.step(batch, 0.0, draw).item() for _ in range(5)]
    assert losses[-1] < losses[0]
    other = trainer()
    other.load_state_dict(copy.deepcopy(one.state_dict()))  # as a file would
    assert one.step(batch, 0.0, draw).item() == other.step(batch, 0.0, draw).item()
    for a, b in zip(
        quantized_state_dict(one.eval_model).values(), quantized_state_dict(other.eval_model).values(), strict=True
    ):
        assert torch.equal(a, b)
    served = one.eval_model.eval()
    plain = textnet()
    plain.load_state_dict(quantized_state_dict(served))
    near = 0.2 if "activations" in quantize else 1e-5
    torch.testing.assert_close(plain.eval()(images(1)), served(images(1)), rtol=0, atol=near)
