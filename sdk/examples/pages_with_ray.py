"""The words and scripts of millions of pages, photographs and PDF files, on one machine or a cluster, with Ray.

    pip install '.[page]' ray pyarrow
    python sdk/examples/pages_with_ray.py FOLDER_OF_FILES FOLDER_FOR_ANSWERS [--read]

Reads all files of a folder (any that pyarrow reads, such as s3://bucket/scans) and writes Parquet files. Each page is a
row; --read fills in the text. A file or page that cannot be used gets an error in its row, and the job goes on. If a
worker dies, Ray starts another, which does its files again. If the job ends early, the same command goes on with what
is missing.
"""

import os
import sys
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pyarrow
import ray
from pyarrow import parquet
from pyarrow.dataset import dataset
from pyarrow.fs import FileSelector, FileSystem, FileType

from scriptkd_page import WordFinder, read_page
from scriptkd_page.pdf import PdfFile, is_pdf
from scriptkd_sdk import ImageError
from scriptkd_sdk.images import Pixels, load_image

BATCH = 16  # files that a worker is handed at a time; their pages are one Parquet file
DEATHS = 3  # of workers at one batch; then each of its files is tried alone, to find the file that kills
STRING, INTEGER, NUMBER = pyarrow.string(), pyarrow.int32(), pyarrow.float64()
WORD = {"corners": pyarrow.list_(pyarrow.list_(NUMBER)), "script": STRING, "code": STRING, "score": NUMBER}
WORD |= {"orientation": INTEGER, "line": INTEGER, "text": STRING}
# page: from 1 on; none if the whole file cannot be used. width, height, corners: in pixels.
PAGE = {
    "path": STRING,
    "page": INTEGER,
    "width": INTEGER,
    "height": INTEGER,
    "words": pyarrow.list_(pyarrow.struct(list(WORD.items()))),
    "notes": pyarrow.list_(STRING),
    "error": STRING,
}
# Types are given, since a file in which all pages were good would otherwise have no type for its errors.
ANSWERS = pyarrow.schema(list(PAGE.items()))
Row = dict[str, Any]


class Folder:
    """A folder of this machine or of a bucket."""

    def __init__(self, address: str) -> None:
        self.system, self.path = FileSystem.from_uri(address if "://" in address else os.path.abspath(address))

    def files(self) -> list[str]:
        found = self.system.get_file_info(FileSelector(self.path, recursive=True))
        return sorted(each.path for each in found if each.type == FileType.File)

    def read(self, path: str) -> bytes:
        with self.system.open_input_stream(path) as file:
            return bytes(file.read())


class Answers(Folder):
    """The folder of Parquet files. A file appears only when all pages of its batch are in it."""

    def open(self) -> set[str]:
        """Make the folder, if it is new, and return the paths whose pages it holds."""
        self.system.create_dir(self.path)
        for path in self.files():
            if path.endswith(".part"):  # left by a worker that died while it wrote
                self.system.delete_file(path)
        there = dataset(self.path, filesystem=self.system, format="parquet", schema=ANSWERS)
        return set(there.to_table(columns=["path"])["path"].to_pylist())

    def file(self, batch: list[str]) -> str:
        """Where a batch's pages are written. The batch's paths make the name, so a batch done twice is there once."""
        return f"{self.path}/{sha256(chr(0).join(batch).encode()).hexdigest()[:32]}.parquet"

    def hold(self, batch: list[str]) -> bool:
        return bool(self.system.get_file_info(self.file(batch)).type == FileType.File)

    def write(self, batch: list[str], rows: Iterator[Row]) -> None:
        # Each page becomes a table at once, since words take far less memory in a table.
        pages = pyarrow.concat_tables(pyarrow.Table.from_pylist([row], schema=ANSWERS) for row in rows)
        part = f"{self.path}/.{uuid4().hex}.part"  # readers of Parquet pass over names with a dot in front
        parquet.write_table(pages, part, filesystem=self.system)
        self.system.move(part, self.file(batch))


class FindPages:
    """A worker."""

    def __init__(self, files: Folder, answers: Answers, read: bool = False) -> None:
        self.files = files
        self.answers = answers
        self.finder = WordFinder(threads=1)
        self.read = read

    def do(self, batch: list[str]) -> None:
        """Find the words of a batch of files, and write them."""
        self.answers.write(batch, (row for path in batch for row in self.rows(path)))

    def rows(self, path: str) -> Iterator[Row]:
        try:
            content = self.files.read(path)
        except OSError as error:
            yield {"path": path, "error": f"cannot be read: {error.strerror or error}"}
            return
        if not is_pdf(content):
            yield self.page(path, 1, partial(load_image, content, path))
            return
        try:
            with PdfFile(content, path) as pdf:
                for number in range(len(pdf)):
                    yield self.page(path, number + 1, partial(pdf.render, number))
        except ImageError as error:
            yield {"path": path, "error": error.reason}

    def page(self, path: str, number: int, load: Callable[[], Pixels]) -> Row:
        try:
            pixels = load()
            found = self.finder.find(pixels, path)
        except ImageError as error:
            return {"path": path, "page": number, "error": error.reason}
        return (read_page(found, pixels) if self.read else found).to_dict() | {"path": path, "page": number}


def find_pages(source: str, target: str, read: bool = False) -> None:
    """Find the words of all files of a folder that have no answers yet, on all processors that Ray has."""
    files, answers = Folder(source), Answers(target)
    paths = files.files()
    done = answers.open()
    left = [path for path in paths if path not in done]
    print(f"{len(left)} of {len(paths)} files to do", flush=True)
    # An earlier run left whole batches undone. So the files that are left form the same batches, with the same names.
    batches = deque(left[start : start + BATCH] for start in range(0, len(left), BATCH))
    if not batches:
        return
    ray.init(ignore_reinit_error=True, include_dashboard=False)
    worker = ray.remote(num_cpus=1, max_restarts=-1, max_task_retries=DEATHS - 1)(FindPages)
    workers = min(int(ray.cluster_resources()["CPU"]), len(batches))
    idle = [worker.remote(files, answers, read) for _ in range(workers)]
    busy: dict[Any, tuple[Any, list[str]]] = {}
    while batches or busy:
        while batches and idle:
            finder, batch = idle.pop(), batches.popleft()
            busy[finder.do.remote(batch)] = finder, batch
        (ended,), _ = ray.wait(list(busy))
        finder, batch = busy.pop(ended)
        idle.append(finder)
        try:
            ray.get(ended)
        except ray.exceptions.ActorUnavailableError:
            if answers.hold(batch):
                continue  # the last of these workers had written the batch before it died
            if len(batch) > 1:
                batches += [[path] for path in batch]
            else:
                answers.write(batch, iter([{"path": batch[0], "error": f"{DEATHS} workers died of it"}]))


if __name__ == "__main__":
    folders = [each for each in sys.argv[1:] if each != "--read"]
    if len(folders) != 2:
        sys.exit(__doc__)
    try:
        find_pages(*folders, read="--read" in sys.argv)
    except UnicodeDecodeError as error:
        sys.exit(f"a name that is not UTF-8; rename it: {error.object!r}")
    except (OSError, pyarrow.ArrowInvalid) as error:
        sys.exit(str(error))
