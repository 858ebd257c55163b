"""Inputs on the command line: files, folders, patterns and standard input, and the errors in each."""

import io
import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from scriptkd_sdk import files
from scriptkd_sdk.errors import ImageError
from scriptkd_sdk.images import load_image

Run = Callable[..., tuple[int, str, str]]


def test_standard_input(run: Run, folder: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = io.BytesIO((folder / "b.png").read_bytes())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(content))
    status, out, _ = run("identify", folder / "a.JPG", "-", "--model", model, "--format", "{file} {script}")
    assert (status, out.splitlines()) == (0, [f"{folder}/a.JPG Arabic", "- Latin"])
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    assert run("identify", "-", "--model", model) == (1, "", "error: -: empty: no bytes at all\n")
    monkeypatch.setattr(sys, "stdin", None)
    assert run("identify", "-", "--model", model) == (1, "", "error: -: standard input is closed\n")
    with open(os.devnull, "w") as writing:
        monkeypatch.setattr(sys, "stdin", writing)
        assert run("identify", "-", "--model", model) == (1, "", "error: -: cannot be read: read\n")


def test_patterns(run: Run, folder: Path, model: Path) -> None:
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "deep" / "er" / "d.png").write_bytes((folder / "b.png").read_bytes())
    (folder / "odd[1].png").write_bytes((folder / "b.png").read_bytes())
    base = ("--model", model, "--format", "{file}")
    assert run("identify", folder / "*.png", *base)[1].splitlines() == [f"{folder}/b.png", f"{folder}/odd[1].png"]
    assert run("identify", folder / "**" / "d.*", *base)[1].splitlines() == [f"{folder}/deep/er/d.png"]
    assert run("identify", folder / "odd[1].png", *base)[1].splitlines() == [f"{folder}/odd[1].png"]
    status, out, err = run("identify", folder / "*.bmp", folder / "b.png", *base)
    assert (status, out) == (1, f"{folder}/b.png\n")
    assert err == f"error: {folder}/*.bmp: no file matches this pattern\n"


def test_patterns_do_not_follow_links_to_folders(run: Run, folder: Path, model: Path) -> None:
    """Two that lead back would be 2^40 paths."""
    for name in ("one", "two"):
        (folder / name).symlink_to(folder)
    (folder / "sub" / ".hidden").mkdir(parents=True)
    for name in ("sub/e.png", "sub/.hidden/f.png"):
        (folder / name).write_bytes((folder / "b.png").read_bytes())
    base = ("--model", model, "--format", "{file}")
    for pattern in (f"{folder}/**/*.png", f"{folder.parent}/w*/**/*.png"):
        assert run("identify", pattern, *base)[1].splitlines() == [f"{folder}/b.png", f"{folder}/sub/e.png"]
    (folder / "notes.txt").unlink()
    found = run("identify", f"{folder}/**", *base)
    assert found == (0, f"{folder}/a.JPG\n{folder}/b.png\n{folder}/sub/e.png\n", "")
    assert run("identify", f"{folder}/one/*.png", *base)[1] == f"{folder}/one/b.png\n"


def test_patterns_from_here(run: Run, folder: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    assert run("identify", "**/*.png", "--model", model, "--format", "{file}")[1] == "words/b.png\n"


def test_file_names_that_play_tricks_on_a_terminal(run: Run, folder: Path, model: Path) -> None:
    (folder / "b.png").rename(folder / "b\n\x1b[31m.png")
    (folder / "c\n.png").touch()
    status, out, err = run("identify", folder, "--model", model)
    assert status == 1
    assert rf"{folder}/b\n\x1b[31m.png " in out and len(out.splitlines()) == 3
    assert err == f"error: {folder}/c\\n.png: empty: no bytes at all\n"
    with pytest.raises(ImageError) as caught:
        load_image(folder / "c\n.png")
    assert str(caught.value) == f"{folder}/c\\n.png: empty: no bytes at all"
    assert caught.value.name == f"{folder}/c\n.png"


def test_folders_of_folders(run: Run, folder: Path, model: Path) -> None:
    """With all that can go wrong in them: loops, links to nothing, folders named like images, hidden ones."""
    image = (folder / "b.png").read_bytes()
    for name in ("sub/deeper", "sub/empty", "scan.jpg", ".hidden"):
        (folder / name).mkdir(parents=True)
    for name in ("sub/deeper/e.png", "scan.jpg/page.png", ".hidden/f.png"):
        (folder / name).write_bytes(image)
    (folder / "sub" / "round").symlink_to(folder)  # a loop of folders
    (folder / "sub" / "loop.png").symlink_to(folder / "sub" / "loop.png")
    (folder / "sub" / "gone.png").symlink_to(folder / "nothing.png")
    (folder / "sub" / "link.png").symlink_to(folder / "b.png")
    base = ("identify", folder, "--model", model, "--format", "{file}")
    status, out, err = run(*base)
    assert (status, out.splitlines(), err) == (0, [f"{folder}/a.JPG", f"{folder}/b.png"], "")
    status, out, err = run(*base, "-r")
    found = ["a.JPG", "b.png", "scan.jpg/page.png", "sub/link.png", "sub/deeper/e.png"]
    assert (status, out.splitlines()) == (1, [f"{folder}/{name}" for name in found])
    assert sorted(err.splitlines()) == [
        f"error: {folder}/sub/gone.png: no such file",
        f"error: {folder}/sub/loop.png: cannot be read: Too many levels of symbolic links",
    ]
    status, out, err = run("identify", folder / "sub" / "empty", folder / "scan.jpg", "--recursive", "--model", model)
    assert (status, len(out.splitlines())) == (1, 2)
    status, _, err = run("identify", folder / ".." / "words" / ".hidden" / "..", "--model", model)
    assert status == 0
    (folder.parent / "outer").mkdir()
    folder.rename(folder.parent / "outer" / "words")
    _, _, err = run("identify", folder.parent / "outer", "--model", model)
    assert "a folder without image files" in err and err.endswith("; -r looks into its folders too\n")


def test_what_may_not_be_read() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "closed").mkdir()
        (folder / "secret.png").touch()
        for path, mode in (("secret.png", 0), ("closed", 0), ("", 0o755)):
            (folder / path).chmod(mode)
        root = os.geteuid() == 0
        if root:  # may read everything
            os.seteuid(65534)
        try:
            found = list(files.find_images([name], recursive=True))
            with pytest.raises(ImageError) as caught:
                load_image(folder / "secret.png")
        finally:
            if root:
                os.seteuid(0)
            (folder / "closed").chmod(0o755)
    assert str(caught.value) == f"{name}/secret.png: cannot be read: Permission denied"
    assert [source.name for source in found] == [f"{name}/secret.png", f"{name}/closed"]
    assert str(found[1].image) == f"{name}/closed: cannot be read: Permission denied"


def test_a_file_name_that_is_not_text(run: Run, folder: Path, model: Path) -> None:
    odd = os.fsencode(folder) + b"/w\xf6rd.png"
    Path(os.fsdecode(odd)).write_bytes((folder / "b.png").read_bytes())
    status, out, _ = run("identify", folder, "--model", model)
    assert status == 0
    assert "w\ufffdrd.png" in out
    status, out, _ = run("identify", folder, "--model", model, "--json")
    assert os.fsencode(json.loads(out)[2]["file"]) == odd
