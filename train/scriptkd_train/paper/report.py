"""The whole report in one folder: a Markdown file, an HTML file with the same text, and the figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from markdown_it import MarkdownIt

from scriptkd_train.paper import figures, tables
from scriptkd_train.paper.collect import Matrix
from scriptkd_train.paper.numbers import numbers
from scriptkd_train.paper.published import TABLE_6, TEACHERS
from scriptkd_train.utils.files import write_file, write_json

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 68rem; margin: 2rem auto; padding: 0 1rem; color: #222; }}
h1, h2 {{ line-height: 1.2; margin-top: 2.2rem; }}
p, li {{ max-width: 46rem; }}
p:has(img) {{ max-width: none; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-size: 0.85rem; margin: 0.8rem 0 1.4rem; }}
th, td {{ padding: 0.25rem 0.6rem; border-bottom: 1px solid #ddd; text-align: left; vertical-align: top; }}
td[style*="right"] {{ white-space: nowrap; }}
th {{ border-bottom: 2px solid #888; vertical-align: bottom; }}
img {{ max-width: 100%; }}
</style>
</head>
<body>
{body}
</body>
</html>
"""


def write_report(matrix: Matrix, out: Path, against: str | None = None) -> list[Path]:
    """Write the report of a matrix: text, figures, and the numbers for other programs.

    Args:
        matrix: the results.
        out: the folder; it is created if needed.
        against: the recipe that the others are compared with; by default the first.

    Returns:
        The paths written: report.md, report.html, report.json and the figures (PNG).

    Raises:
        OSError: the folder cannot be written to.
    """
    out.mkdir(parents=True, exist_ok=True)
    if tables.is_paper(matrix):
        pairs = [pair for row in TEACHERS for pair in _questions(row)]
        text, pictures = _paper(matrix, out, pairs)
    else:
        base = against or matrix.rows[0]
        pairs = [(row, base) for row in matrix.rows if row != base]
        text, pictures = _recipes(matrix, out, base)
    write_file(out / "report.md", text)
    write_json(out / "report.json", numbers(matrix, pairs))
    body = MarkdownIt("commonmark").enable("table").render(text)
    body = body.replace("<table>", '<div class="wide"><table>').replace("</table>", "</table></div>")
    title = text.splitlines()[0].removeprefix("# ")
    write_file(out / "report.html", _PAGE.format(title=title, body=body))
    return [*(out / f"report.{kind}" for kind in ("md", "html", "json")), *pictures]


def _questions(row: str) -> list[tuple[str, str]]:
    """The paper's questions for a teacher: does the assistant help, and does teaching help in either way?"""
    return [(row, f"{row}-direct"), (row, "alone"), (f"{row}-direct", "alone")]


def _paper(matrix: Matrix, out: Path, pairs: Sequence[tuple[str, str]]) -> tuple[str, list[Path]]:
    page = _Page(matrix, out)
    scale = matrix.kind.removeprefix("paper, ")
    page.add(f"# The paper's experiments at scale `{scale}`")
    page.add(
        "Teacher, assistant and student of Ghosh Dastidar et al. 2021 (arXiv 2102.10335): their tables and figures, "
        "with our numbers beside theirs."
    )
    page.introduction()
    page.add("## Is the assistant worth it?")
    page.add(_answer(matrix))
    page.add(tables.gains(matrix, pairs))
    page.add("## Table 6: the student, taught in different ways")
    page.add(tables.table_6(matrix))
    titles = tables.row_titles(matrix)
    page.figure("figure-6.png", "Figure 6: accuracy of the student", figures.accuracy_bars, titles, TABLE_6)
    page.add("## Table 2: teacher, assistant, student")
    page.add(tables.table_2(matrix))
    for number, (row, name) in enumerate(TEACHERS.items(), 3):
        page.add(f"## Table {number}: the student by script, taught by {name} through the assistant")
        page.add(tables.table_3_to_5(matrix, row))
    page.add("## Table 7: accuracy by script")
    page.add(tables.table_7(matrix))
    through = {row: f"{name}, assistant" for row, name in TEACHERS.items()}
    page.confusions({"student": titles, "assistant": through, "teacher": TEACHERS})
    page.examples(TEACHERS, "Figure 4: words that the three students got right", "Figure 5: words that they did not")
    page.end()
    return page.text(), page.pictures


def _recipes(matrix: Matrix, out: Path, base: str) -> tuple[str, list[Path]]:
    page = _Page(matrix, out)
    titles = tables.row_titles(matrix)
    page.add("# Recipes compared")
    page.introduction()
    page.add(f"## Accuracy of each recipe's last network, and its gain over `{base}`")
    page.add(tables.comparison(matrix, base))
    page.figure("accuracy.png", "Accuracy of each recipe's last network", figures.accuracy_bars, titles, {})
    stages = {matrix.last(row): None for row in matrix.rows if matrix.last(row)}
    page.confusions({stage: {row: row for row in matrix.rows if matrix.last(row) == stage} for stage in stages})
    page.examples(titles, "Words that were right", "Words that were wrong")
    page.end()
    return page.text(), page.pictures


