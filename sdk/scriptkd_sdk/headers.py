"""Reading an image file's header before its pixels, because OpenCV would allocate whatever size the header claims."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from scriptkd_sdk import png, tiff
from scriptkd_sdk.errors import ImageError

PNG_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 4, 6: 4}  # samples a pixel, by colour type; OpenCV decodes gray with alpha as RGBA


class Header(NamedTuple):
    """A file's header. decoded: bytes, that is width x height x samples x bytes a sample. tags: a TIFF's tags."""

    kind: str
    width: int
    height: int
    decoded: int
    tags: Mapping[int, int] = MappingProxyType({})


def read_header(data: bytes) -> Header | None:
    """Return what a file's header declares, or None if the kind is not known.

    A palette's index counts as one sample, because looking up colours is fast. Four samples are assumed where the
    header does not tell whether there is alpha. Raises ImageError for a header that ends early, and for a BigTIFF.
    """
    try:
        return _read_header(data)
    except (struct.error, IndexError, ValueError) as error:
        raise ImageError("broken or truncated image file") from error


def _read_header(data: bytes) -> Header | None:
    if data.startswith(png.SIGNATURE):
        width, height, depth, colour = struct.unpack_from(">IIBB", data, 16)
        samples = 4 if colour and png.transparency(data) else PNG_SAMPLES.get(colour, 4)
        return Header("PNG", width, height, width * height * samples * (2 if depth == 16 else 1))
    if data.startswith((b"GIF87a", b"GIF89a")):
        width, height = struct.unpack_from("<HH", data, 6)
        return Header("GIF", width, height, width * height * 4)
    if data.startswith(b"BM"):
        old = data[14] == 12  # the header of OS/2 and Windows 2
        width, height = struct.unpack_from("<HH" if old else "<ii", data, 18)
        height = abs(height)  # a negative height means that rows go from top to bottom
        return Header("BMP", width, height, width * height * 4)
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        width, height = _webp_size(data)
        return Header("WebP", width, height, width * height * 4)
    if data.startswith(b"\xff\xd8\xff"):
        width, height, samples = _jpeg_size(data)
        return Header("JPEG", width, height, width * height * samples)
    if data.startswith((b"II*\0", b"MM\0*")):
        tags = tiff.read_tags(data)
        width, height = tags.get(tiff.WIDTH, 0), tags.get(tiff.HEIGHT, 0)
        columns = _whole_tiles(width, tags.get(tiff.TILE_WIDTH, 0))
        rows = _whole_tiles(height, tags.get(tiff.TILE_HEIGHT, 0))
        decoded = columns * rows * tags.get(tiff.SAMPLES, 1) * ((tags.get(tiff.BITS, 1) + 7) // 8)
        return Header("TIFF", width, height, decoded, tags)
    if data.startswith((b"II+\0", b"MM\0+")):
        raise ImageError("a BigTIFF is not read, but an ordinary TIFF is")
    return None


def _whole_tiles(side: int, tile: int) -> int:
    """Round a side in pixels up to whole tiles, since the last tile is decoded whole. A tile of 0 means no tiles."""
    return -(-side // tile) * tile if tile > 0 else side


def exif_orientation(exif: bytes) -> int:
    """Return EXIF's orientation, 1 to 8 in a valid file; 1 (upright) if EXIF has none."""
    try:
        return tiff.read_tags(exif, {tiff.ORIENTATION}).get(tiff.ORIENTATION, 1)
    except struct.error:
        return 1  # other programs often damage EXIF, and the picture is still good


def _webp_size(data: bytes) -> tuple[int, int]:
    if data[12:16] == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if data[12:16] == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack_from("<HH", data, 26)
    return width & 0x3FFF, height & 0x3FFF


def _jpeg_size(data: bytes) -> tuple[int, int, int]:
    """Return the width, the height and the samples per pixel."""
    position = 2
    for _ in range(4096):  # the limit on segments keeps a malicious file from taking long
        position = data.index(b"\xff", position) + 1
        marker = data[position]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # a start of frame
            height, width, samples = struct.unpack_from(">HHB", data, position + 4)
            return width, height, samples
        if marker != 0xFF:  # 0xFF is padding
            position += 1
        if marker not in (0x00, 0x01, 0xFF) and not 0xD0 <= marker <= 0xD7:  # the excluded markers have no length
            position += struct.unpack_from(">H", data, position)[0]
    raise ValueError("no start of frame")
