"""Golden images for format 3: words in all orientations, tall, stacked and loose crops, and lines of words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from scriptkd_train.synth.composition import draw_word_image
from scriptkd_train.synth.fonts import faces_by_split

Pixels = NDArray[np.uint8]
Draw = Callable[[], Pixels]
"""Draws a word, gray, uint8 [H, W], another each time."""


def any_crops(scripts: Sequence[str], seed: int) -> Iterator[tuple[str, Iterator[Pixels]]]:
    """Names and, for each, endless candidates: the first that hangs on no float is taken."""
    for number, script in enumerate(scripts):
        rng = np.random.default_rng([seed, 1000 + number])
        families = list(faces_by_split(script)["train"].values())

        def draw(rng: np.random.Generator = rng, script: str = script, families: list = families) -> Pixels:  # type: ignore[type-arg]
            image = draw_word_image(rng, script, families)
            return low(np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8), int(rng.integers(16, 29)))

        for quarter in (1, 2, 3):
            yield f"{script.lower()}-turned-{90 * quarter}", turned(draw, quarter)
        yield f"{script.lower()}-loose", loose(draw, rng)
        yield f"{script.lower()}-line", lines(draw, rng, 10 + 3 * number)  # 10 to 37 times as wide as high
        yield f"{script.lower()}-near-square", near_square(draw, rng)
        yield f"{script.lower()}-stacked", stacked(draw, rng)
    yield "line-40", lines(draw, rng, 40)
    yield "line-upright-in-a-tall-crop", (np.ascontiguousarray(np.rot90(line, -1)) for line in lines(draw, rng, 20))


def low(image: Pixels, height: int) -> Pixels:
    """The image at a height of so many rows, its width in proportion."""
    width = max(4, round(image.shape[1] * height / len(image)))
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def turned(draw: Draw, quarter: int) -> Iterator[Pixels]:
    """Words turned clockwise by so many quarter turns."""
    while True:
        yield np.ascontiguousarray(np.rot90(draw(), -quarter))


def loose(draw: Draw, rng: np.random.Generator) -> Iterator[Pixels]:
    """Words within plain margins with some noise, two to four times their size."""
    while True:
        word = draw()
        height, width = word.shape
        page = np.full((int(height * rng.uniform(2, 4)), int(width * rng.uniform(2, 4))), rng.integers(0, 256))
        top, left = (int(rng.integers(0, side - size)) for side, size in zip(page.shape, word.shape, strict=True))
        page[top : top + height, left : left + width] = word
        yield np.clip(page + rng.integers(-3, 4, page.shape), 0, 255).astype(np.uint8)


def lines(draw: Draw, rng: np.random.Generator, aspect: int) -> Iterator[Pixels]:
    """Lines of different words, so many times as wide as high."""
    while True:
        height, width = 16, 16 * aspect
        words = [low(draw(), height)]
        while sum(word.shape[1] for word in words) < width:
            words.append(low(draw(), height))
        yield np.concatenate(words, axis=1)[:, :width]


def near_square(draw: Draw, rng: np.random.Generator) -> Iterator[Pixels]:
    """The beginnings of words, less than 1.5 times as wide as high, some on their side."""
    while True:
        word = draw()
        part = word[:, : int(len(word) * rng.uniform(0.8, 1.4))]
        yield np.ascontiguousarray(np.rot90(part, int(rng.integers(4))))


def stacked(draw: Draw, rng: np.random.Generator) -> Iterator[Pixels]:
    """Square pieces of words set one below the other."""
    while True:
        pieces = [low(draw(), 18)[:, :16] for _ in range(int(rng.integers(3, 6)))]
        yield np.concatenate([piece for piece in pieces if piece.shape[1] == 16] or [np.zeros((54, 16), np.uint8)])
