"""Answers: right, in order, the same alone, in a batch and from many threads."""

import io
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scriptkd_sdk import ImageError, Prediction, ScriptIdentifier
from scriptkd_sdk.errors import ArgumentError

Builder = Callable[..., Path]


@pytest.fixture(scope="module")
def identifier(model: Path) -> ScriptIdentifier:
    return ScriptIdentifier(model)


def words(count: int) -> list[np.ndarray]:
    """Images of many sizes, gray and colour."""
    random = np.random.default_rng(0)
    shapes = random.integers(2, 120, (count, 2)).tolist()
    offsets = random.integers(0, 200, count).tolist()
    return [
        (random.integers(0, 55, (*shape, 3) if i % 2 else shape) + offset).astype(np.uint8)
        for i, (shape, offset) in enumerate(zip(shapes, offsets, strict=True))
    ]


def same(one: Prediction, other: Prediction) -> bool:
    """Equal but for the last bits, in which runs of several images may differ."""
    return (one.script, one.code, one.best) == (other.script, other.code, other.best) and all(
        math.isclose(score, other.scores[name], abs_tol=1e-6) for name, score in one.scores.items()
    )


def test_the_scores_are_the_softmax_of_the_logits_over_the_temperature(identifier: ScriptIdentifier) -> None:
    answer = identifier.identify(np.full((30, 60, 3), 110, np.uint8))
    logits = {name: -(((110 - level) / 20) ** 2) / 2.0 for name, level in [("Arabic", 20), ("Latin", 120)]}
    logits["Klingon"] = -(((110 - 220) / 20) ** 2) / 2.0
    total = sum(math.exp(value) for value in logits.values())
    for name, value in logits.items():
        assert answer.scores[name] == pytest.approx(math.exp(value) / total, abs=1e-6)
    assert (answer.script, answer.code, answer.best) == ("Latin", "Latn", "Latin")
    assert answer.score == answer.scores["Latin"] == max(answer.scores.values())
    assert list(answer.scores.values()) == sorted(answer.scores.values(), reverse=True)
    assert sum(answer.scores.values()) == pytest.approx(1)


def test_labels_that_the_sdk_does_not_know_come_from_the_file(identifier: ScriptIdentifier) -> None:
    answer = identifier.identify(np.full((30, 60), 221, np.uint8))
    assert (answer.script, answer.code) == ("Klingon", "Piqd")
    assert [label.name for label in identifier.labels] == ["Arabic", "Latin", "Klingon"]
    assert identifier.info.preprocessing is identifier.preprocessing


def test_every_kind_of_image_gets_the_same_answer(identifier: ScriptIdentifier, tmp_path: Path) -> None:
    pixels = words(2)[1]
    picture = Image.fromarray(pixels)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    path = tmp_path / "word.png"
    path.write_bytes(buffer.getvalue())
    expected = identifier.identify(pixels)
    for image in (path, str(path), buffer.getvalue(), picture, pixels.astype(np.uint16) * 257):
        assert identifier.identify(image) == expected


def test_a_score_below_the_threshold_is_unknown(build_model: Builder) -> None:
    identifier = ScriptIdentifier(build_model(threshold=0.9))
    between = identifier.identify(np.full((30, 60), 71, np.uint8))
    assert (between.script, between.code, between.best) == ("unknown", "Zyyy", "Latin")
    assert between.score == between.scores["Latin"] < 0.9
    assert identifier.identify(np.full((30, 60), 120, np.uint8)).script == "Latin"


def test_a_score_at_the_threshold_is_known_and_ties_go_to_the_first_label(build_model: Builder) -> None:
    identifier = ScriptIdentifier(build_model(threshold=1 / 3, levels=(50.0, 50.0, 50.0)))
    answer = identifier.identify(np.full((30, 60), 99, np.uint8))
    assert (answer.script, answer.score) == ("Arabic", 1 / 3)


def test_a_batch_answers_in_order_as_single_calls_do(identifier: ScriptIdentifier) -> None:
    images = words(150)
    answers = identifier.identify_batch(iter(images))
    assert len(answers) == len(images)
    for image, answer in zip(images, answers, strict=True):
        assert isinstance(answer, Prediction)
        assert same(answer, identifier.identify(image))
    assert len({answer.best for answer in answers if isinstance(answer, Prediction)}) == 3


def test_bad_images_of_a_batch_keep_their_place(identifier: ScriptIdentifier, tmp_path: Path) -> None:
    good = np.full((20, 50), 120, np.uint8)
    missing = tmp_path / "missing.png"
    answers = identifier.identify_batch([good, b"rubbish", good, missing, None, np.full((9, 9), np.nan), good])
    assert [isinstance(answer, ImageError) for answer in answers] == [False, True, False, True, True, True, False]
    assert str(answers[1]).startswith("image 1: not a PNG")
    assert str(answers[3]) == f"{missing}: no such file"
    assert str(answers[4]).startswith("image 4: an image must be")
    assert str(answers[5]).startswith("image 5: an array of floats")
    assert {answer.script for answer in answers if isinstance(answer, Prediction)} == {"Latin"}
    with pytest.raises(ImageError, match="no such file"):
        identifier.identify(missing)


def test_batches_of_nothing_and_of_what_is_no_batch(identifier: ScriptIdentifier) -> None:
    assert identifier.identify_batch([]) == []
    for image in ("word.png", b"\x89PNG"):
        with pytest.raises(ArgumentError, match="takes a list of images"):
            identifier.identify_batch(image)


def test_sixteen_threads_get_the_answers_of_one(identifier: ScriptIdentifier) -> None:
    images = words(40)
    expected = [identifier.identify(image) for image in images]
    with ThreadPoolExecutor(16) as pool:
        runs = [pool.submit(lambda: [identifier.identify(image) for image in images]) for _ in range(16)]
        batches = [pool.submit(identifier.identify_batch, images) for _ in range(4)]
    assert all(run.result() == expected for run in runs)
    for batch in batches:
        for answer, alone in zip(batch.result(), expected, strict=True):
            assert isinstance(answer, Prediction)
            assert same(answer, alone)


def test_more_threads_a_call_give_the_same(model: Path, identifier: ScriptIdentifier) -> None:
    image = words(1)[0]
    assert same(ScriptIdentifier(model, threads=2).identify(image), identifier.identify(image))
