"""One word of a larger image: boxes, rectified corners, and values that are no regions."""

from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from picture_files import near

from scriptkd_sdk.errors import ImageError
from scriptkd_sdk.images import Pixels
from scriptkd_sdk.regions import cut

PAGE: Pixels = np.random.default_rng(0).integers(0, 256, (60, 100, 3), dtype=np.uint8)
SMOOTH = np.asarray(cv2.GaussianBlur(PAGE, (0, 0), 3), np.uint8)


def test_a_box_is_a_slice() -> None:
    np.testing.assert_array_equal(cut(PAGE, (10, 20, 30, 50)), PAGE[20:50, 10:30])
    np.testing.assert_array_equal(cut(PAGE[:, :, 0], [10, 20, 30, 50]), PAGE[20:50, 10:30, 0])
    np.testing.assert_array_equal(cut(PAGE, np.array([0, 0, 100, 60])), PAGE)
    np.testing.assert_array_equal(cut(PAGE, (9.5, 19.5, 30.49, 50.2)), PAGE[20:50, 10:30])


def test_upright_corners_are_the_box() -> None:
    corners = [(10, 20), (30, 20), (30, 50), (10, 50)]
    np.testing.assert_array_equal(cut(PAGE, corners), cut(PAGE, (10, 20, 30, 50)))
    np.testing.assert_array_equal(cut(PAGE, [(0, 0), (100, 0), (100, 60), (0, 60)]), PAGE)
    gray = np.ascontiguousarray(PAGE[:, :, 0])
    np.testing.assert_array_equal(cut(gray, np.array(corners)), cut(gray, (10, 20, 30, 50)))


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_corners_turn_a_word_upright(turns: int) -> None:
    """The word's own top left corner comes first, so a turned word is turned back."""
    corners = [(10, 20), (30, 20), (30, 50), (10, 50)]
    turned = cut(PAGE, corners[turns:] + corners[:turns])
    np.testing.assert_array_equal(turned, np.rot90(PAGE[20:50, 10:30], turns))


def test_a_slanted_word_is_rectified() -> None:
    word = np.asarray(cv2.GaussianBlur(PAGE[:20, :60], (0, 0), 2), np.uint8)
    corners = np.array([(30.0, 10.0), (84.0, 37.0), (75.0, 55.0), (21.0, 28.0)])  # 60 x 20, turned by 27 degrees
    matrix = cv2.getPerspectiveTransform(
        np.array([(0, 0), (60, 0), (60, 20), (0, 20)], np.float32) - 0.5, corners.astype(np.float32) - 0.5
    )
    page = np.asarray(cv2.warpPerspective(word, matrix, (100, 60), flags=cv2.INTER_LINEAR), np.uint8)
    found = cut(page, corners)
    assert found.shape == (20, 60, 3)
    inside = (slice(2, -2), slice(2, -2))
    assert np.abs(found[inside].astype(int) - word[inside]).mean() < 4


def test_a_box_is_clipped_to_the_image() -> None:
    for region, expected in (
        ((10, 10, 101, 50), PAGE[10:50, 10:]),
        ((-1, 0, 50, 50), PAGE[:50, :50]),
        ((-5, -5, 200, 200), PAGE),
        ((0, 30, 50, 60.6), PAGE[30:, :50]),
        ((-(10**12), 3, 10**12, 9), PAGE[3:9]),
    ):
        np.testing.assert_array_equal(cut(PAGE, region), expected)


@pytest.mark.parametrize("turns", range(4))
def test_upright_corners_are_clipped_as_the_box_is(turns: int) -> None:
    for left, top, right, bottom in ((70, 20, 130, 50), (-20, -10, 30, 40), (-7, 5, 140, 90), (10, 20, 30, 70)):
        corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
        expected = np.rot90(cut(PAGE, (left, top, right, bottom)), turns)
        np.testing.assert_array_equal(cut(PAGE, corners[turns:] + corners[:turns]), expected)


def test_what_of_a_slanted_word_lies_outside_is_cut_off() -> None:
    """The rest is what it is in a larger image, in which the whole word lies."""
    larger = np.pad(SMOOTH, ((40, 40), (40, 40), (0, 0)), mode="edge")
    corners = np.array([(70.0, 10.0), (124.0, 37.0), (115.0, 55.0), (61.0, 28.0)])  # 60 x 20, turned by 27 degrees
    whole, part = cut(larger, corners + 40), cut(SMOOTH, corners)
    assert whole.shape == (20, 60, 3)
    # The right edge is crossed by the upper side at 33.3 of 60 and by the lower one at 43.3.
    assert part.shape == (20, 43, 3)
    assert near(part, whole[:, :43], 1)
    upside_down = cut(SMOOTH, np.roll(corners, 2, axis=0))
    assert near(upside_down, np.rot90(part, 2), 1)


