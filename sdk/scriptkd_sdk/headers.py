"""What an image file's header declares, read before its pixels: OpenCV would allocate whatever is claimed there."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from scriptkd_sdk.errors import ImageError

PNG_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 4, 6: 4}  # a pixel, by colour type; OpenCV makes RGBA of gray and alpha
TIFF_NUMBERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 16: "Q", 17: "q"}  # libtiff takes any for a whole one
TIFF_UNREAD = {34661: "JBIG", 34712: "JPEG 2000", 34887: "LERC", 34925: "LZMA", 50000: "ZSTD", 50001: "WebP"}


class Header(NamedTuple):
    """What a file declares. decoded: bytes, that is width x height x samples x bytes a sample. tags: a TIFF's."""

    kind: str
    width: int
    height: int
    decoded: int
    tags: Mapping[int, int] = MappingProxyType({})

    @property
    def gray_with_alpha(self) -> bool:
        """Whether it is a gray TIFF (0 or 1, white being 0 or the most) whose first extra sample is alpha (1 or 2)."""
        return self.tags.get(262) in (0, 1) and self.tags.get(277, 1) > 1 and self.tags.get(338) in (1, 2)

    @property
    def unread_compression(self) -> str | None:
        """The compression of a TIFF that OpenCV's builds tend to leave out, by name."""
        return TIFF_UNREAD.get(self.tags.get(259, 1))


def read_header(data: bytes) -> Header | None:
    """Return what a file's header declares, or None if the kind is not known.

    A palette's index is one sample, as the colours are looked up quickly; where only reading on would tell whether
    there is alpha, there are four. Raises ImageError for a header that ends early, and for a BigTIFF.
    """
    try:
        return _read_header(data)
    except (struct.error, IndexError, ValueError) as error:
        raise ImageError("broken or truncated image file") from error


def _read_header(data: bytes) -> Header | None:
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        width, height, depth, colour = struct.unpack_from(">IIBB", data, 16)
        samples = 4 if colour and png_transparency(data) else PNG_SAMPLES.get(colour, 4)
        return Header("PNG", width, height, width * height * samples * (2 if depth == 16 else 1))
    if data.startswith((b"GIF87a", b"GIF89a")):
        width, height = struct.unpack_from("<HH", data, 6)
        return Header("GIF", width, height, width * height * 4)
    if data.startswith(b"BM"):
        old = data[14] == 12  # the header of OS/2 and Windows 2
        width, height = struct.unpack_from("<HH" if old else "<ii", data, 18)
        height = abs(height)  # negative, it means rows from top to bottom
        return Header("BMP", width, height, width * height * 4)
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        width, height = _webp_size(data)
        return Header("WebP", width, height, width * height * 4)
    if data.startswith(b"\xff\xd8\xff"):
        width, height, samples = _jpeg_size(data)
        return Header("JPEG", width, height, width * height * samples)
    if data.startswith((b"II*\0", b"MM\0*")):
        tags = _tiff_tags(data)
        width, height = tags.get(256, 0), tags.get(257, 0)
        columns, rows = _whole_tiles(width, tags.get(322, 0)), _whole_tiles(height, tags.get(323, 0))
        decoded = columns * rows * tags.get(277, 1) * ((tags.get(258, 1) + 7) // 8)
        return Header("TIFF", width, height, decoded, tags)
    if data.startswith((b"II+\0", b"MM\0+")):
        raise ImageError("a BigTIFF is not read, but an ordinary TIFF is")
    return None


def _whole_tiles(side: int, tile: int) -> int:
    """A side in pixels, with the rest of the last tile, which is decoded too; a tile of 0 means that there are none."""
    return -(-side // tile) * tile if tile > 0 else side


def is_whole_png(data: bytes) -> bool:
    """Whether a PNG's chunks lie within it, up to the last.

    OpenCV makes room for a chunk of whatever length is written there, up to 4 GB, before it looks at the file's end.
    """
    return any(kind == b"IEND" and end + 4 <= len(data) for kind, _, end in _png_chunks(data))


def png_transparency(data: bytes) -> bytes:
    """What of a PNG's gray, colours or palette is transparent (its tRNS chunk); empty if there is none."""
    for kind, start, end in _png_chunks(data):
        if kind == b"tRNS":
            return data[start:end]
        if kind == b"IDAT":  # behind which it does not count
            break
    return b""


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of every chunk's content; the last may end behind the file."""
    position = 8
    while position + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        yield kind, position + 8, position + 8 + length
        position += 12 + length


def exif_orientation(exif: bytes) -> int:
    """EXIF's orientation, 1 to 8 in a sound file; 1, upright, if there is none."""
    try:
        return _tiff_tags(exif).get(0x0112, 1)
    except (struct.error, IndexError):
        return 1  # EXIF is often damaged by other programs; the picture is still good


def _webp_size(data: bytes) -> tuple[int, int]:
    if data[12:16] == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if data[12:16] == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack_from("<HH", data, 26)
    return width & 0x3FFF, height & 0x3FFF


def _jpeg_size(data: bytes) -> tuple[int, int, int]:
    """Width, height and samples a pixel."""
    position = 2
    for _ in range(4096):  # segments; a file may not keep us busy with millions
        position = data.index(b"\xff", position) + 1
        marker = data[position]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # a start of frame
            height, width, samples = struct.unpack_from(">HHB", data, position + 4)
            return width, height, samples
        if marker != 0xFF:  # else padding
            position += 1
        if marker not in (0x00, 0x01, 0xFF) and not 0xD0 <= marker <= 0xD7:  # those have no length
            position += struct.unpack_from(">H", data, position)[0]
    raise ValueError("no start of frame")


def _tiff_tags(data: bytes) -> dict[int, int]:
    """Return the whole-number tags of the first directory of a TIFF file, or of an EXIF block, which is one.

    Of several numbers it is the first, of several entries, as with libtiff, too.
    """
    tags: dict[int, int] = {}
    order = "<" if data.startswith(b"II") else ">"
    (start,) = struct.unpack_from(order + "I", data, 4)
    (count,) = struct.unpack_from(order + "H", data, start)
    for position in range(start + 2, start + 2 + 12 * count, 12):
        tag, kind, values = struct.unpack_from(order + "HHI", data, position)
        if values and (letter := TIFF_NUMBERS.get(kind)):
            size = struct.calcsize(letter)
            at = position + 8
            if values * size > 4:  # what does not fit into the entry lies elsewhere
                (at,) = struct.unpack_from(order + "I", data, at)
            if at + size <= len(data):
                tags.setdefault(tag, struct.unpack_from(order + letter, data, at)[0])
    return tags
