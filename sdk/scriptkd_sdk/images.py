"""Reading an image, whatever it comes as, into uint8 pixels: [H, W, 3] RGB or [H, W] gray, upright and opaque."""

from __future__ import annotations

import os
import stat
from typing import IO, Any

import cv2
import numpy as np
import numpy.typing as npt

from scriptkd_sdk.errors import ArgumentError, ImageError
from scriptkd_sdk.headers import Header, exif_orientation, is_whole_png, png_transparency, read_header

Pixels = npt.NDArray[np.uint8]
ImageInput = str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes] | npt.NDArray[Any] | Any
"""A path, an encoded image or a file of one, an array or a PIL image (Any: Pillow is not needed and so not named)."""

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")
"""Names of image files that are looked for in folders; a file that is named itself may have any name."""

SMALLEST_SIDE = 2  # pixels
LARGEST_SIDE = 16_384  # pixels; also keeps the resampling matrices to megabytes
MOST_PIXELS = 50_000_000  # a word crop has thousands; beyond is a mistake or an attack
MOST_DECODED = 4 * MOST_PIXELS  # bytes: all of them in 8-bit RGBA, fewer in 16 bits or floats
# Beyond as many bytes decoded, a file must be in proportion: a few bytes may declare what takes seconds to decode.
# Within them lie a scanned page in black and white, however small its file, and a photograph of 16 megapixels.
ANY_DECODED = MOST_PIXELS
DECODED_A_BYTE = 250  # bytes; photographs have 6 to 150, zeros that are deflated 1000
MOST_BYTES = 2 * MOST_DECODED  # of a file: all that may be decoded, uncompressed, and as much of metadata
MOST_SCANS = 100  # of a progressive JPEG; encoders write about ten
TOO_LONG = f"a file of more than {MOST_BYTES // 1_000_000} MB"
HALF_LEVEL = 0.5 / 255
STRIP = 64  # rows
ORDERS = ("rgb", "bgr")

# OpenCV reports a broken file on stderr as well as to us; who wants to see that sets the variable.
if "OPENCV_LOG_LEVEL" not in os.environ:
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def load_image(image: ImageInput, name: str | None = None, *, order: str = "rgb") -> Pixels:
    """Return an image's pixels, uint8 [H, W, 3] RGB or [H, W] gray.

    image: a path; the bytes of a PNG, JPEG, BMP, GIF (first frame), WebP or TIFF file, or a file object to read them
    from; a PIL image; or an array of shape [H, W], [H, W, 1] (gray), [H, W, 3] or [H, W, 4] (colour, the fourth being
    alpha), whose type tells the range: uint8 0..255, uint16 0..65535, float 0..1, bool black and white.
    EXIF orientation is honoured; transparent images are laid on white.
    name: what to call the image in errors; a path is called by itself.
    order: of an array's colours, "rgb" or "bgr" (OpenCV's); other images know their own.

    Raises ImageError, which says why, for anything else and for images too small, too large or broken, and
    ArgumentError for another order.
    """
    if order not in ORDERS:
        raise ArgumentError(f"order must be 'rgb' or 'bgr', not {order!r}")
    try:
        if isinstance(image, np.ndarray):
            return _from_array(image, order)
        if isinstance(image, (str, os.PathLike)):
            return _decode(_read(image))
        if isinstance(image, (bytes, bytearray, memoryview)):
            return _decode(bytes(image))
        if hasattr(image, "getexif") and hasattr(image, "convert"):
            return _from_pil(image)
        if hasattr(image, "read"):
            return _decode(_read_file(image))
        kind = type(image).__name__
        raise ImageError(f"an image must be a path, bytes, a binary file, a NumPy array or a PIL image, not {kind}")
    except ImageError as error:
        if name is None and isinstance(image, (str, os.PathLike)):
            name = os.fsencode(image).decode("utf-8", "replace")  # a file name need not be text; an error must be
        raise ImageError(error.reason, name) from error.__cause__


def _read_file(file: Any) -> bytes:
    """The rest of an open file, which is left at its end (or where it proved too long)."""
    parts: list[bytes] = []
    left = MOST_BYTES + 1
    while left > 0:
        try:
            part = file.read(left)
        except Exception as error:  # whose errors are the file's own: a damaged archive's member, a closed file
            raise ImageError(f"cannot be read: {getattr(error, 'strerror', None) or error}") from error
        if not isinstance(part, bytes):
            raise ImageError(
                f"a file must be open for reading bytes (mode 'rb'), but this one gives {type(part).__name__}"
            )
        if not part:
            return b"".join(parts)
        parts.append(part)  # an unbuffered file, a pipe or a socket gives what it has, not all that is asked for
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


