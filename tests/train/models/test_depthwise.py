"""Under bfloat16, depthwise convolutions still compute in float32: outputs and gradients are those of float32."""

import torch
from torch import nn
from torch.nn import functional

from scriptkd_train.models.depthwise import Float32Depthwise


def test_only_grouped_convolutions_keep_float32():
    images = torch.randn(2, 4, 6, 6)
    depthwise, dense = nn.Conv2d(4, 4, 3, groups=4), nn.Conv2d(4, 4, 3)
    with torch.autocast("cpu", torch.bfloat16):
        assert depthwise(images).dtype == torch.bfloat16
        with Float32Depthwise():
            wide, narrow = depthwise(images), dense(images)
            named = functional.conv2d(images, depthwise.weight, depthwise.bias, groups=4)
    assert narrow.dtype == torch.bfloat16
    assert wide.dtype == torch.float32
    torch.testing.assert_close(wide, depthwise(images), rtol=0, atol=0)
    torch.testing.assert_close(named, wide, rtol=0, atol=0)


def test_gradients_are_those_of_float32():
    images = torch.randn(2, 4, 6, 6).to(torch.bfloat16)
    depthwise = nn.Conv2d(4, 4, 3, groups=4)
    with torch.autocast("cpu", torch.bfloat16), Float32Depthwise():
        depthwise(images).square().sum().backward()
    found = depthwise.weight.grad.clone()
    depthwise.zero_grad()
    depthwise(images.float()).square().sum().backward()
    torch.testing.assert_close(found, depthwise.weight.grad, rtol=0, atol=0)


def test_without_autocast_nothing_changes():
    images = torch.randn(2, 4, 6, 6, dtype=torch.float64)
    depthwise = nn.Conv2d(4, 4, 3, groups=4, dtype=torch.float64)
    with Float32Depthwise():
        assert depthwise(images).dtype == torch.float64
