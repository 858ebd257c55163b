"""The errors that scriptkd raises on purpose; everything else that escapes is a bug."""

# Line breaks and what steers a terminal.
_CONTROLS = {code: ascii(chr(code))[1:-1] for code in (*range(32), *range(127, 160), 0x2028, 0x2029)}


def one_line(text: str) -> str:
    """Text on one line that cannot steer a terminal, as a name from elsewhere could: control characters escaped."""
    return text.translate(_CONTROLS)


class ScriptkdError(Exception):
    """Base of all of scriptkd's own errors; the message is one sentence meant for the user."""


class ImageError(ScriptkdError):
    """An image that cannot be read or used.

    The message is "name: reason", on one line.

    Attributes:
        reason: why, in one sentence on one line.
        name: which image: its path, or "image 3" of a batch; None for one without a name.
    """

    def __init__(self, reason: str, name: str | None = None) -> None:
        self.reason = one_line(reason)
        super().__init__(f"{one_line(name)}: {self.reason}" if name else self.reason)
        self.name = name

    def __reduce__(self) -> tuple[type["ImageError"], tuple[str, str | None]]:
        return type(self), (self.reason, self.name)  # so that it survives the way out of a worker process


class ModelError(ScriptkdError):
    """A model file that is missing, broken or not written for this version of the SDK."""


class ArgumentError(ScriptkdError, ValueError):
    """A wrong argument; the message says what was given and what is allowed."""


class ClosedError(ScriptkdError, ValueError):
    """An identifier that is used after its `close()`."""
