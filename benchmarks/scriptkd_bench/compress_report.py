"""The page of `scriptkd compress`: figures, ratios to the teacher, and others' reports on the same families."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from scriptkd_train.utils.markdown import markdown_table

from .compress import FAMILIES, TEACHER, Family, FamilyFile, accuracy_field
from .pareto import Point, front

TOLERATED = 0.01  # loss of accuracy against the teacher that the summary allows
_ORIGINALS = {"darknet_bilstm": "bilstm"}  # the network that others compared with, if not the teacher
_SLIDES = 'slides "CNN-DBLSTM compression", text lines, one core'
CLAIMS = {
    "darknet_bilstm": ("DarkNet-DBLSTM with CNN-MAH", "14.2x faster, 5.6x fewer parameters", _SLIDES),
    "tucker": ("Tucker decomposition", "7.5x faster", _SLIDES),
    "parconv": ("ParConv with distillation", ">10x less computation, >8x smaller", "arXiv 1912.07806"),
}
NOTES = (
    "Macro accuracy. rendered: on the test split's words, in fonts unseen in training. real: on real words. "
    "±: standard deviation over seeds. Only finalists have several: families that no equally fast one clearly beats.",
    "ms: p50 of session.run on one thread, the first seed's files in turns. Multiply-adds: for the timed image.",
    "÷, x: how many times smaller or faster than the teacher's float32 file. lost: points of accuracy below that file.",
    "int8: quantized after training, calibrated on validation images; textnet_int8 was trained for int8. "
    "–: not measured, or the file differed too much from the checkpoint.",
)


def page(families: Sequence[Family], facts: dict[str, str]) -> str:
    """Return a page in Markdown: the winners, the figures, the ratios, and others' figures beside ours."""
    parts = [
        "# Compression families",
        "\n".join(f"- {name}: {fact}" for name, fact in facts.items()),
        "\n".join(summary(families)),
        "## Figures",
        "\n".join(markdown_table(*figures_table(families))),
        "\n".join(f"- {family.name}: {FAMILIES[family.name]}" for family in families),
        "## Against the teacher",
        "\n".join(markdown_table(*ratios_table(families))),
    ]
    if any(family.name in CLAIMS for family in families):
        parts += [
            "## Beside what others report",
            "Their tasks, networks and machines differ. The figures only show an order of magnitude to expect.",
            "\n".join(markdown_table(*claims_table(families))),
        ]
    return "\n\n".join([*parts, "\n".join(f"- {note}" for note in NOTES)]) + "\n"


def summary(families: Sequence[Family]) -> list[str]:
    """Return sentences on the Pareto front of accuracy and latency, and on the fastest file that loses little."""
    field = accuracy_field(families)
    name = {"real": "real words", "unseen": "rendered words"}[field]
    files = [(family.name, precision, file) for family in families for precision, file in family.files.items()]
    pairs = [(file.milliseconds, file.mean(field) or 0.0) for _, _, file in files]
    best = [f"{files[i][0]} {files[i][1]}" for i in front(pairs)]
    told = [f"Pareto front of latency and accuracy on {name}: {', '.join(best)}."]
    teacher = _teacher(families).fp32
    least = (teacher.mean(field) or 0.0) - TOLERATED
    close = [i for i, file in enumerate(files) if file[0] != TEACHER and pairs[i][1] >= least]
    if close:
        family, precision, file = files[min(close, key=lambda i: pairs[i][0])]
        told.append(
            f"The fastest within {100 * TOLERATED:g} point of the teacher is {family} {precision}: "
            f"{teacher.milliseconds / file.milliseconds:.1f}x faster, "
            f"{teacher.figures[0].kilobytes / file.figures[0].kilobytes:.1f}x smaller as a file."
        )
    else:
        told.append(f"No family comes within {100 * TOLERATED:g} point of the teacher.")
    return told


