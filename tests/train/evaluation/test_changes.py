"""The changed pictures of `scriptkd evaluate --turned --loose --lines`."""

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from scriptkd_train.evaluation.changes import CHANGES, LINE_HEIGHT, RATIOS, border_colour, line

RED = (200, 30, 40)


def generator() -> np.random.Generator:
    return np.random.default_rng(5)


def word(height: int = 20, width: int = 50) -> NDArray[np.uint8]:
    """A red ground with a white bar in its upper left quarter."""
    image = np.full((height, width, 3), RED, np.uint8)
    image[2 : height // 2, 2 : width // 2] = 255
    return image


def test_turned_by_quarters_clockwise() -> None:
    image = word()
    by_90, by_180, by_270 = (CHANGES["turned"][f"turned by {way}"](generator(), image) for way in (90, 180, 270))
    np.testing.assert_array_equal(by_90, cv2.rotate(image, cv2.ROTATE_90_CLOCKWISE))
    np.testing.assert_array_equal(by_180, cv2.rotate(image, cv2.ROTATE_180))
    np.testing.assert_array_equal(by_270, cv2.rotate(image, cv2.ROTATE_90_COUNTERCLOCKWISE))
    assert by_90[:10, 10:].max() == 255 > by_90[30:].max()  # what was left is at the top


@pytest.mark.parametrize("gray", [False, True])
def test_slanted_keeps_all_of_the_picture(gray: bool) -> None:
    image: NDArray[np.uint8] = np.full((40, 100) if gray else (40, 100, 3), 90, np.uint8)
    image[10:30, 10:90] = 250
    slanted = CHANGES["turned"]["turned by 20"]
    ways = [slanted(np.random.default_rng(seed), image) for seed in range(8)]
    for picture in ways:
        assert picture.shape[:2] == (72, 108) and picture.ndim == image.ndim
        assert (picture[0, 0] == 90).all() and (picture[-1, -1] == 90).all()  # the corners
        assert (picture > 200).sum() / (image > 200).sum() == pytest.approx(1, abs=0.03)
    assert len({picture.tobytes() for picture in ways}) == 2  # one way and the other


@pytest.mark.parametrize("times", [2, 3, 4])
@pytest.mark.parametrize("ground", ["border's colour", "white", "random colour"])
def test_loose(times: int, ground: str) -> None:
    change, image = CHANGES["loose"][f"loose x{times}, {ground}"], word(64, 160)
    picture = change(generator(), image)
    assert picture.shape == (64 * times, 160 * times, 3)
    top, left = (times - 1) * 32, (times - 1) * 80
    assert picture[top + 8 : top + 26, left + 8 : left + 70].mean() > 245
    outside = picture[:16].reshape(-1, 3).astype(int)  # whole blocks of JPEG without the word
    colour = np.median(outside, axis=0)
    if ground == "random colour":
        other = np.median(change(np.random.default_rng(6), image)[:16].reshape(-1, 3).astype(int), axis=0)
        assert abs(colour - RED).max() > 20 and abs(colour - other).max() > 20
    else:
        assert abs(colour - (RED if ground == "border's colour" else 255)).max() <= 4
    spread = outside - colour
    assert abs(spread).max() <= 6 and spread.std() > 1
    np.testing.assert_array_equal(picture, change(generator(), image))


def test_loose_gray() -> None:
    image = np.full((20, 50), 77, np.uint8)
    picture = CHANGES["loose"]["loose x2, border's colour"](generator(), image)
    assert picture.shape == (40, 100, 3) and abs(picture.mean() - 77) < 2


def test_border_colour_is_not_the_ink_s() -> None:
    assert border_colour(word()).tolist() == list(RED)
    assert border_colour(word()[..., 0]) == RED[0]


def test_lines() -> None:
    taken = []

    def words() -> Iterator[NDArray[np.uint8]]:
        for level in range(40):
            taken.append(level)
            yield np.full((30 + level, 2 * (30 + level)), level, np.uint8)

    picture = line(words(), 5)
    assert picture is not None and picture.shape == (LINE_HEIGHT, 5 * LINE_HEIGHT, 3)
    assert [int(picture[5, column, 0]) for column in (50, 140, 239)] == [0, 1, 2]  # each twice as wide as high
    assert taken == [0, 1, 2]  # no more than it needs
    assert line([word()] * 3, 10) is None
    assert list(RATIOS.values()) == [10, 25, 40]
