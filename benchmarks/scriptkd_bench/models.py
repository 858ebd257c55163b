"""The models to measure: files, a training run's stages, the bundled ones, or the paper's teacher for its speed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scriptkd_sdk import modelfile
from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.preprocess import Preprocessing

if TYPE_CHECKING:
    from scriptkd_train.models.checkpoint import Checkpoint

PRECISIONS = ("fp32", "int8", "int8-u8", "int4-u8", "int8-weights", "int4-weights")  # of exported files
PAPER_SIDE = 299  # pixels: the paper's input is square
LABELS = ("Arabic", "Bengali", "Devanagari", "Gujarati", "Gurmukhi", "Kannada", "Latin", "Oriya", "Tamil", "Telugu")
CALIBRATION_IMAGES = 256
CALIBRATION_BATCH = 16

Say = Callable[[str], None]


@dataclass(frozen=True)
class Candidate:
    """A model to measure. trained: False if its weights are random."""

    name: str
    path: Path
    trained: bool = True


def from_files(paths: list[Path]) -> list[Candidate]:
    """Return model files by path, or bundled models by name. Raises ArgumentError for a file of another kind."""
    paths = [modelfile.model_path(path) for path in paths]
    for path in paths:
        if path.suffix != ".onnx":
            raise ArgumentError(
                f"cannot measure {path}: it must be a model file (.onnx) or the name of a model that comes with this "
                f"scriptkd ({', '.join(modelfile.bundled_models()) or 'none'}); --run takes checkpoints"
            )
    return [Candidate(path.name.split(".")[0], path) for path in paths]


def without_copies(candidates: list[Candidate]) -> list[Candidate]:
    """Return the candidates without byte-identical copies: a run's file may equal a bundled model."""
    first: dict[bytes | Path, Candidate] = {}
    for candidate in candidates:
        first.setdefault(candidate.path.read_bytes() if candidate.path.is_file() else candidate.path, candidate)
    return list(first.values())


def bundled() -> list[Candidate]:
    """Return the bundled models. Raises ArgumentError if this copy has none."""
    names = modelfile.bundled_models()
    if not names:
        raise ArgumentError("this copy of scriptkd holds no model of its own: name model files, or a --run")
    return [Candidate(name, modelfile.model_path(name)) for name in names]


def from_run(run: Path, data: Path | None, folder: Path, say: Say) -> list[Candidate]:
    """Return the stages of a training run in order, each in float32 and int8.

    A model file beside the checkpoint is used as it is. If it is missing or older than the checkpoint, the checkpoint
    is exported into `folder`. int8 files are calibrated on the validation images of `data`. If that fails, int8 is left
    out with a message. Raises ArgumentError if the folder holds no run, ScriptkdError if float32 cannot be exported.
    """
    stages = [stage for stage in _stages(run) if (run / f"{stage}.pt").is_file()]
    if not stages:
        raise ArgumentError(f"{run} holds no finished stage of a training run (run.json and <stage>.pt)")
    found = []
    for stage in stages:
        beside = {precision: run / _file_name(stage, precision) for precision in PRECISIONS}
        made_at = (run / f"{stage}.pt").stat().st_mtime
        paths = {p: path for p, path in beside.items() if path.is_file() and path.stat().st_mtime >= made_at}
        wanted = [precision for precision in ("fp32", "int8") if precision not in paths]
        if "int8" in wanted and data is None:
            say(f"{stage}: int8 left out, as it needs images for calibration: give --data")
            wanted.remove("int8")
        if wanted:
            paths |= export_precisions(run / f"{stage}.pt", wanted, data, folder, say)
        found += [Candidate(stage, paths[precision]) for precision in PRECISIONS if precision in paths]
    return found


