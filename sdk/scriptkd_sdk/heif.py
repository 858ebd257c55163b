"""HEIC and AVIF, which phones write. They are read if pillow-heif, or a Pillow with AVIF, is installed."""

from __future__ import annotations

import importlib
import io
from typing import Any

from scriptkd_sdk.errors import ImageError
from scriptkd_sdk.pil import BROKEN
from scriptkd_sdk.pixels import check_decoded

AVIF = {b"avif", b"avis"}
HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1", b"mif2"}
BRANDS_LOOKED_AT = 1024  # bytes; files have five or six brands


def heif_kind(data: bytes) -> str | None:
    """Return "HEIC" or "AVIF" according to the brands at a file's start; None for any other file."""
    if data[4:8] != b"ftyp":
        return None
    end = min(int.from_bytes(data[:4], "big"), BRANDS_LOOKED_AT)
    brands = {data[8:12], *(data[at : at + 4] for at in range(16, end, 4))}
    if brands & AVIF:  # first, since an AVIF may also name HEIF's general brands
        return "AVIF"
    return "HEIC" if brands & HEIC else None


def open_heif(data: bytes, kind: str) -> Any:
    """Decode a HEIC or AVIF file into a PIL image. `heif_kind` gives its kind.

    HEIC needs pillow-heif, AVIF needs Pillow. Raises ImageError if the package is not installed or lacks the format,
    and for a file that is broken or too large.
    """
    try:
        return _open_heic(data) if kind == "HEIC" else _open_avif(data)
    except ImportError as error:
        needed = {"HEIC": "pillow-heif", "AVIF": "Pillow"}[kind]
        raise ImageError(
            f"{'an' if kind == 'AVIF' else 'a'} {kind} file is read only where {needed} is installed; save it as JPEG "
            f"or PNG, or run: pip install {needed.lower()}"
        ) from error
    except BROKEN as error:
        raise ImageError(f"broken or truncated {kind}") from error


def _open_heic(data: bytes) -> Any:
    heif = importlib.import_module("pillow_heif")
    file = heif.open_heif(io.BytesIO(data))
    _check(file.size, data)
    return file.to_pillow()


def _open_avif(data: bytes) -> Any:
    image, features = importlib.import_module("PIL.Image"), importlib.import_module("PIL.features")
    if not features.check("avif"):
        raise ImportError("a Pillow without AVIF")
    file = image.open(io.BytesIO(data), formats=["AVIF"])
    _check(file.size, data)
    file.load()
    return file


def _check(size: tuple[int, int], data: bytes) -> None:
    width, height = size
    check_decoded(height, width, 4 * height * width, len(data))
