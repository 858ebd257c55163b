"""What each change is worth: variants of a recipe, or of its data, trained alike and measured in one table.

A spec is a YAML file:

    parent: base.yaml      # the recipe that all variants start from: a ready one's name, or a path beside the spec
    variants:
      base: {}
      no-augmentation: {recipe: {stages: {student: {augment: none}}}}   # changes, merged as a recipe's with a parent
      plain-pictures: {data: build/plain}                               # another data set to learn from
      wide: {recipe: wide.yaml}                                         # another recipe altogether

The network of a variant's last stage is what is measured, always on the same images, whatever it learned from.
"""

from __future__ import annotations

import json
import re
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

from scriptkd_export import draw_samples, export_onnx
from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.data.dataset import fingerprint, read_split_or_all
from scriptkd_train.evaluation.evaluate import evaluate
from scriptkd_train.models.checkpoint import load_checkpoint
from scriptkd_train.models.networks import parameter_count
from scriptkd_train.paper.reproduce import reproduce
from scriptkd_train.recipe import Recipe, load_recipe, parse_recipe
from scriptkd_train.recipe_files import merge, read_recipe, ready_recipes
from scriptkd_train.utils.markdown import markdown_table

from .pareto import Point

_NAME = re.compile(r"[\w.+-]+")  # names become folders
_SAMPLES = 8  # images that an exported file is compared with torch on

Say = Callable[[str], None]


@dataclass(frozen=True)
class Variant:
    """One row: what is trained, and on which data set."""

    name: str
    recipe: Recipe
    data: Path

    def checkpoint(self, out: Path, seed: int) -> Path:
        """Where the network that is measured lies."""
        return out / self.data.resolve().name / f"seed-{seed}" / self.name / f"{list(self.recipe.stages)[-1]}.pt"


@dataclass(frozen=True)
class Figures:
    """Of one trained network. Shares in 0..1; None where the images for it were not given.

    unseen, real: macro accuracies. scene: mean over the scripts of the kind `scene`. roc_area: words against non-text.
    calibration: expected calibration error on real words.
    """

    parameters: int
    kilobytes: float
    unseen: float
    real: float | None = None
    scene: float | None = None
    roc_area: float | None = None
    calibration: float | None = None

    @property
    def gap(self) -> float | None:
        """From rendered words in unseen fonts to real ones."""
        return None if self.real is None else self.unseen - self.real


@dataclass(frozen=True)
class Row:
    """A variant's figures, one entry a seed, and the p50 of session.run on one thread (of the first seed's file)."""

    name: str
    figures: list[Figures]
    milliseconds: float

    def point(self) -> Point:
        """For the plot: means over the seeds."""
        accuracy = {"unseen fonts": _mean(self, "unseen"), "real words": _mean(self, "real")}
        known = {name: value for name, value in accuracy.items() if value is not None}
        return Point(self.name, self.milliseconds, self.figures[0].kilobytes, known)