class _Page:
    """The paragraphs of a page in order, and the paths of its pictures."""

    def __init__(self, matrix: Matrix, out: Path) -> None:
        self.matrix, self.out = matrix, out
        self.parts: list[str] = []
        self.pictures: list[Path] = []

    def add(self, text: str) -> None:
        if text:
            self.parts.append(text)

    def text(self) -> str:
        return "\n\n".join(self.parts) + "\n"

    def figure(self, name: str, caption: str, draw, *arguments) -> None:  # type: ignore[no-untyped-def]
        """Draw a picture into the folder and show it, if there is anything to draw."""
        if draw(self.matrix, *arguments, self.out / name):
            self.pictures.append(self.out / name)
            self.add(f"![{caption}]({name})\n\n*{caption}*")

    def introduction(self) -> None:
        """The introduction: the runs, the data, and how to read the figures."""
        matrix, data = self.matrix, self.matrix.data
        done = len(matrix.rows) * len(matrix.seeds) - len(matrix.missing)
        state = f"{done} of {len(matrix.rows) * len(matrix.seeds)} runs are done"
        self.add(
            f"**What was run:** {len(matrix.rows)} rows, seeds {', '.join(map(str, matrix.seeds))}; {state}"
            + (", the rest is listed at the end." if matrix.missing else ".")
        )
        if data:
            name, images = data["name"], " / ".join(f"{sum(row.values()):,}" for row in data["counts"].values())
            text = f"**Data:** `{name}`, {images} images ({' / '.join(data['counts'])})."
            if data["rendered"]:
                text += (
                    " Its words are **rendered**: rows may be compared with each other, but none of our figures with "
                    "one that was measured on CVSI-2015 itself."
                )
            self.add(text)
        self.add(
            "**How to read it:** figures are per cent of right test images, the mean over the seeds ± the standard "
            "deviation between them. A gain is computed image by image and seed by seed. A 95 % interval covers other "
            f"seeds and another draw of {matrix.images:,} test images of the same kind. With one seed, it covers the "
            "images alone. If the interval of a gain contains 0, no difference is shown. Each interval is for one "
            "comparison: of twenty recipes that gain nothing, about one will look better or worse by chance. No "
            "interval covers other training data, or fonts and places that no test image shows. A dash: not measured, "
            "or nothing to compare with."
        )

    def confusions(self, stages: dict[str, dict[str, str]]) -> None:
        self.add("## Confusion matrices")
        self.add("Counts of test images over all seeds; the colour is the share of the true script.")
        for stage, titles in stages.items():
            self.figure(f"confusion-{stage}.png", f"Confusions: {stage}", _confusions(stage), titles)

    def examples(self, titles: dict[str, str], right: str, wrong: str) -> None:
        self.add("## Examples")
        self.add("One image per script of the first seed, drawn at random. Wrong ones are marked `truth > prediction`.")
        before = len(self.pictures)
        self.figure("examples-right.png", right, _examples(True), titles)
        self.figure("examples-wrong.png", wrong, _examples(False), titles)
        if len(self.pictures) == before:
            self.add("The images of the test split are not where they were when the networks were measured.")

    def end(self) -> None:
        matrix, data = self.matrix, self.matrix.data
        if tasks := tables.cvsi_tasks(matrix):
            self.add("## CVSI-2015's tasks")
            self.add("Only the task's scripts count, in the words and in the answers.")
            self.add(tasks)
        self.add("## How the networks were trained")
        self.add(tables.settings(matrix))
        self.add("## Parameters, time and cost")
        self.add(
            "The time of the epochs includes validation. A network that serves several rows is listed where it was "
            "trained. A checkpoint is float32."
        )
        self.add(tables.costs(matrix))
        if data:
            self.add("## Data")
            self.add(tables.counts(data))
            facts = [*data["notes"], f"{data['unreadable']} unreadable files"]
            facts += [f"{data[f'{kind}_duplicates']} {kind} duplicates across splits" for kind in ("exact", "near")]
            self.add("\n".join(f"- {fact}" for fact in facts))
        if missing := _not_asked_for(matrix) + matrix.missing:
            self.add("## What is missing")
            self.add("\n".join(f"- {line}" for line in missing))


def _confusions(stage: str):  # type: ignore[no-untyped-def]
    return lambda matrix, titles, path: figures.confusions(matrix, stage, titles, path)


def _examples(right: bool):  # type: ignore[no-untyped-def]
    return lambda matrix, titles, path: figures.examples(matrix, titles, right, path)


def _not_asked_for(matrix: Matrix) -> list[str]:
    """Rows of the paper without any run."""
    if not tables.is_paper(matrix):
        return []
    return [f"{title}: not asked for" for row, title in tables.row_titles(matrix).items() if row not in matrix.rows]


def _answer(matrix: Matrix) -> str:
    """One line per teacher: its student with an assistant between, its student without one, and a student alone."""
    lines = []
    for row, name in TEACHERS.items():
        through, direct = matrix.accuracy(row, "student"), matrix.accuracy(f"{row}-direct", "student")
        alone = matrix.accuracy("alone", "student")
        parts = [
            f"{e.text()} % {how}" for e, how in ((through, "through the assistant"), (direct, "directly")) if e.values
        ]
        if not parts:
            continue
        verdicts = [
            f"{matrix.gain(row, other).verdict()} ({how})"
            for how, other in (("against directly", f"{row}-direct"), ("against alone", "alone"))
        ]
        against = f", {alone.text()} % alone" if alone.values else ""
        lines.append(f"- **{name}:** {', '.join(parts)}{against}. The assistant: {', '.join(verdicts)}.")
    return "\n".join(lines)
