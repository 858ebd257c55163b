"""Finding the pages that a command line names: images, PDF files, folders of both."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from scriptkd_page.pdf import is_pdf
from scriptkd_sdk.errors import ImageError
from scriptkd_sdk.images import SUFFIXES

PDF = ".pdf"


@dataclass(frozen=True)
class Source:
    """An image or PDF file. path: where it is. name: where its output goes, relative to the folder of outputs."""

    path: Path
    name: Path

    @property
    def is_pdf(self) -> bool:
        """Whether the file begins like a PDF, whatever its name; False if it cannot be read."""
        try:
            with open(self.path, "rb") as file:
                return is_pdf(file.read(1024))
        except OSError:
            return False


def find_sources(names: Iterable[str], recursive: bool, without: Path) -> Iterator[Source | ImageError]:
    """Yield the files that the names stand for: a file itself, or the images and PDF files of a folder.

    A folder's files come in the order of their names. recursive: look into subfolders too; links to folders are not
    followed. A folder without such files, or that cannot be read, gives an error in its place. without: a folder to
    leave out: pictures that an earlier run wrote are no pages.
    """
    for name in names:
        path = Path(name)
        if not path.is_dir():
            yield Source(path, Path(path.name))
            continue
        errors: list[OSError] = []
        found = False
        for folder, folders, files in os.walk(path, onerror=errors.append):
            inside = (each for each in folders if recursive and not each.startswith("."))
            folders[:] = sorted(each for each in inside if Path(folder, each).resolve() != without.resolve())
            for file in sorted(files):
                if file.lower().endswith((*SUFFIXES, PDF)) and not file.startswith("."):
                    found = True
                    each = Path(folder, file)
                    yield Source(each, each.relative_to(path))
        for error in errors:
            yield ImageError(f"cannot be read: {error.strerror or error}", str(error.filename))
        if not found and not errors:
            hint = "" if recursive else "; -r looks into its folders too"
            yield ImageError(f"a folder without image or PDF files{hint}", name)
