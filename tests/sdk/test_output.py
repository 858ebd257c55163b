"""The forms in which `scriptkd identify` answers."""

import csv
import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from scriptkd_sdk import files, identify_cli, output, workers

Run = Callable[..., tuple[int, str, str]]


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
    assert list(first) == [
        "file",
        "script",
        "code",
        "score",
        "best",
        "orientation",
        "orientation_score",
        "shares",
        "scores",
    ]
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
        "orientation": None,
        "orientation_score": None,
        "shares": {"Arabic": 1.0},
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
    assert list(rows[0]) == ["file", "script", "code", "score", "best", "orientation", "error"]
    assert [row["script"] for row in rows] == ["Latin", "Arabic", "Latin", ""]
    assert rows[0]["file"] == f'{folder}/a "b", c.png'
    assert rows[3]["error"] == "no such file"
    _, out, _ = run("identify", "--csv", "--top", 5, "--model", model, folder / "b.png", "no.png")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [rows[0][f"script_{rank}"] for rank in range(1, 6)] == ["Latin", "Arabic", "Klingon", "", ""]
    assert rows[0]["score_1"] == rows[0]["score"] and rows[1]["error"] == "no such file"


@pytest.mark.parametrize("form", [["--top", 2], ["--csv"], ["--format", "{script}"]])
def test_labels_cannot_play_tricks(
    run: Run, folder: Path, build_model: Callable[..., Path], form: list[object]
) -> None:
    names = ("Arabic", "La\x1b[31mtin\nX", "Klingon")
    model = build_model(labels=[{"name": name, "code": name[:2]} for name in names])
    status, out, err = run("identify", folder / "b.png", "--model", model, *form)
    assert status == 2 and "tin" not in out
    assert "must be printable, not {'name': 'La\\x1b[31mtin\\nX'" in err
    assert err.count("\n") == 1 and "\x1b" not in err


def test_lines_of_the_users_own(run: Run, folder: Path, model: Path) -> None:
    template = r"{code}\t{score:.2f} {best}: {file}"
    status, out, err = run("identify", "--format", template, "--model", model, folder, "no.png")
    assert status == 1
    assert out.splitlines() == [f"Arab\t1.00 Arabic: {folder}/a.JPG", f"Latn\t1.00 Latin: {folder}/b.png"]
    assert err == "error: no.png: no such file\n"
    inside = (
        "{score.__class__}",
        "{file[0]}",
        "{}",
        "{file:{best}}",
        "{score:{file.__class__}}",
        "{file:{file:{best}}}",
    )
    others = ("{name}", "{", "{0}", "{score:x}", "{file.suffix}", "{code:d}", "{score:>999999999999}")
    for wrong in (*inside, *others):
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
