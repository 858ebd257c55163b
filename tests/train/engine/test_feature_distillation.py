"""The match points of features: where they are, how they are compared, and that only the student learns."""

import re

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric

from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.data.in_memory import Batch, InMemoryDataset
from scriptkd_train.engine.check import check_networks
from scriptkd_train.engine.distiller import Teacher
from scriptkd_train.engine.feature_distillation import as_vectors, build_feature_loss, feature_widths
from scriptkd_train.engine.trainer import Trainer
from scriptkd_train.models.networks import FEATURE_MAPS, build_network
from scriptkd_train.recipe import Input, NetworkSpec, ResolvedStage, load_recipe, parse_recipe

SIZE = Preprocessing(1, 32, 48, 48, 1)
ASSISTANT = {"network": {"name": "assistant", "arguments": {"hidden": 8}}, "input": SIZE.to_dict(), "epochs": 1,
             "batch_size": 8, "optimizer": {"name": "adamw", "lr": 0.001}}  # fmt: skip
DARKNET = {**ASSISTANT, "network": {"name": "darknet-assistant", "arguments": {"hidden": 8}}}


def images(count=8):
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, 1, 32, 48), generator=generator, dtype=torch.uint8)


@pytest.fixture(scope="module")
def assistant():
    torch.manual_seed(0)
    return build_network("assistant", 3, SIZE, hidden=8).eval()


def stages(match, student=DARKNET, teacher=ASSISTANT, **distil):
    distil = {"teacher": "teacher", "labels": "online", "match": match, **distil}
    return parse_recipe({"stages": {"teacher": teacher, "student": {**student, "distil": distil}}}, "x")


def trainer(match, teacher, **distil):
    split = InMemoryDataset({48: images()}, {48: torch.arange(8) % 3}, {48: torch.arange(8)})
    stage = stages(match, **distil).stages["student"]
    return Trainer(Fabric(accelerator="cpu"), "student", ResolvedStage.of(stage), 3, 0, [Teacher(teacher, SIZE, split)])


def test_points_of_the_assistant(assistant):
    """Each is what passes there: the LSTM fed with one gives the next, and their names are those a recipe may use."""
    with torch.no_grad():
        logits, feature_maps = assistant.forward_feature_maps(images())
        torch.testing.assert_close(assistant(images()), logits)
        assert feature_maps.keys() == FEATURE_MAPS.keys()
        torch.testing.assert_close(feature_maps["conv_output"], assistant.convolutions(assistant.normalise(images())))
        torch.testing.assert_close(assistant.lstm(feature_maps["lstm_input"])[0], feature_maps["lstm_output"])
        torch.testing.assert_close(feature_maps["lstm_output"].mean(dim=1), feature_maps["features"])
    assert as_vectors(feature_maps["conv_output"]).shape == (8 * 2 * 3, 300)
    assert as_vectors(feature_maps["lstm_input"]).shape == (8 * 3, 600)
    # A row is one position: the third column of the first image, and the map's at row 1, column 2.
    assert torch.equal(as_vectors(feature_maps["lstm_input"])[2], feature_maps["lstm_input"][0, 2])
    assert torch.equal(as_vectors(feature_maps["conv_output"])[5], feature_maps["conv_output"][0, :, 1, 2])


def np_vectors(tap):
    tap = tap.detach().double().numpy()
    tap = np.moveaxis(tap, 1, -1) if tap.ndim == 4 else tap
    return tap.reshape(-1, tap.shape[-1])


@pytest.mark.parametrize(
    ("point", "loss"),
    [
        ("features", "l2"), ("conv_output", "l2"), ("lstm_input", "l2"), ("lstm_output", "l2"), ("lstm_input", "kl"),
        ("lstm_input", "mahalanobis"), ("lstm_output", "mahalanobis"), ("lstm_input", "feedforward"),
    ],
)  # fmt: skip
def test_a_match_against_numpy(assistant, point, loss):
    """loss none, alpha 1: the match alone is the loss. Its gradients reach the student and not the teacher."""
    made = trainer({point: {"loss": loss, "weight": 0.25}}, assistant, loss="none", alpha=1.0)
    distiller, network = made.distiller, made.learner.module.network.eval()
    theirs = distiller.teacher_outputs(Batch(images(), torch.arange(8) % 3, torch.arange(8)), images())
    logits, vectors, *_ = made.learner.module(images())
    ours = distiller.loss(logits, vectors, torch.arange(8) % 3, theirs, 0.0)
    s, t = (np_vectors(each.forward_feature_maps(images())[1][point]) for each in (network, assistant))
    difference = s - t
    if loss == "l2":
        expected = np.mean(np.sum(difference**2, axis=1)) / 2
    elif loss == "kl":
        p, q = (np.exp(x) / np.exp(x).sum(axis=1, keepdims=True) for x in (t, s))
        expected = np.mean(np.sum(p * np.log(p / q), axis=1))
    elif loss == "feedforward":
        matrices = [getattr(assistant.lstm, f"weight_ih_l0{way}").detach().double().numpy() for way in ("", "_reverse")]
        expected = np.mean(sum(np.sum((difference @ matrix.T) ** 2, axis=1) for matrix in matrices)) / 2
    else:
        covariance = np_ledoit_wolf(t)  # of the same eight images, which are all there are
        expected = np.mean(np.sum(difference * np.linalg.solve(covariance, difference.T).T, axis=1)) / 2
    assert ours.item() == pytest.approx(0.25 * expected, rel=1e-3)
    ours.backward()
    assert network.convolutions[0][0].weight.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in assistant.parameters())


