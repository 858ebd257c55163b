"""Resumable work on the files of a folder: a picture, JSON and other formats are written for each page."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2

from scriptkd_page.finding import WordFinder
from scriptkd_page.markup import alto, hocr
from scriptkd_page.page import Page
from scriptkd_page.pdf import PdfFile, replace_file, write_searchable
from scriptkd_page.picture import draw
from scriptkd_page.reading import read_page
from scriptkd_page.sources import Source
from scriptkd_sdk.errors import ImageError
from scriptkd_sdk.images import Pixels, load_image
from scriptkd_sdk.modelfile import model_path

FORMATS = {"alto": (".alto.xml", alto), "hocr": (".hocr", hocr)}
SEARCHABLE = ".searchable.pdf"


@dataclass(frozen=True)
class Job:
    """The task. out: the folder to write to. formats: some of "alto", "hocr" and "pdf", which needs `read`."""

    out: Path
    model: str | Path
    read: bool
    formats: frozenset[str]


@dataclass(frozen=True)
class Done:
    """A page that is done, now or by an earlier run, or the reason why a file or page could not be used."""

    name: str
    page: Page | ImageError
    earlier: bool = False


class Work:
    """Does a job, file by file.

    A page's JSON is written last. If it exists, for the same model, `read` and source, the page is done. A page with an
    error, or with a word that no reader took, is tried again.
    """

    def __init__(self, job: Job) -> None:
        """Open the models; raises ModelError for a script model that is missing or unfit."""
        self._job = job
        self._finder = WordFinder(job.model)
        self._model = hashlib.sha256(model_path(job.model).read_bytes()).hexdigest()
        self._taken: set[Path] = set()

    def do(self, source: Source) -> Iterator[Done]:
        """Yield a file's pages, as they are done; raises ModelError if the detector is not at hand."""
        name = str(source.path)
        if source.name in self._taken:
            reason = f"another file of this name has its output in {self._job.out}; give this one another --out"
            yield Done(name, ImageError(reason, name))
            return
        self._taken.add(source.name)
        stem = self._job.out / source.name
        stem.parent.mkdir(parents=True, exist_ok=True)
        if source.is_pdf:
            try:
                with PdfFile(source.path) as file:
                    yield from self._pdf(file, name, stem, self._made(source))
            except ImageError as error:
                yield _failed(name, stem, error)
            return
        load = partial(load_image, source.path)
        done = self._page(name, stem, load, self._made(source))
        if isinstance(done.page, Page) and "pdf" in self._job.formats:
            _searchable([(0, done)], load, stem)
        yield done

    def _made(self, source: Source) -> dict[str, object]:
        """The settings stored in a page's JSON. If any of them changed, the page is done again."""
        try:
            status = source.path.stat()
        except OSError:  # the loader says why
            return {}
        told = {"bytes": status.st_size, "modified": status.st_mtime_ns}
        return {"model": self._model, "read": self._job.read, **told}

    def _pdf(self, file: PdfFile, name: str, stem: Path, made: dict[str, object]) -> Iterator[Done]:
        finished = []
        for number in range(len(file)):
            called, own = f"{name}, page {number + 1}", stem.with_name(f"{stem.name}-{number + 1:04}")
            done = self._page(called, own, partial(file.render, number), made)
            finished.append((number, done))
            yield done
        if "pdf" in self._job.formats:
            _searchable(finished, lambda: file, stem)

    def _page(self, name: str, stem: Path, load: Callable[[], Pixels], made: dict[str, object]) -> Done:
        page = _earlier(stem, made)
        earlier = page is not None
        if page is None:
            try:
                pixels = load()
                page = self._finder.find(pixels, name)
            except ImageError as error:
                return _failed(name, stem, error)
            if self._job.read:
                page = read_page(page, pixels)
            _write_picture(stem, draw(page, pixels))
        for each in sorted(self._job.formats & FORMATS.keys()):
            suffix, write = FORMATS[each]
            replace_file(_file(stem, suffix), write(page))
        if not earlier:
            _write_json(stem, page.to_dict() | {"made": made})
        return Done(name, page, earlier)


def _failed(name: str, stem: Path, error: ImageError) -> Done:
    """An empty result, which says why."""
    _write_json(stem, {"name": name, "error": error.reason, "words": []})
    return Done(name, error)


def _earlier(stem: Path, made: dict[str, object]) -> Page | None:
    try:
        fields = json.loads(_file(stem, ".json").read_text("utf-8"))
        if "error" in fields or fields["made"] != made:
            return None
        page = Page.from_dict(fields)
    except (OSError, ValueError, KeyError, TypeError):  # none, or not one of ours
        return None
    unread = made["read"] and any(word.text is None for word in page.words)
    return None if unread else page


def _searchable(finished: list[tuple[int, Done]], source: Callable[[], PdfFile | Pixels], stem: Path) -> None:
    path = _file(stem, SEARCHABLE)
    if path.exists() and all(done.earlier for _, done in finished):
        return
    write_searchable([(number, done.page) for number, done in finished if isinstance(done.page, Page)], source(), path)


def _file(stem: Path, suffix: str) -> Path:
    return stem.with_name(stem.name + suffix)


def _write_json(stem: Path, fields: dict[str, object]) -> None:
    content = json.dumps(fields, ensure_ascii=False) + "\n"
    replace_file(_file(stem, ".json"), content.encode("utf-8", "replace"))


def _write_picture(stem: Path, picture: Pixels) -> None:
    _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 90])
    replace_file(_file(stem, ".boxes.jpg"), jpeg.tobytes())
