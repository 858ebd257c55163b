"""The golden images: words of ten scripts in all sizes and file formats, and plain images without a word."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from any_crops import any_crops
from arithmetic import DEVIATION, Pixels, beyond_border, exactly
from numpy.typing import NDArray
from PIL import Image
from refused import refused_images, refused_models

from scriptkd_export.quantize import STANDARDIZED
from scriptkd_sdk.crop import crops
from scriptkd_sdk.images import load_image
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.models.networks.base import Standardise
from scriptkd_train.synth.composition import draw_word_image
from scriptkd_train.synth.fonts import faces_by_split
from scriptkd_train.synth.render import SCRIPTS

Words = Iterator[Pixels]
Random = np.random.Generator

INPUTS = (Preprocessing(1, 48, 48, 384, 24, square_height=64),)  # those in use
DECIDED = 1e-5  # levels from the border between two bytes at least: then nearly always float32 and float64 agree
MEAN = 3e-4  # levels of the 8-bit model by which platforms differ in an image's mean; 1.5e-4 was measured
UNSHAPED = {"SetoFont"}  # has the letters of many scripts, but not the tables that put them together
PER_SCRIPT = 20
SEED = 20150823


def draw_images(golden: Path) -> None:
    """Render all vectors: `pixels/NAME.png`, and for some also a file of another kind that holds the same picture."""
    for folder in ("pixels", "files", "refused"):
        shutil.rmtree(golden / folder, ignore_errors=True)
        (golden / folder).mkdir(parents=True)
    encodings = list(ENCODINGS.items())
    for number, script in enumerate(SCRIPTS):
        rng = np.random.default_rng([SEED, number])
        families = [faces for name, faces in faces_by_split(script)["train"].items() if name not in UNSHAPED]
        words = (small(draw_word_image(rng, script, families), int(rng.integers(16, 37))) for _ in iter(int, 1))
        shapes = list(SHAPES.items())
        for index in range(PER_SCRIPT):
            stem = f"{script.lower()}-{index:02d}"
            if index < len(shapes):
                kind, shape = shapes[index]
                write_pixels(golden, f"{stem}-{kind}", next(filter(decided, drawn(shape, words, rng))))
            else:
                kind, (suffix, encode) = encodings[(number * (PER_SCRIPT - len(shapes)) + index) % len(encodings)]
                files = map(encode, words)
                file = next(file for file in files if decided(load_image(file)))
                write_file(golden, f"{stem}-{kind}", suffix, file)
    for name, candidates in any_crops(SCRIPTS, SEED):
        write_pixels(golden, name, next(filter(decided, candidates)))
    for name, image in plain_images():
        write_pixels(golden, f"plain-{name}", image)
    for name, content in refused_images():
        (golden / "refused" / name).write_bytes(content)
    for name, content in refused_models():
        (golden / "refused" / name).write_bytes(content)


def drawn(shape: Callable[[Words, Random], Pixels], words: Words, rng: Random) -> Iterator[Pixels]:
    while True:
        yield shape(words, rng)


def decided(image: Pixels) -> bool:
    """Whether every platform gives the networks the same bytes, and the 8-bit model rounds these alike."""
    return all(decided_bytes(image, each) and decided_levels(image, each) for each in INPUTS)


def decided_bytes(image: Pixels, preprocessing: Preprocessing) -> bool:
    """Whether the order of a sum decides no value of the input: one level in one pixel can move a score by 0.001."""
    seen, rows, _ = crops(image, preprocessing)
    return all(bool((beyond_border(exactly(crop, preprocessing, rows)) > DECIDED).all()) for crop in seen)


def decided_levels(image: Pixels, preprocessing: Preprocessing) -> bool:
    """Whether a model in 8 bits rounds its standardised input, the last floats in it, alike on all platforms.

    It does the same to all pixels of one gray, so that one platform's last bits would move a large part of the image.
    """
    scale, _ = STANDARDIZED["uint8"]
    seen, rows, _ = crops(image, preprocessing)
    for crop in seen:
        levels = standardised(crop, preprocessing, rows) / scale
        border = np.abs(levels - np.floor(levels) - 0.5)
        if not (border > DEVIATION * np.abs(levels) + MEAN).all():
            return False
    return True


def standardised(crop: Pixels, preprocessing: Preprocessing, rows: int) -> NDArray[np.float32]:
    """What the networks make of a crop's bytes before their first layer."""
    values: NDArray[np.float32] = Standardise()(torch.from_numpy(preprocessing.apply(crop, rows))[None]).numpy()
    return values


