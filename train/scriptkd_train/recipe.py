"""Recipes: a YAML file defines the network, input, training and teacher of each stage in the chain.

An unknown key or an impossible value is refused by name, with what is allowed. `recipes/` beside this file holds ready
recipes, which `load_recipe("demo")` finds by name. A recipe may change a parent: see `recipe_files`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.losses import FEATURE_LOSSES, METRIC_LOSSES, NONE, check_arguments
from scriptkd_train.models.networks import FEATURE_MAPS, NETWORKS
from scriptkd_train.recipe_files import read_recipe


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Input(_Strict):
    """The network's input (see `scriptkd_sdk.preprocess.Preprocessing`). Equal width limits mean one fixed size.

    square_height: if set, the network is for any crop, and also learns orientation (contract 3).
    """

    channels: Literal[1, 3] = 3
    height: Annotated[int, Field(ge=8, le=1024)]
    width_min: Annotated[int, Field(ge=8, le=4096)]
    width_max: Annotated[int, Field(ge=8, le=4096)]
    width_step: Annotated[int, Field(ge=1, le=256)] = 1
    square_height: Annotated[int, Field(ge=8, le=1024)] | None = None

    @model_validator(mode="after")
    def _possible(self) -> Input:
        self.preprocessing()  # raises for contradicting limits
        return self

    def preprocessing(self) -> Preprocessing:
        """The same settings as an object of the SDK."""
        return Preprocessing(**self.model_dump())


class NetworkSpec(_Strict):
    """The name of a network, and the arguments of its class (see `scriptkd_train.models.networks`)."""

    name: str
    arguments: dict[str, Any] = {}

    @model_validator(mode="after")
    def _known(self) -> NetworkSpec:
        if self.name not in NETWORKS:
            raise ValueError(f"name {self.name!r} is unknown; allowed are {', '.join(NETWORKS)}")
        return self


class Optimizer(_Strict):
    """The optimizer. SGD has Nesterov momentum, as in the paper. `schedule` acts after `warmup` epochs of rising rate.

    lr_scale: layer name -> factor of `lr`, such as `{trunk: 0.1}` under a new head. Of nested layers, the innermost's
    factor counts. clip: largest norm of the gradient over all layers.
    """

    name: Literal["sgd", "adamw"]
    lr: Annotated[float, Field(gt=0, le=10)]
    weight_decay: Annotated[float, Field(ge=0, lt=1)] = 0.0
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.95
    schedule: Literal["constant", "cosine"] = "constant"
    warmup: Annotated[float, Field(ge=0)] = 0.0
    lr_scale: dict[str, Annotated[float, Field(gt=0, le=100)]] = {}
    clip: Annotated[float, Field(gt=0)] | None = None


def _teachers(value: Any) -> Any:
    """The name of a stage, a list of names, or a mapping of names to weights."""
    weights = dict.fromkeys(value, 1.0) if isinstance(value, list) and all(map(_is_name, value)) else value
    if _is_name(value) or (
        isinstance(weights, dict)
        and weights
        and all(map(_is_name, weights))
        and all(type(weight) in (int, float) and 0 < weight < 1e6 for weight in weights.values())
    ):
        return value
    raise ValueError(
        f"{value!r} must be the name of an earlier stage, a list of names, or a mapping of names to weights above 0"
    )


def _is_name(value: Any) -> bool:
    return isinstance(value, str)


def _temperatures(value: Any) -> Any:
    """One temperature or a list of them."""
    each = value if isinstance(value, list) else [value]
    if each and all(type(tau) in (int, float) and 0 < tau <= 100 for tau in each):
        return value
    raise ValueError(f"tau {value!r} must be above 0 and at most 100, or a list of such numbers")


class Match(_Strict):
    """A loss between the feature maps of student and teacher at one point, and its weight, the paper's lambda.

    loss: one of `scriptkd_train.losses.FEATURE_LOSSES` (`kl` is the paper's) or METRIC_LOSSES.
    """

    loss: str
    weight: Annotated[float, Field(gt=0, lt=1e6)] = 1.0

    @model_validator(mode="after")
    def _known(self) -> Match:
        if self.loss not in (*FEATURE_LOSSES, *METRIC_LOSSES):
            allowed = ", ".join((*FEATURE_LOSSES, *METRIC_LOSSES))
            raise ValueError(f"loss {self.loss!r} is unknown; allowed are {allowed}")
        return self


class Distil(_Strict):
    """Eqs. 4 and 5 of the paper: (1 - alpha) task + alpha soft + the terms of `match`.

    teacher: an earlier stage, or several, as a list or with weights. The soft labels of several teachers are averaged.
    loss: the soft term, one of `scriptkd_train.losses.SOFT_LOSSES`. arguments: its constants. `kd` is the paper's loss;
    `none` leaves the term out. tau: the temperature of the soft term, or several temperatures, over which the term is
    averaged. match: points of `scriptkd_train.models.networks.FEATURE_MAPS` -> the loss that compares them (see
    `scriptkd_train.engine.feature_distillation`). The paper's third term is `match: {features: {loss: kl, weight:
    0.4}}`. labels: with `cached`, as in the paper, the teacher's outputs are computed once, on images without
    augmentation. With `online`, the teacher sees the same augmented images as the student. Points other than `features`
    need `online`.
    """

    teacher: Annotated[str | list[str] | dict[str, float], BeforeValidator(_teachers)]
    alpha: Annotated[float, Field(ge=0, le=1)] = 0.4
    tau: Annotated[float | list[float], BeforeValidator(_temperatures)] = 4.0
    loss: str = "kd"
    arguments: dict[str, float] = {}
    match: dict[str, Match] = {}
    labels: Literal["cached", "online"] = "cached"

    @model_validator(mode="after")
    def _known(self) -> Distil:
        check_arguments(self.loss, self.arguments)
        if self.loss == NONE and not self.match:
            raise ValueError(f"with loss {NONE!r} and no `match`, nothing is learned from the teacher")
        if self.match and len(self.teachers) > 1:
            raise ValueError("match needs a single teacher: the vectors of several cannot be averaged")
        if self.loss == "l2" and len(self.teachers) > 1:
            raise ValueError("loss 'l2' needs a single teacher: for several, soft labels are averaged, not logits")
        for point, match in self.match.items():
            if point not in FEATURE_MAPS:
                raise ValueError(f"match: point {point!r} is unknown; allowed are {', '.join(FEATURE_MAPS)}")
            if match.loss == "feedforward" and point != "lstm_input":
                raise ValueError(f"match: loss 'feedforward' is only for lstm_input, not for {point}")
            if point != "features" and self.labels == "cached":
                raise ValueError(f"match: {point} needs labels 'online': only features are cached for all images")
        return self

    @property
    def taus(self) -> list[float]:
        """All temperatures."""
        return self.tau if isinstance(self.tau, list) else [self.tau]

    @property
    def teachers(self) -> dict[str, float]:
        """Stage name -> share of its soft labels. The shares add up to 1."""
        if isinstance(self.teacher, str):
            return {self.teacher: 1.0}
        weights = self.teacher if isinstance(self.teacher, dict) else dict.fromkeys(self.teacher, 1.0)
        return {name: weight / sum(weights.values()) for name, weight in weights.items()}


class InitWeights(_Strict):
    """Initial weights from an earlier stage, or from an exported model.

    stage: the earlier stage. model: the name of a bundled model, or the path of an exported file. layers: names of
    modules to copy; empty means the whole network, which must then have the same architecture. freeze: copied modules
    that stay fixed: no gradients, no weight decay, always in eval mode. keep: the share of the initial weights in the
    result, for a network that shall forget less (see `scriptkd_train.models.average`).
    """

    stage: str | None = None
    model: str | None = None
    layers: list[str] = []
    freeze: list[str] = []
    keep: Annotated[float, Field(ge=0, lt=1)] = 0.0

    @property
    def origin(self) -> str:
        """The stage or the model, as a text for messages."""
        return str(self.stage or self.model)

    @model_validator(mode="after")
    def _known(self) -> InitWeights:
        if (self.stage is None) == (self.model is None):
            raise ValueError("exactly one of stage and model must be given")
        if "" in (*self.layers, *self.freeze):
            raise ValueError("a layer's name must not be empty; without `layers` the whole network is copied")
        if self.keep and (self.layers or self.freeze):
            raise ValueError("keep needs the whole network to be copied and trained: leave out `layers` and `freeze`")
        for layer in self.freeze if self.layers else ():
            if not any(f"{layer}.".startswith(f"{copied}.") for copied in self.layers):
                raise ValueError(f"freeze: {layer!r} is not among the copied layers {', '.join(self.layers)}")
        return self


class Quantize(_Strict):
    """Quantization-aware training (see `scriptkd_train.compression.quantize`): bits of weights and of activations.

    weights: 8 for the int8 precisions of `scriptkd-export`, 4 for int4-u8 and int4-weights. int8-u8 rounds again to 7
    bits, which moves each weight by at most 1/128 of its channel's largest weight. activations: None means float32, for
    precisions that round only weights.
    """

    weights: Literal[4, 8]
    activations: Literal[8] | None = None


class Decompose(_Strict):
    """Fine-tuning of an earlier stage's trained network with factorised layers.

    See `scriptkd_train.compression.decompose`.

    The size of the factors is given by one of energy, macs and ranks. energy: share to keep of each layer's squared
    singular values. macs: largest share to keep of the network's multiply-adds. ranks: layer -> [input, output]
    channels of a convolution's middle part, or one number for a linear layer or a 1x1 convolution. layers: the layers
    to decompose by energy or macs; empty means all convolutions larger than 1x1.
    """

    stage: str
    energy: Annotated[float, Field(gt=0, lt=1)] | None = None
    macs: Annotated[float, Field(gt=0, lt=1)] | None = None
    ranks: dict[str, Any] = {}
    layers: list[str] = []

    @model_validator(mode="after")
    def _one_way(self) -> Decompose:
        if sum((self.energy is not None, self.macs is not None, bool(self.ranks))) != 1:
            raise ValueError("exactly one of energy, macs and ranks must be given")
        if self.ranks and self.layers:
            raise ValueError("ranks already name their layers: leave out `layers`")
        return self


class Stage(_Strict):
    """One network of the chain and its training. A stage with `decompose` names no network.

    checkpoint: an already trained network for the stage, which then trains nothing. It is a bundled model's name, a
    checkpoint or an exported .onnx file, with the stage's network and input. It may know more scripts than the data
    has.
    """

    network: NetworkSpec | None
    input: Input
    epochs: Annotated[int, Field(ge=1)]
    batch_size: Annotated[int, Field(ge=2)]
    optimizer: Optimizer
    augment: Literal["none", "photometric", "text"] = "none"
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    ema: Annotated[float, Field(ge=0, lt=1)] = 0.0
    start: InitWeights | None = None
    decompose: Decompose | None = None
    quantize: Quantize | None = None
    distil: Distil | None = None
    checkpoint: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _named_elsewhere(cls, content: Any) -> Any:
        decomposes = isinstance(content, dict) and content.get("decompose") is not None
        return {"network": None, **content} if decomposes else content

    @model_validator(mode="after")
    def _one_origin(self) -> Stage:
        if self.decompose is None and self.network is None:
            raise ValueError("network = null: a stage without `decompose` needs a network")
        if self.decompose is not None and (self.network or self.start):
            raise ValueError("decompose brings a network and its weights: set network and start to null")
        return self


class ResolvedStage(Stage):
    """A stage ready for training: its network is known, and any decomposition is done."""

    network: NetworkSpec
    decompose: None = None

    @classmethod
    def of(cls, stage: Stage, **changes: Any) -> ResolvedStage:
        """Return the stage with some fields changed. A stage with `decompose` must get a network."""
        return cls.model_validate({**{name: getattr(stage, name) for name in cls.model_fields}, **changes})


class Recipe(_Strict):
    """Stages in order of training. Each may start from earlier stages, and learn from them."""

    seed: int = 0
    precision: Literal["auto", "32-true", "bf16-mixed", "16-mixed"] = "auto"
    stages: Annotated[dict[str, Stage], Field(min_length=1)]

    @model_validator(mode="after")
    def _order(self) -> Recipe:
        earlier: list[str] = []
        for name, stage in self.stages.items():
            if not name.isidentifier():
                raise ValueError(f"stage name {name!r} must be one word of letters, digits and underscores")
            allowed = ", ".join(earlier) or "none, as it is the first stage"
            if stage.start and stage.start.stage is not None and stage.start.stage not in earlier:
                raise ValueError(f"stage {name}: start.stage {stage.start.stage!r} is not an earlier stage ({allowed})")
            if stage.decompose and stage.decompose.stage not in earlier:
                raise ValueError(
                    f"stage {name}: decompose.stage {stage.decompose.stage!r} is not an earlier stage ({allowed})"
                )
            if stage.decompose and self.stages[stage.decompose.stage].input != stage.input:
                raise ValueError(
                    f"stage {name}: its input must equal the input of {stage.decompose.stage}, which it decomposes"
                )
            for teacher in stage.distil.teachers if stage.distil else ():
                if teacher not in earlier:
                    raise ValueError(f"stage {name}: teacher {teacher!r} is not an earlier stage ({allowed})")
                if stage.distil and stage.distil.labels == "online" and self.stages[teacher].input != stage.input:
                    raise ValueError(f"stage {name}: labels 'online' needs the same input as its teacher; use 'cached'")
            earlier.append(name)
        return self


def load_recipe(name: str) -> Recipe:
    """Read a recipe, including its parents.

    Args:
        name: the name of a ready recipe, or a path.

    Returns:
        The recipe.

    Raises:
        ArgumentError: there is no such recipe or parent, it is not YAML, a key is unknown or a value is not allowed.
    """
    return parse_recipe(read_recipe(name), name)


def parse_recipe(content: Any, name: str) -> Recipe:
    """Validate the content of a recipe.

    Args:
        content: the content of its YAML, merged with its parents.
        name: its name in messages.

    Returns:
        The recipe.

    Raises:
        ArgumentError: the content is not a mapping, a key is unknown or a value is not allowed.
    """
    if not isinstance(content, dict):
        raise ArgumentError(f"recipe {name} must be a mapping with the keys {', '.join(_keys_at(()))}")
    try:
        return Recipe.model_validate(content)
    except ValidationError as error:
        raise ArgumentError(f"recipe {name}: " + "; ".join(_sentence(e) for e in error.errors())) from error


def _sentence(error: Any) -> str:
    """An error of pydantic as `where = value: what is allowed`."""
    where = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"{where} = {error['input']!r}: no such key; allowed here are {', '.join(_keys_at(error['loc'][:-1]))}"
    if error["type"] == "missing":
        return f"{where} is missing"
    if error["type"] == "model_type" and error["input"] is None:
        return f"{where} = null: there is no key of this name to remove"
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "value_error":  # a sentence of our own, which names the value
        return f"{where}: {message}" if where else message
    return f"{where} = {error['input']!r}: {message}"


def _keys_at(location: tuple[str | int, ...]) -> list[str]:
    """The allowed keys of the mapping at this place in a recipe."""
    parts = [part for i, part in enumerate(location) if not (i == 1 and location[0] == "stages")]
    model: type[BaseModel] = Recipe
    nested: dict[str, type[BaseModel]] = {
        "stages": Stage, "network": NetworkSpec, "input": Input, "optimizer": Optimizer, "start": InitWeights,
        "decompose": Decompose, "quantize": Quantize, "distil": Distil, "match": Match,
    }  # fmt: skip
    for part in parts:
        model = nested.get(str(part), model)
    return [*model.model_fields, *(() if parts else ("parent",))]
