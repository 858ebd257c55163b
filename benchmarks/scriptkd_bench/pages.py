"""Character errors and time of methods to read pages. Each page is stored, so that a run can be continued."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from scriptkd_sdk.errors import ScriptkdError
from scriptkd_sdk.images import load_image
from scriptkd_train.utils.files import write_json

from .page_errors import character_errors
from .page_methods import Method
from .page_truth import Truth


@dataclass(frozen=True)
class Reading:
    """A method's result on a page. seconds: wall-clock time. processor: seconds of all cores together.

    lines: None if the truth lacks what the method needs. problem: why nothing was read.
    """

    lines: list[str] | None
    seconds: float
    processor: float
    problem: str | None = None


@dataclass(frozen=True)
class Row:
    """A method's figures over some pages. errors, characters: sums over the pages. seconds, processor: page means."""

    method: str
    pages: int
    errors: int
    characters: int
    seconds: float
    processor: float

    @property
    def rate(self) -> float:
        """Wrong, missing and extra characters divided by the truth's characters; it can exceed 1."""
        return self.errors / self.characters


def read_pages(
    truths: Sequence[Truth], methods: Sequence[Method], out: Path, say: Callable[[str], None]
) -> dict[str, dict[str, Reading]]:
    """Read every page by every method. Results that an earlier run stored for the same page and programs are reused.

    Args:
        truths: the pages.
        methods: the methods.
        out: folder in which each reading is stored at once, in its own file.
        say: called after each reading, with a line that names the page, the method and the time.

    Returns:
        method -> page -> reading.
    """
    out.mkdir(parents=True, exist_ok=True)
    readings: dict[str, dict[str, Reading]] = {method.name: {} for method in methods}
    for done, truth in enumerate(truths, 1):
        page = truth.image.stem
        digest = hashlib.sha256(truth.image.read_bytes()).hexdigest()
        for method in methods:
            kept = out / f"{page}.{method.name}.json"
            made: dict[str, Any] = {"image": digest, **method.made_of}
            if method.by_truth:
                made["truth"] = hashlib.sha256(repr((truth.texts, truth.words)).encode()).hexdigest()
            reading = _kept(kept, made)
            if reading is None:
                reading = _read(truth, method)
                write_json(kept, {"made": made, **asdict(reading)})
                say(f"[{done}/{len(truths)}] {page}, {method.name}: {reading.problem or f'{reading.seconds:.1f} s'}")
            readings[method.name][page] = reading
    return readings


def rows(truths: Sequence[Truth], readings: dict[str, dict[str, Reading]]) -> list[Row]:
    """Return each method's figures over the pages that it could read. A method without such a page has no row."""
    found = []
    for method, pages in readings.items():
        told = [(truth, pages[truth.image.stem]) for truth in truths]
        read = [(truth, reading, reading.lines) for truth, reading in told if reading.lines is not None]
        counts = [character_errors(truth.texts, lines) for truth, _, lines in read]
        if read and sum(characters for _, characters in counts):
            found.append(
                Row(
                    method,
                    len(read),
                    sum(errors for errors, _ in counts),
                    sum(characters for _, characters in counts),
                    sum(reading.seconds for _, reading, _ in read) / len(read),
                    sum(reading.processor for _, reading, _ in read) / len(read),
                )
            )
    return found


def _read(truth: Truth, method: Method) -> Reading:
    pixels = load_image(truth.image)
    start, busy = time.perf_counter(), _processor()
    lines: list[str] | None = []
    problem = None
    try:
        lines = method.read(pixels, truth)
    except ScriptkdError as error:  # such as a timeout: the page counts as unread
        problem = str(error)
    return Reading(lines, round(time.perf_counter() - start, 3), round(_processor() - busy, 3), problem)


def _processor() -> float:
    """Return the seconds of processor time of this process and its finished child processes."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _kept(path: Path, made: dict[str, Any]) -> Reading | None:
    try:
        fields = json.loads(path.read_text("utf-8"))
        return Reading(**fields) if fields.pop("made") == made else None
    except (OSError, ValueError, KeyError, TypeError):  # missing or incomplete
        return None
