"""For networks with channels innermost, the fused optimizers take the same step as torch's plain ones."""

import copy

import pytest
import torch
from torch import nn

from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.engine.trainer import make_optimizer
from scriptkd_train.models.networks import build_network
from scriptkd_train.recipe import Optimizer

NETWORKS = [
    ("textnet", {"width": 0.25}, 1),
    ("parconv", {"network": "textnet", "arguments": {"width": 0.25}}, 1),
    ("assistant", {"hidden": 8}, 3),
    ("timm", {"model": "resnet10t"}, 3),
    ("ppocr", {"model": "v6", "pretrained": False}, 1),
]


@pytest.mark.parametrize(("name", "arguments", "channels"), NETWORKS, ids=[each[0] for each in NETWORKS])
@pytest.mark.parametrize("spec", ["adamw", "sgd"])
@pytest.mark.parametrize("half", [False, True], ids=["float32", "bfloat16"])
def test_a_fused_step_is_a_plain_one(name, arguments, channels, spec, half):
    torch.manual_seed(0)
    network = build_network(name, 4, Preprocessing(channels, 32, 48, 48, 1), **arguments)
    network = network.to(memory_format=torch.channels_last)
    before = copy.deepcopy(network.state_dict())
    images = torch.randint(0, 256, (8, channels, 32, 48), dtype=torch.uint8)
    images = images.contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        loss = nn.functional.cross_entropy(network(images).float(), torch.arange(8) % 4)
    loss.backward()
    fused = make_optimizer(network, Optimizer(name=spec, lr=0.01, weight_decay=0.1))
    plain = type(fused)([{**group, "fused": False} for group in fused.param_groups])
    after = []
    for optimizer in (fused, plain):
        network.load_state_dict(before)
        optimizer.step()
        after.append(copy.deepcopy(network.state_dict()))
    assert any(not torch.equal(after[0][key], before[key]) for key in before)
    for key, value in after[0].items():
        torch.testing.assert_close(value, after[1][key], rtol=1e-5, atol=1e-6)
