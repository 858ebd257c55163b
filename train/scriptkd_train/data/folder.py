"""The folder layout: `root/<train|val|test>/<script>/*.png`, or flat, `root/<script>/*.png`."""

from __future__ import annotations

import logging
import os
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.images import SUFFIXES, Pixels, load_image
from scriptkd_sdk.regions import cut
from scriptkd_sdk.scripts import UNKNOWN, script
from scriptkd_train.data.idx import is_idx, read_idx

SPLITS = ("train", "val", "test")
NON_TEXT = "none"
"""Label of images without text. It is not a class: networks learn to be undecided on these images."""

_log = logging.getLogger(__name__)  # warnings go to stderr, one line each, unless the program sets up logging


@dataclass(frozen=True)
class Item:
    """One labelled word image: its file and its script's name.

    region: the word's box in a picture of several words, in pixels, (left, top, right, bottom); None if the file shows
    one word. name: the word's name in a picture of several words.
    """

    path: Path
    label: str
    region: tuple[float, float, float, float] | None = None
    name: str = ""

    @property
    def identity(self) -> Path:
        """A unique path: the file, with the word's name as its last part if the file shows several words."""
        return self.path / self.name if self.name else self.path

    def load(self) -> Pixels:
        """Read the word, upright, uint8 RGB [H, W, 3] or gray [H, W].

        Raises:
            ImageError: the file cannot be read, or the region is outside the picture.
        """
        if self.region is None:
            return load_image(self.path)
        return cut(_scene(self.path), self.region, str(self.identity)).copy()  # a view would keep the scene in memory


@lru_cache(maxsize=4)
def _scene(path: Path) -> Pixels:
    """Load a file that holds several words: a picture, or an IDX file as one tall picture."""
    if is_idx(path):
        images = read_idx(path, 3)
        return images.reshape(-1, images.shape[2])
    return load_image(path)


@dataclass(frozen=True)
class ClassFolders:
    """The folders of a split. images: folder -> its images. labels: folder with images -> its label.

    Two folders are one class if their names differ only in case or in Unicode normalization (NFC, NFD).
    """

    images: dict[Path, list[Path]]
    labels: dict[Path, str]

    @property
    def items(self) -> list[Item]:
        """All images, sorted by label, then file name."""
        items = [Item(path, label) for folder, label in self.labels.items() for path in self.images[folder]]
        return sorted(items, key=lambda item: (item.label, item.path.name, item.path.as_posix()))


def label_of(folder: str) -> str:
    """Return the script's name for a folder's name ("Hindi" -> "Devanagari"). An unknown name is its own label.

    Args:
        folder: A folder's name, in any Unicode normalization.

    Returns:
        A label in NFC. A folder of images without text has the label "none", whether it is named none, None or NONE.

    Raises:
        ArgumentError: the name is not UTF-8, or it is "unknown", which is reserved for a model's answer.
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
            f"no class can be called {folder!r}, which is a model's answer if it is unsure: rename the folder, or call "
            f"it {NON_TEXT!r} if its images show no text"
        )
    try:
        return script(name).name
    except ArgumentError:
        return name


def read_class_folders(folder: Path, spellings: Iterable[str] = ()) -> ClassFolders:
    """Read the direct subfolders of a folder, whose names are labels, and the images directly in each of them.

    Args:
        folder: The folder of a split.
        spellings: Known labels. A label here that differs from one of them only in case gets the known spelling. Other
            labels that differ only in case get the spelling that is first by name.

    Returns:
        The folders with their labels and images.

    Raises:
        ArgumentError: the name of a folder cannot be a label.
    """
    by_fold = {label.casefold(): label for label in spellings}
    images = {each: image_files(each) for each in subfolders(folder)}
    labels = {}
    for each in filter(images.get, images):  # a folder without images may have any name
        label = label_of(each.name)
        labels[each] = by_fold.setdefault(label.casefold(), label)
    return ClassFolders(images, labels)


def image_files(folder: Path) -> list[Path]:
    """Return the images directly in a folder, by name, without hidden files such as macOS's "._word.jpg"."""
    return sorted((path for path in folder.iterdir() if _is_image(path)), key=lambda path: path.name)


def subfolders(folder: Path) -> list[Path]:
    """Return the visible direct subfolders of a folder, by name; empty if the folder does not exist."""
    if not folder.is_dir():
        return []
    folders = (path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    return sorted(folders, key=lambda path: path.name)


def read_folder(root: str | Path, split: str | None) -> list[Item]:
    """Read one split of a folder data set, or with `split=None` a flat folder of scripts without splits.

    Script folders without images are skipped. A warning in one line names all else that is not read.

    Args:
        root: The data set.
        split: "train", "val" or "test"; None for a flat folder.

    Returns:
        Items sorted by label, then file name.

    Raises:
        ArgumentError: the folder is missing or holds no images, the name of a folder cannot be a label, or the train
            split lacks a script.
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
    """Warn in one line about files in a split's folder that are not read, if there are any.

    Args:
        folder: The folder of the split. Images directly in it have no label.
        read: Its folders whose images are read. Images one folder deeper, and other files, are not read.
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
    """Raise ArgumentError if a split holds labels that the train split lacks."""
    if extra := sorted(labels - known):
        raise ArgumentError(
            f"{split} of {root} holds {', '.join(extra)}, which train lacks: "
            f"train has {', '.join(sorted(known)) or 'no script with images'}"
        )


def found_in(folder: Path) -> str:
    """Return a short description of a folder's contents for an error message."""
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
