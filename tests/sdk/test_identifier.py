"""Answers are right and in order. They are the same for single images, in a batch and from many threads."""

import io
import json
import math
import pickle
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from scriptkd_sdk import ImageError, Prediction, ScriptIdentifier
from scriptkd_sdk.errors import ArgumentError, ClosedError

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


def same(one: Prediction | ImageError, other: Prediction | ImageError) -> bool:
    """Equal but for the last bits, in which runs of several images may differ."""
    assert isinstance(one, Prediction) and isinstance(other, Prediction)
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
    for image in (
        path,
        str(path),
        buffer.getvalue(),
        picture,
        pixels.astype(np.uint16) * 257,
        io.BytesIO(path.read_bytes()),
    ):
        assert identifier.identify(image) == expected
    with path.open("rb") as file:
        assert identifier.identify(file) == expected


def test_a_score_below_the_threshold_is_unknown(build_model: Builder) -> None:
    identifier = ScriptIdentifier(build_model(threshold=0.9))
    between = identifier.identify(np.full((30, 60), 71, np.uint8))
    assert (between.script, between.code, between.best) == ("unknown", "Zyyy", "Latin")
    assert between.score == between.scores["Latin"] < 0.9
    assert identifier.identify(np.full((30, 60), 120, np.uint8)).script == "Latin"


def test_thresholds_of_numpy(identifier: ScriptIdentifier) -> None:
    image = np.full((20, 50), 71, np.uint8)
    thresholds: list[Any] = [np.float32(0.75), np.float64(0.75)]
    for threshold in thresholds:
        assert identifier.identify(image, threshold=threshold) == identifier.identify(image, threshold=0.75)


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


def test_batches_of_nothing_and_of_what_is_no_batch(identifier: ScriptIdentifier, tmp_path: Path) -> None:
    assert identifier.identify_batch([]) == []
    single: list[Any] = [
        "word.png",
        tmp_path,
        b"\x89PNG",
        io.BytesIO(b""),
        np.zeros((9, 9, 3), np.uint8),
        np.zeros((9, 9)),
        7,
        None,
    ]
    for image in single:
        for call in (identifier.identify_batch, identifier.identify_stream):
            with pytest.raises(ArgumentError, match="several images must be a list"):
                call(image)
    assert len(identifier.identify_batch(np.zeros((4, 9, 9, 3), np.uint8))) == 4


def test_an_endless_stream_is_answered_as_it_comes(identifier: ScriptIdentifier) -> None:
    images = [*words(10), b"rubbish"]
    asked = 0

    def camera() -> Iterator[Any]:
        nonlocal asked
        for image in cycle(images):
            asked += 1
            yield image

    for batch in (1, 4):
        asked = 0
        expected = [identifier.identify_batch([image])[0] for image in images]
        for index, answer in enumerate(islice(identifier.identify_stream(camera(), batch=batch), 200)):
            assert asked <= index + batch
            if index % len(images) == 10:
                assert str(answer).startswith(f"image {index}: not a PNG")
            else:
                assert same(answer, expected[index % len(images)])
    assert list(identifier.identify_stream([])) == []


def test_a_batch_larger_than_any_stream(identifier: ScriptIdentifier) -> None:
    assert len(list(identifier.identify_stream([np.full((9, 9), 9, np.uint8)] * 3, batch=10**30))) == 3


@pytest.mark.parametrize("batch", [0, -1, 1.5, None])
def test_wrong_arguments_of_a_stream_are_told_before_the_first_answer(identifier: ScriptIdentifier, batch: Any) -> None:
    with pytest.raises(ArgumentError, match="batch must be an integer of at least 1"):
        identifier.identify_stream([], batch=batch)
    with pytest.raises(ArgumentError, match="threshold must be"):
        identifier.identify_stream([], threshold=2)


