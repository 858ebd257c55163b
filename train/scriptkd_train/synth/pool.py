"""The processes that draw pictures: they hold no threads, end with their parent and leave a full disk to be named."""

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

    The processes are spawned, not forked: a fork of a process with threads, as torch and onnxruntime start them, may
    wait for ever.

    Args:
        draw: draws one chunk, and returns how many pictures that was; a module's function.
        tasks: its arguments for each chunk.
        scripts: those whose words it may ask for; reading dictionaries takes seconds, so this process does it for all.
        workers: how many processes draw.
        progress: called with the number of pictures just done.

    Raises:
        ScriptkdError: the disk is full, or a process died.
        OSError: a picture cannot be written for another reason.
    """
    pool = worker_pool(workers, _start, ({name: words(name) for name in scripts},))
    try:
        with _interrupts_held():
            counts = pool.map(draw, *zip(*tasks, strict=True))
        for done in counts:
            progress(done)
    except BrokenProcessPool as error:
        raise ScriptkdError(
            "a worker process died, perhaps for want of memory; the same command with fewer --workers goes on"
        ) from error
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise ScriptkdError(
            f"{error.filename}: {error.strerror}; when there is room, the same command goes on where this one stopped"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Ctrl-C, which reaches all processes of a terminal, is for this one: those started within never hear of it."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start(known: Mapping[str, tuple[str, ...]]) -> None:
    cv2.setNumThreads(1)  # one process a core: threads inside each would only fight
    hand_over(known)