@pytest.mark.parametrize(
    ("region", "reason"),
    [
        ((100, 10, 120, 50), r"the region \(100, 10, 120, 50\) is outside the image of 100x60 pixels"),
        ((-20, 0, 0, 50), "is outside the image"),
        ((0, 60, 50, 90), "is outside the image"),
        ((-9, -9, -2, -2), "is outside the image"),
        ((10**9, 0, 2 * 10**9, 50), "is outside the image"),
        ((99, 10, 120, 50), "1x40 pixels, but at least 2x2"),
        ([(100, 0), (120, 0), (120, 30), (100, 30)], r"the region \[\(100, 0\), \(120, 0\), .* is outside the image"),
        ([(0, -9), (9, -9), (9, 0), (0, 0)], "is outside the image"),
        ([(-20, -5), (-5, -20), (5, -10), (-10, 5)], "is outside the image"),  # its box is not
        ([(99, 0), (120, 0), (120, 30), (99, 30)], "1x30 pixels, but at least 2x2"),
        ([(0, 0), (20000, 0), (20000, 30), (0, 30)], "20000x30 pixels, but at most 16,384 a side"),
        ((10, 10, 10, 50), "is empty"),
        ((30, 10, 10, 50), "is empty: right and bottom must exceed left and top by 2 or more"),
        ((10, 10, 11, 50), "is empty"),
        ([(0, 0), (50, 0), (99, 0), (99, 0)], "do not go clockwise around a convex quadrilateral"),
        ([(0, 0), (0, 50), (50, 50), (50, 0)], "do not go clockwise"),  # anticlockwise: would be mirrored
        ([(0, 0), (50, 50), (50, 0), (0, 50)], "do not go clockwise"),  # crossed
        ([(0, 0), (50, 0), (10, 10), (0, 50)], "do not go clockwise"),  # a dent
        ([(5, 5)] * 4, "do not go clockwise"),
        ([(0, 0), (50, 0), (50, 1), (0, 1)], "50x1 pixels, but at least 2x2"),
        ((float("nan"), 0, 50, 50), "must not hold NaN or infinity"),
        ((0, 0, float("inf"), 50), "must not hold NaN"),
        ((0, 0, 50), r"a region must be \(left, top, right, bottom\) or four corners \(x, y\), not \(0, 0, 50\)"),
        ([(0, 0), (50, 0), (50, 50)], "a region must be"),
        (np.zeros((4, 3)), "a region must be"),
        (np.zeros(1000), "a region must be"),
        ("0,0,9,9", "a region must be"),
        ([(0, 0), (1,)], "a region must be"),
        (7, "a region must be"),
        ({"left": 0}, "a region must be"),
        ((0, 0, 9, "x"), "a region must be"),
        ((0, 0, 9, 10**400), "a region must be|infinity"),
        ((1j, 0, 9, 9), "a region must be"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_what_is_no_region_says_why(region: Any, reason: str) -> None:
    with pytest.raises(ImageError, match=reason) as caught:
        cut(PAGE, region)
    assert len(str(caught.value)) < 250 and "\n" not in str(caught.value)
    with pytest.raises(ImageError, match=f"^word 3: .*{reason}"):
        cut(PAGE, region, "word 3")


@given(st.lists(st.tuples(st.floats(-50, 150), st.floats(-50, 100)), min_size=4, max_size=4))
@example([(0.0, 0.0), (2.0, 0.0), (1.0, 4.0), (0.0, 7.8e-14)])  # two corners that are one in OpenCV's float32
@settings(max_examples=200, deadline=None)
def test_any_corners_give_pixels_or_an_image_error(corners: list[tuple[float, float]]) -> None:
    try:
        found = cut(SMOOTH, corners)
    except ImageError:
        return
    assert found.dtype == np.uint8 and found.ndim == 3 and min(found.shape[:2]) >= 2
    assert max(found.shape[:2]) <= 251  # the diagonal of what the corners may be in
    assert SMOOTH.min() <= found.min() and found.max() <= SMOOTH.max()
