"""A PNG's chunks, which are looked at before OpenCV sees them."""

from __future__ import annotations

import struct
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
ANIMATION = (b"acTL", b"fcTL", b"fdAT")


def whole(data: bytes) -> bytes | None:
    """Return a PNG's picture as a PNG that OpenCV can be given, or None if a chunk of it does not lie within it.

    OpenCV makes room for a chunk of whatever length is written there, up to 4 GB, before it looks at the file's end. Of
    an animation it decodes the frames by a way of its own, which takes memory that damage has left unfilled for pixels.
    So the chunks of animations are left out; what is left is the picture for those who show none.
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
    """What of a PNG's gray, colours or palette is transparent (its tRNS chunk); empty if there is none."""
    for kind, start, end in _chunks(data):
        if kind == b"tRNS":
            return data[start:end]
        if kind == b"IDAT":  # behind which it does not count
            break
    return b""


def transparent_gray(data: bytes) -> int | None:
    """The level that a gray PNG declares transparent, as OpenCV decodes it; of colours OpenCV itself makes alpha."""
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
    """Kind, start and end of every chunk's content; the last may end behind the file."""
    position = len(SIGNATURE)
    while position + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        yield kind, position + 8, position + 8 + length
        position += 12 + length
