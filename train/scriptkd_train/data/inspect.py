"""`scriptkd data inspect`: the contents of a data set, and its errors."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import combinations, islice
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from scriptkd_sdk.errors import ImageError
from scriptkd_sdk.images import load_image
from scriptkd_train.data.dataset import read_dataset, splits_of
from scriptkd_train.data.folder import Item
from scriptkd_train.data.sets import find_set
from scriptkd_train.utils.contact_sheet import Tile, contact_sheet, write_png
from scriptkd_train.utils.progress import columns

THREADS = 2
NEAR_DUPLICATE_BITS = 4  # of 63: 99 % of recompressed words differ less; of 10^9 pairs of different words, two do
SHEET_COLUMNS = 8
SHEET_SEED = 0
LISTED = 10  # number of files and pairs to print; the report holds all


@dataclass(frozen=True)
class Pair:
    """Two images of different splits that are the same, or look the same."""

    first: Path
    second: Path
    distance: int
    """Hamming distance of the perceptual hashes, 0 to 63 bits; 0 for exact duplicates."""


@dataclass
class Report:
    """The result of `inspect`. Splits are "train", "val", "test", or "all" for a flat folder."""

    items: dict[str, list[Item]]
    widths: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    heights: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    unreadable: dict[Path, str] = field(default_factory=dict)
    exact: list[Pair] = field(default_factory=list)
    near: list[Pair] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def labels(self) -> list[str]:
        """All labels of all splits, sorted."""
        return sorted({item.label for items in self.items.values() for item in items})

    def counts(self, split: str) -> Counter[str]:
        """Number of image files of each label in a split, unreadable ones included."""
        return Counter(item.label for item in self.items[split])


def inspect(root: str | Path, progress: Callable[[int, int], None] | None = None) -> Report:
    """Read every image of a data set once; report counts, sizes, unreadable files and duplicates across splits.

    `progress(done, total)` is called after each image. Raises ArgumentError if there is no data set in `root`.
    """
    splits = splits_of(root)
    report = Report({split: read_dataset(root, split) for split in splits} or {"all": read_dataset(root, None)})
    if found_set := find_set(root):
        report.notes = [f"read as {found_set.name}"]
        report.notes += [line for split in splits for line in found_set.count_differences(Path(root), split)]
    total, done = sum(map(len, report.items.values())), 0
    by_content: dict[str, dict[bytes, Path]] = {}
    by_hash: dict[str, tuple[list[Path], NDArray[np.uint64]]] = {}
    with ThreadPoolExecutor(THREADS) as pool:
        for split, items in report.items.items():
            sizes, contents, hashes = [], {}, {}
            for item, seen in zip(items, pool.map(_read_fingerprint, items), strict=True):
                if isinstance(seen, str):
                    report.unreadable[item.identity] = seen
                else:
                    sizes.append(seen.size)
                    if seen.content not in contents:
                        contents[seen.content] = item.identity
                        hashes[item.identity] = seen.perceptual_hash
                done += 1
                if progress:
                    progress(done, total)
            report.widths[split], report.heights[split] = np.array(sizes, np.int64).reshape(-1, 2).T
            by_content[split], by_hash[split] = contents, (list(hashes), np.array(list(hashes.values()), np.uint64))
    for first, second in combinations(report.items, 2):
        same = sorted(by_content[first].keys() & by_content[second].keys(), key=lambda key: by_content[first][key])
        report.exact += [Pair(by_content[first][key], by_content[second][key], 0) for key in same]
        found = {(pair.first, pair.second) for pair in report.exact}
        near = _near_duplicates(*by_hash[first], *by_hash[second])
        report.near += [pair for pair in near if (pair.first, pair.second) not in found]
    return report


def sample_sheet(report: Report) -> NDArray[np.uint8]:
    """A contact sheet, uint8 RGB [H, W, 3]: a row of images for each script, drawn with a fixed seed."""
    words = defaultdict(list)
    for items in report.items.values():
        for item in items:
            if item.identity not in report.unreadable:
                words[item.label].append(item)
    random = np.random.default_rng(SHEET_SEED)
    rows = []
    for label in sorted(words):
        chosen = random.permutation(len(words[label]))[:SHEET_COLUMNS]
        rows.append([Tile(words[label][i].load()) for i in chosen])
    return contact_sheet(rows, sorted(words))


def inspect_command(
    root: Annotated[
        Path,
        typer.Argument(
            metavar="DIR", help="Data set: folders of scripts, with or without splits, or a research data set."
        ),
    ],
    sheet: Annotated[Path, typer.Option(help="Where to write the contact sheet.")] = Path("contact-sheet.png"),
) -> None:
    """Count a data set's images, find unreadable ones and duplicates across splits, and write a contact sheet."""
    console = Console()
    with Progress(*columns("reading"), console=console, transient=True) as bar:
        task = bar.add_task("read", total=None)
        report = inspect(root, lambda done, total: bar.update(task, completed=done, total=total))
    print_report(report, console)
    if len(report.unreadable) < sum(map(len, report.items.values())):
        write_png(sheet, sample_sheet(report))
        console.print(f"Contact sheet: {sheet}", highlight=False, markup=False, soft_wrap=True)