def read_spec(path: Path, data: Path) -> list[Variant]:
    """The variants of a spec; `data` is what they learn from unless they say otherwise.

    Raises ArgumentError for a file that is no such spec, naming the variant and what is allowed.
    """
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise ArgumentError(f"cannot read the spec {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ArgumentError(f"cannot read the spec {path}: it is not text") from error
    except yaml.YAMLError as error:
        raise ArgumentError(f"spec {path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict) or not set(content) <= {"parent", "variants"} or not content.get("variants"):
        raise ArgumentError(f"spec {path} must be a mapping with the keys variants and, if they share one, parent")
    if not isinstance(content["variants"], dict):
        raise ArgumentError(f"spec {path}: variants must be a mapping of names to their changes")
    parent = content.get("parent")
    variants = [_variant(path, parent, str(name), spec, data) for name, spec in content["variants"].items()]
    sets = {variant.data.resolve() for variant in variants}
    if len({folder.name for folder in sets}) < len(sets):
        found = ", ".join(map(str, sorted(sets)))
        raise ArgumentError(f"spec {path}: its data sets need folders of different names, not {found}")
    return variants


def train_variants(variants: Sequence[Variant], seeds: Sequence[int], out: Path, console: Console) -> None:
    """Train what is missing; stages that variants have in common, such as their teacher, are trained once."""
    for data in dict.fromkeys(variant.data for variant in variants):
        rows = {variant.name: variant.recipe for variant in variants if variant.data == data}
        reproduce(rows, seeds, data, out / data.resolve().name, "ablation", console)


def export_variant(checkpoint: Path, say: Say) -> Path:
    """The float32 model file beside a checkpoint, made if it is missing or older. Raises ExportError."""
    path = checkpoint.with_suffix(".onnx")
    if not path.is_file() or path.stat().st_mtime < checkpoint.stat().st_mtime:
        say(f"exporting {checkpoint}")
        export_onnx(load_checkpoint(checkpoint), path, draw_samples(_SAMPLES))
    return path


def measure(checkpoint: Path, model: Path, data: Path, split: str, real: Path | None, say: Say) -> Figures:
    """A trained network's figures; kept beside it, and measured again only for a newer file or other images."""
    asked = {
        "data": fingerprint(read_split_or_all(data, split)),
        "real": fingerprint(read_split_or_all(real, "test")) if real else None,
    }
    kept = model.with_suffix(".figures.json")
    if kept.is_file() and kept.stat().st_mtime >= model.stat().st_mtime:
        content = json.loads(kept.read_text("utf-8"))
        if content["asked"] == asked:
            return Figures(**content["figures"])
    say(f"measuring {model}")
    unseen = evaluate(model, data, split).report
    on_real = evaluate(model, real).report if real else None
    kinds = on_real.groups.values() if on_real else ()
    scenes = [each["scene"].accuracy for each in kinds if "scene" in each]
    figures = Figures(
        parameters=parameter_count(load_checkpoint(checkpoint).build()),
        kilobytes=model.stat().st_size / 1000,
        unseen=unseen.macro_accuracy,
        real=on_real.macro_accuracy if on_real else None,
        scene=statistics.fmean(scenes) if scenes else None,
        roc_area=on_real.non_text_roc_area if on_real else None,
        calibration=on_real.calibration_error if on_real else None,
    )
    draft = kept.with_name(f".{kept.name}")
    draft.write_text(json.dumps({"asked": asked, "figures": asdict(figures)}, indent=2) + "\n", "utf-8")
    draft.replace(kept)
    return figures


_COLUMNS: tuple[tuple[str, str], ...] = (
    ("unseen fonts %", "unseen"),
    ("real %", "real"),
    ("scene %", "scene"),
    ("gap", "gap"),
    ("ROC area", "roc_area"),
    ("calibration error %", "calibration"),
)


def cells(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """Heads and rows of the table, as text; the differences in brackets are to the first row."""
    heads = ["variant", "parameters", "KB", "run ms", *(title for title, _ in _COLUMNS)]
    table = []
    for row in rows:
        first = row.figures[0]
        cell = [row.name, f"{first.parameters:,}", f"{first.kilobytes:,.0f}", f"{row.milliseconds:.3g}"]
        table.append(cell + [_cell(row, rows[0], field) for _, field in _COLUMNS])
    return heads, table


def markdown(rows: Sequence[Row], facts: dict[str, str]) -> str:
    """The table as Markdown, under what it was measured on."""
    heads, table = cells(rows)
    lines = ["# Ablation", "", *(f"- {name}: {fact}" for name, fact in facts.items()), ""]
    lines += markdown_table(heads, table)
    return "\n".join([*lines, "", *(f"- {note}" for note in NOTES)]) + "\n"


NOTES = (
    "unseen fonts, real: macro accuracy on rendered words in type that training never saw, and on real words. "
    "scene: mean of the scripts over street scenes. gap: unseen fonts less real, in points.",
    "ROC area: words against non-text. In brackets: the difference to the first row; ±: standard deviation over seeds.",
    "run: session.run, p50, one thread, all models in turns.",
)


def _variant(path: Path, parent: Any, name: str, spec: Any, data: Path) -> Variant:
    where = f"spec {path}: variant {name}"
    if not _NAME.fullmatch(name):
        raise ArgumentError(f"{where}: a name may hold letters, digits and _ . + - only, as it becomes a folder's")
    if spec is None:
        spec = {}
    if not isinstance(spec, dict) or not set(spec) <= {"recipe", "data"}:
        raise ArgumentError(f"{where} must be a mapping with the keys recipe and data, or empty")
    changes = spec.get("recipe", {})
    if isinstance(changes, str):
        recipe = load_recipe(_located(path, changes))
    elif not isinstance(changes, dict):
        raise ArgumentError(f"{where}: recipe must be a name, a path, or the keys to change")
    elif not isinstance(parent, str):
        raise ArgumentError(f"{where} changes a recipe, but the spec names no parent")
    else:
        recipe = parse_recipe(merge(read_recipe(_located(path, parent)), changes), name)
    return Variant(name, recipe, Path(str(spec["data"])) if "data" in spec else data)


def _located(spec: Path, recipe: str) -> str:
    return recipe if recipe in ready_recipes() else str(spec.parent / recipe)


def _mean(row: Row, field: str) -> float | None:
    values = [getattr(figures, field) for figures in row.figures]
    return None if None in values else statistics.fmean(values)


def _cell(row: Row, first: Row, field: str) -> str:
    mean, base = _mean(row, field), _mean(first, field)
    if mean is None or base is None:
        return "–"
    scale, digits = (1, 3) if field == "roc_area" else (100, 1)
    text = f"{scale * mean:.{digits}f}"
    if len(row.figures) > 1:
        text += f" ± {scale * statistics.stdev(getattr(figures, field) for figures in row.figures):.{digits}f}"
    return text if row is first else f"{text} ({scale * (mean - base):+.{digits}f})"
