"""Ablations: variants of a recipe, or of its data, trained alike and compared in one table.

A spec is a YAML file:

    parent: base.yaml  # the recipe that all variants change: a ready one's name, or a path relative to the spec
    variants:
      base: {}
      no-augmentation: {recipe: {stages: {student: {augment: none}}}}  # changes, merged into the parent
      plain-pictures: {data: build/plain}  # another training set
      wide: {recipe: wide.yaml}  # another recipe altogether

The network of a variant's last stage is measured, always on the same images, whatever its training set.
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
from scriptkd_train.utils.files import write_json
from scriptkd_train.utils.markdown import markdown_table

from .pareto import Point

_NAME = re.compile(r"[\w.+-]+")  # names become folders
_SAMPLES = 8  # images on which an exported file is compared with torch

Say = Callable[[str], None]


@dataclass(frozen=True)
class Variant:
    """One row of the table: a recipe, and the data set to train it on."""

    name: str
    recipe: Recipe
    data: Path

    def checkpoint(self, out: Path, seed: int) -> Path:
        """Return the path of the measured network's checkpoint."""
        return out / self.data.resolve().name / f"seed-{seed}" / self.name / f"{list(self.recipe.stages)[-1]}.pt"


@dataclass(frozen=True)
class Figures:
    """The figures of one trained network. Shares are in 0..1, and None if their images were not given.

    unseen, real: macro accuracies. scene: macro accuracy on street scenes. roc_area: words against non-text.
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
        """Accuracy on rendered words in unseen fonts minus accuracy on real words."""
        return None if self.real is None else self.unseen - self.real


@dataclass(frozen=True)
class Row:
    """A variant's figures, one entry per seed, and the first seed's p50 of session.run on one thread."""

    name: str
    figures: list[Figures]
    milliseconds: float

    def point(self) -> Point:
        """Return the means over the seeds, for the plot."""
        accuracy = {"unseen fonts": _mean(self, "unseen"), "real words": _mean(self, "real")}
        known = {name: value for name, value in accuracy.items() if value is not None}
        return Point(self.name, self.milliseconds, self.figures[0].kilobytes, known)


def read_spec(path: Path, data: Path) -> list[Variant]:
    """Return the variants of a spec. They learn from `data` unless they name another data set.

    Raises ArgumentError for an invalid spec. The message names the variant and what is allowed.
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
    """Train the missing networks. Stages that variants share, such as their teacher, are trained once."""
    for data in dict.fromkeys(variant.data for variant in variants):
        rows = {variant.name: variant.recipe for variant in variants if variant.data == data}
        reproduce(rows, seeds, data, out / data.resolve().name, "ablation", console)


def export_variant(checkpoint: Path, say: Say) -> Path:
    """Return the float32 model file beside a checkpoint. It is exported if missing or older. Raises ExportError."""
    path = checkpoint.with_suffix(".onnx")
    if not path.is_file() or path.stat().st_mtime < checkpoint.stat().st_mtime:
        say(f"exporting {checkpoint}")
        export_onnx(load_checkpoint(checkpoint), path, draw_samples(_SAMPLES))
    return path


def measure(checkpoint: Path, model: Path, data: Path, split: str, real: Path | None, say: Say) -> Figures:
    """Return a trained network's figures. They are cached beside it until the file or the images change."""
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
    write_json(kept, {"asked": asked, "figures": asdict(figures)})
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
    """Return the header and rows of the table, as text. Brackets hold the difference from the first row."""
    heads = ["variant", "parameters", "KB", "run ms", *(title for title, _ in _COLUMNS)]
    table = []
    for row in rows:
        first = row.figures[0]
        cell = [row.name, f"{first.parameters:,}", f"{first.kilobytes:,.0f}", f"{row.milliseconds:.3g}"]
        table.append(cell + [_cell(row, rows[0], field) for _, field in _COLUMNS])
    return heads, table


def markdown(rows: Sequence[Row], facts: dict[str, str]) -> str:
    """Return the facts of the measurement and the table, as Markdown."""
    heads, table = cells(rows)
    lines = ["# Ablation", "", *(f"- {name}: {fact}" for name, fact in facts.items()), ""]
    lines += markdown_table(heads, table)
    return "\n".join([*lines, "", *(f"- {note}" for note in NOTES)]) + "\n"


NOTES = (
    "Macro accuracy. unseen fonts: on rendered words in fonts unseen in training. real: on real words. "
    "scene: on street scenes. gap: unseen fonts minus real, in points.",
    "ROC area: words against non-text. In brackets: difference from the first row. ±: standard deviation over seeds.",
    "run: p50 of session.run on one thread, all models in turns.",
)


def _variant(path: Path, parent: Any, name: str, spec: Any, data: Path) -> Variant:
    where = f"spec {path}: variant {name}"
    if not _NAME.fullmatch(name):
        raise ArgumentError(f"{where}: a name may hold letters, digits and _ . + - only, as it names a folder")
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
