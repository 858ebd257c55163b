"""All imports, also those inside functions, go in the direction of the diagram in CONTRIBUTING.md.

The files are parsed, never imported, so nothing needs to be installed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = {
    "scriptkd_program": "sdk",
    "scriptkd_sdk": "sdk",
    "scriptkd_page": "sdk",
    "scriptkd_train": "train",
    "scriptkd_export": "export",
    "scriptkd_bench": "benchmarks",
}


def chains() -> list[list[str]]:
    """The lines of CONTRIBUTING.md's diagram, each a list of names in which one may import those before it."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    lines = re.findall(r"^ *(\w+(?: <- \w+)+)", text, re.MULTILINE)
    return [line.split(" <- ") for line in lines]


PACKAGES, ROOMS = chains()  # a line of packages, then a line of the rooms of train


def imported(source: str, module: str, is_package: bool = False) -> Iterator[tuple[int, str]]:
    """Line and full name of whatever the source of a module imports, at the top or in a function."""
    package = module.split(".") if is_package else module.split(".")[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            start = ".".join([*above, node.module or ""]).strip(".")
            yield from ((node.lineno, f"{start}.{alias.name}") for alias in node.names)


def upward(source: str, module: str, is_package: bool = False) -> list[str]:
    """What the module imports although the diagram forbids it."""
    package, *inside = module.split(".")
    found = []
    for line, name in imported(source, module, is_package):
        other, *parts = name.split(".")
        if other not in FOLDERS:
            continue
        if other == package == "scriptkd_train":
            rooms = [room for room in (*inside[:1], *parts[:1]) if room in ROOMS]
            forbidden = len(rooms) == 2 and ROOMS.index(rooms[1]) > ROOMS.index(rooms[0])
        else:
            forbidden = PACKAGES.index(FOLDERS[other]) > PACKAGES.index(FOLDERS[package])
        if forbidden:
            found.append(f"{module}, line {line}: {name}")
    return found


def modules(package: str) -> Iterator[tuple[str, Path]]:
    folder = ROOT / FOLDERS[package]
    for path in sorted((folder / package).rglob("*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        yield ".".join(parts).removesuffix(".__init__"), path


@pytest.mark.parametrize("package", FOLDERS)
def test_imports_go_one_way(package: str) -> None:
    files = list(modules(package))
    assert files
    wrong = [
        each for module, path in files for each in upward(path.read_text("utf-8"), module, path.name == "__init__.py")
    ]
    assert not wrong, "against the diagram in CONTRIBUTING.md:\n" + "\n".join(wrong)


def test_the_diagram_names_all_packages_and_rooms() -> None:
    assert sorted(PACKAGES) == sorted(set(FOLDERS.values()))
    names = {module.split(".")[1] for module, _ in modules("scriptkd_train") if "." in module}
    assert sorted(ROOMS) == sorted(names)


def test_nothing_in_sdk_imports_what_lies_outside_it() -> None:
    """Its examples and tools too; the SDK itself never torch."""
    wrong = []
    for path in sorted((ROOT / "sdk").rglob("*.py")):
        if {"build", "node_modules"} & set(path.parts):
            continue
        for line, name in imported(path.read_text("utf-8"), "script"):
            first = name.split(".")[0]
            if first == "torch" or FOLDERS.get(first, "sdk") != "sdk":
                wrong.append(f"{path.relative_to(ROOT)}, line {line}: {name}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("module", "source", "allowed"),
    [
        ("scriptkd_sdk.images", "import scriptkd_train", False),
        ("scriptkd_sdk.images", "def late():\n    from scriptkd_export.verify import verify", False),
        ("scriptkd_train.recipe", "import scriptkd_bench.report", False),
        ("scriptkd_export.verify", "from scriptkd_train.models.networks import Network", True),
        ("scriptkd_train.losses.dkd", "from scriptkd_train.engine import chain", False),
        ("scriptkd_train.losses.dkd", "from ..engine.chain import train_chain", False),
        ("scriptkd_train.losses.dkd", "from .. import engine", False),
        ("scriptkd_train.losses.dkd", "from .paper import soft", True),
        ("scriptkd_train.engine.chain", "from ..losses import dkd", True),
        ("scriptkd_bench.report", "import scriptkd_sdk, scriptkd_train, scriptkd_export", True),
    ],
)
def test_an_import_against_the_diagram_is_found(module: str, source: str, allowed: bool) -> None:
    assert bool(upward(source, module)) is not allowed


def test_a_relative_import_of_a_package_starts_in_it() -> None:
    assert not upward("from .networks import base", "scriptkd_train.models", is_package=True)
    assert upward("from ..engine import chain", "scriptkd_train.models", is_package=True)
