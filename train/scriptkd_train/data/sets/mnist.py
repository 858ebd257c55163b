"""MNIST (LeCun, Cortes and Burges): 70,000 handwritten digits of 28x28 pixels, no scripts at all.

Its folder holds four IDX files (see `data.idx`), gzipped or not: `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`,
`t10k-images-idx3-ubyte` and `t10k-labels-idx1-ubyte` (yann.lecun.com/exdb/mnist). Some programs unpack them with a dot
instead of the second hyphen, as `train-images.idx3-ubyte`. These names are read too. The published counts are from the
same page; the counts by digit are from the set's label files. Sets with the same layout, such as Fashion-MNIST, are
read as if they were MNIST.

There is no validation split: a tenth of the training images is held out, by their places in the file. It is not known
who wrote which digit.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.data.folder import Item
from scriptkd_train.data.idx import read_idx
from scriptkd_train.data.sets.research_set import Part, Published, ResearchSet

FILES = {"train": "train", "test": "t10k"}
"""Part -> the beginning of its files' names."""

DIGITS = [str(digit) for digit in range(10)]
TRAIN_COUNTS = dict(zip(DIGITS, (5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949), strict=True))
TEST_COUNTS = dict(zip(DIGITS, (980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009), strict=True))


def _file(root: Path, part: str, what: str) -> Path | None:
    """The file of a part. what: "images-idx3" or "labels-idx1"."""
    names = (f"{FILES[part]}-{spelled}-ubyte{end}" for spelled in (what, what.replace("-", ".")) for end in ("", ".gz"))
    return next((root / name for name in names if (root / name).is_file()), None)


def _read_part(root: Path, part: str) -> Part:
    images, labels = _file(root, part, "images-idx3"), _file(root, part, "labels-idx1")
    assert images is not None  # `parts` has seen it
    if labels is None:
        raise ArgumentError(f"no labels of {part} in {root}: MNIST keeps them in {FILES[part]}-labels-idx1-ubyte.gz")
    count, height, width = read_idx(images, 3).shape
    digits = read_idx(labels, 1)
    if len(digits) != count:
        raise ArgumentError(f"{labels} holds {len(digits):,} labels, and {images} {count:,} images")
    names = [str(digit) for digit in digits]
    items = [
        Item(images, name, (0, height * place, width, height * (place + 1)), f"{place:05}")
        for place, name in enumerate(names)
    ]
    return Part(items, Counter(names))


MNIST = ResearchSet(
    name="MNIST",
    parts=lambda root: [part for part in FILES if _file(root, part, "images-idx3")],
    read_part=_read_part,
    published={"train": Published(60000, TRAIN_COUNTS), "test": Published(10000, TEST_COUNTS)},
    where={
        "train": "MNIST keeps it in train-images-idx3-ubyte.gz",
        "val": "MNIST has none, and its train-images-idx3-ubyte.gz, from which a tenth would be held out, is not there",
        "test": "MNIST keeps it in t10k-images-idx3-ubyte.gz",
    },
    protocol="Published results are of the 10,000 test images, all ten digits.",
    scene=lambda item: item.name,
)
