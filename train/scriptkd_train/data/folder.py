"""The folder layout: `root/<train|val|test>/<script>/*.png`, or flat, `root/<script>/*.png`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.images import SUFFIXES
from scriptkd_sdk.scripts import script

SPLITS = ("train", "val", "test")
NON_TEXT = "none"
"""Label of images without text. It is no class: training teaches networks to be undecided on them."""


@dataclass(frozen=True)
class Item:
    """One labelled word image: where it lies and its script's name."""

    path: Path
    label: str


def label_of(folder: str) -> str:
    """The script's name for a folder's name ("Hindi" -> "Devanagari"); an unknown name is a label of its own."""
    try:
        return script(folder).name
    except ArgumentError:
        return folder


def image_files(folder: Path) -> list[Path]:
    """The image files right inside a folder, sorted by name; hidden ones ("._word.jpg" of macOS) are no images."""
    return sorted((path for path in folder.iterdir() if _is_image(path)), key=lambda path: path.name)


def subfolders(folder: Path) -> list[Path]:
    """The visible folders right inside a folder, sorted by name; empty if the folder does not exist."""
    if not folder.is_dir():
        return []
    folders = (path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    return sorted(folders, key=lambda path: path.name)


def read_folder(root: str | Path, split: str | None) -> list[Item]:
    """Read one split of a folder data set, or with `split=None` a flat folder of scripts without splits.

    Returns items sorted by label, then file name. Script folders without images are passed over.
    Raises ArgumentError if the folder is missing, holds no images, or holds a script that the train split lacks.
    """
    root = Path(root)
    if split is not None and split not in SPLITS:
        raise ArgumentError(f"unknown split {split!r}: it must be one of {', '.join(SPLITS)}")
    folder = root if split is None else root / split
    if not folder.is_dir():
        raise ArgumentError(
            f"no folder {folder}: expected {root}/<{'|'.join(SPLITS)}>/<script>/*.png, {found_in(root)}"
        )
    items = [Item(path, label_of(sub.name)) for sub in subfolders(folder) for path in image_files(sub)]
    if not items:
        kinds = "|".join(suffix[1:] for suffix in SUFFIXES)
        expected = f"{folder}/<script>/*.<{kinds}>" + (f" or {root}/<split>/<script>/*" if split is None else "")
        raise ArgumentError(f"no images in {folder}: expected {expected}, {found_in(folder)}")
    if split in ("val", "test") and (root / "train").is_dir():
        known = {label_of(sub.name) for sub in subfolders(root / "train") if _has_image(sub)}
        check_labels(items, known, split, root)
    return sorted(items, key=lambda item: (item.label, item.path.name, item.path.as_posix()))


def check_labels(items: list[Item], known: set[str], split: str, root: Path) -> None:
    """Raise ArgumentError if `items` (of `split`) hold a label that is not among the train split's labels."""
    extra = sorted({item.label for item in items} - known)
    if extra:
        raise ArgumentError(
            f"{split} of {root} holds {', '.join(extra)}, which train lacks: "
            f"train has {', '.join(sorted(known)) or 'no script with images'}"
        )


def found_in(folder: Path) -> str:
    """What a folder holds, in a few words, for an error message."""
    if not folder.is_dir():
        return f"but there is no folder {folder}" if not folder.exists() else f"but {folder} is a file"
    names = sorted(path.name + ("/" if path.is_dir() else "") for path in folder.iterdir())
    if not names:
        return f"found nothing in {folder}"
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return f"found {', '.join(names[:8])}{more} in {folder}"


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def _has_image(folder: Path) -> bool:
    return any(_is_image(path) for path in folder.iterdir())
