"""Times that people measured on their own devices, as a section of the page of counted AArch64 instructions."""

from __future__ import annotations

from pathlib import Path

from scriptkd_bench.compare import load_report
from scriptkd_train.utils.markdown import markdown_table

HOW = """\
## Measured on devices

`scriptkd bench` on the device writes build/bench/RESULTS.json. Whoever has a phone can send that one file, for the
folder `benchmarks/devices`, named after the device. Termux is an app with a shell. Its own packages have Python, numpy,
OpenCV and onnxruntime; `pip install --no-deps` puts the wheel of scriptkd beside them. This was never tried.
"""


def devices_section(folder: Path) -> str:
    """The section, in Markdown: for each file in `folder` and each model in it, milliseconds of one run on one thread.

    Args:
        folder: holds JSON files that `scriptkd bench` wrote; it may be missing.

    Raises:
        ArgumentError: a file is not one of those.
    """
    rows = []
    for path in sorted(folder.glob("*.json")):
        report = load_report(path)
        facts = report["facts"]
        system = [facts.get(name, "–") for name in ("processor", "system", "onnxruntime", "date")]
        for row in report["rows"]:
            run = row["timing"]["run"]
            rows.append([path.stem, *system, row["model"], row["precision"], f"{run['p50']:.3g} / {run['p95']:.3g}"])
    if not rows:
        return f"{HOW}\nNobody has sent one so far.\n"
    heads = ["device", "processor", "system", "onnxruntime", "date", "model", "precision", "p50 / p95 ms"]
    return "\n".join([HOW, *markdown_table(heads, rows, text_columns=7)]) + "\n"
