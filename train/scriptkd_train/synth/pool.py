"""The processes that draw pictures. They start no threads, end with their parent, and report a full disk clearly."""

from __future__ import annotations

import errno
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any

import cv2

from scriptkd_sdk.errors import ScriptkdError
from scriptkd_sdk.processes import worker_pool
from scriptkd_train.synth.words import hand_over, words


def draw_chunks(
    draw: Callable[..., int],
    tasks: Iterable[tuple[Any, ...]],
    scripts: Iterable[str],
    workers: int,
    progress: Callable[[int], None],
) -> None:
    """Draw all pictures of a set, in chunks.

    The processes are spawned, not forked, since a fork of a process with threads, as of torch or onnxruntime, may hang.

    Args:
        draw: a module-level function that draws one chunk, and returns its number of pictures.
        tasks: the arguments of `draw` for each chunk.
        scripts: the scripts whose words `draw` may need. This process reads their dictionaries once for all, since that
            takes seconds.
        workers: number of drawing processes.
        progress: called with the number of newly drawn pictures.

    Raises:
        ScriptkdError: the disk is full, or a process died.
        OSError: a picture cannot be written, for another reason than a full disk.
    """
    pool = worker_pool(workers, _start, ({name: words(name) for name in scripts},))
    try:
        with _interrupts_held():
            counts = pool.map(draw, *zip(*tasks, strict=True))
        for done in counts:
            progress(done)
    except BrokenProcessPool as error:
        raise ScriptkdError(
            "a worker process died, perhaps for lack of memory; run the command again with fewer --workers to resume"
        ) from error
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise ScriptkdError(
            f"{error.filename}: {error.strerror}; free some space, then run the command again to resume"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Processes started inside the block do not receive Ctrl-C from the terminal, so only this process handles it."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start(known: Mapping[str, tuple[str, ...]]) -> None:
    cv2.setNumThreads(1)  # one process per core, so more threads would only compete
    hand_over(known)
