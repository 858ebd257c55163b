"""Compact networks: their arithmetic against NumPy, and their shapes against the networks that they replace."""

import numpy as np
import pytest
import torch
from torch import nn

from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.models.networks import build_network, parameter_count, without_download

PAPER = Preprocessing(3, 299, 299, 299, 1)
SMALL = Preprocessing(3, 32, 48, 48, 1)
TEXT = Preprocessing(1, 32, 32, 128, 16)
SMALL_OF = {"student": SMALL, "assistant": SMALL, "textnet": TEXT, "darknet": TEXT, "darknet-assistant": SMALL}


def build(name, preprocessing, **arguments):
    with torch.device("meta"):
        return build_network(name, 10, preprocessing, **arguments)


def convolve(image, kernel, stride=(1, 1), groups=1):
    """A 'same' convolution in NumPy: image [C, H, W], kernel [D, C / groups, k, k] -> [D, H', W']."""
    out_channels, in_channels, k, _ = kernel.shape
    padded = np.pad(image, ((0, 0), (k // 2, k // 2), (k // 2, k // 2)))
    height, width = (-(-size // step) for size, step in zip(image.shape[1:], stride, strict=True))
    out = np.zeros((out_channels, height, width))
    for d in range(out_channels):
        first = d * groups // out_channels * in_channels
        for y in range(height):
            for x in range(width):
                at = padded[
                    first : first + in_channels, y * stride[0] : y * stride[0] + k, x * stride[1] : x * stride[1] + k
                ]
                out[d, y, x] = (at * kernel[d]).sum()
    return out


def test_a_parconv_pair_is_the_two_convolutions_of_its_name():
    torch.manual_seed(0)
    pair = build_network("parconv", 4, TEXT, network="textnet", arguments={"width": 0.25}).body[1][0][0]
    image = np.random.default_rng(0).normal(size=(8, 6, 9))
    depthwise, pointwise = (part.weight.detach().double().numpy() for part in (pair.depthwise, pair.pointwise))
    assert depthwise.shape == (8, 1, 3, 3) and pointwise.shape == (8, 8, 1, 1)
    expected = convolve(convolve(image, depthwise, (2, 2), groups=8), pointwise)
    with torch.no_grad():
        found = pair.double()(torch.from_numpy(image)[None])[0].numpy()
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("name", SMALL_OF)
def test_parconv_keeps_widths_depths_and_all_but_the_vanilla_convolutions(name):
    base = build_network(name, 10, SMALL_OF[name])
    twin = build_network("parconv", 10, SMALL_OF[name], network=name)
    kept = dict(twin.named_modules())
    replaced = 0
    for path, module in base.named_modules():
        if isinstance(module, nn.Conv2d) and module.kernel_size == (3, 3) and module.in_channels > 3:
            pair, replaced = kept[path], replaced + 1
            assert (pair.depthwise.in_channels, pair.depthwise.groups) == (module.in_channels,) * 2
            assert (pair.depthwise.stride, pair.depthwise.padding) == (module.stride, module.padding)
            assert pair.pointwise.out_channels == module.out_channels
            assert (pair.pointwise.bias is None) == (module.bias is None)
        elif not list(module.children()) and not isinstance(module, nn.Sequential):
            assert type(kept[path]) is type(module)
            assert [p.shape for p in kept[path].parameters()] == [p.shape for p in module.parameters()]
    assert replaced >= 3
    assert twin.feature_width == base.feature_width
    images = torch.zeros(2, base_channels(name), 32, 48, dtype=torch.uint8)
    assert twin.eval()(images).shape == (2, 10)


def base_channels(name):
    return SMALL_OF[name].channels


def test_a_fresh_pair_hands_on_as_much_as_the_convolution_that_it_replaces():
    torch.manual_seed(0)
    image = torch.randn(1, 256, 24, 24)
    vanilla = nn.Conv2d(256, 256, 3, padding=1)(image)
    network = build_network("parconv", 10, PAPER, network="assistant", arguments={"pool": True})
    pair = network.convolutions[9](image)  # 256 -> 300
    assert pair.std().item() == pytest.approx(vanilla.std().item(), rel=0.15)


def test_the_papers_twins():
    """ParConv keeps the widths (Wang & Du 2019). By hand: 9 C + C D + D each but the first, which stays 27 D + D."""
    student = build("parconv", PAPER, network="student", arguments={"pool": True})
    first, rest = 27 * 32 + 32, [(32, 64), (64, 128), (128, 128)]
    convolutions = first + sum(
        9 * in_channels + in_channels * out_channels + out_channels for in_channels, out_channels in rest
    )
    assert parameter_count(student.convolutions) == convolutions == 29_856
    assert parameter_count(student) == convolutions + 128 * 18 + 18 + 18 * 10 + 10
    assistant, twin = build("assistant", PAPER), build("parconv", PAPER, network="assistant")
    assert parameter_count(assistant.convolutions) > 8 * parameter_count(twin.convolutions)
    assert parameter_count(assistant.lstm) == parameter_count(twin.lstm)


def test_pooling_takes_the_place_of_the_linear_layers_that_the_cost_table_names():
    student, pooled = build("student", PAPER), build("student", PAPER, pool=True)
    assert parameter_count(student) - parameter_count(pooled) == 128 * (18 * 18 - 1) * 18
    assistant, pooled = build("assistant", PAPER), build("assistant", PAPER, pool=True)
    assert parameter_count(assistant) - parameter_count(pooled) == 300 * 17 * 2 * 4 * 256
    # A pooled student reads any width, which a flattened map cannot.
    network = build_network("student", 10, TEXT, pool=True).eval()
    for width in (32, 128):
        assert network(torch.zeros(2, 1, 32, width, dtype=torch.uint8)).shape == (2, 10)


def test_darknet_alternates_and_is_less_than_half_of_textnet():
    dark, text = build("darknet", TEXT), build("textnet", TEXT)
    sizes = [module.kernel_size[0] for module in dark.modules() if isinstance(module, nn.Conv2d)]
    assert sizes == [3, *[3, 1, 3] * 3]
    assert parameter_count(dark) < 0.5 * parameter_count(text)
    assert dark.feature_width == text.feature_width


def test_darknet_assistant_fits_the_assistants_lstm_and_head():
    torch.manual_seed(0)
    for preprocessing in (SMALL, PAPER):
        assistant, dark = build("assistant", preprocessing), build("darknet-assistant", preprocessing)
        for part in ("lstm", "head"):
            mine, theirs = (getattr(network, part).state_dict() for network in (dark, assistant))
            assert {name: value.shape for name, value in mine.items()} == {n: v.shape for n, v in theirs.items()}
        assert parameter_count(dark.convolutions) < 0.25 * parameter_count(assistant.convolutions)
    assistant, dark = (build_network(name, 10, SMALL).eval() for name in ("assistant", "darknet-assistant"))
    images = torch.randint(0, 256, (2, 3, 32, 48), dtype=torch.uint8)
    with torch.no_grad():
        shapes = [
            {point: value.shape for point, value in each.feature_maps(images).items()} for each in (assistant, dark)
        ]
    assert shapes[0] == shapes[1]


def test_any_teacher_of_timm_has_a_twin():
    twin = build("parconv", SMALL, network="timm", arguments={"model": "resnet10t"})
    whole = build("timm", SMALL, model="resnet10t")
    assert parameter_count(twin) < 0.25 * parameter_count(whole)


def test_offline_reaches_the_network_inside():
    arguments = {"network": "timm", "arguments": {"model": "vgg19", "pretrained": True}}
    assert without_download("tucker", arguments) == {
        "network": "timm",
        "arguments": {"model": "vgg19", "pretrained": False},
    }
    assert arguments["arguments"]["pretrained"] is True


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("parconv", {}, "'parconv': .*'network'"),
        ("parconv", {"network": "resnet"}, "'resnet' is unknown; allowed are assistant"),
        ("parconv", {"network": ["textnet"]}, "is unknown"),
        ("parconv", {"network": "textnet", "arguments": {"widht": 1}}, "'textnet': .*widht"),
        ("parconv", {"network": "textnet", "arguments": 3}, "'parconv': .*mapping"),
        ("parconv", {"network": "parconv", "arguments": {"network": "textnet"}}, "parconv changes nothing"),
        ("darknet", {"widht": 1}, "'darknet': .*widht"),
        ("tucker", {"network": "textnet"}, "'tucker': .*ranks"),
        ("tucker", {"network": "textnet", "ranks": {}}, "ranks must be a mapping of layers to ranks"),
        ("tucker", {"network": "textnet", "ranks": {"tail": 3}}, "layer 'tail' is not in the network; .* head.1"),
        ("tucker", {"network": "textnet", "ranks": {"body.1": 3}}, "'body.1' is neither a plain convolution"),
    ],
)
def test_wrong_requests_are_named(name, arguments, message):
    with pytest.raises(ArgumentError, match=message):
        build_network(name, 10, TEXT, **arguments)
