"""Designs of type: which font families look nearly the same, and which are never used for training.

`designs.json` beside this file holds both lists for each script. Families that look alike share a split, so that no
model is tested on type that it has learned. Two unique designs per script are held out permanently. One is in every
validation split, where thresholds and temperatures are fitted. The other is in every test split, where accuracy on
unseen type is measured. `scripts/similar-designs.py` measures the similarity of designs.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources


@cache
def _designs() -> dict[str, dict[str, list[list[str]] | dict[str, str]]]:
    text = resources.files(__package__).joinpath("designs.json").read_text("utf-8")
    return dict(json.loads(text))


@cache
def resembling(script: str) -> dict[str, str]:
    """Family -> the common name of all families that look like it. Unique families are left out."""
    groups = _designs()["near"].get(script, [])
    return {family: group[0] for group in groups for family in group}


def held_out(script: str) -> dict[str, str]:
    """Family -> `val` or `test`, its only split, for the two held-out designs of a script."""
    return dict(_designs()["held_out"].get(script, {}))
