"""What of a recipe can be found wrong before its first stage begins: every network is built, without its weights."""

from __future__ import annotations

import torch

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.compression.decompose import check_decomposable
from scriptkd_train.compression.quantize import quantizable_layers
from scriptkd_train.engine.feature_distillation import feature_widths
from scriptkd_train.engine.trainer import parameter_groups
from scriptkd_train.models.init_weights import freeze, select_init_weights
from scriptkd_train.models.networks import Network, build_network, without_download
from scriptkd_train.models.onnx_weights import read_onnx_weights
from scriptkd_train.recipe import InitWeights, Recipe, ResolvedStage


def check_networks(recipe: Recipe, labels: list[str]) -> None:
    """Builds every network without memory for its weights, so that a mistake is found before the first stage begins.

    Raises:
        ArgumentError: a network that cannot be built, or a `start` or `decompose` that does not fit, nothing to
            quantize, or points that cannot be matched.
        ModelError: a `start` names a model that cannot be read.
    """
    built: dict[str, Network] = {}
    for name, stage in recipe.stages.items():
        if stage.decompose is not None:
            built[name] = built[stage.decompose.stage]  # factorised, it looks the same from outside
            if recipe.stages[stage.decompose.stage].decompose is None:  # else its layers are not known yet
                check_decomposable(built[name], stage.input.preprocessing(), stage.decompose, f"stage {name}")
        else:
            network = ResolvedStage.of(stage).network
            arguments = without_download(network.name, network.arguments)
            with torch.device("meta"):
                built[name] = build_network(network.name, len(labels), stage.input.preprocessing(), **arguments)
        if stage.start is not None and (source := _init_source(stage.start, recipe, built, labels)) is not None:
            where = f"stage {name}: start from {stage.start.origin}"
            select_init_weights(built[name], source.state_dict(), stage.start.layers, where)
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


def _init_source(start: InitWeights, recipe: Recipe, built: dict[str, Network], labels: list[str]) -> Network | None:
    """What a stage starts from, without weights; None where that will be a factorised network, not known yet."""
    if start.stage is not None:
        return built[start.stage] if recipe.stages[start.stage].decompose is None else None
    model = read_onnx_weights(start.origin)
    if not start.layers and model.labels != labels:
        raise ArgumentError(
            f"start: {start.origin} tells {', '.join(model.labels)} apart, the data holds {', '.join(labels)}: "
            "name the `layers` to copy without its head, such as [body]"
        )
    with torch.device("meta"):
        return model.network()
