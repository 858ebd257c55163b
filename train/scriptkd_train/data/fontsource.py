"""More type than a distribution packages: open fonts of the @fontsource packages, fetched with npm.

Each package carries one woff2 file a script, weight and style. They are unpacked to TrueType, since FreeType needs a
brotli build to open woff2. The licence of every package is written beside the fonts.
"""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from io import BytesIO
from pathlib import Path

from scriptkd_sdk.errors import ArgumentError

# fontsource's subset names for the scripts. Han, Kana and Hangul come cut into a hundred numbered pieces a face: they
# are left to the distribution's fonts.
SUBSETS = {
    "arabic", "armenian", "bengali", "cyrillic", "devanagari", "ethiopic", "georgian", "greek", "gujarati", "gurmukhi",
    "hebrew", "kannada", "khmer", "lao", "latin", "malayalam", "myanmar", "odia", "oriya", "sinhala", "tamil", "telugu",
    "thai", "tibetan",
}  # fmt: skip
_FILE = re.compile(r"-(?P<subset>[a-z]+)-(?P<weight>\d{3})-normal\.woff2$")
_WEIGHTS = 3  # lightest, middle and heaviest of a family say enough of it


def packages() -> list[str]:
    """The package names to fetch, from fontsource.txt beside this file."""
    text = resources.files(__package__).joinpath("fontsource.txt").read_text()
    return sorted({word for line in text.splitlines() for word in line.partition("#")[0].split()})


def fetch_fonts(out: Path, report: Callable[[str, str], None]) -> int:
    """Fetches every package that `out` does not hold yet; returns how many font files lie there afterwards.

    Calls `report(package, outcome)` for each package. A package that cannot be fetched is reported and left out.

    Raises:
        ArgumentError: npm is not installed.
    """
    if shutil.which("npm") is None:
        raise ArgumentError("npm was not found; install the package npm, or train on the installed fonts alone")
    out.mkdir(parents=True, exist_ok=True)
    table = out / "LICENSES.csv"
    known = dict(_read_licences(table))
    todo = [name for name in packages() if name not in known]
    with ThreadPoolExecutor(4) as pool:  # npm waits for the network most of the time
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


def _fetch(name: str, out: Path) -> str | None:
    """Downloads one package and unpacks its fonts to `out`; returns `version, licence`, or None where npm failed."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", "--silent", f"@fontsource/{name}"]
        for _ in range(2):  # a second try, since registries stumble now and then
            if subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0:
                break
        archives = list(Path(folder).glob("*.tgz"))
        return unpack(archives[0], name, out) if archives else None


def unpack(archive: Path, name: str, out: Path) -> str:
    """Writes the wanted faces of one npm archive to `out` as TrueType files; returns `version, licence`."""
    from fontTools.ttLib import TTFont  # here, so that the module's list can be read without it

    with tarfile.open(archive) as package:
        members = {member.name: member for member in package.getmembers() if member.isfile()}
        manifest = json.load(package.extractfile(members["package/package.json"]))  # type: ignore[arg-type]
        faces: dict[str, dict[int, str]] = {}
        for path in members:
            match = _FILE.search(path)
            if match and match["subset"] in SUBSETS:
                faces.setdefault(match["subset"], {})[int(match["weight"])] = path
        for subset, by_weight in faces.items():
            weights = sorted(by_weight)
            for weight in {weights[0], weights[len(weights) // 2], weights[-1]} if len(weights) > _WEIGHTS else weights:
                font = TTFont(BytesIO(package.extractfile(members[by_weight[weight]]).read()))  # type: ignore[union-attr]
                font.flavor = None
                font.save(out / f"{name}-{subset}-{weight}.ttf")
    return f"{manifest['version']}, {manifest.get('license', 'unstated')}"
