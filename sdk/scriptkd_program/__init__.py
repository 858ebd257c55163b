"""The programs `scriptkd` and `scriptkd-export`. They handle Ctrl-C before they import anything slow.

Python raises KeyboardInterrupt anywhere, also during an import. The user would then see a page of traceback, or an
error of the library that was being loaded.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_INTERRUPTED = 128 + signal.SIGINT  # a shell's exit status for an interrupted program


def main() -> None:
    """Run `scriptkd`."""
    _run("main")


def export() -> None:
    """Run `scriptkd-export`."""
    _run("export")


def _run(program: str) -> None:
    try:
        with interruptible():
            from scriptkd_sdk import cli
        getattr(cli, program)()
    except KeyboardInterrupt:  # raised between the imports and the command, which handles its own
        _end()


@contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C end the process at once, with one word. For code with nothing to clean up, such as imports.

    If SIGINT is ignored, as in a shell's background jobs, it stays ignored.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _end(*_: object) -> None:
    if sys.stderr is not None:
        os.write(2, b"interrupted\n")
    os._exit(_INTERRUPTED)
