"""Finding the images that a command line names: files, folders, patterns, standard input."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from scriptkd_sdk.errors import ImageError
from scriptkd_sdk.images import MOST_BYTES, SUFFIXES

STDIN = "-"


@dataclass(frozen=True)
class Source:
    """An image to identify. name: what the user knows it by. image: its path, its bytes, or why there is none."""

    name: str
    image: str | bytes | ImageError


def find_images(names: Iterable[str], recursive: bool) -> Iterator[Source]:
    """Yield what the names stand for: an image for a file, those in it for a folder, those matching for a pattern.

    Each folder's files come in the order of their names. recursive: look into the folders of folders too; links to
    folders are not followed, so there are no loops. A folder or pattern without images, or a folder that cannot be
    read, is an error in its place, and the search goes on.
    """
    for name in names:
        if name == STDIN:
            yield Source(name, sys.stdin.buffer.read(MOST_BYTES + 1))
        elif os.path.isdir(name):
            yield from _in_folder(name, recursive)
        elif os.path.lexists(name) or not glob.has_magic(name):
            yield Source(name, name)
        else:
            found = sorted(glob.glob(name, recursive=True))
            if not found:
                yield Source(name, ImageError("no file matches this pattern", name))
            for each in found:
                yield from _in_folder(each, recursive) if os.path.isdir(each) else (Source(each, each),)


def _in_folder(folder: str, recursive: bool) -> Iterator[Source]:
    errors: list[OSError] = []
    empty = True
    subfolders = False
    for parent, folders, files in os.walk(folder, onerror=errors.append):
        for error in errors:
            yield _unreadable(error)
        errors.clear()
        subfolders = subfolders or bool(folders)
        folders[:] = sorted(each for each in folders if recursive and not each.startswith("."))
        for file in sorted(files):
            if file.lower().endswith(SUFFIXES) and not file.startswith("."):
                empty = False
                path = os.path.join(parent, file)
                yield Source(path, path)
    for error in errors:
        empty = False
        yield _unreadable(error)
    if empty:
        hint = "; -r looks into its folders too" if subfolders and not recursive else ""
        yield Source(folder, ImageError(f"a folder without image files ({' '.join(SUFFIXES)}){hint}", folder))


def _unreadable(error: OSError) -> Source:
    name = str(error.filename)
    return Source(name, ImageError(f"cannot be read: {error.strerror or error}", name))
