"""The command line, as a user meets it: main(), its output and its exit status."""

import csv
import errno
import io
import json
import os
import pty
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
import typer

from scriptkd_sdk import cli, files, identify_cli, output, workers
from scriptkd_sdk.errors import ArgumentError, ImageError, ScriptkdError
from scriptkd_sdk.images import load_image

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
    assert list(first) == ["file", "script", "code", "score", "best", "scores"]
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


def test_a_line_of_json_for_each_image(run: Run, folder: Path, model: Path) -> None:
    status, out, err = run("identify", "--jsonl", "--top", 1, "--model", model, folder, "no.png")
    first, second, third = map(json.loads, out.splitlines())
    assert (status, err) == (1, "error: no.png: no such file\n")
    assert first == {
        "file": f"{folder}/a.JPG",
        "script": "Arabic",
        "code": "Arab",
        "score": first["score"],
        "best": "Arabic",
        "scores": {"Arabic": first["score"]},
    }
    assert second["best"] == "Latin"
    assert third == {"file": "no.png", "error": "no such file"}


def test_lines_come_as_it_goes(run: Run, folder: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second chunk is asked for only after the first is printed."""
    monkeypatch.setattr(workers, "CHUNK", 2)
    printed: list[str] = []
    monkeypatch.setattr(output, "_print", printed.append)
    seen: list[int] = []

    def watched(names: list[str], recursive: bool) -> Iterator[files.Source]:
        for i in range(6):
            seen.append(len(printed))
            yield files.Source(str(i), f"{folder}/b.png")

    monkeypatch.setattr(identify_cli, "find_images", watched)
    status, _, _ = run("identify", "x", "--jsonl", "--model", model)
    assert (status, seen, len(printed)) == (0, [0, 0, 2, 2, 4, 4], 6)


def test_comma_separated_values(run: Run, folder: Path, model: Path) -> None:
    (folder / 'a "b", c.png').write_bytes((folder / "b.png").read_bytes())
    status, out, _ = run("identify", "--csv", "--model", model, folder, "no.png")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert status == 1
    assert list(rows[0]) == ["file", "script", "code", "score", "best", "error"]
    assert [row["script"] for row in rows] == ["Latin", "Arabic", "Latin", ""]
    assert rows[0]["file"] == f'{folder}/a "b", c.png'
    assert rows[3]["error"] == "no such file"
    _, out, _ = run("identify", "--csv", "--top", 5, "--model", model, folder / "b.png", "no.png")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [rows[0][f"script_{rank}"] for rank in range(1, 6)] == ["Latin", "Arabic", "Klingon", "", ""]
    assert rows[0]["score_1"] == rows[0]["score"] and rows[1]["error"] == "no such file"


def test_lines_of_the_users_own(run: Run, folder: Path, model: Path) -> None:
    template = r"{code}\t{score:.2f} {best}: {file}"
    status, out, err = run("identify", "--format", template, "--model", model, folder, "no.png")
    assert status == 1
    assert out.splitlines() == [f"Arab\t1.00 Arabic: {folder}/a.JPG", f"Latn\t1.00 Latin: {folder}/b.png"]
    assert err == "error: no.png: no such file\n"
    for wrong in ("{name}", "{", "{0}", "{score:x}", "{file.suffix}", "{code:d}"):
        status, out, err = run("identify", "--format", wrong, "--model", model, folder)
        assert (status, out) == (2, "")
        assert err.startswith("error: --format takes the fields {file}, {script}, {code}, {score}, {best}")
        assert err.count("\n") == 1


@pytest.mark.parametrize("two", [("--json", "--jsonl"), ("--csv", "--json"), ("--jsonl", "--format={file}")])
def test_one_form_of_answer(run: Run, folder: Path, two: tuple[str, str]) -> None:
    assert run("identify", folder, *two) == (
        2,
        "",
        "error: --json, --jsonl, --csv and --format exclude each other: give one of them\n",
    )


def test_an_unsure_answer_shows_the_best_guess(run: Run, folder: Path, model: Path) -> None:
    cv2.imwrite(str(folder / "c.png"), np.full((20, 50), 71, np.uint8))
    _, out, _ = run("identify", folder, "--model", model)
    assert out.splitlines()[0].split() == ["file", "script", "code", "score"]
    status, out, err = run("identify", folder, "--model", model, "--threshold", 0.9)
    assert (status, err) == (0, "")
    heads, _, sure, unsure = out.splitlines()
    assert heads.endswith("score  best guess")
    assert sure.split()[1:] == ["Latin", "Latn", "1.000", "Latin"]
    assert unsure.split()[1:3] == ["unknown", "Zyyy"] and unsure.split()[4] == "Latin"
    _, out, _ = run("identify", folder / "c.png", "--model", model, "--threshold", 0.9, "--json")
    (answer,) = json.loads(out)
    assert (answer["script"], answer["best"], next(iter(answer["scores"]))) == ("unknown", "Latin", "Latin")
    for wrong in ("1.5", "-0.1", "nan", "high"):
        status, _, err = run("identify", folder, "--threshold", wrong)
        assert status == 2 and "threshold" in err.lower()


def test_standard_input(run: Run, folder: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = io.BytesIO((folder / "b.png").read_bytes())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(content))
    status, out, _ = run("identify", folder / "a.JPG", "-", "--model", model, "--format", "{file} {script}")
    assert (status, out.splitlines()) == (0, [f"{folder}/a.JPG Arabic", "- Latin"])
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    assert run("identify", "-", "--model", model) == (1, "", "error: -: empty: no bytes at all\n")


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


def test_several_processes_give_the_answers_of_one(model: Path, tmp_path: Path) -> None:
    for i in range(150):
        cv2.imwrite(str(tmp_path / f"{i:03}.png"), np.full((20, 50), i, np.uint8))
    (tmp_path / "077.png").write_text("no image")
    outputs = []
    for count in ("1", "2"):
        command = [
            sys.executable,
            "-m",
            "scriptkd_sdk.cli",
            "identify",
            str(tmp_path),
            "--model",
            str(model),
            "--jsonl",
        ]
        done = subprocess.run([*command, "--workers", count], capture_output=True, text=True)
        assert done.returncode == 1
        assert done.stderr.splitlines() == [f"error: {tmp_path}/077.png: not a PNG, JPEG, BMP, GIF, WebP or TIFF image"]
        outputs.append([json.loads(line) for line in done.stdout.splitlines()])
    assert outputs[0] == outputs[1] and len(outputs[0]) == 150


def test_a_worker_that_dies(monkeypatch: pytest.MonkeyPatch, model: Path, folder: Path) -> None:
    monkeypatch.setattr(workers, "_work", _die)
    sources = [files.Source("b", f"{folder}/b.png")]
    with pytest.raises(ScriptkdError, match="a worker process died"):
        list(workers.identify_sources(sources, str(model), None, 2))


def _die(chunk: object, threshold: object) -> None:
    os._exit(3)


def test_a_reader_that_leaves_early(model: Path, tmp_path: Path) -> None:
    """As `| head -1` does."""
    for i in range(200):
        cv2.imwrite(str(tmp_path / f"{i:03}.png"), np.full((20, 50), i, np.uint8))
    arguments = ["identify", str(tmp_path), "--model", str(model), "--jsonl"]
    process = subprocess.Popen(
        [sys.executable, "-m", "scriptkd_sdk.cli", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None and process.stderr is not None
    assert b"000.png" in process.stdout.readline()
    process.stdout.close()
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()
    process.wait(30)


def test_many_images_move_a_bar_for_whoever_watches(model: Path, tmp_path: Path) -> None:
    image = tmp_path / "word.png"
    cv2.imwrite(str(image), np.full((20, 50), 120, np.uint8))
    ours, theirs = pty.openpty()
    command = [
        sys.executable,
        "-m",
        "scriptkd_sdk.cli",
        "identify",
        *[str(image)] * 250,
        "--model",
        str(model),
        "--csv",
    ]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, text=True)
    os.close(theirs)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 251
    assert "identifying" in shown and "250/250" in shown
    assert "\x1b" not in done.stdout


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
