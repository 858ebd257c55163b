"""A checkpoint of a network for any crop follows the contract: crops, windows, mean scores, orientation."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from scriptkd_sdk.crop import crops
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.evaluation.checkpoint_identifier import CheckpointIdentifier
from scriptkd_train.models.checkpoint import Checkpoint, save_checkpoint
from scriptkd_train.models.networks import Network, build_network

STEPS = Preprocessing(channels=1, height=16, width_min=16, width_max=64, width_step=8, square_height=24)
LABELS = ["Arabic", "Latin", "runes"]


@pytest.fixture(scope="module")
def network() -> Network:
    torch.manual_seed(0)
    network = build_network("textnet", 3, STEPS, width=0.25).eval()
    assert network.orientation_head is not None
    torch.nn.init.normal_(network.orientation_head.weight, std=2)  # so that its answers differ
    return network


@pytest.fixture(scope="module")
def path(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("net") / "net.pt"
    checkpoint = Checkpoint(
        *("textnet", {"width": 0.25}, LABELS, STEPS, network.state_dict()),
        temperature=0.2,
        orientation_temperature=0.5,
        orientation_threshold=0.3,
    )
    save_checkpoint(path, checkpoint)
    return path


def texture(height: int, width: int) -> NDArray[np.uint8]:
    return np.random.default_rng(height * width).integers(0, 256, (height, width), np.uint8)


def test_answers_are_the_contract_s(network: Network, path: Path) -> None:
    loose = np.full((120, 300), 255, np.uint8)
    loose[40:80, 60:180] = texture(40, 120)
    images = [texture(20, 60), texture(60, 20), texture(24, 26), texture(20, 600), loose]
    identifier = CheckpointIdentifier(path)
    windows = []
    for image, answer in zip(images, identifier.identify_batch(images), strict=True):
        assert not isinstance(answer, Exception)
        seen, rows, turned = crops(image, STEPS)
        windows.append(len(seen))
        with torch.inference_mode():
            inputs = torch.from_numpy(np.stack([STEPS.apply(crop, rows) for crop in seen]))
            logits, orientation = (output.double() for output in network.forward_outputs(inputs))
        scores = (logits / 0.2).softmax(dim=1).mean(dim=0)
        assert [answer.scores[label] for label in LABELS] == pytest.approx(scores.tolist(), abs=1e-5)
        ways = (orientation / 0.5).softmax(dim=1).mean(dim=0)
        assert answer.orientation_score == pytest.approx(float(ways.max()), abs=1e-5)
        known = float(ways.max()) >= 0.3
        assert answer.orientation == ((90 * int(ways.argmax()) + turned) % 360 if known else None)
        assert answer == identifier.identify(image) or answer.scores == pytest.approx(identifier.identify(image).scores)
    assert windows[:3] == [1, 1, 1] and windows[3] > 5


def test_its_model_is_described_and_pickled(path: Path) -> None:
    identifier = CheckpointIdentifier(path)
    info = identifier.info
    assert [(label.name, label.code) for label in info.labels] == [
        ("Arabic", "Arab"),
        ("Latin", "Latn"),
        ("runes", "Zzzz"),
    ]
    assert (info.temperature, info.orientation_temperature, info.orientation_threshold) == (0.2, 0.5, 0.3)
    image = texture(20, 60)
    assert pickle.loads(pickle.dumps(identifier)).identify(image) == identifier.identify(image)
