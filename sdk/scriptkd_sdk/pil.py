"""Reading a PIL image. Pillow is not required, and so not imported here."""

from __future__ import annotations

from typing import Any

import numpy as np

from scriptkd_sdk.errors import ImageError
from scriptkd_sdk.pixels import Pixels, check_size, from_array, upright
from scriptkd_sdk.transparency import lay

BROKEN = (OSError, SyntaxError, ValueError, RuntimeError, EOFError)
"""The exceptions that Pillow and its decoders raise for a damaged file."""


def from_pil(image: Any) -> Pixels:
    """Return the pixels of a PIL image, uint8 [H, W, 3] RGB or [H, W] gray, upright and opaque.

    Raises ImageError for an image that is broken, too small or too large, or of a mode that Pillow cannot convert.
    """
    check_size(image.height, image.width)
    try:
        image.load()
        orientation = image.getexif().get(0x0112, 1)
    except BROKEN as error:  # Pillow decodes a file only now
        raise ImageError(f"broken or truncated PIL image: {error}") from error
    mode, key = image.mode, image.info.get("transparency")  # a level, a colour or a palette's alphas
    if mode in ("I", "F"):
        raise ImageError(f"a PIL image of mode {mode} has no fixed range; convert it to L or RGB")
    try:
        if mode.startswith("I;16"):
            array = np.asarray(image)
            if key is not None:
                return upright(lay(from_array(array), np.where(array == key, 0, 255).astype(np.uint8)), orientation)
        elif key is not None or mode in ("LA", "La", "PA", "RGBa"):
            array = np.asarray((image.convert("LA") if mode == "La" else image).convert("RGBA"))
        elif mode in ("L", "RGB", "RGBA"):
            array = np.asarray(image)
        else:
            array = np.asarray(image.convert("L" if mode == "1" else "RGB"))
    except (TypeError, ValueError) as error:
        raise ImageError(f"a PIL image of mode {mode} that Pillow cannot convert to RGB: {error}") from error
    return upright(from_array(array), orientation)
