"""A model's network, which also runs in forked processes and after pickling."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.modelfile import INPUT, open_exactly

Providers = Sequence[str | tuple[str, dict[str, Any]]]


class Network:
    """An onnxruntime session that can be opened again in another process.

    A session works only in the process that made it. After a fork, the child opens the model again at its first run. A
    pickle holds the model's name or absolute path, its SHA-256, the threads and the providers. Unpickling opens the
    model again. Both raise ModelError if the file is gone or has changed.

    info: the model file's metadata.
    """

    def __init__(
        self,
        model: str | Path | None,
        threads: int | None,
        providers: Providers | None,
        session_options: Any = None,
        sha256: str | None = None,
    ) -> None:
        """Open a model, with the arguments and errors of `modelfile.open_exactly`."""
        self._options = (threads, providers, session_options)
        opened = open_exactly(model, *self._options, sha256)
        self._session, self.info = opened.session, opened.info
        self._model, self._sha256 = opened.model, opened.sha256
        self._process = os.getpid()

    def run(self, images: npt.NDArray[np.uint8]) -> list[npt.NDArray[np.float32]]:
        """Return the logits [N, K] of images, in the shape that the network takes.

        In format 3 the logits of orientation, [N, 4], come second.
        """
        if self._process != os.getpid():
            self._session = open_exactly(self._model, *self._options, self._sha256).session
            self._process = os.getpid()  # set last, so that another thread never runs the parent's session
        answers: list[npt.NDArray[np.float32]] = self._session.run(self.info.outputs, {INPUT: images})
        return answers

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # copies share the network, whose state never changes its output

    def __reduce__(self) -> tuple[Callable[..., Network], tuple[Any, ...]]:
        threads, providers, session_options = self._options
        if session_options is not None:
            raise ArgumentError(
                "an identifier with session_options cannot be pickled, as onnxruntime's options cannot; "
                "make it with threads and providers"
            )
        return _unpickle, (self._model, self._sha256, threads, providers)


# The network that was unpickled last, and its pickle's content: a pool sends its worker the same identifier with every
# task.
_last: tuple[tuple[Any, ...], Network] | None = None


def _unpickle(model: str, sha256: str, threads: int | None, providers: Providers | None) -> Network:
    global _last
    origin = (model, sha256, threads, providers, _stamp(model))
    if _last is not None and _last[0] == origin:
        return _last[1]
    network = Network(model, threads, providers, sha256=sha256)
    _last = (origin, network)
    return network


def _stamp(model: str) -> tuple[int, ...] | None:
    """Return a stamp that changes when a file does; None if there is no file, as for a bundled model's name."""
    try:
        status = os.stat(model)
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
