"""The command itself: usage, sub-commands of other packages, errors as one line, exit status."""

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType

import pytest
import typer

from scriptkd_sdk import cli
from scriptkd_sdk.errors import ArgumentError

Run = Callable[..., tuple[int, str, str]]


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


def test_what_the_system_refuses_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def train() -> None:
        (tmp_path / "file").write_text("")
        (tmp_path / "file" / "run").mkdir()

    def bench() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    plug_in(monkeypatch, train=train, bench=bench)
    assert run("train") == (2, "", f"error: {tmp_path}/file/run: Not a directory\n")
    assert run("bench") == (2, "", "error: No space left on device\n")


@pytest.mark.parametrize("when", ["on import", "when run"])
def test_a_missing_extra_is_named(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, when: str, capfd: pytest.CaptureFixture[str]
) -> None:
    missing = "import no_such_framework"
    body = f"{missing}\ndef train(): pass\n" if when == "on import" else f"def train():\n    {missing}\n"
    (tmp_path / "late_command.py").write_text(body)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "late_command", raising=False)
    entry = EntryPoint("train", "late_command:train", cli.ENTRY_POINTS)
    monkeypatch.setattr(cli, "entry_points", lambda group: [entry])
    message = "error: scriptkd train needs the extra [train]: in a checkout, pip install '.[train]'\n"
    assert run("train") == (2, "", message)

    entry = EntryPoint("scriptkd-export", "late_command:train", cli.PROGRAMS)
    monkeypatch.setattr(cli, "entry_points", lambda group, name: [entry])
    monkeypatch.delitem(sys.modules, "late_command", raising=False)
    with pytest.raises(SystemExit, match="2"):
        cli.export()
    message = "error: scriptkd-export needs the extra [export]: in a checkout, pip install '.[export]'\n"
    assert capfd.readouterr().err == message


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


def test_a_closed_standard_output(folder: Path) -> None:
    command = f"{sys.executable} -m scriptkd_sdk.cli identify . >&-"
    done = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (2, "error: standard output is closed\n")


def test_a_closed_standard_error(folder: Path) -> None:
    command = f"{sys.executable} -m scriptkd_sdk.cli identify . 2>&-"
    done = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 3


def test_a_name_that_standard_output_cannot_write(folder: Path) -> None:
    shutil.copy(folder / "b.png", folder / "தமிழ்.png")
    command = [sys.executable, "-m", "scriptkd_sdk.cli", "identify", "தமிழ்.png", "--csv"]
    latin = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run(command, cwd=folder, capture_output=True, env=latin)
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"\u0ba4\u0bae\u0bbf\u0bb4\u0bcd.png" in done.stdout
