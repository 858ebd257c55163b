"""HEIC and AVIF are read if a decoder is installed. Otherwise the message names the format and a way out."""

import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from picture_files import encode, near, two_colours
from PIL import Image, features

from scriptkd_sdk.errors import ImageError
from scriptkd_sdk.heif import heif_kind
from scriptkd_sdk.images import load_image

avif = pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")


def box(*brands: bytes) -> bytes:
    """The beginning of a file of some brands."""
    body = b"ftyp" + brands[0] + bytes(4) + b"".join(brands[1:])
    return (len(body) + 4).to_bytes(4, "big") + body + b"\0\0\0\x08meta"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (box(b"heic", b"mif1", b"heic"), "HEIC"),
        (box(b"mif1", b"heic"), "HEIC"),
        (box(b"heix"), "HEIC"),
        (box(b"msf1", b"hevc"), "HEIC"),
        (box(b"avif", b"mif1", b"miaf"), "AVIF"),
        (box(b"mif1", b"avif"), "AVIF"),
        (box(b"avis", b"msf1"), "AVIF"),
        (box(b"isom", b"mp42"), None),  # a film
        (box(b"qt  "), None),
        (b"", None),
        (b"\0\0\0\x18ftyp", None),
        (b"\xff" * 4 + b"ftypheic", "HEIC"),
    ],
)
def test_files_are_told_by_their_brands(data: bytes, kind: str | None) -> None:
    assert heif_kind(data) == kind


@pytest.mark.parametrize(
    ("data", "module", "reason"),
    [
        (
            box(b"heic"),
            "pillow_heif",
            "a HEIC file is read only where pillow-heif is installed; save it as JPEG or PNG",
        ),
        (box(b"avif"), "PIL.Image", "an AVIF file is read only where Pillow is installed; save it as JPEG or PNG"),
    ],
)
def test_what_is_not_installed_is_named(
    data: bytes, module: str, reason: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    path = tmp_path / "word.heic"
    path.write_bytes(data)
    with pytest.raises(ImageError, match=f"word.heic: {reason}, or run: pip install pillow"):
        load_image(path)


def test_a_pillow_without_avif_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "check", lambda name: False)
    with pytest.raises(ImageError, match="an AVIF file is read only where Pillow is installed"):
        load_image(box(b"avif"))


@avif
def test_avif_is_read_by_pillow() -> None:
    picture = Image.fromarray(two_colours())
    content = encode(picture, "AVIF", quality=100, subsampling="4:4:4")
    assert near(load_image(content), two_colours(), 8)
    tags = Image.Exif()
    tags[0x0112] = 6
    turned = encode(picture, "AVIF", quality=100, subsampling="4:4:4", exif=tags)
    assert near(load_image(turned), np.rot90(two_colours(), -1), 8)
    light = np.full((20, 40, 4), 255, np.uint8)
    light[:, :20, 3] = 0
    assert load_image(encode(Image.fromarray(light), "AVIF", quality=100))[0, 0].tolist() == [0, 0, 0]


@avif
def test_a_damaged_avif_is_refused() -> None:
    content = encode(Image.fromarray(two_colours()), "AVIF")
    for length in range(20, len(content) - 1, 7):
        with pytest.raises(ImageError, match="broken or truncated AVIF"):
            load_image(content[:length])


@avif
def test_a_large_avif_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    content = encode(Image.new("L", (17_000, 8)), "AVIF", speed=10)
    monkeypatch.setattr(Image.Image, "load", None)
    with pytest.raises(ImageError, match="17000x8 pixels, but at most 16,384 a side"):
        load_image(content)


def test_heic_is_read_by_pillow_heif() -> None:
    heif: Any = pytest.importorskip("pillow_heif")
    stream = io.BytesIO()
    heif.from_pillow(Image.fromarray(two_colours())).save(stream, quality=-1, chroma=444)
    content = stream.getvalue()
    assert near(load_image(content), two_colours(), 8)
    with pytest.raises(ImageError, match="broken or truncated HEIC"):
        load_image(content[: len(content) // 2])