def small(image: Pixels, height: int) -> Pixels:
    """The image at most `height` rows high, so that 220 of them are small."""
    if len(image) <= height:
        return image
    width = max(4, round(image.shape[1] * height / len(image)))
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def gray(image: Pixels) -> Pixels:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)


def _tiny(words: Words, rng: Random) -> Pixels:
    return small(next(words), int(rng.integers(5, 11)))


def _wide(words: Words, rng: Random) -> Pixels:
    row = [cv2.resize(gray(next(words)), (int(rng.integers(50, 90)), 14)) for _ in range(6)]
    return np.concatenate(row, axis=1)


def _tall(words: Words, rng: Random) -> Pixels:
    return np.ascontiguousarray(np.rot90(gray(next(words))))


def _big(words: Words, rng: Random) -> Pixels:
    times = int(rng.integers(5, 14))  # whole pixels repeated: compresses as the small image does
    return gray(next(words)).repeat(times, axis=0).repeat(times + int(rng.integers(3)), axis=1)


def _flat_strip(words: Words, rng: Random) -> Pixels:
    word = gray(next(words))
    size = int(rng.integers(40, 120)), int(rng.integers(2, 5))
    return np.asarray(cv2.resize(word, size, interpolation=cv2.INTER_AREA), np.uint8)


