"""Tables on the terminal: no cell is cut off."""

import pytest

from scriptkd_train.commands.printing import print_markdown
from scriptkd_train.utils.markdown import markdown_table


@pytest.mark.parametrize("columns", ["20", "200"])
def test_no_cell_is_cut_off(columns, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", columns)
    cells = ["a recipe with a long name", "another long cell", "12.3"]
    table = markdown_table(["recipe", "what it says", "points"], [cells, ["short", "-", "1"]])
    print_markdown("\n".join(["# Title", "", *table, "", "Text after it."]))
    printed = capsys.readouterr().out
    assert all(cell in printed for cell in cells)
    assert "…" not in printed
