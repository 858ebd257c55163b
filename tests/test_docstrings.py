"""The public API's docstrings are in Google's style: they describe arguments, attributes and results by name."""

from __future__ import annotations

import dataclasses
import enum
import importlib
import inspect
import re
from collections.abc import Iterator
from typing import Any

import pytest

import scriptkd_export
import scriptkd_sdk

MODULES = {  # whose public names stand in no `__all__` of a package
    "scriptkd_sdk.crop": ("crops", "trimmed", "windows"),
    "scriptkd_sdk.images": ("load_image",),
    "scriptkd_sdk.modelfile": ("model_path", "open_model"),
    "scriptkd_sdk.regions": ("cut",),
    "scriptkd_train.data.dataset": ("read_dataset",),
    "scriptkd_train.data.in_memory": ("load_in_memory",),
    "scriptkd_train.engine.calibration": ("calibrate",),
    "scriptkd_train.engine.chain": ("train_chain",),
    "scriptkd_train.evaluation.evaluate": ("evaluate", "predict_scores", "write_evaluation"),
    "scriptkd_train.models.checkpoint": ("load_checkpoint", "save_checkpoint"),
    "scriptkd_train.models.networks": ("build_network",),
    "scriptkd_train.recipe": ("load_recipe", "parse_recipe"),
    "scriptkd_train.synth.render": ("render",),
}


def public() -> dict[str, Any]:
    """The functions and classes of the public API, by name."""
    packages = {package.__name__: package.__all__ for package in (scriptkd_sdk, scriptkd_export)}
    found: dict[str, Any] = {}
    for home, names in {**packages, **MODULES}.items():
        module = importlib.import_module(home)
        found |= {f"{home}.{name}": getattr(module, name) for name in names}
    return {name: value for name, value in found.items() if inspect.isfunction(value) or inspect.isclass(value)}


def members(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """A function itself; of a class the class, and the public methods and properties that it defines."""
    yield name, value
    for key, member in vars(value).items() if inspect.isclass(value) else ():
        method = member.__func__ if isinstance(member, (classmethod, staticmethod)) else member
        if not key.startswith("_") and (inspect.isfunction(method) or isinstance(method, property)):
            yield f"{name}.{key}", method


def section(text: str, title: str) -> str | None:
    """What stands indented below a title of a docstring."""
    found = re.search(rf"^{title}:\n((?:(?: .*)?(?:\n|\Z))+)", text, re.MULTILINE)
    return found and found[1]


def told(text: str, *titles: str) -> set[str]:
    """The names that sections tell of, each followed by a colon and a text."""
    parts = [section(text, title) or "" for title in titles]
    return {name for part in parts for name in re.findall(r"^ {4}\*{0,2}(\w+): \S", part, re.MULTILINE)}


def faults(value: Any) -> list[str]:
    """What the docstring of a function, class or property fails to tell."""
    text = inspect.cleandoc(value.__doc__ or "")
    if not text:
        return ["it has no docstring"]
    if inspect.isclass(value):
        return class_faults(value, text)
    return [] if isinstance(value, property) else function_faults(value, text)


def class_faults(value: type, text: str) -> list[str]:
    if dataclasses.is_dataclass(value):
        return differences(told(text, "Attributes"), {field.name for field in dataclasses.fields(value)})
    if "__init__" not in vars(value) or issubclass(value, enum.Enum):
        return []
    named = told(text, "Args", "Attributes") | told(inspect.cleandoc(value.__init__.__doc__ or ""), "Args")
    return differences(named & parameters(value.__init__), parameters(value.__init__))


def function_faults(value: Any, text: str) -> list[str]:
    found = differences(told(text, "Args"), parameters(value))
    returns = inspect.signature(value).return_annotation not in (None, "None")
    if returns and not (re.match("(Return|Yield)s? ", text) or section(text, "Returns") or section(text, "Yields")):
        found.append("what it returns is not told")
    raised = set(re.findall(r"^ +raise (\w+)\(", inspect.getsource(value), re.MULTILINE))
    return found + [f"{name} is raised, but not told of" for name in sorted(raised - told(text, "Raises"))]


def parameters(function: Any) -> set[str]:
    return {*inspect.signature(function).parameters} - {"self", "cls"}


def differences(named: set[str], wanted: set[str]) -> list[str]:
    missing = [f"{name} is not told of" for name in sorted(wanted - named)]
    return missing + [f"{name} is told of, but there is none" for name in sorted(named - wanted)]


DOCUMENTED = dict(pair for name, value in public().items() for pair in members(name, value))


@pytest.mark.parametrize("name", DOCUMENTED)
def test_a_docstring_tells_of_all_there_is(name: str) -> None:
    assert faults(DOCUMENTED[name]) == []


def test_methods_properties_and_packages_are_among_them() -> None:
    names = {
        "scriptkd_sdk.ScriptIdentifier.identify",
        "scriptkd_sdk.ScriptIdentifier.labels",
        "scriptkd_sdk.Preprocessing.from_dict",
        "scriptkd_export.export_checkpoint",
        "scriptkd_train.synth.render.render",
    }
    assert names <= set(DOCUMENTED)


def scaled(values: list[float], *, factor: float) -> list[float]:
    """Scale numbers.

    Args:
        values: the numbers.
        factor: by how much;
            its unit: that of the result.

    Returns:
        The scaled numbers.

    Raises:
        ValueError: a factor of 0.
    """
    if factor == 0:
        raise ValueError("factor must not be 0")
    return [factor * value for value in values]


@dataclasses.dataclass
class Point:
    """A point.

    Attributes:
        x: in pixels.
        y: in pixels.
    """

    x: float
    y: float


class Refusal(Exception):
    """A refusal.

    Attributes:
        reason: why.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason


@pytest.mark.parametrize("value", [scaled, Point, Refusal])
def test_a_whole_docstring_has_no_fault(value: Any) -> None:
    assert faults(value) == []


@pytest.mark.parametrize(
    ("value", "there", "instead", "fault"),
    [
        (scaled, "        values: the numbers.\n", "", "values is not told of"),
        (scaled, "values: the", "numbers: the", "values is not told of"),
        (scaled, "values: the", "numbers: the", "numbers is told of, but there is none"),
        (scaled, "values: the numbers.", "values:", "values is not told of"),
        (scaled, "Args:", "Takes:", "factor is not told of"),
        (scaled, "Returns:\n        The scaled numbers.", "", "what it returns is not told"),
        (scaled, "ValueError:", "An error for", "ValueError is raised, but not told of"),
        (Point, "        x: in pixels.\n", "", "x is not told of"),
        (Point, "y: in", "z: in", "z is told of, but there is none"),
        (Refusal, "reason: why", "why", "reason is not told of"),
    ],
)
def test_what_is_missing_is_found(
    value: Any, there: str, instead: str, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = inspect.cleandoc(value.__doc__)
    there, instead = (re.sub("^ {4}|(?<=\n) {4}", "", text) for text in (there, instead))
    assert there in whole
    monkeypatch.setattr(value, "__doc__", whole.replace(there, instead))
    assert fault in faults(value)


def test_no_docstring_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scaled, "__doc__", None)
    assert faults(scaled) == ["it has no docstring"]
