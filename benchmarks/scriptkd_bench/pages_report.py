"""The table and the plot of `scriptkd bench pages`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from scriptkd_train.utils.files import write_figure, write_file, write_json
from scriptkd_train.utils.markdown import markdown_table

from .page_methods import Method, missing
from .page_truth import Truth
from .pages import Reading, Row, rows
from .pareto import front

HOW = (
    "CER: wrong, missing and extra characters, divided by the characters of the truth. It can exceed 100 %.",
    "Lines are matched in any order, as in the flexible character accuracy measure of Clausner, Pletschacher and "
    "Antonacopoulos (2020). Texts are in NFC, without spaces and joiners.",
    "Seconds: mean a page, on one thread. Other work changes wall-clock seconds, but hardly those of "
    "the processor. Loading the networks is not counted, but Tesseract loads its models for each page.",
)


def write_report(
    truths: Sequence[Truth],
    methods: Sequence[Method],
    readings: dict[str, dict[str, Reading]],
    facts: dict[str, str],
    out: Path,
) -> str:
    """Write RESULTS.md, RESULTS.json and RESULTS.png into a folder.

    Args:
        truths: the pages.
        methods: in the order of the table.
        readings: method -> page -> reading.
        facts: title -> text, on the measurement and the machine.
        out: the folder.

    Returns:
        The content of RESULTS.md.
    """
    titles = {method.name: method.title for method in methods}
    found = rows(truths, readings)
    groups = {name: rows(chosen, readings) for name, chosen in _groups(truths).items()}
    lines = ["# Pages of several scripts", ""]
    lines += markdown_table(
        ["", "pages", "CER", "seconds a page", "processor seconds"],
        [
            [
                titles[row.method],
                str(row.pages),
                f"{row.rate:.1%}".replace("%", " %"),
                f"{row.seconds:.2f}",
                f"{row.processor:.2f}",
            ]
            for row in found
        ],
    )
    lines += ["", "CER, in per cent, by kind of page:", ""]
    kinds = {name: {row.method: row for row in own} for name, own in groups.items()}
    lines += markdown_table(
        ["", *(f"{name} ({max(row.pages for row in own.values())})" for name, own in kinds.items() if own)],
        [
            [
                titles[row.method],
                *(f"{100 * own[row.method].rate:.1f}" if row.method in own else "–" for own in kinds.values() if own),
            ]
            for row in found
        ],
    )
    lacking = missing(script for truth in truths for script in truth.scripts)
    unread = [
        f"{page} by {titles[method]}: {reading.problem}"
        for method, pages in readings.items()
        for page, reading in pages.items()
        if reading.problem
    ]
    lines += ["", *(f"- {line}" for line in HOW)]
    lines.append(f"- Scripts of these pages without Tesseract's data: {', '.join(lacking) or 'none'}.")
    lines += [f"- Unread: {each}" for each in unread]
    lines += ["", *(f"- {name}: {fact}" for name, fact in facts.items()), "", "![Errors and time](RESULTS.png)", ""]
    text = "\n".join(lines)
    fields = {name: [asdict(row) for row in own] for name, own in {"all": found, **groups}.items()}
    write_json(out / "RESULTS.json", {"facts": facts, "rows": fields})
    write_file(out / "RESULTS.md", text)
    _draw(found, titles, out / "RESULTS.png")
    return text


def _groups(truths: Sequence[Truth]) -> dict[str, list[Truth]]:
    """Group the pages by their number of scripts, and by their orientation."""
    groups: dict[str, list[Truth]] = {}
    for count in sorted({len(truth.scripts) for truth in truths}):
        name = f"{count} script{'' if count == 1 else 's'}"
        groups[name] = [truth for truth in truths if len(truth.scripts) == count]
    ways = {
        way: [truth for truth in truths if truth.words and truth.words[0].orientation == way]
        for way in (0, 90, 180, 270)
    }
    return groups | {f"turned by {way}" if way else "upright": own for way, own in ways.items() if own}


def _draw(found: Sequence[Row], titles: dict[str, str], path: Path) -> None:
    from adjustText import adjust_text
    from matplotlib.figure import Figure  # imported here, as it takes a second

    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    places = [(row.processor, 100 * row.rate) for row in found]
    best = front([(cost, -errors) for cost, errors in places])
    axes.plot(*zip(*(places[i] for i in best), strict=True), color="0.75", zorder=0)
    for i, place in enumerate(places):
        axes.plot(*place, "o", color="C0" if i in best else "0.5")
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.margins(0.15)
    axes.grid(alpha=0.3, which="both")
    axes.set_xlabel("processor seconds a page")
    axes.set_ylabel("character error rate, %")
    labels = [axes.text(*place, titles[row.method], fontsize=8) for row, place in zip(found, places, strict=True)]
    adjust_text(labels, *zip(*places, strict=True), ax=axes, arrowprops={"arrowstyle": "-", "color": "0.6"})
    write_figure(path, figure, 110)
