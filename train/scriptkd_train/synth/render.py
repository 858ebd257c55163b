"""Renders a dataset, `out/<train|val|test>/<script>/<number>.jpg`: same seed, same bytes, on any number of cores.

Every word has a seed of its own, made of (seed, split, script's code, number), so that it does not matter who renders
it, nor which other scripts are rendered. Beside the scripts lies `none`, pictures of no script that the set knows:
`<kind>-<number>.jpg` with the kinds of `negatives.NEGATIVES`; `foreign-<script>-<number>.jpg` for words of other
scripts. The test split alone has `unseen-<script>-<number>.jpg`, words of foreign scripts that no other split shows.
"""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from scriptkd_sdk import scripts
from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.scripts import script
from scriptkd_train.data.folder import NON_TEXT
from scriptkd_train.synth.composition import draw_word_image
from scriptkd_train.synth.fonts import PROBES, SPLITS, Face, faces_by_split
from scriptkd_train.synth.negatives import HELD_OUT_FOREIGN, NEGATIVES, draw_negative
from scriptkd_train.synth.typeset import require_shaping
from scriptkd_train.synth.words import words

SCRIPTS = tuple(each.name for each in scripts.SCRIPTS)
WORLD = tuple(each.name for each in scripts.WORLD)
FOREIGN, UNSEEN = "foreign", "unseen"
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
    for name in (*plan.foreign_scripts(FOREIGN), *plan.foreign_scripts(UNSEEN), "Latin"):  # digits are of Latin type
        faces_by_split(name, plan.font_folders), words(name)  # raise now, not in a worker
    return table


def require_new(out: Path) -> None:
    """Makes the folder `out`. Raises ArgumentError if it holds something already, OSError if it cannot be made."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ArgumentError(f"{out} is not an empty folder; give a new one, so that nothing is overwritten")
    out.mkdir(parents=True, exist_ok=True)


def render(plan: RenderPlan, out: Path, workers: int, progress: Callable[[int], None] = lambda done: None) -> None:
    """Renders the plan into `out` and writes `out/dataset.json` last, so that its presence says the set is whole.

    progress: called with the number of images just finished.

    Raises:
        ArgumentError: `out` holds something already, or the plan cannot be rendered (see `check_plan`).
    """
    require_new(out)
    if workers < 1:
        raise ArgumentError(f"workers must be at least 1, not {workers}")
    table = check_plan(plan)
    tasks = []
    for split in SPLITS:
        for name in plan.scripts:
            (out / split / name).mkdir(parents=True, exist_ok=True)
            tasks += [(split, name, start) for start in range(0, plan.count(split), _CHUNK)]
        (out / split / NON_TEXT).mkdir()
        for kind, count in plan.negatives(split).items():
            tasks += [(split, kind, start) for start in range(0, count, _CHUNK)]
    # A forked worker finds fonts and words already loaded; a spawned one (macOS) loads them itself.
    method = "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"
    with ProcessPoolExecutor(workers, multiprocessing.get_context(method), initializer=_use_one_thread) as pool:
        for done in pool.map(_render_chunk, *zip(*((plan, out, *task) for task in tasks), strict=True)):
            progress(done)
    description = {"plan": asdict(plan), "scripts": {n: {"code": script(n).code, **table[n]} for n in plan.scripts}}
    (out / "dataset.json").write_text(json.dumps(description, indent=2) + "\n")


def _use_one_thread() -> None:
    cv2.setNumThreads(1)  # one process a core: threads inside each would only fight


@cache
def _faces_by_family(name: str, split: str, font_folders: tuple[str, ...]) -> list[list[Face]]:
    return list(faces_by_split(name, font_folders)[split].values())


def _render_chunk(plan: RenderPlan, out: Path, split: str, series: str, start: int) -> int:
    """series: a script, or a kind of `none`."""
    count = plan.negatives(split).get(series, plan.count(split))
    stop = min(start + _CHUNK, count)
    for number in range(start, stop):
        path, picture = _render_one(plan, split, series, number)
        _, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        (out / split / path).write_bytes(data.tobytes())
    return stop - start


def _render_one(plan: RenderPlan, split: str, series: str, number: int) -> tuple[Path, np.ndarray]:
    """Where below the split's folder a picture goes, and the picture, RGB."""
    known = series in plan.scripts
    code = int.from_bytes((script(series).code if known else series).encode())
    rng = np.random.default_rng([plan.seed, SPLITS.index(split), code, number])
    if known:
        families = _faces_by_family(series, split, plan.font_folders)
        return Path(series, f"{number:06d}.jpg"), draw_word_image(rng, series, families)
    if series in (FOREIGN, UNSEEN):
        scripts_of_kind = plan.foreign_scripts(series)
        name = scripts_of_kind[number % len(scripts_of_kind)]
        families = _faces_by_family(name, split, plan.font_folders)
        return Path(NON_TEXT, f"{series}-{name.lower()}-{number:06d}.jpg"), draw_word_image(rng, name, families)
    return Path(NON_TEXT, f"{series}-{number:06d}.jpg"), draw_negative(rng, series, split, plan.font_folders)
