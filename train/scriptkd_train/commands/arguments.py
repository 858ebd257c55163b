"""Checks of arguments that several commands make before they work. None of them imports torch, which takes seconds."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from scriptkd_train.data.dataset import read_dataset, splits_of


def check_splits(data: Path, needed: Iterable[str]) -> None:
    """Raise ArgumentError, which says what was found, if a data set lacks a split."""
    for split in needed:
        if split not in splits_of(data):
            read_dataset(data, split)  # it cannot, and its error names what it expected and what is there
