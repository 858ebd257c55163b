"""Worker processes that end with their parent and import nothing from the current folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from threading import Thread
from typing import Any

PERIOD = 0.5  # seconds between a worker's checks for its parent


def worker_pool(
    workers: int,
    initializer: Callable[..., object] | None = None,
    initargs: tuple[Any, ...] = (),
    method: str = "spawn",
) -> ProcessPoolExecutor:
    """Return a pool of `workers` processes with `safe_path` and `end_with_parent`.

    initializer, initargs: called first in each process. method: how processes are started, "spawn" or "fork".
    """
    safe_path()
    return ProcessPoolExecutor(workers, get_context(method), _start, (initializer, initargs))


def safe_path() -> None:
    """Keep the current folder off the import path of every Python process that this process starts.

    multiprocessing starts its processes by `python -c`, which looks for modules in the current folder first. So it
    would run a signal.py among somebody's images. Python reads the variable PYTHONSAFEPATH from 3.11 on.
    """
    os.environ["PYTHONSAFEPATH"] = "1"


def end_with_parent() -> None:
    """End this process, started by multiprocessing, within a second of its parent's end, whatever the cause.

    The process ends without clean-up, in the middle of its work.
    """
    Thread(target=_watch, args=(os.getppid(),), daemon=True).start()


def _watch(parent: int) -> None:
    started_by = parent_process()
    assert started_by is not None, "end_with_parent is for processes that multiprocessing started"
    # The sentinel alone is not enough: processes that the parent forked later hold its other end open. The parent's
    # process id does not suffice either: it never changes on Windows.
    while not wait([started_by.sentinel], PERIOD) and os.getppid() == parent:
        pass
    os._exit(1)


def _start(initializer: Callable[..., object] | None, initargs: tuple[Any, ...]) -> None:
    end_with_parent()
    if initializer is not None:
        initializer(*initargs)