def test_a_stream_holds_one_image_at_a_time(identifier: ScriptIdentifier) -> None:
    alive: list[weakref.ref[np.ndarray]] = []

    def camera() -> Iterator[np.ndarray]:
        for _ in range(50):
            image = np.full((40, 80), 120, np.uint8)
            alive.append(weakref.ref(image))
            yield image
            del image

    for _ in identifier.identify_stream(camera(), batch=5):
        assert sum(reference() is not None for reference in alive) <= 6


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


def test_the_order_of_colours(build_model: Builder) -> None:
    colour = {"channels": 3, "height": 8, "width_min": 8, "width_max": 32, "width_step": 8}
    for model in (build_model(), build_model(shape=("n", 3, 8, "w"), preprocessing=colour)):
        identifier = ScriptIdentifier(model)
        image = words(2)[1]
        backwards = np.ascontiguousarray(image[:, :, ::-1])
        expected = identifier.identify(image)
        assert identifier.identify(backwards, order="bgr") == expected
        assert identifier.identify(image[:, :, ::-1], order="bgr") == expected
        assert identifier.identify_batch([backwards], order="bgr") == [expected]
        assert list(identifier.identify_stream([backwards], order="bgr")) == [expected]
        box = (2, 2, 9, 9)
        assert identifier.identify_regions(backwards, [box], order="bgr") == [identifier.identify(image, region=box)]
        with pytest.raises(ArgumentError, match="order must be 'rgb' or 'bgr', not 'RGBA'"):
            identifier.identify(image, order="RGBA")


def test_words_of_a_page(identifier: ScriptIdentifier) -> None:
    page = np.full((100, 200), 220, np.uint8)
    page[10:30, 10:60], page[50:70, 100:180] = 20, 120
    boxes: list[Any] = [(10, 10, 60, 30), (100, 50, 180, 70), (150, 100, 201, 120), [(0, 0), (50, 0), (50, 9), (0, 9)]]
    first, second, third, fourth = identifier.identify_regions(page, iter(boxes))
    assert [each.best for each in (first, second, fourth) if isinstance(each, Prediction)] == [
        "Arabic",
        "Latin",
        "Klingon",
    ]
    assert str(third) == "region 2: the region (150, 100, 201, 120) is outside the image of 200x100 pixels"
    assert identifier.identify(page, region=boxes[1]).best == "Latin"
    assert identifier.identify_regions(page, []) == []
    for single in (boxes[0], np.array(boxes[0]), None, 5, "abcd", b"abcd"):
        with pytest.raises(ArgumentError, match="several regions must be a list of regions"):
            identifier.identify_regions(page, single)  # type: ignore[arg-type]
    with pytest.raises(ImageError, match=r"^the region .* is outside"):
        identifier.identify(page, region=boxes[2])
    with pytest.raises(ImageError, match=r"^no\.png: no such file"):
        identifier.identify_regions("no.png", boxes)


