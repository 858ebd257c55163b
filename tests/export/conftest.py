"""Tiny trained networks. Untrained ones give almost the same answer to every image, so rounding would decide."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray

from scriptkd_export import export_graph
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.models.checkpoint import Checkpoint
from scriptkd_train.models.networks import build_network

LABELS = ["Arabic", "Latin", "runes"]  # the last is in no table
STEPS = 40

Train = Callable[..., Checkpoint]


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def picture(label: int, random: np.random.Generator) -> NDArray[np.uint8]:
    """Stripes that stand, lie or lean, uint8 [H, W, 3], of a random size."""
    height, width = int(random.integers(20, 60)), int(random.integers(40, 200))
    rows, columns = np.mgrid[:height, :width] * (2 * np.pi / (height / 4))
    wave = np.sin((columns, rows, rows + columns)[label] + random.uniform(0, 6))
    image = 128 + random.uniform(60, 100) * wave[:, :, None] + random.normal(0, 10, (height, width, 3))
    return np.clip(image, 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of stripes, 60 images a label, with the splits train and val."""
    root = tmp_path_factory.mktemp("stripes")
    random = np.random.default_rng(0)
    for split in ("train", "val"):
        for number, label in enumerate(LABELS):
            folder = root / split / label
            folder.mkdir(parents=True)
            for i in range(60):
                cv2.imwrite(str(folder / f"{i:03}.png"), picture(number, random))
    return root


@pytest.fixture(scope="session")
def train() -> Train:
    """train(network, preprocessing, **arguments) -> a checkpoint that tells the stripes apart."""

    def run(name: str, preprocessing: Preprocessing, **arguments: Any) -> Checkpoint:
        torch.manual_seed(0)
        random = np.random.default_rng(1)
        network = build_network(name, len(LABELS), preprocessing, **arguments).train()
        optimizer = torch.optim.Adam(network.parameters(), 2e-3)
        target = torch.arange(12) % len(LABELS)
        for _ in range(STEPS):
            width = preprocessing.width_for(40, int(random.integers(40, 200)))
            squash = Preprocessing(preprocessing.channels, preprocessing.height, width, width, 1)
            pixels = np.stack([squash.apply(picture(int(label), random)) for label in target])
            loss = torch.nn.functional.cross_entropy(network(torch.from_numpy(pixels)), target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return Checkpoint(
            network=name,
            arguments=arguments,
            labels=LABELS,
            preprocessing=preprocessing,
            state_dict=network.state_dict(),
            metrics={"val_accuracy": 0.5},
            provenance={"recipe": "stripes"},
            temperature=1.5,
        )

    return run


@pytest.fixture(scope="session")
def textnet(train: Train) -> Checkpoint:
    """The smallest of the project's networks, at varying widths."""
    return train("textnet", Preprocessing(1, 32, 32, 128, 16), width=0.25)


@pytest.fixture(scope="session")
def any_crop(train: Train) -> Checkpoint:
    """The same for any crop, of format 3; its head for orientation is new, and as sure as a temperature makes it."""
    preprocessing = Preprocessing(1, 48, 48, 384, 24, square_height=72)
    checkpoint = train("textnet", preprocessing, width=0.25)
    return replace(checkpoint, orientation_temperature=0.2, orientation_threshold=0.4)


@pytest.fixture(scope="session")
def any_crop_graph(any_crop: Checkpoint) -> onnx.ModelProto:
    """Its graph in float32; not to be changed."""
    return export_graph(any_crop)
