"""Check a recipe before its first stage begins: build every network, without its weights."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

import torch

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.compression.decompose import check_decomposable
from scriptkd_train.compression.quantize import quantizable_layers
from scriptkd_train.engine.feature_distillation import feature_widths
from scriptkd_train.engine.trainer import parameter_groups
from scriptkd_train.models.checkpoint import Checkpoint
from scriptkd_train.models.init_weights import freeze, select_init_weights
from scriptkd_train.models.networks import Network, build_network, without_download
from scriptkd_train.models.onnx_weights import read_onnx_weights
from scriptkd_train.recipe import InitWeights, Recipe, ResolvedStage, Stage

_NONE: Mapping[str, Checkpoint] = MappingProxyType({})


def check_networks(recipe: Recipe, labels: list[str], there: Mapping[str, Checkpoint] = _NONE) -> None:
    """Build every network without memory for its weights, so that mistakes show before the first stage begins.

    there: stage -> its checkpoint, for stages that are already trained.

    Raises:
        ArgumentError: a network cannot be built; a `start`, `decompose` or checkpoint does not fit its stage; a teacher
            lacks a script; there is nothing to quantize; points cannot be matched.
        ModelError: the model of a `start` cannot be read.
    """
    built: dict[str, Network] = {}
    known = {name: there[name].labels if name in there else labels for name in recipe.stages}
    for name, stage in recipe.stages.items():
        if name in there:
            built[name] = _build_trained(name, stage, there[name])
            continue
        _check_labels(name, stage, labels, known)
        if stage.decompose is not None:
            built[name] = built[stage.decompose.stage]  # a factorised network has the same inputs and outputs
            if recipe.stages[stage.decompose.stage].decompose is None:  # the layers of a factorised source are unknown
                check_decomposable(built[name], stage.input.preprocessing(), stage.decompose, f"stage {name}")
        else:
            network = ResolvedStage.of(stage).network
            arguments = without_download(network.name, network.arguments)
            with torch.device("meta"):
                built[name] = build_network(network.name, len(labels), stage.input.preprocessing(), **arguments)
        if stage.start is not None and (source := _init_source(stage.start, recipe, built, labels)) is not None:
            where = f"stage {name}: start from {stage.start.origin}"
            select_init_weights(built[name], source.state_dict(), stage.start.layers, where)
            if stage.start.keep and _shapes(built[name]) != _shapes(source):
                raise ArgumentError(
                    f"{where}: keep needs the source's architecture, and this network is deeper or wider"
                )
            freeze(built[name], stage.start.freeze, where)
        try:
            parameter_groups(built[name], stage.optimizer)
        except ArgumentError as error:
            raise ArgumentError(f"stage {name}: {error}") from error
        if stage.quantize is not None:
            quantizable_layers(built[name])
        if stage.distil is not None and stage.distil.match:
            first = next(iter(stage.distil.teachers))
            student, teacher = ((built[who], recipe.stages[who].input.preprocessing()) for who in (name, first))
            feature_widths(student, teacher, stage.distil.match, f"stage {name}: match")


def check_weights(recipe: Recipe, labels: list[str], there: Collection[str]) -> None:
    """Load the pretrained weights of every stage not in `there` once, so that no stage fails later for want of them.

    Raises:
        ArgumentError: a package, a file or a download of weights is missing.
    """
    for name, stage in recipe.stages.items():
        if name in there or stage.network is None:
            continue
        network = stage.network
        if without_download(network.name, network.arguments) != network.arguments:
            try:
                build_network(network.name, len(labels), stage.input.preprocessing(), **network.arguments)
            except ArgumentError as error:
                raise ArgumentError(f"stage {name}: {error}") from error


def _build_trained(name: str, stage: Stage, checkpoint: Checkpoint) -> Network:
    """The network of an already trained stage, without its weights."""
    for what, wanted, found in (
        ("network", stage.network and stage.network.name, checkpoint.network),
        ("input", stage.input.preprocessing().to_dict(), checkpoint.preprocessing.to_dict()),
    ):
        if stage.checkpoint is not None and wanted not in (found, None):
            raise ArgumentError(f"stage {name}: {checkpoint.source} has the {what} {found}, not the stage's {wanted}")
    with torch.device("meta"):
        return build_network(
            checkpoint.network,
            len(checkpoint.labels),
            checkpoint.preprocessing,
            **without_download(checkpoint.network, checkpoint.arguments),
        )


def _check_labels(name: str, stage: Stage, labels: list[str], known: Mapping[str, list[str]]) -> None:
    """Raise ArgumentError if a stage with these labels cannot learn or start from stages with other labels."""
    for teacher in stage.distil.teachers if stage.distil else ():
        if lacking := [label for label in labels if label not in known[teacher]]:
            raise ArgumentError(
                f"stage {name}: its teacher {teacher} does not know {', '.join(lacking)}, which the data holds; it "
                f"knows {', '.join(known[teacher])}"
            )
    origin, advice = stage.decompose.stage if stage.decompose else None, "decompose a stage of the same scripts"
    if stage.start is not None and not stage.start.layers:
        origin, advice = stage.start.stage, "set `layers` to copy all but the head, for example [body]"
    if origin is not None and known[origin] != labels:
        raise ArgumentError(
            f"stage {name}: it starts from {origin}, which knows {', '.join(known[origin])}, but the data holds "
            f"{', '.join(labels)}: {advice}"
        )


def _shapes(network: Network) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in network.state_dict().items()}


def _init_source(start: InitWeights, recipe: Recipe, built: dict[str, Network], labels: list[str]) -> Network | None:
    """The network that a stage starts from, without weights; None for a factorised network, which is not known yet."""
    if start.stage is not None:
        return built[start.stage] if recipe.stages[start.stage].decompose is None else None
    model = read_onnx_weights(start.origin)
    if not start.layers and model.labels != labels:
        raise ArgumentError(
            f"start: {start.origin} knows {', '.join(model.labels)}, but the data holds {', '.join(labels)}: set "
            "`layers` to copy all but the head, for example [body]"
        )
    with torch.device("meta"):
        return model.network()