def test_scores_are_those_of_the_allowed_scripts(identifier: ScriptIdentifier) -> None:
    image = np.full((30, 60), 90, np.uint8)
    full = identifier.identify(image)
    assert list(full.scores) == ["Latin", "Arabic", "Klingon"]
    for names in (["Arabic", "Klingon"], ("arab", "PIQD"), {"Arab", " klingon "}, iter(["Klingon", "Arab", "Arabic"])):
        some = identifier.identify(image, allow=names)
        assert (some.script, some.code, list(some.scores)) == ("Arabic", "Arab", ["Arabic", "Klingon"])
        assert sum(some.scores.values()) == pytest.approx(1)
        ratio = full.scores["Arabic"] / full.scores["Klingon"]
        assert some.scores["Arabic"] / some.scores["Klingon"] == pytest.approx(ratio)
    assert identifier.identify(image, deny=["english"]) == some
    assert identifier.identify(image, allow=["Latin", "Arabic"], deny=["Latin"]).scores == {"Arabic": 1.0}
    assert identifier.identify(image, allow=["Latin"], deny=[]).scores == {"Latin": 1.0}
    assert identifier.identify_batch([image], deny=["Latn"]) == [some]
    assert list(identifier.identify_stream([image], deny=["Latn"])) == [some]
    assert identifier.identify_regions(image, [(0, 0, 60, 30)], deny=["Latn"]) == [some]
    assert identifier.identify(image) == full


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"allow": ["Lattin"]}, "allow: the model does not know the script 'Lattin', but Arabic, Latin, Klingon"),
        ({"deny": ["Tamil"]}, "deny: the model does not know the script 'Tamil'"),
        ({"allow": [None]}, "does not know the script None"),
        ({"allow": ""}, r"allow must be a list of scripts, such as \['Latin', 'Arab'\], not ''"),
        ({"allow": "Latin"}, "allow must be a list of scripts"),
        ({"deny": 7}, "deny must be a list of scripts"),
        ({"allow": []}, "allow and deny leave no script to answer; the model knows Arabic, Latin, Klingon"),
        ({"allow": ["Latin"], "deny": ["Latin"]}, "leave no script"),
        ({"threshold": 1.1}, "threshold must be a number from 0 to 1, not 1.1"),
        ({"threshold": -0.1}, "threshold must be"),
        ({"threshold": float("nan")}, "threshold must be"),
        ({"threshold": "high"}, "threshold must be"),
        ({"threshold": True}, "threshold must be"),
    ],
)
def test_wrong_lists_and_thresholds(identifier: ScriptIdentifier, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        identifier.identify(np.zeros((9, 9), np.uint8), **arguments)


def test_the_threshold_of_a_call_goes_before_the_models(build_model: Builder) -> None:
    identifier = ScriptIdentifier(build_model(threshold=0.9))
    between = np.full((30, 60), 71, np.uint8)
    unsure = identifier.identify(between)
    assert (unsure.known, unsure.best, unsure.script) == (False, "Latin", "unknown")
    sure = identifier.identify(between, threshold=0)
    assert (sure.known, sure.best, sure.script) == (True, "Latin", "Latin")
    assert sure.scores == unsure.scores
    assert identifier.identify(np.full((30, 60), 120, np.uint8), threshold=1.0).script == "unknown"
    # It applies to the scores as they are given: those of the allowed scripts.
    assert identifier.identify(between, allow=["Arabic"]).script == "Arabic"


def test_what_a_prediction_can_tell(identifier: ScriptIdentifier) -> None:
    answer = identifier.identify(np.full((30, 60), 90, np.uint8))
    assert answer.top(2) == list(answer.scores.items())[:2]
    assert answer.top(99) == list(answer.scores.items())
    assert answer.top(0) == answer.top(-1) == []
    assert json.loads(json.dumps(answer.to_dict())) == {
        "script": "Latin",
        "code": "Latn",
        "score": answer.score,
        "best": "Latin",
        "orientation": None,
        "orientation_score": None,
        "shares": {"Latin": 1.0},
        "scores": answer.scores,
    }
    assert pickle.loads(pickle.dumps(answer)) == answer


def test_a_closed_identifier_says_so(model: Path) -> None:
    image = np.zeros((9, 9), np.uint8)
    with ScriptIdentifier(model) as identifier:
        assert identifier.identify(image).best == "Arabic"
        stream = identifier.identify_stream([image])
    identifier.close()
    for call in (lambda: identifier.identify(image), lambda: identifier.identify_batch([image]), lambda: next(stream)):
        with pytest.raises(ClosedError, match="the identifier is closed"):
            call()
    assert identifier.labels[1].name == "Latin"


def test_warming_up_runs_every_width(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    identifier = ScriptIdentifier(model)
    widths = []
    monkeypatch.setattr(identifier, "_run", lambda inputs: widths.append(inputs[0].shape))
    identifier.warm_up()
    assert widths == [(1, 8, width) for width in (8, 16, 24, 32)]


def test_nothing_is_written(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with ScriptIdentifier(model) as identifier:
        identifier.warm_up()
        identifier.identify_batch(words(3))
    assert list(tmp_path.iterdir()) == []
