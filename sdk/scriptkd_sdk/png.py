"""A PNG's chunks, which are checked before OpenCV decodes the file."""

from __future__ import annotations

import struct
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
ANIMATION = (b"acTL", b"fcTL", b"fdAT")


def whole(data: bytes) -> bytes | None:
    """Return a PNG that is safe for OpenCV to decode, or None if a chunk reaches beyond the file's end.

    OpenCV allocates memory for a chunk's declared length, up to 4 GB, before it checks where the file ends. In a
    damaged animation, its decoder may return uninitialized memory as pixels. So the chunks of animations are removed.
    The default image remains.
    """
    animated = False
    for kind, _, end in _chunks(data):
        if end + 4 > len(data):
            return None
        animated = animated or kind in ANIMATION
        if kind == b"IEND":
            return _still(data) if animated else data
    return None


def transparency(data: bytes) -> bytes:
    """Return the content of a PNG's tRNS chunk, which declares transparent colours; empty if it has none."""
    for kind, start, end in _chunks(data):
        if kind == b"tRNS":
            return data[start:end]
        if kind == b"IDAT":  # a later tRNS does not count
            break
    return b""


def transparent_gray(data: bytes) -> int | None:
    """Return the decoded level that a gray PNG declares transparent. For colours, OpenCV itself makes alpha."""
    depth, colour = data[24:26]
    key = transparency(data)
    if colour != 0 or len(key) != 2:
        return None
    level = int.from_bytes(key, "big")
    if depth == 16:
        return level
    brightest = (1 << depth) - 1
    return (level & brightest) * (255 // brightest)


def _still(data: bytes) -> bytes:
    kept = (data[start - 8 : end + 4] for kind, start, end in _chunks(data) if kind not in ANIMATION)
    return SIGNATURE + b"".join(kept)


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start and end of every chunk's content. The last may end beyond the file."""
    position = len(SIGNATURE)
    while position + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        yield kind, position + 8, position + 8 + length
        position += 12 + length
