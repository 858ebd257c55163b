"""Parameter counts against the paper's, shapes at any input size, and features."""

import pytest
import torch

from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.networks import build_network, parameter_count

PAPER = Preprocessing(3, 299, 299, 299, 1)
TEXT = Preprocessing(1, 32, 32, 256, 16)


def test_assistant_has_the_papers_parameters():
    # PAPER.md: 18 columns of 5,400 features give 14.29 M.
    assert parameter_count(build_network("assistant", 10, PAPER)) == pytest.approx(14.29e6, rel=0.001)


def test_student_has_the_papers_parameters():
    student = build_network("student", 10, PAPER)
    convolutions = parameter_count(student.convolutions)
    assert convolutions == pytest.approx(0.24e6, rel=0.02)
    assert parameter_count(student) == pytest.approx(1.0e6, rel=0.03)


@pytest.mark.parametrize(
    ("model", "millions", "tolerance"),
    # The paper counts 1000-way ImageNet networks; ours have ten outputs, so they are a little smaller.
    [("inceptionv3", 27, 0.2), ("efficientnet-b4", 17, 0.05), ("vgg19", 143, 0.04)],
)
def test_teachers_have_about_the_papers_parameters(model, millions, tolerance):
    with torch.device("meta"):  # shapes alone: VGG19's weights would take half a gigabyte
        teacher = build_network("timm", 10, PAPER, model=model)
    assert parameter_count(teacher) == pytest.approx(millions * 1e6, rel=tolerance)


@pytest.mark.parametrize(
    ("name", "arguments", "preprocessing"),
    [
        ("assistant", {}, Preprocessing(3, 32, 64, 64, 1)),
        ("assistant", {}, Preprocessing(1, 32, 32, 128, 16)),
        ("student", {}, Preprocessing(3, 32, 64, 64, 1)),
        ("textnet", {"width": 0.25}, TEXT),
        ("timm", {"model": "resnet10t"}, Preprocessing(3, 32, 64, 64, 1)),
    ],
)
def test_any_input_size(name, arguments, preprocessing):
    network = build_network(name, 7, preprocessing, **arguments).eval()
    for width in {preprocessing.width_min, preprocessing.width_max}:
        images = torch.randint(0, 256, (2, preprocessing.channels, preprocessing.height, width), dtype=torch.uint8)
        logits, features = network.forward_features(images)
        assert logits.shape == (2, 7)
        assert features.shape == (2, network.feature_width)
        torch.testing.assert_close(network(images), logits)


def test_textnet_ignores_brightness_and_contrast():
    network = build_network("textnet", 10, TEXT, width=0.25).eval()
    images = torch.rand(3, 1, 32, 96) * 200
    torch.testing.assert_close(network(images * 0.5 + 60), network(images), rtol=0.02, atol=0.01)


def test_wrong_requests_are_named():
    with pytest.raises(ArgumentError, match="'resnet' is unknown; allowed are assistant"):
        build_network("resnet", 10, TEXT)
    with pytest.raises(ArgumentError, match="one input size only"):
        build_network("student", 10, TEXT)
    with pytest.raises(ArgumentError, match="at least 16x16"):
        build_network("student", 10, Preprocessing(1, 8, 64, 64, 1))
    with pytest.raises(ArgumentError, match="timm has no network 'inceptionv9'"):
        build_network("timm", 10, PAPER, model="inceptionv9")
    with pytest.raises(ArgumentError, match="widht"):
        build_network("textnet", 10, TEXT, widht=2)