def figures_table(families: Sequence[Family]) -> tuple[list[str], list[list[str]]]:
    """Return header and rows as text. Figures that differ between float32 and int8 have two columns."""
    heads = ["family", "seeds", "parameters", "multiply-adds M"]
    columns = (("KB", "kilobytes"), ("ms", "milliseconds"), ("rendered %", "unseen"), ("real %", "real"))
    heads += [f"{title} {precision}" for title, _ in columns for precision in ("fp32", "int8")]
    rows = []
    for family in families:
        row = [family.name, str(len(family.fp32.figures)), f"{family.fp32.figures[0].parameters:,}"]
        row.append(f"{family.macs / 1e6:.2f}")
        rows.append(row + [_figure(file, field) for _, field in columns for file in (family.fp32, family.int8)])
    return heads, rows


def ratios_table(families: Sequence[Family]) -> tuple[list[str], list[list[str]]]:
    """Return header and rows as text, for all files except the teacher's in float32."""
    heads = ["family", "parameters ÷", "multiply-adds ÷", "file ÷ fp32", "file ÷ int8", "faster x fp32"]
    heads += ["faster x int8", "lost rendered fp32", "lost rendered int8", "lost real fp32", "lost real int8"]
    teacher = _teacher(families)
    rows = []
    for family in families:
        files = (family.fp32, family.int8)
        row = [family.name, _ratio(*(each.fp32.figures[0].parameters for each in (teacher, family)))]
        row.append(_ratio(teacher.macs, family.macs))
        row += [_ratio(teacher.fp32.figures[0].kilobytes, file.figures[0].kilobytes) if file else "–" for file in files]
        row += [_ratio(teacher.fp32.milliseconds, file.milliseconds) if file else "–" for file in files]
        row += [_lost(teacher.fp32, file, field) for field in ("unseen", "real") for file in files]
        rows.append(row)
    return heads, rows


def claims_table(families: Sequence[Family]) -> tuple[list[str], list[list[str]]]:
    """Return header and rows as text: families that others report, with their figures and ours in float32."""
    heads = ["family", "theirs", "they report", "source", "here, against", "faster x", "multiply-adds ÷"]
    heads += ["parameters ÷", "lost rendered", "lost real"]
    known = {family.name: family for family in families}
    rows = []
    for name, claim in CLAIMS.items():
        if name not in known:
            continue
        ours = known[name]
        original = known.get(_ORIGINALS.get(name, TEACHER), _teacher(families))
        row = [name, *claim, original.name, _ratio(original.fp32.milliseconds, ours.fp32.milliseconds)]
        row += [_ratio(original.macs, ours.macs)]
        row += [_ratio(*(each.fp32.figures[0].parameters for each in (original, ours)))]
        rows.append(row + [_lost(original.fp32, ours.fp32, field) for field in ("unseen", "real")])
    return heads, rows


def points(families: Sequence[Family]) -> list[Point]:
    """Return a point for every file, for the plot."""
    found = []
    for family in families:
        for precision, file in family.files.items():
            accuracy = {"rendered words": file.mean("unseen"), "real words": file.mean("real")}
            known = {name: value for name, value in accuracy.items() if value is not None}
            found.append(Point(f"{family.name} {precision}", file.milliseconds, file.figures[0].kilobytes, known))
    return found


def _teacher(families: Sequence[Family]) -> Family:
    return next(family for family in families if family.name == TEACHER)


def _figure(file: FamilyFile | None, field: str) -> str:
    if file is None:
        return "–"
    if field == "milliseconds":
        return f"{file.milliseconds:.3g}"
    if field == "kilobytes":
        return f"{file.figures[0].kilobytes:,.0f}"
    values = [100 * value for value in file.values(field)]
    if not values:
        return "–"
    spread = f" ± {statistics.stdev(values):.1f}" if len(values) > 1 else ""
    return f"{statistics.fmean(values):.1f}{spread}"


def _ratio(whole: float, part: float) -> str:
    return f"{whole / part:.1f}"


def _lost(original: FamilyFile, file: FamilyFile | None, field: str) -> str:
    before, after = original.mean(field), file.mean(field) if file else None
    return "–" if before is None or after is None else f"{100 * (before - after):+.1f}"
