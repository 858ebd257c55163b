"""Render a data set, `out/<train|val|test>/<script>/<number>.jpg`. A seed gives the same bytes on any number of cores.

Every word has its own seed, made from (seed, split, script's code, number). So its picture does not depend on the
process, nor on the other rendered scripts. The folder `none` beside the scripts' folders holds pictures that show none
of these scripts: `<kind>-<number>.jpg` with a kind of `kinds.NEGATIVES`, and `foreign-<script>-<number>.jpg` for words
of other scripts. Only the test split has `unseen-<script>-<number>.jpg`, words of foreign scripts that no other split
contains.
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
_CHUNK = 200  # words per task: enough to hide the task's overhead, few enough for a smooth progress bar
# Many capitals of these alphabets look Latin. Photographs show Latin most often, and in the most styles.
_LATINS_TWINS = frozenset({"Cyrillic", "Greek"})
_LATIN_SHARE = 3  # words of Latin for each word of another script
_QUALITY = 95  # high, since degradation has already compressed the pictures


@dataclass(frozen=True, slots=True)
class RenderPlan:
    """The plan of a rendering. val and test get a tenth of `words_per_script` each, but at least 10 words."""

    words_per_script: int
    seed: int
    scripts: tuple[str, ...] = SCRIPTS
    font_folders: tuple[str, ...] = ()
    foreign: bool = True
    """Whether `none` has words of other scripts of `WORLD`."""
    fold: int | None = None
    """The part of the designs that is the test split (see `fonts.split_families`); None for the usual splits."""

    def count(self, split: str) -> int:
        """Number of words of most scripts in `split`."""
        return self.words_per_script if split == "train" else max(10, self.words_per_script // 10)

    def words_of(self, name: str, split: str) -> int:
        """Number of words of one script in `split`. Beside its look-alikes, Latin has more in training."""
        more = split == "train" and name == "Latin" and not _LATINS_TWINS.isdisjoint(self.scripts)
        return self.count(split) * (_LATIN_SHARE if more else 1)

    def foreign_scripts(self, kind: str) -> tuple[str, ...]:
        """The scripts whose words are `foreign`, or, in the test split only, `unseen`."""
        held_out = kind == UNSEEN
        others = (name for name in WORLD if name not in self.scripts and (name in HELD_OUT_FOREIGN) == held_out)
        return tuple(others) if self.foreign else ()

    def negatives(self, split: str) -> dict[str, int]:
        """Kind of `none` -> number of pictures in `split`."""
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
        """The scripts whose words or fonts are needed: the set's, foreign ones, and Latin, whose fonts set digits."""
        return tuple(
            dict.fromkeys((*self.scripts, *self.foreign_scripts(FOREIGN), *self.foreign_scripts(UNSEEN), "Latin"))
        )

    @property
    def total(self) -> int:
        """Number of images in all splits, including those of no script."""
        return sum(
            sum(self.words_of(name, split) for name in self.scripts) + sum(self.negatives(split).values())
            for split in SPLITS
        )


def check_plan(plan: RenderPlan) -> dict[str, dict[str, int]]:
    """Check that a plan can be rendered. Returns script -> {words, fonts_train, fonts_val, fonts_test, faces}.

    Raises:
        ArgumentError: a script has too few fonts or no words, a number is impossible, or text shaping is missing.
    """
    if plan.words_per_script < 1:
        raise ArgumentError(f"words per script must be at least 1, not {plan.words_per_script}")
    if unknown := [name for name in plan.scripts if name not in PROBES]:
        raise ArgumentError(f"script {unknown[0]!r} cannot be rendered; allowed are {', '.join(WORLD)}")
    require_shaping()
    table = {}
    for name in plan.scripts:
        splits = faces_by_split(name, plan.font_folders, plan.fold)
        table[name] = {
            "words": len(words(name)),
            **{f"fonts_{split}": len(splits[split]) for split in SPLITS},
            "faces": sum(len(faces) for families in splits.values() for faces in families.values()),
        }
    for name in plan.all_scripts:
        faces_by_split(name, plan.font_folders, plan.fold), words(name)  # raises here, not in a worker
    return table


def render(plan: RenderPlan, out: Path, workers: int, progress: Callable[[int], None] = lambda done: None) -> None:
    """Render the plan into `out`. `dataset.json` is written last, and shows that the set is complete.

    An interrupted rendering of the same plan is resumed, and its images are kept.

    Args:
        plan: the plan.
        out: the folder: new, empty, or from an interrupted rendering of the same plan.
        workers: number of drawing processes.
        progress: called with the number of newly drawn images.

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
            tasks += [(split, name, *part) for part in _parts(plan.words_of(name, split))]
        (out / split / NON_TEXT).mkdir(exist_ok=True)
        for kind, count in plan.negatives(split).items():
            tasks += [(split, kind, *part) for part in _parts(count)]
    draw_chunks(_render_chunk, [(plan, out, *task) for task in tasks], plan.all_scripts, workers, progress)
    finish(out)


def _parts(count: int) -> list[tuple[int, int]]:
    return [(start, min(start + _CHUNK, count)) for start in range(0, count, _CHUNK)]


@cache
def _faces_by_family(name: str, split: str, font_folders: tuple[str, ...], fold: int | None) -> list[list[Face]]:
    return list(faces_by_split(name, font_folders, fold)[split].values())


def _render_chunk(plan: RenderPlan, out: Path, split: str, series: str, start: int, stop: int) -> int:
    """Draw a chunk of pictures. series: a script, or a kind of `none`."""
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
    """The script of a picture's word; None for kinds of `none` without a script."""
    if series in (FOREIGN, UNSEEN):
        others = plan.foreign_scripts(series)
        return others[number % len(others)]
    return series if series in plan.scripts else None


def _path(series: str, name: str | None, number: int) -> Path:
    """The path of a picture in the split's folder."""
    if name == series:
        return Path(series, f"{number:06d}.jpg")
    return Path(NON_TEXT, f"{series}-{f'{name.lower()}-' if name else ''}{number:06d}.jpg")


def _render_one(plan: RenderPlan, split: str, series: str, name: str | None, number: int) -> NDArray[np.uint8]:
    """Draw a picture, RGB."""
    code = int.from_bytes((script(series).code if name == series else series).encode())
    rng = np.random.default_rng([plan.seed, SPLITS.index(split), code, number])
    if name is None:
        return draw_negative(rng, series, split, plan.font_folders)
    return draw_word_image(rng, name, _faces_by_family(name, split, plan.font_folders, plan.fold))
