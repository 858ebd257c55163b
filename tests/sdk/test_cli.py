"""The command line, as a user meets it: main(), its output and its exit status."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
import typer

from scriptkd_sdk import cli
from scriptkd_sdk.errors import ArgumentError

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """A function that runs `scriptkd` with arguments and returns exit status, stdout and stderr."""

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["scriptkd", *map(str, arguments)])
        monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # typer replaces it
        with pytest.raises(SystemExit) as caught:
            cli.main()
        status = caught.value.code or 0
        assert isinstance(status, int)
        return status, *capfd.readouterr()

    return call


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two good images, one broken, and files that are no images."""
    folder = tmp_path / "words"
    folder.mkdir()
    for name, level in {"b.png": 120, "a.JPG": 20}.items():
        cv2.imwrite(str(folder / name), np.full((20, 50), level, np.uint8))
    (folder / "notes.txt").write_text("not looked at")
    (folder / ".hidden.png").write_text("not looked at")
    return folder


def test_a_folder_as_plain_text(run: Run, folder: Path, model: Path) -> None:
    status, out, err = run("identify", folder, "--model", model)
    assert (status, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    assert lines == [
        ["file", "script", "code", "score"],
        [f"{folder}/a.JPG", "Arabic", "Arab", "1.000"],
        [f"{folder}/b.png", "Latin", "Latn", "1.000"],
    ]
    assert (
        len({line.index(code) for line, code in zip(out.splitlines(), (" code ", " Arab ", " Latn "), strict=True)})
        == 1
    )
    assert "\x1b" not in out


def test_top_adds_the_best_scores(run: Run, folder: Path, model: Path) -> None:
    status, out, _ = run("identify", folder / "b.png", "--model", model, "--top", 2)
    assert status == 0
    assert out.splitlines()[1].endswith("Latin 1.000, Arabic 0.000")
    _, out, _ = run("identify", folder / "b.png", "--model", model, "--top", 2, "--json")
    assert list(json.loads(out)[0]["scores"]) == ["Latin", "Arabic"]


def test_a_terminal_gets_a_table(run: Run, folder: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "200")
    status, out, _ = run("identify", folder, "--model", model)
    assert status == 0
    assert out.startswith("┏")
    assert f"│ {folder}/a.JPG" in out


def test_json_holds_answers_and_errors(run: Run, folder: Path, model: Path) -> None:
    broken = folder / "broken.png"
    broken.write_bytes((folder / "b.png").read_bytes()[:40])
    status, out, err = run("identify", "--json", "--model", model, folder, "no.png")
    assert status == 1
    first, second, third, fourth = json.loads(out)
    assert list(first) == ["file", "script", "code", "score", "scores"]
    assert (first["file"], first["script"], first["code"]) == (f"{folder}/a.JPG", "Arabic", "Arab")
    assert set(first["scores"]) == {"Arabic", "Latin", "Klingon"}
    assert second["file"] == f"{folder}/b.png"
    assert third == {"file": str(broken), "error": "broken or truncated PNG"}
    assert fourth == {"file": "no.png", "error": "no such file"}
    assert err.splitlines() == [f"error: {broken}: broken or truncated PNG", "error: no.png: no such file"]


def test_bad_images_do_not_stop_the_others(run: Run, folder: Path, model: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    # A broken stream with a good end: libpng itself writes about that one, past Python.
    damaged = bytearray((folder / "b.png").read_bytes())
    damaged[45] ^= 0xFF
    (tmp_path / "damaged.png").write_bytes(damaged)
    status, out, err = run(
        "identify", tmp_path / "damaged.png", folder / "b.png", tmp_path / "empty", "no.png", "--model", model
    )
    assert status == 1
    assert len(out.splitlines()) == 2
    assert "b.png" in out
    assert err.splitlines() == [
        f"error: {tmp_path}/damaged.png: broken or truncated PNG",
        f"error: {tmp_path}/empty: a folder without image files (.png .jpg .jpeg .bmp .gif .webp .tif .tiff)",
        "error: no.png: no such file",
    ]


def test_a_file_name_that_is_not_text(run: Run, folder: Path, model: Path) -> None:
    odd = os.fsencode(folder) + b"/w\xf6rd.png"
    Path(os.fsdecode(odd)).write_bytes((folder / "b.png").read_bytes())
    status, out, _ = run("identify", folder, "--model", model)
    assert status == 0
    assert "w\ufffdrd.png" in out
    status, out, _ = run("identify", folder, "--model", model, "--json")
    assert os.fsencode(json.loads(out)[2]["file"]) == odd


def test_a_wrong_model_is_one_line(run: Run, folder: Path, tmp_path: Path) -> None:
    status, out, err = run("identify", folder, "--model", tmp_path / "no.onnx")
    assert (status, out) == (2, "")
    assert err.startswith(f"error: {tmp_path}/no.onnx: no such model file; the models that come with")
    assert err.count("\n") == 1


@pytest.mark.parametrize("arguments", [["identify"], ["identify", "a.png", "--top", "0"], ["identfy"], ["--colour"]])
def test_wrong_usage(run: Run, arguments: list[str]) -> None:
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert "Error" in err


def test_version(run: Run) -> None:
    status, out, _ = run("--version")
    assert status == 0
    assert out.startswith("scriptkd 0.")


def plug_in(monkeypatch: pytest.MonkeyPatch, **targets: object) -> None:
    """Make the targets the only sub-commands that packages declare."""
    module = ModuleType("plugged_in")
    for name, target in targets.items():
        setattr(module, name, target)
    monkeypatch.setitem(sys.modules, "plugged_in", module)
    entries = [EntryPoint(name, f"plugged_in:{name}", cli.ENTRY_POINTS) for name in targets]
    monkeypatch.setattr(cli, "entry_points", lambda group: entries if group == cli.ENTRY_POINTS else [])


def test_help_lists_all_commands_without_importing_them(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["zebra", *reversed(cli.KNOWN_COMMANDS)]
    entries = [EntryPoint(name, f"no_such_module.{name}:app", cli.ENTRY_POINTS) for name in names]
    monkeypatch.setattr(cli, "entry_points", lambda group: entries)
    monkeypatch.setenv("COLUMNS", "120")
    status, out, err = run("--help")
    assert (status, err) == (0, "")
    places = [out.index(f"│ {name} ") for name in ("identify", *cli.KNOWN_COMMANDS, "zebra")]
    assert places == sorted(places)
    for help_line, _ in cli.KNOWN_COMMANDS.values():
        assert help_line in out


def test_a_function_becomes_a_command(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def train(recipe: str, steps: int = 3) -> None:
        """Train something."""
        typer.echo(f"{recipe} {steps}")

    plug_in(monkeypatch, train=train)
    assert run("train", "small.yaml", "--steps", "5") == (0, "small.yaml 5\n", "")
    status, out, _ = run("train", "--help")
    assert status == 0
    assert "Usage: scriptkd train" in out
    assert "Train something." in out
    status, _, err = run("train")
    assert status == 2
    assert "recipe" in err.lower()


def test_an_app_becomes_a_group(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    data = typer.Typer(help="Work on data.")
    data.command("render")(lambda: typer.echo("rendered"))
    plug_in(monkeypatch, data=data)
    assert run("data", "render") == (0, "rendered\n", "")
    _, out, _ = run("data", "--help")
    assert "render" in out
    assert "completion" not in out


def test_an_error_of_ours_in_any_command_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def train() -> None:
        raise ArgumentError("epochs must be at least 1, not 0")

    plug_in(monkeypatch, train=train)
    assert run("train") == (2, "", "error: epochs must be at least 1, not 0\n")


@pytest.mark.parametrize("when", ["on import", "when run"])
def test_a_missing_extra_is_named(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, when: str) -> None:
    missing = "import no_such_framework"
    body = f"{missing}\ndef train(): pass\n" if when == "on import" else f"def train():\n    {missing}\n"
    (tmp_path / "late_command.py").write_text(body)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "late_command", raising=False)
    entry = EntryPoint("train", "late_command:train", cli.ENTRY_POINTS)
    monkeypatch.setattr(cli, "entry_points", lambda group: [entry])
    message = "error: scriptkd train needs the extra [train]: pip install 'scriptkd[train]'\n"
    assert run("train") == (2, "", message)


def test_a_module_of_ours_that_is_missing_is_a_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint("train", "scriptkd_no_such_package.cli:train", cli.ENTRY_POINTS)
    monkeypatch.setattr(cli, "entry_points", lambda group: [entry])
    monkeypatch.setattr(sys, "argv", ["scriptkd", "train"])
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    with pytest.raises(ModuleNotFoundError, match="scriptkd_no_such_package"):
        cli.main()


def test_the_command_identifies_without_torch(folder: Path, model: Path) -> None:
    code = (
        "import sys, scriptkd_sdk.cli as cli\n"
        f"sys.argv = ['scriptkd', 'identify', {str(folder)!r}, '--model', {str(model)!r}]\n"
        "try:\n    cli.main()\n"
        "finally:\n    assert 'torch' not in sys.modules, 'torch was imported'\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")
    assert len(result.stdout.splitlines()) == 3
