"""Families of compression on one task: which method loses least of the teacher's accuracy, and which is fastest.

One recipe holds all families. Each family is the stage of its name, together with the stages that it needs. Shared
stages, such as the teacher, are trained once. Everything else is as in `ablation`.
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
"""A recipe for each scale. They are not among the ready recipes, since they are no chain from teacher to student."""
FAMILIES = {
    TEACHER: "the large network that all others compress",
    "textnet": "the teacher's architecture with fewer channels, distilled",
    "darknet": "DarkNet-style: alternating 3x3 and 1x1 convolutions, distilled",
    "parconv": "ParConv: depthwise and pointwise convolutions for each 3x3, same widths and depth, distilled",
    "tucker": "the trained teacher's convolutions decomposed into three, fine-tuned",
    "textnet_int8": "textnet, trained further with the rounding of 8 bits, by two teachers",
    "bilstm": "conv-BiLSTM, the paper's assistant: not a compression, but the network that darknet_bilstm compresses",
    "darknet_bilstm": "DarkNet-BiLSTM: bilstm's LSTM and linear layers, features matched at the LSTM's input (CNN-MAH)",
}
"""Stage -> description, in the order of the page. A recipe's other stages are intermediate steps."""
CHANCE = 0.01
"""How much two accuracies may differ by their seeds alone: about two standard deviations."""


@dataclass(frozen=True)
class FamilyFile:
    """A family's file in one precision: its figures, one entry per seed, and the first seed's p50 of session.run."""

    figures: list[Figures]
    milliseconds: float

    def values(self, field: str) -> list[float]:
        """Return a figure's value for each seed; empty if it was not measured."""
        found = [getattr(figures, field) for figures in self.figures]
        return [] if None in found else found

    def mean(self, field: str) -> float | None:
        """Return a figure's mean over the seeds; None if it was not measured."""
        values = self.values(field)
        return statistics.fmean(values) if values else None


@dataclass(frozen=True)
class Family:
    """A family's files. macs: multiply-adds for the timed image. int8: None if the file failed its checks."""

    name: str
    macs: int
    fp32: FamilyFile
    int8: FamilyFile | None

    @property
    def files(self) -> dict[str, FamilyFile]:
        """Return the family's files by precision."""
        return {"fp32": self.fp32} | ({"int8": self.int8} if self.int8 else {})


def family_variants(recipe: Recipe, data: Path, wanted: Collection[str] = ()) -> list[Variant]:
    """Return one variant for each family in the recipe: the family's stage and the stages that it needs.

    wanted: the families to return beside the teacher; empty means all.
    Raises ArgumentError for a recipe without the teacher or without another family, and for an unknown family.
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
    """Train the missing networks, export them, time all files in turns on one thread, and measure their figures.

    All families are trained with the first seed, and the finalists also with the others. Accuracy is measured on the
    data set's test split, and on `real` if given.
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
    """Return the field of the accuracy that decides: on real words if they were given."""
    return "real" if any(family.fp32.values("real") for family in families) else "unseen"


def finalists(families: Sequence[Family]) -> list[str]:
    """Return the teacher, and every family with a file that no equally fast file beats by more than CHANCE."""
    field = accuracy_field(families)
    files = [file for family in families for file in family.files.values()]

    def stands(file: FamilyFile) -> bool:
        best = max(other.mean(field) or 0.0 for other in files if other.milliseconds <= file.milliseconds)
        return (file.mean(field) or 0.0) >= best - CHANCE

    return [each.name for each in families if each.name == TEACHER or any(map(stands, each.files.values()))]


def _needed(recipe: Recipe, name: str) -> Recipe:
    """Return the recipe with only the stages that the stage `name` needs."""
    wanted, waiting = set(), [name]
    while waiting:
        stage = recipe.stages[waiting[-1]]
        wanted.add(waiting.pop())
        sources = [each.stage for each in (stage.start, stage.decompose) if each and each.stage]
        waiting += [*sources, *(stage.distil.teachers if stage.distil else ())]
    return recipe.model_copy(update={"stages": {each: recipe.stages[each] for each in recipe.stages if each in wanted}})


def _int8(checkpoint: Path, data: Path, say: Say) -> Path | None:
    """Return the int8 file beside a checkpoint, exported if missing or older. Report a failure and return None."""
    path = checkpoint.with_suffix(".int8.onnx")
    if path.is_file() and path.stat().st_mtime >= checkpoint.stat().st_mtime:
        return path
    return export_precisions(checkpoint, ["int8"], data, checkpoint.parent, say).get("int8")


def _macs(path: Path, crop: Crop) -> int:
    image = ScriptIdentifier(path, threads=1).preprocessing.apply(crop.pixels)[None]
    return measure_cost(onnx.load(path), image, LEAST).total().macs
