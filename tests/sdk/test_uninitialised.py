"""No decoded picture holds uninitialised memory: its pixels do not depend on the memory's earlier content.

`make fuzz` does the same with many more inputs.
"""

import sys
from collections.abc import Iterator

import numpy as np
import pytest
from perturbed import VALUES, Reader
from picture_files import FILES, PICTURE, encode, tiff, two_colours

if not sys.platform.startswith("linux"):
    pytest.skip("memory is filled by glibc", allow_module_level=True)

DAMAGED = 60  # of each kind


def sound_files() -> Iterator[bytes]:
    yield from FILES.values()
    yield encode(PICTURE.convert("RGBA"), "PNG", save_all=True, append_images=[PICTURE.convert("RGBA").rotate(3)])
    yield FILES["JPEG"][:-2]
    levels = np.float64(two_colours() / 255)
    for most, depth in ((255, "uint8"), (65535, "uint16"), (1, "float32")):
        pixels = np.asarray(levels * most, depth)
        for planes in (1, 2):
            for order in "<>":
                yield tiff(pixels, order, t284=planes, t339=3 if most == 1 else 1)


def damaged_files() -> Iterator[bytes]:
    """Files with a few bytes changed, or one bit; the end and the start are changed as often as the rest."""
    random = np.random.default_rng(0)
    for content in sound_files():
        for _ in range(DAMAGED):
            data = bytearray(content)
            for position in random.integers(0, len(data), random.integers(1, 4)):
                data[position] = (
                    random.integers(256) if random.random() < 0.5 else data[position] ^ 1 << random.integers(8)
                )
            yield bytes(data)


def test_the_same_bytes_are_the_same_picture_whatever_lay_in_memory() -> None:
    with Reader(VALUES[0]) as first, Reader(VALUES[1]) as second:
        for data in (*sound_files(), *damaged_files()):
            first.send(data)
            second.send(data)
            assert first.receive() == second.receive(), data.hex()
