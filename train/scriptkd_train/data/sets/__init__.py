"""Sets that researchers have, in the layouts of their authors. Each set has a module, and all are listed here.

To add a set, write a module with a `ResearchSet`, and add a line to `SETS`.
"""

from __future__ import annotations

from pathlib import Path

from scriptkd_train.data.sets.bstd import BSTD_SCENES, BSTD_WORDS
from scriptkd_train.data.sets.cvsi import CVSI_2015
from scriptkd_train.data.sets.mle2e import MLE2E
from scriptkd_train.data.sets.mlt import MLT_2017, MLT_2019
from scriptkd_train.data.sets.mnist import MNIST
from scriptkd_train.data.sets.research_set import ResearchSet
from scriptkd_train.data.sets.siw13 import SIW_13

__all__ = ["SETS", "ResearchSet", "find_set"]

SETS: tuple[ResearchSet, ...] = (CVSI_2015, MLT_2017, SIW_13, MLE2E, BSTD_WORDS, BSTD_SCENES, MNIST, MLT_2019)
"""The first set that recognises a folder reads it. MLT-2019 comes last, as its folders are the least distinctive."""


def find_set(root: str | Path) -> ResearchSet | None:
    """Tell which set a folder holds, by its files and folders.

    Args:
        root: The folder.

    Returns:
        The set; None for any other data set, such as one in the folder layout.
    """
    root = Path(root)
    return next((each for each in SETS if root.is_dir() and each.parts(root)), None)
