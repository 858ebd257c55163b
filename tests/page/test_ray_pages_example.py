"""The example for millions of pages, on one machine, while its workers are killed. It is skipped without Ray."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pypdfium2
import pytest

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install ray pyarrow")
EXAMPLE = Path(__file__).parents[2] / "sdk" / "examples" / "pages_with_ray.py"
SHEETS = 3
Rows = Counter[tuple[str, "int | None"]]  # a file's name and a page's number: how often they are there


def some_files(folder: Path, photos: int, others: int) -> Rows:
    """Photographs, a PDF of several pages and files that cannot be used, well mixed; the rows that they should give."""
    folder.mkdir()
    rows: Rows = Counter()
    for number in range(photos):
        pixels = np.full((160, 420, 3), 240, np.uint8)
        cv2.putText(pixels, f"Photo {number}", (30, 100), cv2.FONT_HERSHEY_SIMPLEX, 2, (20, 20, 20), 4, cv2.LINE_AA)
        cv2.imwrite(str(folder / f"{number:02}.png"), pixels)
        rows[f"{number:02}.png", 1] += 1
    for number in range(others):
        (folder / f"{number % max(photos, 1):02}.{number}.txt").write_text("no image")
        rows[f"{number % max(photos, 1):02}.{number}.txt", 1] += 1
    document: Any = pypdfium2.PdfDocument.new()
    for number in range(SHEETS):
        document.new_page(200, 100)
        rows["book.pdf", number + 1] += 1
    document.save(folder / "book.pdf")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 and no more")
    rows["broken.pdf", None] += 1
    return rows


def rows_of(answers: Path) -> list[dict[str, Any]]:
    """Read each file by itself, so that nothing is passed over."""
    from pyarrow import parquet

    return [row for file in sorted(answers.iterdir()) for row in parquet.read_table(file).to_pylist()]


def count(rows: list[dict[str, Any]]) -> Rows:
    return Counter((Path(row["path"]).name, row["page"]) for row in rows)


def workers(name: str) -> list[int]:
    """The processes of this test's Ray that call themselves so; `.do` behind the name: at a batch. Of Linux."""
    parents: dict[int, int] = {}
    names: dict[int, str] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            names[int(folder.name)] = (folder / "cmdline").read_text().rstrip("\0")
        except (FileNotFoundError, ProcessLookupError):
            continue  # ended meanwhile
    found, new = set[int](), {os.getpid()}
    while new:
        new = {child for child, parent in parents.items() if parent in new}
        found |= new
    return [child for child in found if names[child].startswith(name)]


def wait_for(what: Callable[[], Any], seconds: float = 600) -> Any:
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
    return found


@pytest.fixture(scope="module")
def cluster() -> Iterator[dict[str, str]]:
    """Ray with two processors; what a command finds it by."""
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield {"RAY_ADDRESS": ray.get_runtime_context().gcs_address}
    ray.shutdown()


@pytest.mark.slow
@pytest.mark.usefixtures("cluster")
def test_no_page_is_lost_or_doubled_wherever_a_worker_dies(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    load_example: Callable[[str], ModuleType],
) -> None:
    """In a PDF, of a file that kills all, when a batch is written and not yet named, when it is named and not told."""
    expected = some_files(tmp_path / "files", photos=4, others=2)
    answers, deaths = tmp_path / "answers", tmp_path / "deaths"
    deaths.mkdir()
    example = load_example("pages_with_ray")

    # Ray ships what is defined in here with its code; it would look for a function of this file in a module of its own.
    def die(of: str, at_most: int) -> None:
        earlier = len(list(deaths.glob(f"{of} *")))
        if earlier < at_most:
            (deaths / f"{of} {earlier}").touch()
            os.kill(os.getpid(), signal.SIGKILL)

    class Mortal(example.FindPages):  # type: ignore[name-defined]
        def __init__(self, files: Any, answers: Any, read: bool) -> None:
            """Without a finder, as one that dies so often must start soon."""
            from pyarrow import parquet

            self.files, self.answers = files, answers
            write_table = parquet.write_table

            def write_and_die(*arguments: Any, **options: Any) -> None:
                write_table(*arguments, **options)
                die("unnamed", at_most=1)

            parquet.write_table = write_and_die

        def page(self, path: str, number: int, load: Any) -> dict[str, Any]:
            if Path(path).name == "03.png":
                die("killer", at_most=1000)
            if number == 2:
                die("book", at_most=1)
            return {"path": path, "page": number}

        def do(self, batch: list[str]) -> None:
            super().do(batch)
            if batch[0].endswith("00.0.txt"):
                die("untold", at_most=1000)

    monkeypatch.setattr(example, "FindPages", Mortal)
    monkeypatch.setattr(example, "BATCH", 2)
    monkeypatch.setattr(example, "DEATHS", 2)
    example.find_pages(str(tmp_path / "files"), str(answers))
    # Of the killer, two die in its batch and two of it alone.
    died = Counter(death.name.split()[0] for death in deaths.iterdir())
    assert (died["book"], died["unnamed"], died["killer"]) == (1, 1, 4)
    assert died["untold"] in (1, 2)  # one, if it was this batch whose worker died before it had named what it wrote
    expected["03.png", 1] -= 1
    expected["03.png", None] += 1
    (part,) = (path for path in answers.iterdir() if path.suffix == ".part")
    part.unlink()
    rows = rows_of(answers)
    assert count(rows) == +expected
    assert {Path(row["path"]).name: row["error"] for row in rows if row["error"]} == {
        "03.png": "2 workers died of it",
        "broken.pdf": "a broken or truncated PDF",
    }

    part.write_bytes(b"half a file")
    example.find_pages(str(tmp_path / "files"), str(answers))
    lines = capsys.readouterr().out.splitlines()  # what Ray says of dead workers stands between
    assert (lines[0], lines[-1]) == ("8 of 8 files to do", "0 of 8 files to do")
    assert not part.exists() and rows_of(answers) == rows


