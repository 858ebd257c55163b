"""A TIFF's tags, and the kinds of TIFF that OpenCV does not read, or reads wrongly."""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

NUMBERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 16: "Q", 17: "q"}  # libtiff accepts all as integers
WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, SAMPLES = 256, 257, 258, 259, 262, 277
PLANES, TILE_WIDTH, TILE_HEIGHT, EXTRA, FORMAT = 284, 322, 323, 338, 339
KNOWN = {WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, SAMPLES, PLANES, TILE_WIDTH, TILE_HEIGHT, EXTRA, FORMAT}
ORIENTATION = 274

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB = 0, 1, 2  # values of PHOTOMETRIC
GRAY = (WHITE_IS_ZERO, BLACK_IS_ZERO)
NO_ALPHA, MULTIPLIED, STRAIGHT = 0, 1, 2  # values of EXTRA
WHOLE, SIGNED, FLOATS = 1, 2, 3  # values of FORMAT
FORMATS = {WHOLE: "", SIGNED: " signed", FLOATS: " floating-point", 4: " undefined", 5: " complex", 6: " complex"}
UNREAD_COMPRESSIONS = {34661: "JBIG", 34712: "JPEG 2000", 34887: "LERC", 34925: "LZMA", 50000: "ZSTD", 50001: "WebP"}
LEAST_TILE = 1024  # bytes; OpenCV's libtiff reads beyond the end of smaller uncompressed tiles


class Colours(NamedTuple):
    """A value of PHOTOMETRIC: its name, and the bits a sample and samples a pixel that can be read."""

    name: str
    bits: tuple[int, ...]
    samples: tuple[int, ...]


COLOURS = {
    WHITE_IS_ZERO: Colours("gray", (1, 8, 16), (1, 2)),
    BLACK_IS_ZERO: Colours("gray", (1, 8, 16), (1, 2)),
    RGB: Colours("RGB", (8, 16), (3, 4)),
    3: Colours("palette", (1, 4, 8), (1,)),
    5: Colours("CMYK", (8,), (4,)),
    6: Colours("YCbCr", (8,), (3,)),
    8: Colours("CIE L*a*b*", (8,), (3,)),
}

Tags = Mapping[int, int]
"""A TIFF's integer tags, by their numbers."""


def read_tags(data: bytes, wanted: Collection[int] = KNOWN) -> dict[int, int]:
    """Return the wanted integer tags of a TIFF file's first directory. An EXIF block is also a TIFF file.

    Of several numbers, or several entries of a tag, the first counts, as in libtiff. Raises struct.error if the
    directory, or a wanted tag's number, lies beyond the file's end.
    """
    tags: dict[int, int] = {}
    for tag, letter, at in _entries(data):
        if tag in wanted and tag not in tags:
            (tags[tag],) = struct.unpack_from(letter, data, at)
    return tags


def unread(tags: Tags) -> str | None:
    """Return why a valid TIFF of these tags cannot be read, as a sentence; None if it can.

    OpenCV refuses some kinds without a reason and misreads others. In planes of more than 8 bits it leaves part of the
    picture uninitialized.
    """
    bits, samples, photometric = tags.get(BITS, 1), tags.get(SAMPLES, 1), tags.get(PHOTOMETRIC, BLACK_IS_ZERO)
    number, gray = tags.get(FORMAT, WHOLE), photometric in GRAY
    colours = COLOURS.get(photometric, Colours(f"photometric-{photometric}", (), ()))
    if number == FLOATS:
        colours = colours._replace(bits=(32, 64) if gray or photometric == RGB else ())
    if gray and samples > 1 and tags.get(EXTRA) in (MULTIPLIED, STRAIGHT):  # OpenCV drops the alpha
        return "a gray TIFF with alpha is not read; save it as PNG"
    if bits not in colours.bits or number not in (WHOLE, FLOATS):
        kind = f"a TIFF of {bits}-bit{FORMATS.get(number, ' unknown')} {colours.name} samples"
    elif samples not in colours.samples or (gray and bits > 8 and samples > 1):
        kind = f"a TIFF of {bits}-bit {colours.name} samples, {samples} a pixel,"
    elif bits > 8 and samples > 1 and tags.get(PLANES) == 2:
        kind = f"a TIFF of {bits}-bit samples in planes"
    elif tags.get(COMPRESSION, 1) == 1 and bits <= 8 and 0 < _tile_bytes(tags, bits * samples) < LEAST_TILE:
        kind = f"a TIFF of tiles of less than {LEAST_TILE} bytes"
    else:
        return None
    return f"{kind} is not read; save it as PNG, or as a TIFF of 8-bit RGB or gray samples, pixel by pixel"


def unread_compression(tags: Tags) -> str | None:
    """Do as `unread`, for compressions that many builds of OpenCV lack. Call it only after decoding has failed."""
    name = UNREAD_COMPRESSIONS.get(tags.get(COMPRESSION, 1))
    read = "one compressed by deflate, LZW, PackBits, JPEG or CCITT fax or not at all is"
    return f"a TIFF compressed by {name} is not read, but {read}" if name else None


def keep_straight(data: bytes, tags: Tags) -> bytes:
    """Return a TIFF whose colours libtiff does not multiply by alpha. The product has 8 bits, so it cannot be undone.

    If the colours are straight, the copy declares them as already multiplied. libtiff then leaves them as they are.
    """
    if tags.get(EXTRA, NO_ALPHA) in (NO_ALPHA, MULTIPLIED):
        return data
    letter, at = next((letter, at) for tag, letter, at in _entries(data) if tag == EXTRA)
    return data[:at] + struct.pack(letter, MULTIPLIED) + data[at + struct.calcsize(letter) :]


def _tile_bytes(tags: Tags, bits: int) -> int:
    """Return a tile's bytes for `bits` bits a pixel; 0 if there are no tiles."""
    return tags.get(TILE_WIDTH, 0) * tags.get(TILE_HEIGHT, 0) * bits // 8


def _entries(data: bytes) -> Iterator[tuple[int, str, int]]:
    """Yield tag, format and position of the first integer of every entry in the first directory."""
    order = "<" if data.startswith(b"II") else ">"
    (start,) = struct.unpack_from(order + "I", data, 4)
    (count,) = struct.unpack_from(order + "H", data, start)
    for position in range(start + 2, start + 2 + 12 * count, 12):
        tag, kind, values = struct.unpack_from(order + "HHI", data, position)
        if values and (letter := NUMBERS.get(kind)):
            size = struct.calcsize(order + letter)
            at = position + 8
            if values * size > 4:  # values that do not fit into the entry lie elsewhere
                (at,) = struct.unpack_from(order + "I", data, at)
            yield tag, order + letter, at
