"""Renders a dataset, `out/<train|val|test>/<script>/<number>.jpg`: same seed, same bytes, on any number of cores.

Every word has a seed of its own, made of (seed, split, script's code, number), so that it does not matter who renders
it, nor which other scripts are rendered. Beside the scripts lies `none`, pictures of no script that the set knows:
`<kind>-<number>.jpg` with the kinds of `kinds.NEGATIVES`; `foreign-<script>-<number>.jpg` for words of other
scripts. The test split alone has `unseen-<script>-<number>.jpg`, words of foreign scripts that no other split shows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from scriptkd_sdk import scripts
from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.scripts import script
from scriptkd_train.data.folder import NON_TEXT
from scriptkd_train.synth.composition import draw_word_image
from scriptkd_train.synth.fonts import PROBES, SPLITS, Face, faces_by_split
from scriptkd_train.synth.kinds import FOREIGN, HELD_OUT_FOREIGN, NEGATIVES, UNSEEN
from scriptkd_train.synth.negatives import draw_negative
from scriptkd_train.synth.pool import draw_chunks
from scriptkd_train.synth.typeset import require_shaping
from scriptkd_train.synth.unfinished import begin, finish, is_there, require_new_or_unfinished
from scriptkd_train.synth.words import words
from scriptkd_train.utils.files import write_file

SCRIPTS = tuple(each.name for each in scripts.SCRIPTS)
WORLD = tuple(each.name for each in scripts.WORLD)
_CHUNK = 200  # words a task: long enough to hide the cost of handing it over, short enough for a smooth bar
_QUALITY = 95  # the pictures carry their own compression; this one only stores them


@dataclass(frozen=True, slots=True)
class RenderPlan:
    """What to render. `val` and `test` get a tenth of `words_per_script` each, at least 10 words."""

    words_per_script: int
    seed: int
    scripts: tuple[str, ...] = SCRIPTS
    font_folders: tuple[str, ...] = ()
    foreign: bool = True
    """Whether `none` has words of the scripts in `WORLD` that the set does not know."""

    def count(self, split: str) -> int:
        """Words per script in `split`."""
        return self.words_per_script if split == "train" else max(10, self.words_per_script // 10)

    def foreign_scripts(self, kind: str) -> tuple[str, ...]:
        """The scripts whose words are `foreign`, or `unseen` (of the test split alone)."""
        held_out = kind == UNSEEN
        others = (name for name in WORLD if name not in self.scripts and (name in HELD_OUT_FOREIGN) == held_out)
        return tuple(others) if self.foreign else ()

    def negatives(self, split: str) -> dict[str, int]:
        """Kind of `none` -> pictures in `split`."""
        shares = dict(NEGATIVES)
        if split == "test":
            shares[UNSEEN] = NEGATIVES[FOREIGN]
        return {
            kind: round(share * self.count(split) * len(self.scripts))
            for kind, share in shares.items()
            if kind not in (FOREIGN, UNSEEN) or self.foreign_scripts(kind)
        }

    @property
    def all_scripts(self) -> tuple[str, ...]:
        """The scripts that words are drawn of: the set's, foreign ones, and Latin, whose type digits are set in."""
        return tuple(
            dict.fromkeys((*self.scripts, *self.foreign_scripts(FOREIGN), *self.foreign_scripts(UNSEEN), "Latin"))
        )

    @property
    def total(self) -> int:
        """Images in all splits and scripts, those of no script among them."""
        return sum(self.count(split) * len(self.scripts) + sum(self.negatives(split).values()) for split in SPLITS)


