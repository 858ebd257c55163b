"""The errors that scriptkd raises on purpose. Any other exception is a bug."""

# Line breaks and characters that control a terminal.
_CONTROLS = {code: ascii(chr(code))[1:-1] for code in (*range(32), *range(127, 160), 0x2028, 0x2029)}


def one_line(text: str) -> str:
    """Escape control characters, so that a file's name fits on one line and cannot control a terminal."""
    return text.translate(_CONTROLS)


class ScriptkdError(Exception):
    """Base of all errors of scriptkd. The message is one sentence for the user."""


class ImageError(ScriptkdError):
    """An image cannot be read or used.

    The message is "name: reason", on one line.

    Attributes:
        reason: the reason, in one sentence on one line.
        name: the image's path, or "image 3" in a batch; None for an image without a name.
    """

    def __init__(self, reason: str, name: str | None = None) -> None:
        self.reason = one_line(reason)
        super().__init__(f"{one_line(name)}: {self.reason}" if name else self.reason)
        self.name = name

    def __reduce__(self) -> tuple[type["ImageError"], tuple[str, str | None]]:
        return type(self), (self.reason, self.name)  # so that a worker process can pickle it


class ModelError(ScriptkdError):
    """A model file is missing, broken or not written for this version of the SDK."""


class ArgumentError(ScriptkdError, ValueError):
    """An argument is wrong. The message says what was given and what is allowed."""


class ClosedError(ScriptkdError, ValueError):
    """An identifier was used after its `close()`."""