def print_report(report: Report, console: Console) -> None:
    """Print a report: tables of counts and sizes, then the errors found."""
    table = Table("script", *report.items, title="Images")
    for label in report.labels:
        table.add_row(escape(label), *(f"{report.counts(split)[label]:,}" for split in report.items), end_section=False)
    table.add_section()
    table.add_row("all", *(f"{len(items):,}" for items in report.items.values()))
    _right(table)
    console.print(table)
    table = Table("split", "width 10 %", "median", "90 %", "height 10 %", "median", "90 %", title="Sizes in pixels")
    for split in report.items:
        sides = (report.widths[split], report.heights[split])
        if len(sides[0]):
            table.add_row(split, *(f"{value:.0f}" for side in sides for value in np.percentile(side, (10, 50, 90))))
    _right(table)
    console.print(table)
    for note in report.notes:
        console.print(note, highlight=False, markup=False)
    failures = (f"{path}: {reason}" for path, reason in report.unreadable.items())
    _print_list(console, "unreadable files", len(report.unreadable), failures)
    if len(report.items) > 1:
        pairs = (f"{pair.first} = {pair.second}" for pair in report.exact)
        _print_list(console, "exact duplicates across splits", len(report.exact), pairs)
        pairs = (f"{pair.first} ~ {pair.second} ({pair.distance} of 63 bits differ)" for pair in report.near)
        _print_list(console, "near duplicates across splits", len(report.near), pairs)


@dataclass(frozen=True)
class _Fingerprint:
    content: bytes  # SHA-256
    perceptual_hash: int
    size: tuple[int, int]  # width, height


def _read_fingerprint(item: Item) -> _Fingerprint | str:
    """The fingerprints and size of an image, or the reason why it cannot be read."""
    try:
        if item.region is None:
            content = item.path.read_bytes()
            image = load_image(content)
        else:
            image = item.load()
            content = str(image.shape).encode() + image.tobytes()
    except OSError as error:
        return error.strerror or str(error)
    except ImageError as error:
        return error.reason
    return _Fingerprint(hashlib.sha256(content).digest(), perceptual_hash(image), (image.shape[1], image.shape[0]))


def perceptual_hash(image: NDArray[np.uint8]) -> int:
    """A perceptual hash of 63 bits, which barely changes with compression, light and scale.

    image: uint8 RGB [H, W, 3] or gray [H, W]. The hash takes the 8x8 lowest DCT coefficients of a 32x32 thumbnail,
    without the mean. Each bit says whether a coefficient is above the median of all. So half of the bits are set, and
    distances are even.
    """
    gray = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(gray, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = cv2.dct(small)[:8, :8].ravel()[1:]
    return int.from_bytes(np.packbits(low > np.median(low)).tobytes(), "big")


def _near_duplicates(
    paths: list[Path], hashes: NDArray[np.uint64], other_paths: list[Path], other_hashes: NDArray[np.uint64]
) -> Iterator[Pair]:
    """Pairs that differ in at most NEAR_DUPLICATE_BITS bits. To compare 80,000 x 10,000 takes a few seconds."""
    for start in range(0, len(other_hashes), 64):
        distances = np.bitwise_count(other_hashes[start : start + 64, None] ^ hashes[None, :])
        for j, i in np.argwhere(distances <= NEAR_DUPLICATE_BITS):
            yield Pair(paths[i], other_paths[start + j], int(distances[j, i]))


def _right(table: Table) -> None:
    for column in table.columns[1:]:
        column.justify = "right"


def _print_list(console: Console, what: str, count: int, lines: Iterator[str]) -> None:
    console.print(f"{count or 'No'} {what}{':' if count else '.'}", highlight=False)
    for line in islice(lines, LISTED):
        console.print(f"  {line}", highlight=False, markup=False, soft_wrap=True)
    if count > LISTED:
        console.print(f"  and {count - LISTED:,} more", highlight=False)
