"""The report of `scriptkd bench`, for the terminal, as Markdown and as JSON."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.utils.files import write_file, write_json
from scriptkd_train.utils.markdown import markdown_table
from scriptkd_train.utils.writable import check_file

from .device import DeviceRow
from .sdk import SdkCost
from .timing import Latency, Timing

COLUMNS = (
    "model",
    "precision",
    "params",
    "KB",
    "input",
    "run ms",
    "speed",
    "array ms",
    "path ms",
    "over",
)


@dataclass(frozen=True)
class Accuracy:
    """Shares of correct answers: of all images, and the mean over the scripts. images: how many there were."""

    accuracy: float
    macro: float
    images: int


@dataclass(frozen=True)
class Row:
    """One measured model. parameters: None if the file does not tell. accuracy: by name of the images."""

    model: str
    precision: str
    parameters: int | None
    kilobytes: float
    timing: Timing
    accuracy: dict[str, Accuracy | None]


@dataclass(frozen=True)
class Report:
    """All rows, and facts on the measurement: title -> text.

    device: each model by threads. sdk: the cost of the Python SDK, if it was measured.
    """

    rows: list[Row]
    facts: dict[str, str]
    device: list[DeviceRow]
    sdk: SdkCost | None = None

    def cells(self) -> tuple[list[str], list[list[str]]]:
        """Return header and rows of the table, as text."""
        sets = list(self.rows[0].accuracy)
        heads = [*COLUMNS, *(f"{name} %" for name in sets)]
        first = self.rows[0].timing.run.p50
        return heads, [_cells(row, first, sets) for row in self.rows]

    def table(self) -> Table:
        """Return the table for a terminal."""
        heads, rows = self.cells()
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
        for number, head in enumerate(heads):
            table.add_column(head, justify="left" if number < 2 else "right", overflow="fold")
        for row in rows:
            table.add_row(*row)
        return table

    def markdown(self) -> str:
        """Return the whole report as Markdown."""
        heads, rows = self.cells()
        lines = ["# Benchmark", "", *(f"- {name}: {fact}" for name, fact in self.facts.items()), ""]
        lines += markdown_table(heads, rows, text_columns=2)
        lines += ["", *(f"- {note}" for note in NOTES)]
        lines += ["", "## By threads", "", *markdown_table(DEVICE_COLUMNS, self.device_cells(), text_columns=2)]
        if self.sdk:
            lines += ["", "## The Python SDK", "", *markdown_table(SDK_COLUMNS, self.sdk_cells(), text_columns=(0, 3))]
            lines += ["", *(f"- {name}: {fact}" for name, fact in self.sdk.facts.items())]
        return "\n".join(lines) + "\n"

    def device_cells(self) -> list[list[str]]:
        """Return the rows of the table by threads, as text."""
        return [
            [
                row.model,
                row.precision,
                str(row.threads),
                _latency(row.run),
                "–" if row.millijoules is None else _digits(row.millijoules),
            ]
            for row in self.device
        ]

    def device_table(self) -> Table:
        """Return latency and energy by threads, for a terminal."""
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
        for number, head in enumerate(DEVICE_COLUMNS):
            table.add_column(head, justify="left" if number < 2 else "right")
        for row in self.device_cells():
            table.add_row(*row)
        return table

    def sdk_cells(self) -> list[list[str]]:
        """Return the rows of the SDK's figures, as text."""
        figures = self.sdk.figures if self.sdk else []
        return [
            [
                figure.name,
                f"{figure.value:.{1 if figure.unit == '%' else 2}f} {figure.unit}",
                "–" if figure.aim is None else f"{'at least' if figure.least else 'at most'} {figure.aim:g}",
                {True: "yes", False: "no", None: "–"}[figure.reached],
            ]
            for figure in figures
        ]

    def sdk_table(self) -> Table:
        """Return the SDK's figures for a terminal."""
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
        for number, head in enumerate(SDK_COLUMNS):
            table.add_column(head, justify="right" if number in (1, 2) else "left", overflow="fold")
        for row in self.sdk_cells():
            table.add_row(*row)
        return table

    def to_dict(self) -> dict[str, Any]:
        """Return all figures, ready for JSON, with latencies in milliseconds and shares in 0..1."""
        report: dict[str, Any] = {"facts": self.facts, "rows": [asdict(row) for row in self.rows]}
        report["device"] = [asdict(row) for row in self.device]
        return report | ({"sdk": self.sdk.to_dict()} if self.sdk else {})


DEVICE_COLUMNS = ("model", "precision", "threads", "run ms", "mJ an image")
SDK_COLUMNS = ("figure", "measured", "aim", "reached")

BESIDE = (".json", ".png")
AARCH64 = "arm64.md"

NOTES = (
    "run: a bare session.run on a prepared input. array, path: the SDK's whole identify call on an array or a file.",
    "Times are p50/p95. The models take turns in one process, with an untimed call before each timed one.",
    "speed: how many times as fast as the first row, by run. over: extra time of identify(array) over "
    "Preprocessing.apply and session.run.",
    "test %, real %: accuracy over the images / mean over the scripts, if images were given.",
)
"""How to read the table."""


def check_writable(path: Path) -> None:
    """Check that a report can be written, before minutes of measuring. Nothing is written.

    Raises ArgumentError for a path that cannot be written to, or that is needed for a file beside the report.
    """
    if path.suffix.lower() in BESIDE:
        raise ArgumentError(f"{path}: the report is Markdown (.md); {' and '.join(BESIDE)} files are written beside it")
    check_file(path)


def write_report(report: Report, path: Path) -> Path:
    """Write the Markdown file, and JSON of the same name beside it. Return the path of the JSON file.

    If the results of `make bench-arm64` lie in the same folder, they are appended, except to a report on the SDK.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, report.markdown())
    if report.sdk is None and (counts := path.with_name(AARCH64)).is_file():
        append_counts(path, counts.read_text("utf-8"))
    beside = path.with_suffix(".json")
    write_json(beside, report.to_dict())
    return beside


def append_counts(path: Path, counts: str) -> None:
    """Append the page of counted AArch64 instructions to a report, in place of an older one."""
    section = "\n" + re.sub(r"^#", "##", counts, flags=re.MULTILINE)
    heading = section.splitlines()[1]
    before, _, _ = path.read_text("utf-8").partition(f"\n{heading}\n")
    write_file(path, before + section)


def _cells(row: Row, first: float, sets: list[str]) -> list[str]:
    timing = row.timing
    return [
        row.model,
        row.precision,
        "–" if row.parameters is None else _count(row.parameters),
        f"{row.kilobytes:,.0f}",
        "×".join(map(str, timing.input_shape)),
        _latency(timing.run),
        f"{_digits(first / timing.run.p50)}×",
        _latency(timing.identify_array),
        _latency(timing.identify_path),
        f"{timing.overhead:+.0%}",
        *(_accuracy(row.accuracy[name]) for name in sets),
    ]


def _count(number: int) -> str:
    return f"{number / 1e6:.2f}M" if number >= 1e5 else f"{number / 1e3:.1f}k"


def _latency(latency: Latency) -> str:
    return f"{_digits(latency.p50)}/{_digits(latency.p95)}"


def _digits(value: float) -> str:
    """Format a value with three significant digits: 0.123, 1.23, 12.3, 123."""
    return f"{value:.{max(0, 2 - (len(str(int(value))) - 1)) + (value < 1)}f}"


def _accuracy(accuracy: Accuracy | None) -> str:
    return "–" if accuracy is None else f"{100 * accuracy.accuracy:.1f}/{100 * accuracy.macro:.1f}"