def np_ledoit_wolf(x):
    """Ledoit & Wolf 2004, section 3.3."""
    n, p = x.shape
    x = x - x.mean(axis=0)
    s = x.T @ x / n
    m = np.trace(s) / p
    d2 = np.sum((s - m * np.eye(p)) ** 2) / p
    b2 = min(sum(np.sum((np.outer(row, row) - s) ** 2) for row in x) / p / n**2, d2)
    return b2 / d2 * m * np.eye(p) + (d2 - b2) / d2 * s


def test_cnn_mah_feeds_an_lstm_that_is_copied_and_fixed(assistant):
    """The recipe paper-darknet in small: what the LSTM reads comes closer; it and the head stay to the last bit."""
    recipe = load_recipe("paper-darknet-cpu").stages["matched"]
    stage = recipe.model_copy(update={
        "network": NetworkSpec(name="darknet-assistant", arguments={"hidden": 8}), "input": Input(**SIZE.to_dict()),
    })  # fmt: skip
    split = InMemoryDataset({48: images()}, {48: torch.arange(8) % 3}, {48: torch.arange(8)})
    made = Trainer(
        Fabric(accelerator="cpu"),
        "matched",
        ResolvedStage.of(stage),
        3,
        0,
        [Teacher(assistant, SIZE, split)],
        assistant.state_dict(),
    )
    made.learner.train()
    batch = Batch(images(), torch.arange(8) % 3, torch.arange(8))
    losses = [made.step(batch, 3.0, torch.Generator().manual_seed(0)).item() for _ in range(8)]
    assert losses[-1] < 0.9 * losses[0]
    for name, value in made.eval_model.state_dict().items():
        if name.startswith(("lstm.", "head.")):
            assert torch.equal(value, assistant.state_dict()[name]), name


def test_several_temperatures_are_averaged(assistant):
    target = torch.arange(8) % 3
    batch = Batch(images(), target, torch.arange(8))
    losses = {}
    for tau in (1.0, 5.0, [1.0, 5.0]):
        made = trainer({}, assistant, alpha=1.0, tau=tau)
        made.learner.module.eval()
        logits, vectors, *_ = made.learner.module(images())
        losses[str(tau)] = made.distiller.loss(
            logits, vectors, target, made.distiller.teacher_outputs(batch, images()), 0
        ).item()
    assert losses["[1.0, 5.0]"] == pytest.approx((losses["1.0"] + losses["5.0"]) / 2)
    assert losses["1.0"] != pytest.approx(losses["5.0"], rel=0.01)


def test_other_widths_are_matched_through_a_linear_map(assistant):
    narrow = {**ASSISTANT, "network": {"name": "textnet", "arguments": {"width": 0.25}}}
    made = Trainer(
        Fabric(accelerator="cpu"), "student",
        ResolvedStage.of(stages({"features": {"loss": "l2"}}, narrow).stages["student"]), 3, 0,
        [Teacher(assistant, SIZE, InMemoryDataset({48: images()}, {48: torch.arange(8) % 3}, {48: torch.arange(8)}))],
    )  # fmt: skip
    projection = made.learner.module.projections["features"]
    assert projection.weight.shape == (512, 48)
    before = projection.weight.detach().clone()
    made.learner.train()
    made.step(Batch(images(), torch.arange(8) % 3, torch.arange(8)), 0.0, torch.Generator())
    assert not torch.equal(projection.weight, before)
    assert "projections" not in "".join(made.eval_model.state_dict())


@pytest.mark.parametrize(
    ("match", "student", "teacher", "message"),
    [
        ({"lstm_input": {"loss": "l2"}}, {"name": "textnet"}, ASSISTANT["network"],
         "stage student: match: its network has no point 'lstm_input'; it has conv_output, features"),
        ({"lstm_output": {"loss": "l2"}}, ASSISTANT["network"], {"name": "textnet"},
         "stage student: match: its teacher has no point 'lstm_output'; it has conv_output, features"),
        ({"conv_output": {"loss": "l2"}}, {"name": "textnet"}, ASSISTANT["network"],
         "stage student: match: conv_output has 2x6 positions, its teacher's has 2x3; only equal"),
    ],
)  # fmt: skip
def test_points_that_cannot_be_matched_are_named_before_anything_is_trained(match, student, teacher, message):
    recipe = stages(match, {**ASSISTANT, "network": student}, {**ASSISTANT, "network": teacher})
    with pytest.raises(ArgumentError, match=re.escape(message)):
        check_networks(recipe, ["Arabic", "Latin", "Tamil"])


def test_teachers_without_what_a_metric_needs(assistant):
    split = InMemoryDataset({48: torch.zeros_like(images())}, {48: torch.arange(8) % 3}, {48: torch.arange(8)})
    fabric, draw = Fabric(accelerator="cpu"), torch.Generator()
    with pytest.raises(ArgumentError, match="match at features: all feature vectors are the same"):
        build_feature_loss(fabric, "mahalanobis", "features", assistant, split, draw)
    with pytest.raises(ArgumentError, match="'feedforward' needs a teacher with an LSTM"):
        build_feature_loss(
            fabric, "feedforward", "lstm_input", build_network("textnet", 3, SIZE, width=0.25), split, draw
        )


def test_widths_are_found_on_the_meta_device():
    with torch.device("meta"):
        networks = [build_network(name, 3, SIZE) for name in ("darknet-assistant", "assistant")]
    widths = feature_widths((networks[0], SIZE), (networks[1], SIZE), FEATURE_MAPS, "x")
    assert widths == {"features": (512, 512), "conv_output": (300, 300), "lstm_input": (600, 600),
                      "lstm_output": (512, 512)}  # fmt: skip
