"""The page set: the boxes of its truth lie on the ink, in every orientation of a page."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

pytest.importorskip("rapidocr", reason="the extra [page] is not installed")

from scriptkd_bench import page_set, pages_cli
from scriptkd_page import Page
from scriptkd_sdk.images import load_image
from scriptkd_sdk.regions import cut

MIXES = (("Devanagari", "Latin"), ("Hebrew", "Latin"))
LUMA = (0.299, 0.587, 0.114)  # how bright red, green and blue are
WAYS = {"sign-01": 0, "sign-02": 90, "page-01": 90, "page-02": 180}

app = typer.Typer()
app.command()(pages_cli.page_set)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("set")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(page_set, "MIXES", MIXES)
        done = CliRunner().invoke(app, ["--out", str(out), "--seed", "3"])
    assert done.exit_code == 0, done.output
    size = sum(path.stat().st_size for path in out.glob("*.jpg"))
    assert done.stdout == f"Written: {out}, {size / 1e6:.2f} MB of pictures\n"
    assert done.stderr.splitlines() == [f"[{number}/4]" for number in (1, 2, 3, 4)]
    return out


def pages(folder: Path) -> dict[str, Page]:
    files = sorted(folder.glob("*.json"))
    return {path.stem: Page.from_dict(json.loads(path.read_text("utf-8"))) for path in files}


def test_each_mix_has_a_sign_and_a_page_in_turn_each_way_up(drawn: Path) -> None:
    told = pages(drawn)
    assert {name: {word.orientation for word in page.words} for name, page in told.items()} == {
        name: {way} for name, way in WAYS.items()
    }
    for name, page in told.items():
        mix = MIXES[int(name[-2:]) - 1]
        scripts = {word.script for word in page.words}
        assert mix[0] in scripts and scripts <= set(mix)
        assert load_image(drawn / f"{name}.jpg").shape[:2] == (page.height, page.width)


def test_boxes_are_where_the_words_are_as_they_are_read(drawn: Path) -> None:
    """Cut out upright, every box of a line has letters from side to side; the strip above the first line has none."""
    for name, page in pages(drawn).items():
        pixels = load_image(drawn / f"{name}.jpg")
        for word in page.words:
            corners = np.asarray(word.corners)
            assert (corners >= -1).all() and (corners <= (page.width + 1, page.height + 1)).all()
            box = cut(pixels, corners) @ LUMA
            assert box.shape[1] > box.shape[0] / 2
            parts = np.array_split(box, 3, axis=1)
            contrast = [np.subtract(*np.percentile(part, (97, 3))) for part in parts]
            assert min(contrast) > 40, (name, word.text)
            down = corners[3] - corners[0]
            lies = {0: down[1] > 0, 90: down[0] < 0, 180: down[1] < 0}[WAYS[name]]
            assert lies, (name, word.text)


def test_a_seed_draws_the_same_pages_again_and_another_seed_others(
    drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_set, "MIXES", MIXES[:1])
    for seed in (3, 4):
        page_set.draw_page_set(tmp_path / str(seed), seed, lambda done, total: None)
    first = (drawn / "sign-01.jpg").read_bytes()
    assert (tmp_path / "3" / "sign-01.jpg").read_bytes() == first
    assert (tmp_path / "4" / "sign-01.jpg").read_bytes() != first
    assert pages(tmp_path / "3")["sign-01"] == pages(drawn)["sign-01"]