def check_plan(plan: RenderPlan) -> dict[str, dict[str, int]]:
    """script -> {words, fonts_train, fonts_val, fonts_test (families), faces}; checks that all of it can be rendered.

    Raises:
        ArgumentError: a script without enough fonts or without words, an impossible number, or no text shaping.
    """
    if plan.words_per_script < 1:
        raise ArgumentError(f"words per script must be at least 1, not {plan.words_per_script}")
    if unknown := [name for name in plan.scripts if name not in PROBES]:
        raise ArgumentError(f"script {unknown[0]!r} cannot be rendered; allowed are {', '.join(WORLD)}")
    require_shaping()
    table = {}
    for name in plan.scripts:
        splits = faces_by_split(name, plan.font_folders)
        table[name] = {
            "words": len(words(name)),
            **{f"fonts_{split}": len(splits[split]) for split in SPLITS},
            "faces": sum(len(faces) for families in splits.values() for faces in families.values()),
        }
    for name in plan.all_scripts:
        faces_by_split(name, plan.font_folders), words(name)  # raise now, not in a worker
    return table


def render(plan: RenderPlan, out: Path, workers: int, progress: Callable[[int], None] = lambda done: None) -> None:
    """Renders the plan into `out`, whose `dataset.json` comes last: its presence says that the set is whole.

    A rendering of the same plan that was interrupted goes on: images that are there are kept.

    Args:
        plan: what to render.
        out: the folder; new, empty, or of the same plan's interrupted rendering.
        workers: how many processes draw.
        progress: called with the number of images just finished.

    Raises:
        ArgumentError: `out` holds something else, or the plan cannot be rendered (see `check_plan`).
        ScriptkdError: the disk is full, or a process died.
        OSError: an image cannot be written.
    """
    require_new_or_unfinished(out)
    if workers < 1:
        raise ArgumentError(f"workers must be at least 1, not {workers}")
    table = check_plan(plan)
    begin(out, {"plan": asdict(plan), "scripts": {n: {"code": script(n).code, **table[n]} for n in plan.scripts}})
    tasks = []
    for split in SPLITS:
        for name in plan.scripts:
            (out / split / name).mkdir(parents=True, exist_ok=True)
            tasks += [(split, name, *part) for part in _parts(plan.count(split))]
        (out / split / NON_TEXT).mkdir(exist_ok=True)
        for kind, count in plan.negatives(split).items():
            tasks += [(split, kind, *part) for part in _parts(count)]
    draw_chunks(_render_chunk, [(plan, out, *task) for task in tasks], plan.all_scripts, workers, progress)
    finish(out)


def _parts(count: int) -> list[tuple[int, int]]:
    return [(start, min(start + _CHUNK, count)) for start in range(0, count, _CHUNK)]


@cache
def _faces_by_family(name: str, split: str, font_folders: tuple[str, ...]) -> list[list[Face]]:
    return list(faces_by_split(name, font_folders)[split].values())


def _render_chunk(plan: RenderPlan, out: Path, split: str, series: str, start: int, stop: int) -> int:
    """series: a script, or a kind of `none`."""
    for number in range(start, stop):
        name = _script_of(plan, series, number)
        path = out / split / _path(series, name, number)
        if is_there(path):
            continue
        picture = _render_one(plan, split, series, name, number)
        _, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        write_file(path, data.tobytes())
    return stop - start


def _script_of(plan: RenderPlan, series: str, number: int) -> str | None:
    """The script of a picture's word; None where a kind of `none` draws what it likes."""
    if series in (FOREIGN, UNSEEN):
        others = plan.foreign_scripts(series)
        return others[number % len(others)]
    return series if series in plan.scripts else None


def _path(series: str, name: str | None, number: int) -> Path:
    """Where a picture goes, below the split's folder."""
    if name == series:
        return Path(series, f"{number:06d}.jpg")
    return Path(NON_TEXT, f"{series}-{f'{name.lower()}-' if name else ''}{number:06d}.jpg")


def _render_one(plan: RenderPlan, split: str, series: str, name: str | None, number: int) -> NDArray[np.uint8]:
    """A picture, RGB."""
    code = int.from_bytes((script(series).code if name == series else series).encode())
    rng = np.random.default_rng([plan.seed, SPLITS.index(split), code, number])
    if name is None:
        return draw_negative(rng, series, split, plan.font_folders)
    return draw_word_image(rng, name, _faces_by_family(name, split, plan.font_folders))