def _faint(words: Words, rng: Random) -> Pixels:
    return (gray(next(words)) // 8 + int(rng.integers(0, 220))).astype(np.uint8)


SHAPES: dict[str, Callable[[Words, Random], Pixels]] = {
    "rgb": lambda words, rng: next(words),
    "rgb-b": lambda words, rng: next(words),
    "gray": lambda words, rng: gray(next(words)),
    "gray-b": lambda words, rng: gray(next(words)),
    "inverted": lambda words, rng: 255 - gray(next(words)),
    "tiny": _tiny,
    "wide": _wide,
    "tall": _tall,
    "big": _big,
    "strip": _flat_strip,
    "faint": _faint,
}


def plain_images() -> Iterator[tuple[str, Pixels]]:
    """Images without a word, at which an SDK's arithmetic shows: flat, single pixels, extremes of size and shape."""
    yield "black", np.zeros((20, 60), np.uint8)
    yield "white", np.full((20, 60, 3), 255, np.uint8)
    yield "red", np.full((33, 77, 3), (255, 0, 0), np.uint8)
    yield "smallest", np.array([[0, 255], [255, 0]], np.uint8)
    yield "two-rows", np.tile(np.array([[0, 255, 40], [200, 10, 90]], np.uint8), 21)
    yield "two-columns", np.tile(np.array([[0, 255, 40], [200, 10, 90]], np.uint8), 21).T.copy()
    yield "longest", np.tile(np.arange(0, 256, 4, dtype=np.uint8), (2, 256))  # 16384, the longest side allowed
    yield "highest", np.tile(np.arange(0, 256, 4, dtype=np.uint8), (2, 64)).T.copy()
    numbers = np.arange(256)
    checks = np.indices((41, 160)).sum(0) % 2 * 255
    yield "checks", first(checks[:, :width] for width in range(100, 160))
    yield "ramp", first(np.tile(numbers[:width], (32, 1)) for width in range(256, 100, -1))
    # The inputs' own size: nothing is resampled.
    yield "same-size", first(np.tile(numbers[:144] * factor % 256, (48, 1)) for factor in range(1, 256, 2))
    yield "same-size-32", first(np.tile(numbers[:128] * factor % 256, (32, 1)) for factor in range(1, 256, 2))
    colours = np.indices((8, 8, 8)).reshape(3, 16, 32).transpose(1, 2, 0)
    yield "colours", first(colours * factor for factor in range(36, 20, -1))
    yield "specks", specks()


def first(candidates: Iterable[NDArray[Any]]) -> Pixels:
    """The first of the candidates that is decided."""
    return next(filter(decided, (each.astype(np.uint8) for each in candidates)))


def specks() -> Pixels:
    """A dark and a light speck on gray: further from the mean, in deviations, than a word's pixels are."""
    image = np.full((20, 60), 128, np.uint8)
    image[8:12, 18:22] = 0
    image[8:12, 38:42] = 255
    return image


def write_pixels(golden: Path, name: str, image: Pixels) -> None:
    Image.fromarray(image).save(golden / "pixels" / f"{name}.png", optimize=True)


def write_file(golden: Path, name: str, suffix: str, content: bytes) -> None:
    """Write a file as a client meets it, and as the binding pixels what the Python SDK decodes from it."""
    (golden / "files" / f"{name}.{suffix}").write_bytes(content)
    write_pixels(golden, name, load_image(content))


def encoded(kind: str, change: Callable[[Image.Image], Image.Image] = lambda image: image, **options: Any) -> Any:
    """An encoder by Pillow of the kind, after a change of the image."""

    def encode(image: Pixels) -> bytes:
        stream = io.BytesIO()
        change(Image.fromarray(image)).save(stream, kind, **options)
        return stream.getvalue()

    return encode


def turned(orientation: int) -> Callable[[Pixels], bytes]:
    """JPEG whose pixels lie as a camera held otherwise stores them, and whose EXIF block says so."""
    exif = Image.Exif()
    exif[0x0112] = orientation

    def store(image: Image.Image) -> Image.Image:
        array = np.asarray(image)  # the inverse of what a reader does, step by step backwards
        if orientation in (3, 4, 7, 8):
            array = array[::-1]
        if orientation in (2, 3, 6, 7):
            array = array[:, ::-1]
        if orientation in (5, 6, 7, 8):
            array = array.swapaxes(0, 1)
        return Image.fromarray(np.ascontiguousarray(array))

    return encoded("JPEG", store, quality=88, exif=exif)


def _transparent(image: Image.Image) -> Image.Image:
    """Dark parts opaque and light ones see-through, as cut-out words are."""
    result = image.convert("RGBA")
    result.putalpha(image.convert("L").point(lambda value: 255 - value // 2))
    return result


def _gray_alpha(image: Image.Image) -> Image.Image:
    result = image.convert("LA")
    result.putalpha(image.convert("L").point(lambda value: 255 - value // 3))
    return result


def _deep(colour: bool) -> Callable[[Pixels], bytes]:
    """PNG of 16 bits, which Pillow does not write in colour."""

    def encode(image: Pixels) -> bytes:
        source = image[..., ::-1] if colour else gray(image)
        deep = source.astype(np.uint16) * 257
        return cv2.imencode(".png", deep)[1].tobytes()

    return encode


ENCODINGS: dict[str, tuple[str, Callable[[Pixels], bytes]]] = {
    "jpeg": ("jpg", encoded("JPEG", quality=90, subsampling=0)),
    "jpeg-poor": ("jpg", encoded("JPEG", quality=45)),
    "jpeg-gray": ("jpg", encoded("JPEG", lambda image: image.convert("L"), quality=80)),
    "jpeg-progressive": ("jpg", encoded("JPEG", quality=75, progressive=True)),
    **{f"jpeg-exif{orientation}": ("jpg", turned(orientation)) for orientation in range(1, 9)},
    "webp": ("webp", encoded("WEBP", quality=80)),
    "webp-lossless": ("webp", encoded("WEBP", lossless=True, quality=100)),
    "webp-alpha": ("webp", encoded("WEBP", _transparent, lossless=True, exact=True)),
    "bmp": ("bmp", encoded("BMP")),
    "bmp-gray": ("bmp", encoded("BMP", lambda image: image.convert("L"))),
    "gif": ("gif", encoded("GIF", lambda image: image.convert("P", palette=Image.Palette.ADAPTIVE))),
    "tiff": ("tif", encoded("TIFF", compression="tiff_lzw")),
    "png-rgba": ("png", encoded("PNG", _transparent)),
    "png-gray-alpha": ("png", encoded("PNG", _gray_alpha)),
    "png-palette": ("png", encoded("PNG", lambda image: image.quantize(64))),
    "png-1bit": ("png", encoded("PNG", lambda image: image.convert("1"))),
    "png-16bit": ("png", _deep(colour=True)),
    "png-16bit-gray": ("png", _deep(colour=False)),
}