@pytest.mark.slow
def test_a_second_start_of_the_command_goes_on_where_the_first_was_killed(
    tmp_path: Path, cluster: dict[str, str], load_example: Callable[[str], ModuleType]
) -> None:
    """Its workers are killed from outside in the middle of their batches, and then it is."""
    from pyarrow import parquet

    expected = some_files(tmp_path / "files", photos=14, others=42)  # of 58 files: 4 batches, each with 3 pages or more
    answers, log = tmp_path / "answers", tmp_path / "log"
    command = [sys.executable, str(EXAMPLE), str(tmp_path / "files"), str(answers), "--read"]

    def start() -> subprocess.Popen[bytes]:
        with log.open("w") as lines:
            return subprocess.Popen(command, stdout=lines, stderr=subprocess.STDOUT, env=os.environ | cluster)

    def written() -> dict[str, int]:
        """Which Parquet files there are, and of which inode: one that is written again has another."""
        return {path.name: path.stat().st_ino for path in answers.glob("*.parquet")}

    def kill_a_worker(but: int = 0) -> int:
        def at_work() -> list[int]:
            assert job.poll() is None, log.read_text()
            return [process for process in workers("ray::FindPages.do") if process != but]

        worker: int = wait_for(at_work)[0]
        os.kill(worker, signal.SIGKILL)
        return worker

    job = start()
    try:
        killed = kill_a_worker()
        wait_for(written)
        kill_a_worker(but=killed)
    finally:
        job.kill()
        job.wait()
    wait_for(lambda: not workers("ray::FindPages"))  # they die with the command
    first = written()
    assert 0 < len(first) < 4
    done = {row["path"] for row in rows_of(answers)}

    job = start()
    try:
        kill_a_worker()
        assert job.wait(timeout=900) == 0, log.read_text()
    finally:
        job.kill()
        job.wait()
    assert f"{58 - len(done)} of 58 files to do" in log.read_text()
    assert len(written()) == 4 and first.items() <= written().items()
    example = load_example("pages_with_ray")
    assert all(parquet.read_schema(answers / name).equals(example.ANSWERS) for name in written())
    rows = rows_of(answers)
    assert count(rows) == expected
    for row in rows:
        name, words = Path(row["path"]).name, row["words"]
        if name.endswith(".png"):
            assert {word["script"] for word in words} <= {"Latin", "unknown"}
            assert str(int(name[:2])) in "".join(word["text"] for word in words)
            assert (row["width"], row["height"], len(words[0]["corners"])) == (420, 160, 4)
        elif name == "book.pdf":
            assert (words, row["notes"], row["error"]) == ([], ["no text was found"], None)
        else:
            assert words is None and row["error"]


def test_what_cannot_be_done_is_said_before_ray_starts(tmp_path: Path) -> None:
    (tmp_path / "answers").mkdir()
    (tmp_path / "answers" / "notes.txt").write_text("not Parquet")
    (tmp_path / "strange").mkdir()
    (tmp_path / "strange" / os.fsdecode(b"a\xff.png")).touch()
    for files, reason in (("missing", "missing"), ("answers", "notes.txt"), ("strange", "not UTF-8")):
        command = [sys.executable, str(EXAMPLE), str(tmp_path / files), str(tmp_path / "answers")]
        ended = subprocess.run(command, capture_output=True, text=True)
        assert ended.returncode == 1
        assert reason in ended.stderr and "Traceback" not in ended.stderr
