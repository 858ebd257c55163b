"""Recipes: a YAML file says what each stage of the chain trains, on what input, how, and under which teacher.

A misspelt key or an impossible value is refused by name, with what is allowed. `recipes/` beside this file holds the
ready ones; `load_recipe("demo")` finds them by name.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.preprocess import Preprocessing

from .networks import NETWORKS


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Input(_Strict):
    """The network's input: see `scriptkd_sdk.preprocess.Preprocessing`. Equal widths mean one fixed size."""

    channels: Literal[1, 3] = 3
    height: Annotated[int, Field(ge=8, le=1024)]
    width_min: Annotated[int, Field(ge=8, le=4096)]
    width_max: Annotated[int, Field(ge=8, le=4096)]
    width_step: Annotated[int, Field(ge=1, le=256)] = 1

    @model_validator(mode="after")
    def _possible(self) -> Input:
        self.preprocessing()  # raises for limits that exclude each other
        return self

    def preprocessing(self) -> Preprocessing:
        """The SDK's object of the same meaning."""
        return Preprocessing(**self.model_dump())


class NetworkSpec(_Strict):
    """A network's name and the arguments of its class (see `scriptkd_train.networks`)."""

    name: str
    arguments: dict[str, Any] = {}

    @model_validator(mode="after")
    def _known(self) -> NetworkSpec:
        if self.name not in NETWORKS:
            raise ValueError(f"name {self.name!r} is unknown; allowed are {', '.join(NETWORKS)}")
        return self


class Optimizer(_Strict):
    """SGD has Nesterov momentum, as in the paper. The rate falls by `schedule` after `warmup` epochs of rising."""

    name: Literal["sgd", "adamw"]
    lr: Annotated[float, Field(gt=0, le=10)]
    weight_decay: Annotated[float, Field(ge=0, lt=1)] = 0.0
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.95
    schedule: Literal["constant", "cosine"] = "constant"
    warmup: Annotated[float, Field(ge=0)] = 0.0


class Distil(_Strict):
    """Eqs. 4 and 5 of the paper. `feature_weight` is its lambda; 0 leaves the feature term out.

    labels: `cached`, as in the paper: the teacher's outputs are computed once, on unchanged images. `online`: the
    teacher sees the very images that the network in training sees, augmentation included.
    """

    teacher: str
    alpha: Annotated[float, Field(ge=0, le=1)] = 0.4
    tau: Annotated[float, Field(gt=0, le=100)] = 4.0
    feature_weight: Annotated[float, Field(ge=0)] = 0.0
    labels: Literal["cached", "online"] = "cached"


class Stage(_Strict):
    """One network of the chain and how it is trained."""

    network: NetworkSpec
    input: Input
    epochs: Annotated[int, Field(ge=1)]
    batch_size: Annotated[int, Field(ge=2)]
    optimizer: Optimizer
    augment: Literal["none", "photometric", "text"] = "none"
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    ema: Annotated[float, Field(ge=0, lt=1)] = 0.0
    distil: Distil | None = None


class Recipe(_Strict):
    """Stages in the order in which they are trained; each may distil from an earlier one."""

    seed: int = 0
    precision: Literal["auto", "32-true", "bf16-mixed", "16-mixed"] = "auto"
    stages: Annotated[dict[str, Stage], Field(min_length=1)]

    @model_validator(mode="after")
    def _order(self) -> Recipe:
        earlier: list[str] = []
        for name, stage in self.stages.items():
            if not name.isidentifier():
                raise ValueError(f"stage name {name!r} must be one word of letters, digits and underscores")
            if stage.distil:
                if stage.distil.teacher not in earlier:
                    allowed = ", ".join(earlier) or "none, as it is the first stage"
                    raise ValueError(f"stage {name}: teacher {stage.distil.teacher!r} is no earlier stage ({allowed})")
                if stage.distil.labels == "online" and self.stages[stage.distil.teacher].input != stage.input:
                    raise ValueError(f"stage {name}: labels 'online' needs its teacher's input; use 'cached'")
            earlier.append(name)
        return self


def ready_recipes() -> dict[str, str]:
    """name -> YAML text of the recipes that come with the package."""
    folder = resources.files("scriptkd_train").joinpath("recipes")
    return {
        file.name.removesuffix(".yaml"): file.read_text() for file in folder.iterdir() if file.name.endswith(".yaml")
    }


def load_recipe(name: str) -> Recipe:
    """Reads a recipe by the name of a ready one or by path.

    Raises:
        ArgumentError: no such recipe, no YAML, a key that does not exist or a value that is not allowed.
    """
    ready = ready_recipes()
    path = Path(name)
    if name in ready:
        text = ready[name]
    elif path.is_file():
        text = path.read_text()
    else:
        raise ArgumentError(f"recipe {name!r} is neither a file nor one of the ready ones: {', '.join(sorted(ready))}")
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ArgumentError(f"recipe {name} is not YAML: {' '.join(str(error).split())}") from error
    return parse_recipe(content, name)


def parse_recipe(content: Any, name: str) -> Recipe:
    """Validates a recipe's content; `name` is what messages call it.

    Raises:
        ArgumentError: a key that does not exist or a value that is not allowed.
    """
    if not isinstance(content, dict):
        raise ArgumentError(f"recipe {name} must be a mapping with the keys {', '.join(Recipe.model_fields)}")
    try:
        return Recipe.model_validate(content)
    except ValidationError as error:
        raise ArgumentError(f"recipe {name}: " + "; ".join(_sentence(e) for e in error.errors())) from error


def _sentence(error: Any) -> str:
    """One of pydantic's errors as `where = value: what is allowed`."""
    where = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"{where} = {error['input']!r}: no such key; allowed here are {', '.join(_keys_at(error['loc'][:-1]))}"
    if error["type"] == "missing":
        return f"{where} is missing"
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "value_error":  # our own sentence, which names the value
        return f"{where}: {message}" if where else message
    return f"{where} = {error['input']!r}: {message}"


def _keys_at(location: tuple[str | int, ...]) -> list[str]:
    """The keys that a mapping at this place of a recipe may have."""
    parts = [part for i, part in enumerate(location) if not (i == 1 and location[0] == "stages")]
    model: type[BaseModel] = Recipe
    nested = {"stages": Stage, "network": NetworkSpec, "input": Input, "optimizer": Optimizer, "distil": Distil}
    for part in parts:
        model = nested.get(str(part), model)
    return list(model.model_fields)
