"""Networks: parameter counts against the paper's, shapes at any input size, and features."""

import pytest
import torch

from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.models.networks import build_network, parameter_count

PAPER = Preprocessing(3, 299, 299, 299, 1)
TEXT = Preprocessing(1, 32, 32, 256, 16)


def test_assistant_has_the_papers_parameters():
    # The paper says ~14 M (section 3, "Assistant Model"); 18 columns of 5,400 features give 14.29 M.
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


SMALLEST_AUXILIARY = Preprocessing(3, 299, 299, 299, 1)


@pytest.fixture(scope="module")
def inception():
    """InceptionV3 with its auxiliary head: 25 M parameters, built once."""
    return build_network("timm", 10, SMALLEST_AUXILIARY, model="inceptionv3", auxiliary=True)


def test_auxiliary_head_takes_part_in_training_only(inception):
    images = torch.randint(0, 256, (2, 3, 299, 299), dtype=torch.uint8)
    inception.train()
    logits, feature_maps, auxiliary = inception.forward_training(images)
    assert logits.shape == auxiliary.shape == (2, 10)
    assert feature_maps["features"].shape == (2, inception.feature_width)
    auxiliary.sum().backward()
    assert inception.backbone.AuxLogits.fc.weight.grad is not None
    assert inception.backbone.fc.weight.grad is None
    # Served, it answers as the same weights without the head do, which are not even looked at.
    inception.eval()
    plain = build_network("timm", 10, SMALLEST_AUXILIARY, model="inceptionv3").eval()
    weights = {name: value for name, value in inception.state_dict().items() if "AuxLogits" not in name}
    plain.load_state_dict(weights)
    with torch.no_grad():
        torch.testing.assert_close(inception(images), plain(images), rtol=0, atol=0)
        torch.testing.assert_close(inception.forward_features(images)[1], plain.forward_features(images)[1])


@pytest.mark.parametrize("model", ["inceptionv3", "efficientnet-b4"])
def test_teachers_without_weights_begin_with_a_guess(model):
    torch.manual_seed(0)
    network = build_network("timm", 10, Preprocessing(3, 75, 75, 75, 1), model=model).train()
    images = torch.randint(0, 256, (16, 3, 75, 75), dtype=torch.uint8)
    with torch.no_grad():
        assert network(images).std() < 1  # as timm draws their weights it is 3


def test_paper_counts_inceptions_auxiliary_head(inception):
    # The paper's "~27 M" is the 1000-way network with both heads; ten outputs take 2.8 M away.
    assert parameter_count(inception) == pytest.approx(24.4e6, rel=0.01)


def test_other_networks_have_no_auxiliary_head():
    images = torch.zeros(2, 3, 32, 32, dtype=torch.uint8)
    assert build_network("student", 10, Preprocessing(3, 32, 32, 32, 1)).forward_training(images)[2] is None
    with pytest.raises(ArgumentError, match="'vgg19' has no auxiliary head, only inceptionv3 has one"):
        build_network("timm", 10, PAPER, model="vgg19", auxiliary=True)
    with pytest.raises(ArgumentError, match="needs at least 299x299 pixels, not 75x75"):
        build_network("timm", 10, Preprocessing(3, 75, 75, 75, 1), model="inceptionv3", auxiliary=True)


def test_weights_that_cannot_be_downloaded(monkeypatch):
    def fail(*_, **__):
        raise OSError("no route to host")

    monkeypatch.setattr("timm.create_model", fail)
    with pytest.raises(
        ArgumentError, match=r"ImageNet weights of 'vgg19' are not available \(no route to host\).*false"
    ):
        build_network("timm", 10, PAPER, model="vgg19", pretrained=True)


@pytest.mark.parametrize("model", ["test_resnet", "resnet10t"])
def test_every_teacher_gets_mean_and_deviation_one_half(model):
    """PAPER: mean 0.5 and std 0.5 a channel."""
    teacher = build_network("timm", 10, Preprocessing(3, 32, 32, 32, 1), model=model)
    pixels = teacher.normalise(torch.tensor([0, 255], dtype=torch.uint8).view(2, 1, 1, 1).expand(2, 3, 1, 1))
    assert pixels[0].tolist() == [[[-1.0]]] * 3
    assert pixels[1].tolist() == [[[1.0]]] * 3


def test_textnet_ignores_brightness_and_contrast():
    network = build_network("textnet", 10, TEXT, width=0.25).eval()
    images = torch.rand(3, 1, 32, 96) * 200
    torch.testing.assert_close(network(images * 0.5 + 60), network(images), rtol=0.02, atol=0.01)


def test_wrong_requests_are_named():
    with pytest.raises(ArgumentError, match="'resnet' is unknown; allowed are assistant"):
        build_network("resnet", 10, TEXT)
    with pytest.raises(ArgumentError, match="a single input size"):
        build_network("student", 10, TEXT)
    with pytest.raises(ArgumentError, match="at least 16x16"):
        build_network("student", 10, Preprocessing(1, 8, 64, 64, 1))
    with pytest.raises(ArgumentError, match="timm has no network 'inceptionv9'"):
        build_network("timm", 10, PAPER, model="inceptionv9")
    with pytest.raises(ArgumentError, match="widht"):
        build_network("textnet", 10, TEXT, widht=2)
