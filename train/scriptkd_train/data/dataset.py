"""One way into a data set, whatever its layout."""

from __future__ import annotations

import hashlib
from pathlib import Path

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.data.cvsi import SPLIT_FOLDERS, is_cvsi, read_cvsi
from scriptkd_train.data.folder import NON_TEXT, SPLITS, Item, read_folder

__all__ = ["NON_TEXT", "Item", "fingerprint", "read_dataset", "read_split_or_all", "splits_of"]


def splits_of(root: str | Path) -> list[str]:
    """The splits that a data set has, of train, val and test; none if its scripts' folders lie right in `root`."""
    folders = SPLIT_FOLDERS if is_cvsi(root) else {split: split for split in SPLITS}
    return [split for split in SPLITS if (Path(root) / folders[split]).is_dir()]


def read_dataset(root: str | Path, split: str | None) -> list[Item]:
    """Read a split of a data set in CVSI-2015's own layout or the folder layout.

    Args:
        root: the data set's folder.
        split: "train", "val" or "test". None reads a flat folder, `root/<script>/*.png`, such as one kept for
            evaluation only.

    Returns:
        The images, sorted by label, then file name.

    Raises:
        ArgumentError: there is nothing to read, and the message names what was expected and what was found; or a split
            holds a script that train lacks.
    """
    root = Path(root)
    if not root.is_dir():
        raise ArgumentError(f"cannot read a data set from {root}: it is {'a file' if root.exists() else 'missing'}")
    if split is None and splits_of(root):
        raise ArgumentError(f"{root} is split: say which of {', '.join(splits_of(root))} to read")
    return read_cvsi(root, split) if split is not None and is_cvsi(root) else read_folder(root, split)


def read_split_or_all(root: str | Path, split: str) -> list[Item]:
    """A split of a data set that has splits, all of one that has none: what is measured on either."""
    return read_dataset(root, split if splits_of(root) else None)


def fingerprint(items: list[Item]) -> str:
    """SHA-256 (hexadecimal) over every item's label, file name and bytes, independent of where the data lies."""
    digest = hashlib.sha256()
    for item in items:
        try:
            content = hashlib.sha256(item.path.read_bytes()).hexdigest()
        except OSError as error:
            raise ArgumentError(f"cannot read {item.path}: {error.strerror}") from error
        # A name need not be text in UTF-8; what is not is taken as the bytes that it is.
        digest.update(f"{item.label}\0{item.path.name}\0{content}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()
