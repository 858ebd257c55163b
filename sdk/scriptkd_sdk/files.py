"""Finding the images that a command line names: files, folders, patterns, standard input."""

from __future__ import annotations

import glob
import os
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from scriptkd_sdk.errors import ImageError
from scriptkd_sdk.images import MOST_BYTES, SUFFIXES

STDIN = "-"
ANY_DEPTH = re.compile(r"((?:.*?/)?)\*\*(?:/|$)(.*)", re.DOTALL)  # the parts of a pattern before and after `**`


@dataclass(frozen=True)
class Source:
    """An image to identify. name: shown to the user. image: its path, its bytes, or the error that stands for it."""

    name: str
    image: str | bytes | ImageError


def find_images(names: Iterable[str], recursive: bool) -> Iterator[Source]:
    """Yield the images that the names stand for. A name is a file, a folder of images or a pattern.

    Each folder's files come in the order of their names. recursive: look into subfolders too. Links to folders are not
    followed, so there are no loops. A folder or pattern without images, or a folder that cannot be read, gives an error
    in its place, and the search goes on.
    """
    for name in names:
        if name == STDIN:
            yield Source(name, _standard_input())
        elif os.path.isdir(name):
            yield from _in_folder(name, recursive)
        elif os.path.lexists(name) or not glob.has_magic(name):
            yield Source(name, name)
        else:
            found = sorted(_matching(name))
            if not found:
                yield Source(name, ImageError("no file matches this pattern", name))
            for each in found:
                if not os.path.isdir(each):
                    yield Source(each, each)
                elif not ANY_DEPTH.match(name):  # with `**`, the folder's files match as well
                    yield from _in_folder(each, recursive)


def _standard_input() -> bytes | ImageError:
    if sys.stdin is None:  # closed, as by <&-
        return ImageError("standard input is closed", STDIN)
    try:
        return sys.stdin.buffer.read(MOST_BYTES + 1)
    except OSError as error:
        return ImageError(f"cannot be read: {error.strerror or error}", STDIN)


def _matching(pattern: str) -> set[str]:
    """Return the paths that a pattern stands for.

    `**` matches folders at any depth, but not through links. glob follows links, and never ends where they form a loop.
    """
    parts = ANY_DEPTH.match(pattern)
    if not parts:
        return set(glob.glob(pattern))
    before, after = parts.groups()
    found: set[str] = set()
    for root in glob.glob(before) if before else [""]:
        for folder, folders, _ in os.walk(root or os.curdir):
            folders[:] = [each for each in folders if not each.startswith(".")]
            parent = folder if root else folder[2:]  # without the "./"
            found |= _matching(os.path.join(glob.escape(parent), after or "*"))
    return found


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