def _decode(data: bytes) -> Pixels:
    """Decode a file's content; the size it declares is checked before any pixel is decoded."""
    if not data:
        raise ImageError("empty: no bytes at all")
    header = read_header(data)
    if header is None:
        raise ImageError("not a PNG, JPEG, BMP, GIF, WebP or TIFF image")
    kind, width, height, decoded, _ = header
    check_size(height, width)
    _check_decoded(decoded, len(data), f"{width}x{height} pixels")
    # Each scan goes over the whole image, and may cost ten bytes. Single bytes are counted much faster than pairs.
    if kind == "JPEG" and data.count(0xDA) > MOST_SCANS and data.count(b"\xff\xda") > MOST_SCANS:
        raise ImageError(f"a JPEG of more than {MOST_SCANS} scans")
    if kind == "PNG" and not is_whole_png(data):
        raise ImageError("broken or truncated PNG")
    if header.gray_with_alpha:  # whose alpha OpenCV drops
        raise ImageError("a gray TIFF with alpha is not read; save it as PNG")
    pixels, exif = _opencv(data, header)
    if kind == "PNG":
        _whiten_transparent_gray(pixels, data)
    multiplied = kind == "TIFF" and pixels.dtype == np.uint8  # by alpha, which libtiff does to 8 bits
    if pixels.dtype != np.uint8:
        pixels = _to_bytes(pixels)
    if pixels.ndim == 3:
        colours = pixels.shape[2]
        cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB if colours == 3 else cv2.COLOR_BGRA2RGBA, dst=pixels)
        if colours == 4 and multiplied:
            # Laying on white is adding what white shows through.
            colour, alpha = pixels[:, :, :3], pixels[:, :, 3:]
            pixels = np.minimum(colour, alpha) + (255 - alpha)
    # TIFF's own orientation has been seen to by OpenCV, which hands out no EXIF for it.
    return _upright(_from_array(pixels), exif_orientation(exif))


def _check_decoded(decoded: int, length: int, size: str) -> None:
    """Raise ImageError if an image takes too many bytes decoded, at all or for a file of length bytes.

    size: what the error calls it by.
    """
    size += f", which are {decoded / 1e6:.0f} MB decoded"
    if decoded > MOST_DECODED:
        raise ImageError(f"{size}, but at most {MOST_DECODED // 1_000_000} MB are allowed")
    if decoded > max(ANY_DECODED, DECODED_A_BYTE * length):
        limit = f"beyond {ANY_DECODED // 1_000_000} MB at most {DECODED_A_BYTE} times the file are allowed"
        raise ImageError(f"{size}, in a file of {length} bytes, but {limit}")


