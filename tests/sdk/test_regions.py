"""One word of a larger image: boxes, rectified corners, and what is no region."""

from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scriptkd_sdk.errors import ImageError
from scriptkd_sdk.regions import cut

PAGE = np.random.default_rng(0).integers(0, 256, (60, 100, 3), dtype=np.uint8)
SMOOTH = cv2.GaussianBlur(PAGE, (0, 0), 3)


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
    word = cv2.GaussianBlur(PAGE[:20, :60], (0, 0), 2)
    corners = np.array([(30.0, 10.0), (84.0, 37.0), (75.0, 55.0), (21.0, 28.0)])  # 60 x 20, turned by 27 degrees
    matrix = cv2.getPerspectiveTransform(
        np.array([(0, 0), (60, 0), (60, 20), (0, 20)], np.float32) - 0.5, corners.astype(np.float32) - 0.5
    )
    page = cv2.warpPerspective(word, matrix, (100, 60), flags=cv2.INTER_LINEAR)
    found = cut(page, corners)
    assert found.shape == (20, 60, 3)
    inside = (slice(2, -2), slice(2, -2))
    assert np.abs(found[inside].astype(int) - word[inside]).mean() < 4


@pytest.mark.parametrize(
    ("region", "reason"),
    [
        ((10, 10, 101, 50), r"the region \(10, 10, 101, 50\) reaches out of the image of 100x60 pixels"),
        ((-1, 0, 50, 50), "reaches out"),
        ((0, 0, 50, 60.1), "reaches out"),
        ([(0, 0), (99, 0), (99, 61), (0, 60)], "reaches out"),
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
        ((0, 0, 9, 10**400), "a region must be|reaches out|infinity"),
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


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 60)), min_size=4, max_size=4))
@example([(0.0, 0.0), (2.0, 0.0), (1.0, 4.0), (0.0, 7.8e-14)])  # two corners that are one in OpenCV's float32
@settings(max_examples=200, deadline=None)
def test_any_corners_give_pixels_or_an_image_error(corners: list[tuple[float, float]]) -> None:
    try:
        found = cut(SMOOTH, corners)
    except ImageError:
        return
    assert found.dtype == np.uint8 and found.ndim == 3 and min(found.shape[:2]) >= 2
    assert max(found.shape[:2]) <= 118  # the page's diagonal
    assert SMOOTH.min() <= found.min() and found.max() <= SMOOTH.max()