def untrained_teacher(model: str, folder: Path, say: Say) -> Candidate:
    """Return a timm network as in the paper, for 299x299 RGB and ten scripts. Random weights do not change its speed.

    Raises ArgumentError if timm has no such network, ExportError if it cannot be exported.
    """
    from scriptkd_export import draw_samples, export_onnx  # imported here, as most of this file needs no torch

    say(f"{model}: building it with random weights, for its speed only")
    preprocessing = Preprocessing(3, PAPER_SIDE, PAPER_SIDE, PAPER_SIDE, 1)
    path = folder / f"{model}.onnx"
    export_onnx(_untrained("timm", {"model": model}, preprocessing), path, draw_samples(8))
    return Candidate(f"{model} (untrained)", path, trained=False)


def untrained_stage(recipe: str, stage: str) -> Checkpoint:
    """Return a recipe's stage with random weights and ten scripts, for its size and speed.

    Raises ArgumentError for an unknown recipe or stage, and for a stage whose network depends on trained weights.
    """
    from scriptkd_train.models.networks import without_download
    from scriptkd_train.recipe import load_recipe

    stages = load_recipe(recipe).stages
    if stage not in stages:
        raise ArgumentError(f"recipe {recipe} has no stage {stage!r}; it has {', '.join(stages)}")
    spec = stages[stage].network
    if spec is None:
        raise ArgumentError(f"stage {stage} decomposes trained weights: train it, and give its checkpoint")
    return _untrained(spec.name, without_download(spec.name, spec.arguments), stages[stage].input.preprocessing())


def _untrained(network: str, arguments: dict[str, Any], preprocessing: Preprocessing) -> Checkpoint:
    from scriptkd_train.models.checkpoint import Checkpoint
    from scriptkd_train.models.networks import build_network

    state = build_network(network, len(LABELS), preprocessing, **arguments).state_dict()
    any_crop = preprocessing.square_height is not None
    return Checkpoint(
        network,
        arguments,
        list(LABELS),
        preprocessing,
        state,
        orientation_temperature=1.0 if any_crop else None,
        orientation_threshold=0.0 if any_crop else None,
    )


def _stages(run: Path) -> list[str]:
    """Return the names of a run's stages in the order of training."""
    try:
        return list(json.loads((run / "run.json").read_text("utf-8"))["recipe"]["stages"])
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArgumentError(f"{run / 'run.json'} is not what `scriptkd train` wrote: {error}") from error


def _file_name(stage: str, precision: str) -> str:
    return f"{stage}.onnx" if precision == "fp32" else f"{stage}.{precision}.onnx"


def export_precisions(ckpt: Path, precisions: list[str], data: Path | None, folder: Path, say: Say) -> dict[str, Path]:
    """Export a checkpoint in the wanted precisions, and return their paths without an int8 file that failed a check."""
    from scriptkd_export import ExportError, draw_samples, export_graph, quantize_int8, read_samples, write_verified
    from scriptkd_export.samples import batches
    from scriptkd_train.models.checkpoint import load_checkpoint

    say(f"{ckpt.stem}: exporting {' and '.join(precisions)}")
    checkpoint = load_checkpoint(ckpt)
    graph = export_graph(checkpoint)
    samples, calibration = draw_samples(CALIBRATION_IMAGES), None
    if data and "int8" in precisions:
        try:
            samples, calibration = read_samples(data, CALIBRATION_IMAGES)
        except ArgumentError as error:
            say(f"{ckpt.stem}: int8 left out: {error}")
            precisions = [precision for precision in precisions if precision != "int8"]
    made = {}
    for precision in precisions:
        path, model = folder / _file_name(ckpt.stem, precision), graph
        try:
            if precision == "int8" and calibration is not None:
                model = quantize_int8(graph, batches(calibration, checkpoint.preprocessing, CALIBRATION_BATCH))
            write_verified(model, path, checkpoint, samples, precision)
        except ExportError as error:
            if precision == "fp32":
                raise
            failed = "; ".join(f"{check.name}: {check.found}" for check in error.checks if not check.passed)
            say(f"{ckpt.stem}: int8 left out: {failed or error}")
        else:
            made[precision] = path
    return made
