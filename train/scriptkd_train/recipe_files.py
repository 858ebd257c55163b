"""Recipe files: each is found by name or path, and may change some keys of a parent.

`parent: NAME_OR_PATH` at the top of a recipe copies that recipe, and the keys beside it change the copy:

- mappings are merged, key by key; any other value replaces the parent's;
- a new stage goes before the next of the parent's stages that is written below it, or else last;
- `null` removes a key: a stage is dropped, an option gets its default (`distil: null` trains without a teacher);
- `arguments` belong to the `name` or `loss` beside them: with a new name or loss, the parent's arguments are dropped.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from scriptkd_sdk.errors import ArgumentError


def ready_recipes() -> dict[str, str]:
    """Name -> YAML text of the recipes in the package."""
    folder = resources.files("scriptkd_train").joinpath("recipes")
    return {
        file.name.removesuffix(".yaml"): file.read_text() for file in folder.iterdir() if file.name.endswith(".yaml")
    }


def read_recipe(name: str) -> Any:
    """The content of a recipe, merged with its parents. name: the name of a ready recipe, or a path.

    Raises:
        ArgumentError: there is no such recipe, it is not text or not YAML, it is its own ancestor, or a parent is not a
            mapping.
    """
    return _read(name, Path(), [])


def _read(name: str, folder: Path, children: list[str]) -> Any:
    """folder: the base of relative paths. children: the recipes that led here, starting with the user's."""
    ready = ready_recipes()
    if name in ready:
        identity, text, folder = name, ready[name], Path()
    else:
        path = folder / name
        whose = f"recipe {children[-1]}: parent" if children else "recipe"
        if not path.is_file():
            raise ArgumentError(f"{whose} {name!r} is neither a file nor a ready recipe: {_list(ready)}")
        identity, folder = str(path.resolve()), path.parent
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ArgumentError(f"recipe {name} cannot be read as text: {error}") from error
    if identity in children:
        raise ArgumentError(f"recipe {identity} is its own ancestor: {' -> '.join([*children, identity])}")
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ArgumentError(f"recipe {name} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict) or "parent" not in content:
        return content
    parent = content.pop("parent")
    if not isinstance(parent, str):
        raise ArgumentError(f"recipe {name}: parent = {parent!r}: must be a path or one of {_list(ready)}")
    inherited = _read(parent, folder, [*children, identity])
    if not isinstance(inherited, dict):
        raise ArgumentError(f"recipe {name}: its parent {parent!r} is not a mapping")
    return merge(inherited, content)


def merge(parent: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The parent's content with the changes, by the rules at the top of this file. Neither argument is modified."""
    merged = dict(parent)
    if any(key in changes and changes[key] != parent.get(key) for key in ("name", "loss")):
        merged.pop("arguments", None)
    order, place = list(parent), len(parent)
    for key in reversed(changes):
        if key in parent:
            place = order.index(key)
        else:
            order.insert(place, key)
    for key, value in changes.items():
        if value is None and key in parent:
            merged.pop(key, None)
        elif isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = merge(merged[key], value)
        else:
            merged[key] = value
    return {key: merged[key] for key in order if key in merged}


def _list(ready: dict[str, str]) -> str:
    return ", ".join(sorted(ready))
