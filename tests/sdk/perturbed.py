"""Reads images in a process whose fresh memory is filled with a chosen byte.

With MALLOC_PERTURB_ in the environment, glibc fills memory when it is allocated and when it is freed. A picture that
holds uninitialised memory then differs between two processes with two bytes. Without glibc nothing is filled.
"""

import hashlib
import os
import struct
import subprocess
import sys
from types import TracebackType
from typing import Self

VALUES = (85, 170)


class Reader:
    """A process that reads images one after another, and says for each what it has read."""

    def __init__(self, value: int) -> None:
        environment = {**os.environ, "MALLOC_PERTURB_": str(value)}
        pipe = subprocess.PIPE
        self.process = subprocess.Popen([sys.executable, __file__], stdin=pipe, stdout=pipe, env=environment)
        assert self.process.stdin and self.process.stdout
        self.images, self.digests = self.process.stdin, self.process.stdout

    def send(self, data: bytes) -> None:
        self.images.write(struct.pack("<I", len(data)) + data)
        self.images.flush()

    def receive(self) -> bytes:
        """The digest of what came of the image: of its pixels, or of the error."""
        digest = self.digests.read(hashlib.sha256().digest_size)
        assert digest, f"reading an image ended the process with status {self.process.wait()}"
        return digest

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.images.close()
        self.process.wait()
        self.digests.close()


def answer() -> None:
    from scriptkd_sdk.errors import ImageError
    from scriptkd_sdk.images import load_image

    while length := sys.stdin.buffer.read(4):
        data = sys.stdin.buffer.read(*struct.unpack("<I", length))
        try:
            pixels = load_image(data)
            read = repr(pixels.shape).encode() + pixels.tobytes()
        except ImageError as error:
            read = str(error).encode()
        sys.stdout.buffer.write(hashlib.sha256(read).digest())
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    answer()
