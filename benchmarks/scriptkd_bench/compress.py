"""Families of compression on one task: which way of making a teacher small keeps most of it, and is fastest.

One recipe holds all families, each the stage of its name; a family is trained with the stages that it needs, and those
that several need, such as the teacher, are trained once. Everything else is `ablation`'s.
"""

from __future__ import annotations

import statistics
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import onnx
from rich.console import Console

from scriptkd_sdk import ScriptIdentifier
from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.recipe import Recipe

from .ablation import Figures, Say, Variant, export_variant, measure, train_variants
from .cost import measure_cost
from .crop import Crop
from .models import export_precisions
from .timing import LEAST, time_models

TEACHER = "teacher"
RECIPES = Path(__file__).with_name("families")
"""A recipe for each scale: no ready ones, since they are no chain from teacher to student."""
FAMILIES = {
    TEACHER: "the network that all are to be small against",
    "textnet": "distilled: the teacher's build, thinner",
    "darknet": "DarkNet-style: 3x3 and 1x1 convolutions in turns, distilled",
    "parconv": "ParConv: depthwise and pointwise for each 3x3, widths and depth kept, distilled",
    "tucker": "the trained teacher's convolutions in three parts, fine-tuned",
    "textnet_int8": "textnet, trained on under the rounding of 8 bits by two teachers",
    "bilstm": "conv-BiLSTM, the paper's assistant: no compression, but what the next one compresses",
    "darknet_bilstm": "DarkNet-BiLSTM: its LSTM and linear layers kept, matched at the LSTM's input (CNN-MAH)",
}
"""Stage -> what it is, in the order of the page. Other stages of a recipe are steps on the way."""
CHANCE = 0.01
"""How far apart two families' accuracies may lie by their seeds alone: some two standard deviations."""


@dataclass(frozen=True)
class FamilyFile:
    """A family's file in one precision: its figures, one entry a seed, and the p50 of session.run of the first's."""

    figures: list[Figures]
    milliseconds: float

    def values(self, field: str) -> list[float]:
        """One of the figures over the seeds; empty where it was not measured."""
        found = [getattr(figures, field) for figures in self.figures]
        return [] if None in found else found

    def mean(self, field: str) -> float | None:
        """The mean over the seeds; None where the figure was not measured."""
        values = self.values(field)
        return statistics.fmean(values) if values else None


@dataclass(frozen=True)
class Family:
    """macs: multiply-adds for the image that is timed. int8: None where the file failed its checks."""

    name: str
    macs: int
    fp32: FamilyFile
    int8: FamilyFile | None

    @property
    def files(self) -> dict[str, FamilyFile]:
        """The family's files by precision."""
        return {"fp32": self.fp32} | ({"int8": self.int8} if self.int8 else {})


def family_variants(recipe: Recipe, data: Path, wanted: Collection[str] = ()) -> list[Variant]:
    """One variant a family that the recipe has a stage for: that stage and those before it that it needs.

    wanted: the only ones beside the teacher; none means all.
    Raises ArgumentError for a recipe without the teacher, or without any family beside it, and for an unknown family.
    """
    names = [name for name in FAMILIES if name in recipe.stages]
    if unknown := [name for name in wanted if name not in names]:
        raise ArgumentError(f"family {unknown[0]!r} is unknown; allowed are {', '.join(names)}")
    if wanted:
        names = [name for name in names if name in wanted or name == TEACHER]
    if TEACHER not in names or len(names) < 2:
        raise ArgumentError(f"the recipe needs the stage {TEACHER} and at least one more of {', '.join(FAMILIES)}")
    return [Variant(name, _needed(recipe, name), data) for name in names]


