"""IDX, the format of MNIST's files: an array after a header with its shape, gzipped or not.

The header has two zero bytes, the type of the numbers (8, unsigned bytes, is the only one read here) and the number of
dimensions. Then come the dimensions as big-endian integers of four bytes, and the numbers in row-major order. Source:
the page of MNIST, yann.lecun.com/exdb/mnist, which the mirror github.com/cvdfoundation/mnist cites.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scriptkd_sdk.errors import ArgumentError

_UNSIGNED_BYTES = 8


def is_idx(path: Path) -> bool:
    """Tell by a file's name whether it is in this format, such as "train-images-idx3-ubyte.gz"."""
    return path.name.removesuffix(".gz").endswith(("idx1-ubyte", "idx3-ubyte"))


def read_idx(path: Path, sides: int) -> NDArray[np.uint8]:
    """Read an array of unsigned bytes.

    Args:
        path: the file; with the suffix .gz it is unpacked.
        sides: the array's number of dimensions: 1 for labels, 3 for images.

    Returns:
        The array, [N] or [N, height, width].

    Raises:
        ArgumentError: the file cannot be read, or is not such an array.
    """
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise ArgumentError(f"cannot read {path}: {error}") from error
    start = 4 + 4 * sides
    if len(content) < start or content[:4] != bytes([0, 0, _UNSIGNED_BYTES, sides]):
        raise ArgumentError(f"{path} is no IDX file of unsigned bytes with {sides} side{'s' if sides > 1 else ''}")
    shape = struct.unpack(f">{sides}I", content[4:start])
    if len(content) - start != math.prod(shape):
        said = "x".join(map(str, shape))
        raise ArgumentError(f"{path} is damaged: it says {said} bytes and holds {len(content) - start:,}")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)
