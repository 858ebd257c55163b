"""Fonts by licence: for Debian's packages from their copyright files, for folders from the table inside."""

from __future__ import annotations

import csv
import re
import subprocess
from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path

from scriptkd_sdk.errors import ArgumentError

GPL, GPL_WITH_EXCEPTION = "GPL", "GPL with font exception"
OTHER, UNREAD = "others", "told in words alone"
# Ordered: a package that offers a choice counts under the first match. Packages spell licences differently.
_FAMILIES = (
    ("OFL", r"OFL|open.font|\bSIL\b"),
    ("Apache", r"apache"),
    ("MIT, BSD and the like", r"\bMIT\b|BSD|X11|expat|permissive|bitstream"),
    ("public domain, CC0", r"public.domain|CC0"),
    ("UFL", r"UFL|ubuntu"),
    ("LPPL", r"LPPL|LaTeX"),
    ("CC-BY, CC-BY-SA", r"CC-BY"),
    (GPL_WITH_EXCEPTION, r"GPL.*(fonts?.?exception|FE\b)"),
    ("LGPL", r"LGPL|lesser"),
    (GPL, r"GPL|general public"),
)
FAMILIES = (*(name for name, _ in _FAMILIES), OTHER, UNREAD)
_FONT_SUFFIXES = (".ttf", ".otf", ".ttc", ".otc", ".pfb")
_FONTS, _COPYRIGHTS = "/usr/share/fonts/*", Path("/usr/share/doc")


def family_of(licence: str) -> str:
    """The licence family, one of FAMILIES, for a licence in any spelling."""
    return next((name for name, pattern in _FAMILIES if re.search(pattern, licence, re.IGNORECASE)), OTHER)


def folder_licences(folder: Path) -> Counter[str]:
    """Licence family -> number of font packages or families in a folder. A font under several licences counts for each.

    The folder's table is `LICENSES.csv`, which `scriptkd data fonts` writes, or a `manifest.csv` with the columns
    family and licence.

    Raises:
        ArgumentError: there is no such table, or it cannot be read.
    """
    table = folder / "LICENSES.csv"
    name = "package"
    if not table.is_file() and (folder / "manifest.csv").is_file():
        table, name = folder / "manifest.csv", "family"
    licences: dict[str, set[str]] = {}
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                stated = row["licence"]
                if name == "package":  # "5.3.0, OFL-1.1", or "0.1.2, a.ttf: GPL; b.ttf: OFL"
                    stated = stated.partition(", ")[2]
                each = (part.rpartition(": ")[2] for part in stated.split("; "))
                licences.setdefault(row[name], set()).update(map(family_of, each))
    except (OSError, KeyError, AttributeError, UnicodeDecodeError) as error:
        raise ArgumentError(f"cannot read the fonts' licences from {table}: {error}") from error
    return _counted(licences.values())


def debian_licences() -> Counter[str]:
    """Licence family -> number of installed Debian font packages; empty on other systems."""
    try:
        listed = subprocess.run(["dpkg-query", "-S", _FONTS], capture_output=True, text=True, check=False).stdout
    except OSError:
        return Counter()
    lines = (line.partition(": ") for line in listed.splitlines())
    owners = (names for names, _, path in lines if path.lower().endswith(_FONT_SUFFIXES))
    packages = {name.partition(":")[0] for names in owners for name in names.split(", ")}
    return _counted(copyright_licences(_COPYRIGHTS / package / "copyright") for package in packages)


def copyright_licences(path: Path) -> Collection[str]:
    """The licence families in a Debian package's copyright file, without the licence of Debian's own files."""
    try:
        text = path.read_text("utf-8", "replace")
    except OSError:
        return {UNREAD}
    found = set()
    for paragraph in re.split(r"\n\s*\n", text) if re.match(r"\s*Format", text) else ():
        files = re.search(r"^Files:((?:.*)(?:\n[ \t].*)*)", paragraph, re.MULTILINE)
        licence = re.search(r"^Licen[sc]e:[ \t]*(\S.*)", paragraph, re.MULTILINE)
        if files and licence and not all(each.startswith("debian/") for each in files[1].split()):
            found |= {family_of(each) for each in re.split(r"[ -]and[ -]", licence[1])}
    return found or {UNREAD}


def _counted(packages: Iterable[Collection[str]]) -> Counter[str]:
    return Counter(family for families in packages for family in families)