def run_families(
    variants: Sequence[Variant],
    seeds: Sequence[int],
    out: Path,
    real: Path | None,
    crop: Crop,
    repeats: int,
    console: Console,
) -> list[Family]:
    """Trains what is missing, exports, times all files in turns on one thread, and measures their figures.

    All families with the first seed, and the finalists with the others. Accuracy is that on the data set's test split,
    and on `real` where it is given.
    """

    def say(text: str) -> None:
        console.print(text, highlight=False, markup=False, soft_wrap=True)

    def trained(chosen: Sequence[Variant], seeds: Sequence[int]) -> dict[tuple[str, str], list[Path]]:
        train_variants(chosen, seeds, out, console)
        files: dict[tuple[str, str], list[Path]] = {}
        for variant in chosen:
            for checkpoint in (variant.checkpoint(out, seed) for seed in seeds):
                files.setdefault((variant.name, "fp32"), []).append(export_variant(checkpoint, say))
                if (int8 := _int8(checkpoint, variant.data, say)) is not None:
                    files.setdefault((variant.name, "int8"), []).append(int8)
        return files

    def figures(variant: Variant, paths: Sequence[Path]) -> list[Figures]:
        checkpoints = [path.with_name(f"{path.name.split('.')[0]}.pt") for path in paths]
        pairs = zip(checkpoints, paths, strict=True)
        return [measure(checkpoint, path, variant.data, "test", real, say) for checkpoint, path in pairs]

    files = trained(variants, seeds[:1])
    say(f"timing {len(files)} files in turns")
    timings = time_models([path for (path,) in files.values()], crop, repeats, 1, lambda done, total: None)
    times = dict(zip(files, (timing.run.p50 for timing in timings), strict=True))
    families = []
    for variant in variants:
        measured = {
            precision: FamilyFile(figures(variant, files[variant.name, precision]), times[variant.name, precision])
            for precision in ("fp32", "int8")
            if (variant.name, precision) in files
        }
        macs = _macs(files[variant.name, "fp32"][0], crop)
        families.append(Family(variant.name, macs, measured["fp32"], measured.get("int8")))
    if len(seeds) > 1:
        names = finalists(families)
        say(f"finalists: {', '.join(names)}")
        chosen = [variant for variant in variants if variant.name in names]
        further = trained(chosen, seeds[1:])
        for family, variant in zip(families, variants, strict=True):
            for precision, file in family.files.items():
                file.figures.extend(figures(variant, further.get((variant.name, precision), [])))
    return families


def accuracy_field(families: Sequence[Family]) -> str:
    """The accuracy that counts: on real words where they were given."""
    return "real" if any(family.fp32.values("real") for family in families) else "unseen"


def finalists(families: Sequence[Family]) -> list[str]:
    """The teacher, and every family with a file that no file as fast beats by more than one seed's chance."""
    field = accuracy_field(families)
    files = [file for family in families for file in family.files.values()]

    def stands(file: FamilyFile) -> bool:
        best = max(other.mean(field) or 0.0 for other in files if other.milliseconds <= file.milliseconds)
        return (file.mean(field) or 0.0) >= best - CHANCE

    return [each.name for each in families if each.name == TEACHER or any(map(stands, each.files.values()))]


def _needed(recipe: Recipe, name: str) -> Recipe:
    """The recipe with the stages alone that one of them is made from."""
    wanted, waiting = set(), [name]
    while waiting:
        stage = recipe.stages[waiting[-1]]
        wanted.add(waiting.pop())
        sources = [each.stage for each in (stage.start, stage.decompose) if each and each.stage]
        waiting += [*sources, *(stage.distil.teachers if stage.distil else ())]
    return recipe.model_copy(update={"stages": {each: recipe.stages[each] for each in recipe.stages if each in wanted}})


def _int8(checkpoint: Path, data: Path, say: Say) -> Path | None:
    """The int8 file beside a checkpoint, made if it is missing or older; None, which is said, where it fails."""
    path = checkpoint.with_suffix(".int8.onnx")
    if path.is_file() and path.stat().st_mtime >= checkpoint.stat().st_mtime:
        return path
    return export_precisions(checkpoint, ["int8"], data, checkpoint.parent, say).get("int8")


def _macs(path: Path, crop: Crop) -> int:
    image = ScriptIdentifier(path, threads=1).preprocessing.apply(crop.pixels)[None]
    return measure_cost(onnx.load(path), image, LEAST).total().macs
