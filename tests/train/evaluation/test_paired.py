"""Two models on the same words: the difference of their macro accuracies and its interval."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

from scriptkd_sdk.cli import app
from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.data.dataset import Item
from scriptkd_train.evaluation.evaluate import Counted
from scriptkd_train.evaluation.paired import compare_paired

SAMPLES = Path(__file__).parents[3] / "samples"


def evaluation(right, group=None):
    """right: script -> whether each of its words is right."""
    counted = [
        Counted(Item(Path(f"{label}-{i}.png"), label), group and group(i), bool(hit))
        for label, hits in right.items()
        for i, hit in enumerate(hits)
    ]
    return SimpleNamespace(counted=counted)


def test_the_difference_is_of_the_scripts_means():
    first = evaluation({"Latin": [1] * 90 + [0] * 10, "Thai": [1, 1, 1, 1]})
    second = evaluation({"Latin": [1] * 80 + [0] * 20, "Thai": [1, 1, 0, 1]})
    (row,) = compare_paired(first, second)
    assert (row.words, row.images, row.scripts) == ("all", 104, 2)
    assert row.difference == pytest.approx((0.10 + 0.25) / 2)
    assert compare_paired(second, first)[0].difference == pytest.approx(-row.difference)


def test_equal_answers_differ_by_nothing_for_sure():
    same = evaluation({"Latin": [1, 0, 1], "Thai": [0, 1]})
    (row,) = compare_paired(same, same)
    assert (row.difference, row.low, row.high) == (0, 0, 0)


def test_the_interval_holds_the_true_difference_as_often_as_it_says():
    rng, held = np.random.default_rng(1), 0
    for _ in range(200):
        draws = {label: rng.random((2, n)) for label, n in (("Latin", 300), ("Thai", 60), ("Lao", 90))}
        first = evaluation({label: each[0] < 0.95 for label, each in draws.items()})
        second = evaluation({label: each[1] < 0.90 for label, each in draws.items()})
        (row,) = compare_paired(first, second)
        held += row.low <= 0.05 <= row.high
    assert 0.91 * 200 <= held <= 0.98 * 200


def test_groups_of_several_scripts_have_rows_and_only_common_words_count():
    def group(i):
        return "scene" if i % 2 else "scan"

    first = evaluation({"Latin": [1, 1, 0, 1], "Thai": [1, 0], "Lao": [1]}, group)
    second = evaluation({"Latin": [1, 0, 0, 1], "Thai": [1, 0]}, group)
    rows = compare_paired(first, second)
    assert [(row.words, row.images, row.scripts) for row in rows] == [("all", 6, 2), ("scan", 3, 2), ("scene", 3, 2)]
    assert rows[2].difference == pytest.approx(0.25)


def test_no_common_word_is_refused():
    with pytest.raises(ArgumentError, match="no script that both models know"):
        compare_paired(evaluation({"Latin": [1]}), evaluation({"Thai": [1]}))


def test_the_command_prints_the_comparison(tmp_path):
    for path in SAMPLES.glob("*.jpg"):
        folder = tmp_path / path.stem.split("-")[0].title()
        folder.mkdir(exist_ok=True)
        (folder / path.name).write_bytes(path.read_bytes())
    result = CliRunner().invoke(app, ["evaluate", "upright", str(tmp_path), "--against", "world-upright"])
    assert result.exit_code == 0, result.output
    assert "upright minus world-upright (--against), on words whose script both know" in " ".join(result.output.split())
    assert "+0.0 to +0.0" in result.output
