"""Identifying a long list of images in order, in this process or in several."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from itertools import islice

from scriptkd_sdk.errors import ImageError, ScriptkdError
from scriptkd_sdk.files import Source
from scriptkd_sdk.identifier import ScriptIdentifier
from scriptkd_sdk.prediction import Prediction
from scriptkd_sdk.processes import worker_pool

CHUNK = 64  # images that a process gets at a time
AHEAD = 3  # chunks that may wait for each process, which bounds memory for any length of list

Answer = Prediction | ImageError


def identify_sources(
    sources: Iterable[Source], model: str | None, threshold: float | None, workers: int, upright: bool = False
) -> Iterator[tuple[Source, Answer]]:
    """Yield every source with its answer, in order. The answer to an image that cannot be used is its ImageError.

    workers: processes, each with its own model; with 1, this process does the work.
    Raises ModelError and ArgumentError at once, and ScriptkdError if a process dies.
    """
    identifier = ScriptIdentifier(model)
    identifier.identify_stream(
        [], threshold=threshold, upright=upright
    )  # wrong arguments raise here, before any process starts
    chunks = _chunks(iter(sources))
    if workers == 1:
        return _alone(identifier, chunks, threshold, upright)
    return _together(chunks, model, threshold, upright, workers)


def _chunks(sources: Iterator[Source]) -> Iterator[list[Source]]:
    while chunk := list(islice(sources, CHUNK)):
        yield chunk


def _alone(
    identifier: ScriptIdentifier, chunks: Iterator[list[Source]], threshold: float | None, upright: bool
) -> Iterator[tuple[Source, Answer]]:
    for chunk in chunks:
        yield from zip(chunk, _answer(identifier, chunk, threshold, upright), strict=True)


def _answer(identifier: ScriptIdentifier, chunk: list[Source], threshold: float | None, upright: bool) -> list[Answer]:
    images = [source.image for source in chunk if not isinstance(source.image, ImageError)]
    answers = iter(identifier.identify_batch(images, threshold=threshold, upright=upright))
    return [source.image if isinstance(source.image, ImageError) else next(answers) for source in chunk]


_identifier: ScriptIdentifier  # a worker process's own


def _start(model: str | None) -> None:
    global _identifier
    _identifier = ScriptIdentifier(model)


def _work(chunk: list[Source], threshold: float | None, upright: bool) -> list[Answer]:
    return _answer(_identifier, chunk, threshold, upright)


def _together(
    chunks: Iterator[list[Source]], model: str | None, threshold: float | None, upright: bool, workers: int
) -> Iterator[tuple[Source, Answer]]:
    waiting: deque[tuple[list[Source], Future[list[Answer]]]] = deque()
    with worker_pool(workers, _start, (model,)) as pool:
        try:
            for chunk in chunks:
                waiting.append((chunk, pool.submit(_work, chunk, threshold, upright)))
                if len(waiting) > AHEAD * workers:
                    yield from _taken(waiting)
            while waiting:
                yield from _taken(waiting)
        except BrokenProcessPool as error:
            raise ScriptkdError("a worker process died, perhaps for want of memory; use fewer --workers") from error
        finally:
            pool.shutdown(cancel_futures=True)


def _taken(waiting: deque[tuple[list[Source], Future[list[Answer]]]]) -> Iterator[tuple[Source, Answer]]:
    chunk, future = waiting.popleft()
    yield from zip(chunk, future.result(), strict=True)
