"""The words and scripts of millions of pages, photographs and PDF files, on one machine or a cluster, with Ray Data.

    pip install '.[page]' 'ray[data]'
    python sdk/examples/pages_with_ray.py FOLDER_OF_FILES NEW_FOLDER_FOR_ANSWERS [--read]

Reads all files of a folder (any that Ray reads, such as s3://bucket/scans) and writes Parquet files. Each page is a
row; --read fills in the text. A file or page that cannot be used has an error, and stops nothing. If a worker dies, Ray
starts another, which does the dead one's files again from their start.
"""

import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pyarrow
import ray

from scriptkd_page import WordFinder, read_page
from scriptkd_page.pdf import PdfFile, is_pdf
from scriptkd_sdk import ImageError
from scriptkd_sdk.images import Pixels, load_image

BATCH = 8  # files that a worker is handed at a time
# Processors that Ray sets aside. All of them for workers would leave none for reading and writing, and each would wait
# for the other for ever; these fit one processor together, and a worker uses what it does not claim.
WORKER, READER, WRITER = 0.5, 0.25, 0.25
STRING, INTEGER, NUMBER = pyarrow.string(), pyarrow.int32(), pyarrow.float64()
WORD = {"corners": pyarrow.list_(pyarrow.list_(NUMBER)), "script": STRING, "code": STRING, "score": NUMBER}
WORD |= {"orientation": INTEGER, "line": INTEGER, "text": STRING}
# page: from 1 on; none where a whole PDF cannot be used. width, height: in pixels, as the corners.
PAGE = {
    "path": STRING,
    "page": INTEGER,
    "width": INTEGER,
    "height": INTEGER,
    "words": pyarrow.list_(pyarrow.struct(list(WORD.items()))),
    "notes": pyarrow.list_(STRING),
    "error": STRING,
}
# Said beforehand, as a file in which all pages were good would have no type for its errors.
ANSWERS = pyarrow.schema(list(PAGE.items()))


class FindPages:
    """What a worker does to its share of the files."""

    def __init__(self, read: bool = False) -> None:
        self.finder = WordFinder(threads=1)
        self.read = read

    def __call__(self, batch: dict[str, Any]) -> Iterator[pyarrow.Table]:
        """Take columns `path` and `bytes`, and yield a row for each page."""
        for path, content in zip(batch["path"], batch["bytes"], strict=True):
            for row in self.file(str(path), bytes(content)):
                yield pyarrow.Table.from_pylist([row], schema=ANSWERS)

    def file(self, path: str, content: bytes) -> Iterator[dict[str, Any]]:
        if not is_pdf(content):
            yield self.page(path, 1, partial(load_image, content, path))
            return
        try:
            with PdfFile(content, path) as pdf:
                for number in range(len(pdf)):
                    yield self.page(path, number + 1, partial(pdf.render, number))
        except ImageError as error:
            yield {"path": path, "error": error.reason}

    def page(self, path: str, number: int, load: Callable[[], Pixels]) -> dict[str, Any]:
        try:
            pixels = load()
            found = self.finder.find(pixels, path)
        except ImageError as error:
            return {"path": path, "page": number, "error": error.reason}
        return (read_page(found, pixels) if self.read else found).to_dict() | {"path": path, "page": number}


def find_pages(files: str, answers: str, workers: int, read: bool = False) -> None:
    """Find the words of all files of a folder. answers: a new folder. workers: finders at work at the same time."""
    pages = ray.data.read_binary_files(files, include_paths=True, num_cpus=READER).map_batches(
        FindPages,
        fn_constructor_args=(read,),
        batch_size=BATCH,
        compute=ray.data.ActorPoolStrategy(size=workers),
        num_cpus=WORKER,
    )
    pages.write_parquet(answers, ray_remote_args={"num_cpus": WRITER}, mode="error")


if __name__ == "__main__":
    folders = [each for each in sys.argv[1:] if each != "--read"]
    if len(folders) != 2:
        sys.exit(__doc__)
    ray.init()
    find_pages(*folders, workers=int(ray.cluster_resources()["CPU"]), read="--read" in sys.argv)
