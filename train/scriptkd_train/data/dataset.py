"""Read a data set in any supported layout."""

from __future__ import annotations

import hashlib
from pathlib import Path

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.data.folder import NON_TEXT, SPLITS, Item, read_folder
from scriptkd_train.data.sets import find_set

__all__ = ["NON_TEXT", "Item", "fingerprint", "read_dataset", "read_split_or_all", "splits_of"]


def splits_of(root: str | Path) -> list[str]:
    """The splits of a data set, among train, val and test; empty if the script folders lie directly in `root`."""
    root = Path(root)
    if found := find_set(root):
        return found.splits(root)
    return [split for split in SPLITS if (root / split).is_dir()]


def read_dataset(root: str | Path, split: str | None) -> list[Item]:
    """Read a split of a data set, in the folder layout or in a layout of `data.sets`.

    Args:
        root: the data set's folder.
        split: "train", "val" or "test". None reads a flat folder, `root/<script>/*.png`, such as one kept for
            evaluation only.

    Returns:
        The images, sorted by label, then file name.

    Raises:
        ArgumentError: there is nothing to read, or a split holds a script that train lacks. The message names what was
            expected and what was found.
    """
    root = Path(root)
    if not root.is_dir():
        raise ArgumentError(f"cannot read a data set from {root}: it is {'a file' if root.exists() else 'missing'}")
    if split is None and splits_of(root):
        raise ArgumentError(f"{root} has splits: say which of {', '.join(splits_of(root))} to read")
    found = find_set(root) if split is not None else None
    return read_folder(root, split) if split is None or found is None else found.read(root, split)


def read_split_or_all(root: str | Path, split: str) -> list[Item]:
    """Read the given split of a data set, or all of a data set without splits."""
    return read_dataset(root, split if splits_of(root) else None)


def fingerprint(items: list[Item]) -> str:
    """SHA-256, hexadecimal, over the label, file name and bytes of every item, independent of the data's path.

    If a picture holds several words, each word adds the picture's name and bytes, its own name and its region.
    """
    digest = hashlib.sha256()
    scenes: dict[Path, str] = {}
    for item in items:
        try:
            content = scenes.get(item.path) or hashlib.sha256(item.path.read_bytes()).hexdigest()
        except OSError as error:
            raise ArgumentError(f"cannot read {item.path}: {error.strerror}") from error
        if item.region is not None:
            scenes[item.path] = content
            content += f"\0{item.name}\0{item.region}"
        # A file name need not be UTF-8; invalid parts are hashed as raw bytes.
        digest.update(f"{item.label}\0{item.path.name}\0{content}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()
