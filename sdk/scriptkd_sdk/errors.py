"""The errors that scriptkd raises on purpose; everything else that escapes is a bug."""


class ScriptkdError(Exception):
    """Base of all of scriptkd's own errors; the message is one sentence meant for the user."""


class ImageError(ScriptkdError):
    """An image that cannot be read or used; the message names the image and the reason."""


class ModelError(ScriptkdError):
    """A model file that is missing, broken or not written for this version of the SDK."""


class ArgumentError(ScriptkdError, ValueError):
    """A wrong argument; the message says what was given and what is allowed."""
