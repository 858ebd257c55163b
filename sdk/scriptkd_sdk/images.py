"""Reading an image of any accepted type into uint8 pixels: [H, W, 3] RGB or [H, W] gray, upright and opaque."""

from __future__ import annotations

import os
import stat
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from scriptkd_sdk.decoding import decode
from scriptkd_sdk.errors import ArgumentError, ImageError
from scriptkd_sdk.pil import from_pil
from scriptkd_sdk.pixels import MOST_DECODED, from_array
from scriptkd_sdk.pixels import Pixels as Pixels  # other modules import it from here

ImageInput = str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes] | npt.NDArray[Any] | Any
"""A path, an encoded image, a file of one, an array or a PIL image (as Any, since Pillow is not required)."""

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")
"""Suffixes of the image files that a folder is searched for. A file named by the user may have any suffix."""

MOST_BYTES = 2 * MOST_DECODED  # of a file: the largest image, uncompressed, and as many bytes of metadata
TOO_LONG = f"a file of more than {MOST_BYTES // 1_000_000} MB"
ORDERS = ("rgb", "bgr")


def load_image(image: ImageInput, name: str | None = None, *, order: str = "rgb") -> Pixels:
    """Return an image's pixels.

    EXIF orientation is honoured. Transparent images are laid on white or black (see `transparency.ground`). Alpha of 0
    everywhere is ignored.

    Args:
        image: a path, a file's bytes, an open file, a PIL image or an array. Files are PNG, JPEG, BMP, GIF (first
            frame), WebP or TIFF. HEIC and AVIF are read where pillow-heif and Pillow are installed. Arrays have the
            shape [H, W] or [H, W, 1] (gray), [H, W, 3] (colour) or [H, W, 4] (colour and alpha). An array's type gives
            its range: uint8 0..255, uint16 0..65535, float 0..1, bool black and white.
        name: the image's name in errors; for a path, the path itself.
        order: of an array's colours, "rgb" or "bgr" (OpenCV's). Ignored for other images.

    Returns:
        The pixels, uint8 [H, W, 3] RGB or [H, W] gray.

    Raises:
        ImageError: another type, or an image that is too small, too large or broken. The message says why.
        ArgumentError: another order.
    """
    if order not in ORDERS:
        raise ArgumentError(f"order must be 'rgb' or 'bgr', not {order!r}")
    try:
        if isinstance(image, np.ndarray):
            return from_array(image, order)
        if isinstance(image, (str, os.PathLike)):
            return decode(_read(image))
        if isinstance(image, (bytes, bytearray, memoryview)):
            return decode(bytes(image))
        if hasattr(image, "getexif") and hasattr(image, "convert"):
            return from_pil(image)
        if hasattr(image, "read"):
            return decode(_read_file(image))
        kind = type(image).__name__
        raise ImageError(f"an image must be a path, bytes, a binary file, a NumPy array or a PIL image, not {kind}")
    except ImageError as error:
        if name is None and isinstance(image, (str, os.PathLike)):
            name = os.fsencode(image).decode("utf-8", "replace")  # a file name need not be text
        raise ImageError(error.reason, name) from error.__cause__


def _read_file(file: Any) -> bytes:
    """Read the rest of an open file, to its end or until it is too long."""
    parts: list[bytes] = []
    left = MOST_BYTES + 1
    while left > 0:
        try:
            part = file.read(left)
        except Exception as error:  # any type may come: a damaged archive's member, a closed file
            raise ImageError(f"cannot be read: {getattr(error, 'strerror', None) or error}") from error
        if not isinstance(part, bytes):
            raise ImageError(
                f"a file must be open for reading bytes (mode 'rb'), but this one gives {type(part).__name__}"
            )
        if not part:
            return b"".join(parts)
        parts.append(part)  # an unbuffered file, a pipe or a socket may give fewer bytes than asked for
        left -= len(part)
    raise ImageError(TOO_LONG)


def _read(path: str | os.PathLike[str]) -> bytes:
    try:
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            raise ImageError("a folder, not an image file")
        if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for its other end
            raise ImageError("not an ordinary file")
        if status.st_size > MOST_BYTES:
            raise ImageError(TOO_LONG)
        with open(path, "rb", buffering=0) as file:
            return file.readall()
    except FileNotFoundError as error:
        raise ImageError("no such file") from error
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
        raise ImageError(f"cannot be read: {getattr(error, 'strerror', None) or error}") from error
