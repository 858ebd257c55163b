"""Cross-validation over typefaces: how much the accuracy depends on the designs that happen to be tested.

The designs of every script are divided into three folds. Each fold tests a student that learned for a short time from
the other two. The network is the same in all folds, so the figures differ because of the designs.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.engine.chain import train_chain
from scriptkd_train.evaluation.evaluate import evaluate
from scriptkd_train.recipe import Recipe
from scriptkd_train.synth.fonts import FOLDS
from scriptkd_train.synth.render import RenderPlan, check_plan, render
from scriptkd_train.utils.cores import cores


@dataclass(frozen=True)
class FoldRow:
    """A script's accuracy in each fold, in 0..1, and the number of font families in each test."""

    script: str
    accuracy: list[float]
    families: list[int]

    @property
    def spread(self) -> float:
        """The largest accuracy minus the smallest."""
        return max(self.accuracy) - min(self.accuracy)


def run_folds(
    recipe: Recipe,
    name: str,
    out: Path,
    words_per_script: int,
    seed: int,
    scripts: Sequence[str],
    fonts: Sequence[Path],
    console: Console,
) -> list[FoldRow]:
    """Render, train and test every fold below `out`. An earlier run in `out` is continued.

    Args:
        recipe: its last stage is tested.
        name: the recipe's.
        out: the folder.
        words_per_script: training words of a script in each fold.
        seed: of the renderings.
        scripts: the labels.
        fonts: folders with more fonts.
        console: for progress messages.

    Returns:
        First a row `macro` with the means over the scripts, then a row for each script, the widest spread first.

    Raises:
        ArgumentError: a script has too few designs, or `out` holds another rendering.
    """
    accuracy: list[dict[str, float]] = []
    families: list[dict[str, int]] = []
    for fold in range(1, FOLDS + 1):
        data, run = out / f"fold-{fold}" / "data", out / f"fold-{fold}" / "run"
        plan = RenderPlan(words_per_script, seed, tuple(scripts), tuple(map(str, fonts)), foreign=False, fold=fold)
        counts = check_plan(plan)
        if not _is_rendered(plan, data):
            console.print(f"fold {fold}: rendering {plan.total:,} images", highlight=False)
            render(plan, data, cores())
        train_chain(recipe, name, data, run, console=console)
        report = evaluate(run / f"{list(recipe.stages)[-1]}.pt", data, "test").report
        recalls = {label: row.recall or 0.0 for label, row in report.scripts.items()}
        accuracy.append({"macro": report.macro_accuracy, **recalls})
        families.append({label: row["fonts_test"] for label, row in counts.items()})
    rows = [
        FoldRow(script, [each[script] for each in accuracy], [each.get(script, 0) for each in families])
        for script in accuracy[0]
    ]
    return [rows[0], *sorted(rows[1:], key=lambda row: -row.spread)]


def folds_table(rows: Sequence[FoldRow]) -> Table:
    """Return the rows as a table in per cent, with the number of families that were tested."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for head in ("script", *(f"fold {number}" for number in range(1, FOLDS + 1)), "spread", "families tested"):
        table.add_column(head, justify="left" if head == "script" else "right")
    for row in rows:
        tested = ", ".join(map(str, row.families)) if any(row.families) else ""
        table.add_row(row.script, *(f"{100 * each:.1f}" for each in row.accuracy), f"{100 * row.spread:.1f}", tested)
    return table


def _is_rendered(plan: RenderPlan, data: Path) -> bool:
    """Whether the folder holds the complete rendering of a plan.

    Raises:
        ArgumentError: the folder holds another rendering.
    """
    described = data / "dataset.json"
    if not described.is_file():
        return False
    if json.loads(described.read_text("utf-8"))["plan"] != json.loads(json.dumps(asdict(plan))):
        raise ArgumentError(f"{data} holds another rendering, with another seed, number or fonts; give a new --out")
    return True
