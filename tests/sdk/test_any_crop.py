"""Format 3: all orientations, tall and loose crops, lines in windows. The model takes the darkest side as the top."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from scriptkd_sdk import ScriptIdentifier
from scriptkd_sdk.errors import ArgumentError, ModelError


def word(height: int = 20, width: int = 60, level: int = 120) -> np.ndarray:
    """A picture [H, W] about as gray as Latin is to the model, dark above; noise keeps it from being a plain margin."""
    noise = np.random.default_rng(height).integers(-30, 31, (height, width))
    image = np.full((height, width), level) + noise
    image[: max(height // 10, 1)] = np.random.default_rng(1).integers(0, 60, (max(height // 10, 1), width))
    return np.clip(image, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def any_crop(build_model: Any) -> Path:
    path: Path = build_model(any_crop=True)
    return path


@pytest.fixture(scope="module")
def identifier(any_crop: Path) -> ScriptIdentifier:
    return ScriptIdentifier(any_crop)


@pytest.mark.parametrize("clockwise", [0, 90, 180, 270])
@pytest.mark.parametrize("size", [(20, 60), (20, 22), (20, 29)])
def test_the_way_up_is_told_clockwise(identifier: ScriptIdentifier, size: tuple[int, int], clockwise: int) -> None:
    answer = identifier.identify(np.rot90(word(*size), -clockwise // 90))
    assert (answer.best, answer.orientation) == ("Latin", clockwise)
    assert answer.orientation_score is not None and answer.orientation_score > 0.5


def test_letters_set_one_below_the_other_stand_upright(identifier: ScriptIdentifier) -> None:
    assert identifier.identify(word(60, 20)).orientation == 0


def test_turning_back_by_the_answer_makes_it_upright(identifier: ScriptIdentifier) -> None:
    turned = np.rot90(word(), -1)
    degrees = identifier.identify(turned).orientation
    assert degrees is not None
    assert np.array_equal(np.rot90(turned, degrees // 90), word())


def test_a_caller_who_knows_that_it_is_upright(identifier: ScriptIdentifier) -> None:
    answer = identifier.identify(np.rot90(word(), 2), upright=True)
    assert (answer.orientation, answer.orientation_score) == (0, 1.0)
    with pytest.raises(ArgumentError, match="upright must be True or False"):
        identifier.identify(word(), upright=1)  # type: ignore[arg-type]


def test_no_telling_is_none(identifier: ScriptIdentifier) -> None:
    same_all_round = np.random.default_rng(0).integers(100, 140, (40, 40)).astype(np.uint8)
    answer = identifier.identify(same_all_round)
    assert answer.orientation is None and answer.orientation_score is not None and answer.orientation_score < 0.5


def test_a_margin_changes_nothing(identifier: ScriptIdentifier) -> None:
    page = np.full((200, 300), 255, np.uint8)
    page[90:110, 100:160] = word()
    assert identifier.identify(page).orientation == 0
    assert identifier.identify(page).best == "Latin"


def test_a_line_of_two_scripts_has_shares(identifier: ScriptIdentifier) -> None:
    line = np.concatenate([word(20, 240, 120), word(20, 80, 215)], axis=1)
    answer = identifier.identify(line)
    assert answer.shares == {"Latin": 0.75, "Klingon": 0.25}
    assert answer.best == "Latin" and sum(answer.scores.values()) == pytest.approx(1)
    sure = identifier.identify(line, threshold=1.0)
    assert sure.script == "unknown" and set(sure.shares) == {"unknown"}


def test_one_by_one_and_together_are_the_same(identifier: ScriptIdentifier) -> None:
    images = [word(20, width) for width in (20, 29, 60, 61, 400, 900)] + [word(60, 20), np.rot90(word(), 2)]
    images += images[::-1]
    together = identifier.identify_batch(images)
    for image, answer in zip(images, together, strict=True):
        alone = identifier.identify(image)
        assert not isinstance(answer, Exception)
        assert (answer.best, answer.orientation, answer.shares) == (alone.best, alone.orientation, alone.shares)
        assert answer.score == pytest.approx(alone.score)
    assert list(identifier.identify_stream(images, batch=3, upright=True)) == identifier.identify_batch(
        images, upright=True
    )
    (region,) = identifier.identify_regions(images[-1], [(0, 0, 60, 20)])
    assert region.orientation == identifier.identify(images[-1]).orientation  # type: ignore[union-attr]


def test_older_formats_tell_no_orientation(model: Path) -> None:
    answer = ScriptIdentifier(model).identify(word())
    assert answer.orientation is None and answer.orientation_score is None and answer.shares == {answer.script: 1.0}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"orientation_temperature": 0}, "its orientation_temperature must lie in"),
        ({"orientation_threshold": None}, "its orientation_threshold must be a number"),
        ({"format": 2}, "square_height from format 3 on"),
        (
            {"preprocessing": {"channels": 1, "height": 8, "width_min": 8, "width_max": 32, "width_step": 8}},
            "must have",
        ),
    ],
)
def test_metadata_that_do_not_fit(build_model: Any, fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(ModelError, match=reason):
        ScriptIdentifier(build_model(any_crop=True, **fields))


def test_a_network_without_the_second_output(build_model: Any, metadata: dict[str, Any]) -> None:
    text = metadata | {
        "format": 3,
        "preprocessing": {**metadata["preprocessing"], "square_height": 8},
        "orientation_temperature": 1.0,
        "orientation_threshold": 0.5,
    }
    with pytest.raises(ModelError, match="the output 'logits' and 'orientation', not"):
        ScriptIdentifier(build_model(text=json.dumps(text)))


def test_the_command_line_shows_the_way_up(run: Any, any_crop: Path, tmp_path: Path) -> None:
    file = tmp_path / "turned.png"
    cv2.imwrite(str(file), np.rot90(word(), 2))
    command = ("identify", file, "--model", any_crop)
    status, out, _ = run(*command)
    assert status == 0 and "turned" in out.splitlines()[0] and "180" in out.splitlines()[1]
    assert run(*command, "--format", "{orientation}")[1] == "180\n"
    assert run(*command, "--csv")[1].splitlines()[0].split(",")[5] == "orientation"
    fields = json.loads(run(*command, "--jsonl")[1])
    assert fields["orientation"] == 180 and 0.5 < fields["orientation_score"] <= 1 and fields["shares"]
    assert json.loads(run(*command, "--jsonl", "--upright")[1])["orientation"] == 0