def _opencv(data: bytes, header: Header) -> tuple[npt.NDArray[Any], bytes]:
    """Return the pixels as OpenCV decodes them, in its order of colours, and the EXIF block, which may be empty."""
    try:
        pixels, kinds, metadata = cv2.imdecodeWithMetadata(np.frombuffer(data, np.uint8), flags=cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise ImageError(f"broken or truncated {header.kind}") from error
    if pixels is None:
        # Asked only now, as it is the build of OpenCV that decides.
        if name := header.unread_compression:
            read = "one compressed by deflate, LZW, PackBits, JPEG or CCITT fax or not at all is"
            raise ImageError(f"a TIFF compressed by {name} is not read, but {read}")
        raise ImageError(f"broken or truncated {header.kind}")
    blocks = (block.tobytes() for entry, block in zip(kinds, metadata, strict=True) if entry == cv2.IMAGE_METADATA_EXIF)
    return pixels, next(blocks, b"")


def check_size(height: int, width: int) -> None:
    """Raise ImageError for an image of a size, in pixels, that is not taken."""
    size = f"{width}x{height} pixels"
    if min(height, width) < SMALLEST_SIDE:
        raise ImageError(f"{size}, but at least {SMALLEST_SIDE}x{SMALLEST_SIDE} are needed")
    if max(height, width) > LARGEST_SIDE:
        raise ImageError(f"{size}, but at most {LARGEST_SIDE:,} a side are allowed")
    if height * width > MOST_PIXELS:
        raise ImageError(f"{size}, but at most {MOST_PIXELS // 1_000_000} million are allowed")


def _from_array(array: npt.NDArray[Any], order: str = "rgb") -> Pixels:
    """Check an array and bring it to uint8, [H, W, 3] RGB or [H, W]."""
    shape = array.shape
    if len(shape) == 3 and shape[2] == 1:
        array = array[:, :, 0]
    elif len(shape) != 2 and not (len(shape) == 3 and shape[2] in (3, 4)):
        raise ImageError(f"an array must have the shape [H, W], [H, W, 1], [H, W, 3] or [H, W, 4], not {shape}")
    check_size(*shape[:2])
    pixels = array if array.dtype == np.uint8 else _to_bytes(array)
    if pixels.ndim == 2:
        return pixels
    if pixels.shape[2] == 4:
        pixels = _on_white(pixels)
    return pixels if order == "rgb" else pixels[:, :, ::-1]


def _to_bytes(array: npt.NDArray[Any]) -> Pixels:
    """Bring an array of another type to uint8, 0..255."""
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    if array.dtype == np.uint16:
        # (x + 128) // 257, as 65535 / 257 = 255: no 16-bit number lies near a half, and so the floats round as exactly.
        return np.asarray(cv2.convertScaleAbs(array, alpha=1 / 257), np.uint8).reshape(array.shape)
    elif array.dtype == np.bool_:
        array = array * np.uint8(255)
    elif array.dtype.kind == "f":
        if not np.isfinite(array).all():
            raise ImageError("an array of floats must not hold NaN or infinity")
        low, high = float(array.min()), float(array.max())
        if low < -HALF_LEVEL or high > 1 + HALF_LEVEL:  # a tolerance, as resizing leaves values such as 1.0000001
            raise ImageError(f"an array of floats must lie in 0..1, not {low:g}..{high:g}")
        array = np.clip(array.astype(np.float32), 0, 1) * 255 + 0.5
    else:
        raise ImageError(f"an array must be uint8, uint16, bool or float in 0..1, not {array.dtype}")
    return array.astype(np.uint8, copy=False)


def _on_white(pixels: Pixels) -> Pixels:
    """Lay RGBA pixels on white, rounding to nearest: most transparent text is dark."""
    result = np.empty((*pixels.shape[:2], 3), np.uint8)
    for top in range(0, len(pixels), STRIP):  # a large image in 16 bits, whole, would cost gigabytes
        strip = pixels[top : top + STRIP].astype(np.uint16)  # 255 * 255 + 127 fits
        alpha = strip[:, :, 3:]
        result[top : top + STRIP] = (strip[:, :, :3] * alpha + 255 * (255 - alpha) + 127) // 255
    return result


def _from_pil(image: Any) -> Pixels:
    check_size(image.height, image.width)
    try:
        image.load()
        orientation = image.getexif().get(0x0112, 1)
    except (OSError, SyntaxError, ValueError) as error:  # Pillow opens a file early and decodes it only now
        raise ImageError(f"broken or truncated PIL image: {error}") from error
    mode, key = image.mode, image.info.get("transparency")  # a level, a colour or, of a palette, alphas
    if mode in ("I", "F"):
        raise ImageError(f"a PIL image of mode {mode} has no fixed range; convert it to L or RGB")
    try:
        if mode.startswith("I;16"):
            array = np.asarray(image)
            if key is not None:
                array = np.where(array == key, 65535, array).astype(np.uint16)
        elif key is not None or mode in ("LA", "La", "PA", "RGBa"):
            array = np.asarray((image.convert("LA") if mode == "La" else image).convert("RGBA"))
        elif mode in ("L", "RGB", "RGBA"):
            array = np.asarray(image)
        else:
            array = np.asarray(image.convert("L" if mode == "1" else "RGB"))
    except (TypeError, ValueError) as error:
        raise ImageError(f"a PIL image of mode {mode} that Pillow cannot convert to RGB: {error}") from error
    return _upright(_from_array(array), orientation)


def _upright(pixels: Pixels, orientation: int) -> Pixels:
    """Undo the rotation and mirroring that EXIF's orientation (1 to 8) names; other values are as 1."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def _whiten_transparent_gray(pixels: npt.NDArray[Any], data: bytes) -> None:
    """Make the gray that a PNG declares transparent white, in place; OpenCV sees to that of colours only."""
    depth, colour = data[24:26]
    key = png_transparency(data)
    if colour == 0 and len(key) == 2:
        level = int.from_bytes(key, "big")
        if depth < 16:
            brightest = (1 << depth) - 1
            level = (level & brightest) * (255 // brightest)
        pixels[pixels == level] = np.iinfo(pixels.dtype).max
