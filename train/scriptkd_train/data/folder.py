"""The folder layout: `root/<train|val|test>/<script>/*.png`, or flat, `root/<script>/*.png`."""

from __future__ import annotations

import logging
import os
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.images import SUFFIXES
from scriptkd_sdk.scripts import UNKNOWN, script

SPLITS = ("train", "val", "test")
NON_TEXT = "none"
"""Label of images without text. It is no class: training teaches networks to be undecided on them."""

_log = logging.getLogger(__name__)  # of a program without logging of its own, warnings go to stderr, a line each


@dataclass(frozen=True)
class Item:
    """One labelled word image: where it lies and its script's name."""

    path: Path
    label: str


@dataclass(frozen=True)
class ClassFolders:
    """The folders of a split. images: of each folder, by name. labels: of each folder that holds images.

    Two folders are one class where their names differ in case or in Unicode's form (NFC, NFD) alone.
    """

    images: dict[Path, list[Path]]
    labels: dict[Path, str]

    @property
    def items(self) -> list[Item]:
        """All images, sorted by label, then file name."""
        items = [Item(path, label) for folder, label in self.labels.items() for path in self.images[folder]]
        return sorted(items, key=lambda item: (item.label, item.path.name, item.path.as_posix()))


def label_of(folder: str) -> str:
    """Return the script's name for a folder's name ("Hindi" -> "Devanagari"); an unknown name is a label of its own.

    Args:
        folder: A folder's name, in any of Unicode's forms.

    Returns:
        A label in Unicode's form NFC; "none", however it is spelled, for images without text.

    Raises:
        ArgumentError: the name is not text in UTF-8, or it is "unknown", which is what models say of none of them.
    """
    name = unicodedata.normalize("NFC", folder)
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise ArgumentError(
            f"the folder {os.fsencode(folder)!r} is not named in UTF-8: give it another name"
        ) from error
    if name.casefold() == NON_TEXT:
        return NON_TEXT
    if name.casefold() == UNKNOWN.name:
        raise ArgumentError(
            f"no class can be called {folder!r}, which is what a model says where it is sure of none: give the folder "
            f"another name, or call it {NON_TEXT!r} if its images show no text"
        )
    try:
        return script(name).name
    except ArgumentError:
        return name


def read_class_folders(folder: Path, spellings: Iterable[str] = ()) -> ClassFolders:
    """Read the folders right inside a folder, whose names are labels, and the images right inside each of them.

    Args:
        folder: The folder of a split.
        spellings: Labels whose spelling is taken over where one here differs from it in case alone; else the first
            one's, by name.

    Returns:
        The folders with their labels and images.

    Raises:
        ArgumentError: a folder whose name can be no label.
    """
    by_fold = {label.casefold(): label for label in spellings}
    images = {each: image_files(each) for each in subfolders(folder)}
    labels = {}
    for each in filter(images.get, images):  # a folder without images may have any name
        label = label_of(each.name)
        labels[each] = by_fold.setdefault(label.casefold(), label)
    return ClassFolders(images, labels)


def image_files(folder: Path) -> list[Path]:
    """Return the images right inside a folder, by name; hidden ones ("._word.jpg" of macOS) are no images."""
    return sorted((path for path in folder.iterdir() if _is_image(path)), key=lambda path: path.name)


def subfolders(folder: Path) -> list[Path]:
    """Return the visible folders right inside a folder, by name; none if the folder does not exist."""
    if not folder.is_dir():
        return []
    folders = (path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    return sorted(folders, key=lambda path: path.name)


def read_folder(root: str | Path, split: str | None) -> list[Item]:
    """Read one split of a folder data set, or with `split=None` a flat folder of scripts without splits.

    Script folders without images are passed over. What else is not read is said in a warning, a line for the split.

    Args:
        root: The data set.
        split: "train", "val" or "test"; None for a flat folder.

    Returns:
        Items sorted by label, then file name.

    Raises:
        ArgumentError: the folder is missing, holds no images, holds a folder whose name can be no label, or a script
            that the train split lacks.
    """
    root = Path(root)
    if split is not None and split not in SPLITS:
        raise ArgumentError(f"unknown split {split!r}: it must be one of {', '.join(SPLITS)}")
    folder = root if split is None else root / split
    if not folder.is_dir():
        raise ArgumentError(
            f"no folder {folder}: expected {root}/<{'|'.join(SPLITS)}>/<script>/*.png, {found_in(root)}"
        )
    of_train = set(read_class_folders(root / "train").labels.values()) if split in ("val", "test") else set[str]()
    classes = read_class_folders(folder, of_train)
    warn_of_unread(folder, list(classes.images))
    if not classes.labels:
        kinds = "|".join(suffix[1:] for suffix in SUFFIXES)
        expected = f"{folder}/<script>/*.<{kinds}>" + (f" or {root}/<split>/<script>/*" if split is None else "")
        raise ArgumentError(f"no images in {folder}: expected {expected}, {found_in(folder)}")
    if split in ("val", "test") and (root / "train").is_dir():
        check_labels(set(classes.labels.values()), of_train, split, root)
    return classes.items


def warn_of_unread(folder: Path, read: list[Path]) -> None:
    """Say in one line what a split's folder holds that nobody reads, if anything.

    Args:
        folder: The folder of the split; images right inside it have no label.
        read: Folders in it, whose images are read; images one folder deeper and files of other kinds are not.
    """
    unread = (
        [(f"{len(found):,} {_images(len(found))} beside its class folders", found)]
        if (found := image_files(folder)) and read
        else []
    )
    inside = [path for each in read for path in each.iterdir() if not path.name.startswith(".")]
    kinds = Counter(path.suffix.lower() or "no suffix" for path in inside if path.is_file() and not _is_image(path))
    deeper = [path for each in inside if each.is_dir() for path in each.rglob("*") if _is_image(path)]
    if deeper:
        unread.append((f"{len(deeper):,} {_images(len(deeper))} in folders inside its class folders", deeper))
    unread += [(f"{count:,} of {kind}", []) for kind, count in sorted(kinds.items())]
    if unread:
        examples = [path.relative_to(folder).as_posix() for _, found in unread for path in found[:1]]
        such_as = f" (such as {', '.join(examples)})" if examples else ""
        _log.warning("not read in %s: %s%s", folder, ", ".join(what for what, _ in unread), such_as)


def check_labels(labels: set[str], known: set[str], split: str, root: Path) -> None:
    """Raise ArgumentError if a split holds labels that are not among those of the train split."""
    if extra := sorted(labels - known):
        raise ArgumentError(
            f"{split} of {root} holds {', '.join(extra)}, which train lacks: "
            f"train has {', '.join(sorted(known)) or 'no script with images'}"
        )


def found_in(folder: Path) -> str:
    """Return what a folder holds, in a few words, for an error message."""
    if not folder.is_dir():
        return f"but there is no folder {folder}" if not folder.exists() else f"but {folder} is a file"
    names = sorted(path.name + ("/" if path.is_dir() else "") for path in folder.iterdir())
    if not names:
        return f"found nothing in {folder}"
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return f"found {', '.join(names[:8])}{more} in {folder}"


def _images(count: int) -> str:
    return "image" if count == 1 else "images"


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
