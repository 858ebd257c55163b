"""The errors that scriptkd raises on purpose; everything else that escapes is a bug."""


class ScriptkdError(Exception):
    """Base of all of scriptkd's own errors; the message is one sentence meant for the user."""


class ImageError(ScriptkdError):
    """An image that cannot be read or used.

    `reason` says why, `name` which image (its path, or "image 3" of a batch; None for one without a name), and the
    message is "name: reason".
    """

    def __init__(self, reason: str, name: str | None = None) -> None:
        super().__init__(f"{name}: {reason}" if name else reason)
        self.reason = reason
        self.name = name

    def __reduce__(self) -> tuple[type["ImageError"], tuple[str, str | None]]:
        return type(self), (self.reason, self.name)  # so that it survives the way out of a worker process


class ModelError(ScriptkdError):
    """A model file that is missing, broken or not written for this version of the SDK."""


class ArgumentError(ScriptkdError, ValueError):
    """A wrong argument; the message says what was given and what is allowed."""


class ClosedError(ScriptkdError, ValueError):
    """An identifier that is used after its `close()`."""
