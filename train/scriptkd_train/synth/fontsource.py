"""Open fonts from npm and PyPI packages, beyond those of a distribution.

Most are @fontsource packages, with one woff2 file per script, weight and style. The files are converted to TrueType,
since FreeType needs a brotli build to open woff2. The licence of every package is written beside the fonts.
"""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from scriptkd_sdk.errors import ArgumentError

# fontsource's names of subsets for the scripts. Han, Kana and Hangul come in a hundred numbered pieces per face, so
# they are left to the distribution's fonts.
SUBSETS = {
    "arabic", "armenian", "bengali", "cyrillic", "devanagari", "ethiopic", "georgian", "greek", "gujarati", "gurmukhi",
    "hebrew", "kannada", "khmer", "lao", "latin", "malayalam", "myanmar", "odia", "oriya", "sinhala", "tamil", "telugu",
    "thai", "tibetan",
}  # fmt: skip
_FILE = re.compile(r"-(?P<subset>[a-z]+)-(?P<weight>\d{3})-normal\.woff2$")
_WIDTH_FILE = re.compile(r"-(?P<subset>[a-z]+)-wdth-normal\.woff2$")
_WEIGHTS = 3  # the lightest, middle and heaviest weight represent a family well enough
_OPEN = {"OFL": re.compile(r"Open Font Licen[cs]e"), "GPL": re.compile(r"General Public Licen[cs]e|GNU GPL")}
_COPYRIGHT, _LICENCE = 0, 13  # records of a font's name table


def packages() -> list[str]:
    """The packages to fetch, from fontsource.txt beside this file.

    `NAME` is npm's @fontsource/NAME, `variable/NAME` its @fontsource-variable/NAME and `pypi/NAME` a wheel.
    """
    text = resources.files(__package__).joinpath("fontsource.txt").read_text()
    return sorted({word for line in text.splitlines() for word in line.partition("#")[0].split()})


def fetch_fonts(out: Path, report: Callable[[str, str], None]) -> int:
    """Fetch every package that `out` does not hold yet. Returns the number of font files in `out`.

    Calls `report(package, outcome)` for each package. A package that cannot be fetched is reported and skipped.

    Raises:
        ArgumentError: npm is not installed.
    """
    if shutil.which("npm") is None:
        raise ArgumentError("npm was not found; install the package npm, or train on the installed fonts alone")
    out.mkdir(parents=True, exist_ok=True)
    table = out / "LICENSES.csv"
    known = dict(_read_licences(table))
    todo = [name for name in packages() if name not in known]
    with ThreadPoolExecutor(4) as pool:  # threads, since npm mostly waits for the network
        for name, outcome in zip(todo, pool.map(lambda name: _fetch(name, out), todo), strict=True):
            if outcome is not None:
                known[name] = outcome
            report(name, outcome or "could not be fetched")
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["package", "licence"])
        writer.writerows(sorted(known.items()))
    return len(list(out.glob("*.ttf")))


def _read_licences(table: Path) -> Iterator[tuple[str, str]]:
    if table.exists():
        with table.open(newline="") as file:
            yield from ((row["package"], row["licence"]) for row in csv.DictReader(file))


def _fetch(entry: str, out: Path) -> str | None:
    """Download one package and unpack its fonts to `out`. Returns `version, licence`, or None if that failed."""
    kind, _, name = entry.rpartition("/")
    command = {
        "": ["npm", "pack", "--silent", f"@fontsource/{name}"],
        "variable": ["npm", "pack", "--silent", f"@fontsource-variable/{name}"],
        "pypi": [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", name],
    }[kind]
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(2):  # a second try, since registries sometimes fail
            if subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0:
                break
        archives = [path for path in Path(folder).iterdir() if path.suffix in (".tgz", ".whl")]
        if not archives:
            return None
        return unpack_wheel(archives[0], name, out) if kind == "pypi" else unpack(archives[0], name, out)


def unpack(archive: Path, name: str, out: Path) -> str:
    """Write the wanted faces of one npm archive to `out` as TrueType files. Returns `version, licence`.

    A family with a width axis gives its narrowest and its widest faces, each in three weights.
    """
    from fontTools.ttLib import TTFont  # imported here, since the list of packages is read without it

    with tarfile.open(archive) as package:
        members = {member.name: member for member in package.getmembers() if member.isfile()}

        def read(path: str) -> BytesIO:
            return BytesIO(package.extractfile(members[path]).read())  # type: ignore[union-attr]

        manifest = json.load(read("package/package.json"))
        faces: dict[str, dict[int, str]] = {}
        for path in members:
            match = _FILE.search(path)
            if match and match["subset"] in SUBSETS:
                faces.setdefault(match["subset"], {})[int(match["weight"])] = path
            match = _WIDTH_FILE.search(path)
            if match and match["subset"] in SUBSETS:
                for style, instance in _width_instances(read(path)):
                    _save(instance, out / f"{name}-{match['subset']}-{style}.ttf")
        for subset, by_weight in faces.items():
            weights = sorted(by_weight)
            for weight in {weights[0], weights[len(weights) // 2], weights[-1]} if len(weights) > _WEIGHTS else weights:
                _save(TTFont(read(by_weight[weight])), out / f"{name}-{subset}-{weight}.ttf")
    return f"{manifest['version']}, {manifest.get('license', 'unstated')}"


def _width_instances(data: BytesIO) -> Iterator[tuple[str, Any]]:
    """(`width-weight`, font) for both ends of the width axis, each in the smallest, default and largest weight."""
    from fontTools.ttLib import TTFont
    from fontTools.varLib.instancer import instantiateVariableFont

    axes = {axis.axisTag: axis for axis in TTFont(data)["fvar"].axes}
    width, weight = axes["wdth"], axes["wght"]
    for wdth in sorted({width.minValue, width.maxValue} - {width.defaultValue}):
        for wght in sorted({weight.minValue, weight.defaultValue, weight.maxValue}):
            font = instantiateVariableFont(TTFont(data), {tag: axis.defaultValue for tag, axis in axes.items()} | {
                "wdth": wdth, "wght": wght,
            })  # fmt: skip
            yield f"{wdth:g}-{wght:g}", font


def unpack_wheel(archive: Path, name: str, out: Path) -> str:
    """Copy the fonts of a wheel whose own licence record is open. Returns `version, licences`."""
    from fontTools.ttLib import TTFont

    licences = []
    with ZipFile(archive) as package:
        for path in sorted(package.namelist()):
            if not path.endswith(".ttf"):
                continue
            font = TTFont(BytesIO(package.read(path)))
            stated = " ".join(font["name"].getDebugName(record) or "" for record in (_LICENCE, _COPYRIGHT))
            licence = next((short for short, pattern in _OPEN.items() if pattern.search(stated)), None)
            if licence:
                licences.append(f"{Path(path).name}: {licence}")
                _save(font, out / f"{name}-{Path(path).name}")
    return f"{archive.name.split('-')[1]}, {'; '.join(licences) or 'no open font'}"


def _save(font: Any, path: Path) -> None:
    font.flavor = None
    font.save(path)
