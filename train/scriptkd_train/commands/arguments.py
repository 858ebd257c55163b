"""Checks of arguments that several commands make before they work. None of them imports torch, which takes seconds."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.data.dataset import read_dataset, splits_of
from scriptkd_train.data.sets import find_set


def check_split(data: Path, split: str) -> None:
    """Raise ArgumentError if a data set has splits, but not the one that `--split` says."""
    there, research_set = splits_of(data), find_set(data)
    if there and split not in there:
        why = f": {research_set.where[split]}" if research_set and split in research_set.where else ""
        raise ArgumentError(f"{data} has no split {split!r}; --split chooses one of {', '.join(there)}{why}")


def check_splits(data: Path, needed: Iterable[str]) -> None:
    """Raise ArgumentError, which says what was found, if a data set lacks a split."""
    for split in needed:
        if split not in splits_of(data):
            read_dataset(data, split)  # raises an error that says what was found


def check_drawing() -> None:
    """Raise ModuleNotFoundError, which the program turns into a sentence, if pictures cannot be drawn."""
    import_module("matplotlib")
