"""A research data set: where its parts lie, what they should hold, and how they become splits."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.data.folder import SPLITS, Item, found_in, warn_of_unread

HELD_OUT = 10  # if a set has no validation part, one scene in so many is held out of train

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Part:
    """A published part of a set as it lies on disk.

    Attributes:
        items: its words, labelled with scriptkd's names.
        classes: how many images each of the set's own classes has, left-out images included.
        left_out: why images were left out -> how many.
        folder: may hold images that the set's rules do not cover; None if a list names all images.
        read: the folders in it that were read.
    """

    items: list[Item]
    classes: Counter[str]
    left_out: Counter[str] = field(default_factory=Counter)
    folder: Path | None = None
    read: list[Path] = field(default_factory=list)


@dataclass(frozen=True)
class Published:
    """The published number of images in a part. classes: the number in each class, if published."""

    total: int
    classes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class ResearchSet:
    """A set in the layout of its authors.

    Attributes:
        name: what it is called.
        parts: returns which of train, val and test a folder holds; none if it holds another set.
        read_part: reads one of these parts.
        published: part -> its published number of images, if a source was found.
        where: part -> where it lies, or why it does not exist, as a clause for an error message.
        protocol: what to know before comparing its published results with ours.
        scene: returns the picture from which an item was cut, for a set without a validation split. `val` is then a
            tenth of the scenes of `train`, always the same. None for a set with a validation split.
    """

    name: str
    parts: Callable[[Path], list[str]]
    read_part: Callable[[Path, str], Part]
    published: Mapping[str, Published]
    where: Mapping[str, str]
    protocol: str
    scene: Callable[[Item], str] | None = None

    def splits(self, root: Path) -> list[str]:
        """The splits that can be read from a folder, in the order train, val, test."""
        parts = set(self.parts(root))
        if self.scene and "train" in parts:
            parts.add("val")
        return [split for split in SPLITS if split in parts]

    def read(self, root: Path, split: str) -> list[Item]:
        """Read a split, sorted by label, then by file.

        A warning, one line for the split, says what was left out.

        Args:
            root: the set's folder.
            split: "train", "val" or "test".

        Returns:
            The words.

        Raises:
            ArgumentError: there is no such split, it holds no words, or a file that describes it is broken.
        """
        if split not in SPLITS:
            raise ArgumentError(f"unknown split {split!r}: it must be one of {', '.join(SPLITS)}")
        if split not in (there := self.splits(root)):
            has = f"; it has {' and '.join(there)}" if there else f", {found_in(root)}"
            raise ArgumentError(f"no {split} in {root}: {self.where[split]}{has}")
        held_out = self.scene is not None and split == "val"
        part = self.read_part(root, "train" if held_out else split)
        if part.folder is not None:
            warn_of_unread(part.folder, part.read)
        if part.left_out and not held_out:
            what = ", ".join(f"{count:,} {why}" for why, count in sorted(part.left_out.items()))
            _log.warning("left out of %s of %s: %s", split, root, what)
        items = self._hold_out(part.items, split) if split != "test" else part.items
        if not items:
            raise ArgumentError(f"no images in {split} of {root}, which is read as {self.name}")
        return sorted(items, key=lambda item: (item.label, item.path.name, item.identity.as_posix()))

    def count_differences(self, root: Path, split: str) -> list[str]:
        """List how a part's numbers of images differ from the published ones, one sentence for each difference.

        No number is published for a `val` that is held out of `train`: its images count as part of `train`.
        """
        if split not in self.published:
            return []
        found, published = self.read_part(root, split).classes, self.published[split]
        pairs = [("images", found.total(), published.total)]
        pairs += [(f"{name} images", found[name], count) for name, count in published.classes.items()]
        return [
            f"{split} holds {here:,} {what}, {self.name} published {there:,}"
            for what, here, there in pairs
            if here != there
        ]

    def _hold_out(self, items: list[Item], split: str) -> list[Item]:
        """Return the items of `split`, train or val. Both are cut from the published train part, and share no scene."""
        if self.scene is None:
            return items
        scenes = sorted({self.scene(item) for item in items}, key=lambda name: hashlib.sha256(name.encode()).digest())
        held = set(scenes[: max(1, len(scenes) // HELD_OUT)]) if len(scenes) > 1 else set()
        return [item for item in items if (self.scene(item) in held) == (split == "val")]


def collect(words: Iterable[tuple[Path | None, str]], labels: Mapping[str, str | None]) -> Part:
    """Make a part from a list of words.

    Args:
        words: for each word its file, or None, and its class in the set.
        labels: class -> scriptkd's label; None, or no entry, for a class whose words are left out.

    Returns:
        The part. Words whose file is missing or empty are also left out.
    """
    part = Part([], Counter())
    for path, name in words:
        part.classes[name] += 1
        label = labels.get(name)
        if label is None:
            part.left_out[f"labelled {name}"] += 1
        elif path is None or not path.is_file():
            part.left_out["listed without a file"] += 1
        elif not path.stat().st_size:
            part.left_out["with an empty file"] += 1
        else:
            part.items.append(Item(path, label))
    return part
