"""A model's card: what it is for, what it learned from, how well it does and where it fails, as Markdown.

Every figure in it is measured while it is written, or read from the model file. Source of the form: Mitchell et al.
2019, "Model Cards for Model Reporting" (arXiv 1810.03993).
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scriptkd_sdk import ScriptIdentifier
from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.modelfile import ModelInfo
from scriptkd_train.data.dataset import fingerprint, read_dataset
from scriptkd_train.engine.threshold import KEEP
from scriptkd_train.evaluation.report import EvaluationReport
from scriptkd_train.utils.markdown import markdown_table

WEAK = 0.95  # scripts and kinds below this accuracy are named among the limits


@dataclass(frozen=True)
class Sources:
    """What a model learned from. fonts: licence -> number of font packages. scripts: the renderer's facts by script."""

    scripts: dict[str, dict[str, Any]]
    words_per_script: int | None
    seed: int | None
    fonts: dict[str, int]


def read_sources(data: Path | None, fonts: Path | None) -> Sources:
    """Read the renderer's `dataset.json` of a data set, and `LICENSES.csv` of a font folder, as far as there are any.

    Raises ArgumentError for a file that is not what our commands write.
    """
    scripts: dict[str, dict[str, Any]] = {}
    plan: dict[str, Any] = {}
    if data is not None and (described := data / "dataset.json").is_file():
        try:
            content = json.loads(described.read_text("utf-8"))
            scripts, plan = dict(content["scripts"]), dict(content["plan"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ArgumentError(f"{described} is not what `scriptkd data render` wrote: {error}") from error
    licences: Counter[str] = Counter()
    if fonts is not None:
        table = fonts / "LICENSES.csv"
        try:
            with table.open(encoding="utf-8", newline="") as file:
                # "5.3.0, OFL-1.1": a package's version and licence
                licences.update(row["licence"].rpartition(", ")[2] for row in csv.DictReader(file))
        except (OSError, KeyError, AttributeError, UnicodeDecodeError) as error:
            raise ArgumentError(f"cannot read the fonts' licences from {table}: {error}") from error
    return Sources(scripts, plan.get("words_per_script"), plan.get("seed"), dict(licences.most_common()))


def learned_from(model: Path, data: Path) -> bool:
    """Whether a data set's train split is what a model file says that it learned from, byte for byte."""
    recorded = ScriptIdentifier(model).info.provenance.get("data_sha256")
    return recorded == fingerprint(read_dataset(data, "train"))


def model_card(
    model: Path,
    sources: Sources,
    real: EvaluationReport | None,
    unseen: EvaluationReport | None,
    commands: Sequence[str] = (),
) -> str:
    """The card of a model file as Markdown.

    real, unseen: the report of `evaluate` on real words, and on rendered words in fonts that training never saw.
    commands: those that make the model, to be shown. Raises ModelError if the file cannot be read.
    """
    info = ScriptIdentifier(model).info
    lines = [f"# {model.name}: which script is this word written in?", ""]
    lines += _facts(model, info, commands)
    lines += _use(info)
    lines += _training(info, sources)
    lines += _figures(real, unseen)
    lines += _unknown(info, real)
    lines += _limits(info, real)
    return "\n".join(lines) + "\n"


def _facts(model: Path, info: ModelInfo, commands: Sequence[str]) -> list[str]:
    provenance = info.provenance
    shape = info.preprocessing
    width = f"{shape.width_min}" if shape.fixed_width else f"{shape.width_min} to {shape.width_max}"
    colour = "gray" if shape.channels == 1 else "RGB"
    rows = {
        "network": f"{info.network}, {_count(provenance.get('parameters'))} parameters",
        "input": f"{colour}, {shape.height} pixels high, {width} wide",
        "file": f"{model.stat().st_size / 1000:,.0f} KB, {info.precision}, "
        f"SHA-256 `{hashlib.sha256(model.read_bytes()).hexdigest()}`",
        "scripts": ", ".join(f"{label.name} ({label.code})" for label in info.labels),
        "recipe": f"`{provenance.get('recipe', 'not recorded')}`, stage `{provenance.get('stage', 'not recorded')}`, "
        f"seed {provenance.get('seed', 'not recorded')}",
        "training data": f"{_count(provenance.get('train_images'))} images, "
        f"fingerprint (SHA-256) `{provenance.get('data_sha256', 'not recorded')}`",
        "software": ", ".join(f"{name} {number}" for name, number in provenance.get("packages", {}).items())
        or "not recorded",
    }
    lines = [*markdown_table(["", ""], list(rows.items()), 2), ""]
    if commands:
        lines += ["Made by:", "", "```sh", *commands, "```", ""]
    return lines


def _use(info: ModelInfo) -> list[str]:
    return [
        "## Intended use",
        "",
        f"To choose the text recogniser for a cropped word image before it is read, among {len(info.labels)} scripts: "
        f"signs, video captions, photographed and scanned pages. {_crops(info)}",
        "",
        "Not for: finding text in a picture, whole pages, telling languages of one script apart, reading, or any "
        "decision about people. A script that is not in the list is taken for one of those that are, or for `unknown`.",
        "",
    ]


def _crops(info: ModelInfo) -> str:
    """What crops the model is for, as a sentence."""
    if info.orientation_temperature is None:
        return "One word a crop, nearly upright, cut close to its ink."
    return "A word or a line a crop, any way up, in a close or a loose box; the model tells orientation too."


def _training(info: ModelInfo, sources: Sources) -> list[str]:
    lines = ["## Training data", ""]
    if sources.words_per_script is not None:
        lines += [
            f"Rendered words only, {sources.words_per_script:,} a script (seed {sources.seed}), made by `scriptkd data "
            "render`: words of open dictionaries, set by HarfBuzz in open fonts, placed on signs, pages, scans and "
            "video frames and degraded. No photograph of a word was used. No font family is in two of the splits "
            "train, validation and test.",
            "",
        ]
        heads = ["script", "distinct words", "font families: train", "validation", "test", "faces"]
        names = ("words", "fonts_train", "fonts_val", "fonts_test", "faces")
        rows = []
        for label in info.labels:
            facts = sources.scripts.get(label.name, {})
            rows.append([label.name, *(_count(facts.get(name)) for name in names)])
        lines += [*markdown_table(heads, rows), ""]
    else:
        lines += ["The data set was not at hand when this card was written; its fingerprint is above.", ""]
    if sources.fonts:
        licences = ", ".join(f"{licence} {count}" for licence, count in sources.fonts.items())
        lines += [
            f"Fonts: those of the Debian packages that the set-up installs, and {sum(sources.fonts.values())} "
            f"packages that `scriptkd data fonts` fetches, by licence: {licences}. None is included in the model file.",
            "",
        ]
    return lines


def _figures(real: EvaluationReport | None, unseen: EvaluationReport | None) -> list[str]:
    lines = ["## Figures", ""]
    sets = {"real words": real, "rendered, unseen fonts": unseen}
    known = {name: report for name, report in sets.items() if report}
    if not known:
        return [*lines, "No images were given to measure it on when this card was written.", ""]
    lines += ["The best script's accuracy in per cent, whatever its score.", ""]
    groups = sorted({group for cells in (real.groups if real else {}).values() for group in cells})
    if real:
        apart = set(real.apart)
        groups = [group for group in groups if group not in apart]
    table = []
    labels = list(next(iter(known.values())).scripts)
    for label in labels:
        rows = [report.scripts[label] for report in known.values()]
        cells = [f"{_percent(row.recall)} ({row.images:,})" for row in rows]
        kinds = real.groups.get(label, {}) if real else {}
        cells += [_percent(kinds[group].accuracy) if group in kinds else "" for group in groups]
        table.append([label, *cells])
    means = [f"**{_percent(report.macro_accuracy)}**" for report in known.values()]
    for group in groups:
        shares = [kinds[group].accuracy for kinds in (real.groups if real else {}).values() if group in kinds]
        means.append(f"**{_percent(sum(shares) / len(shares))}**")
    table.append(["**mean of the scripts**", *means])
    lines += [*markdown_table(["script", *(f"{name} (images)" for name in known), *groups], table), ""]
    for name, report in known.items():
        lines.append(f"- Expected calibration error on {name}: {_percent(report.calibration_error)} %.")
    if real and unseen:
        gap = 100 * (unseen.macro_accuracy - real.macro_accuracy)
        lines.append(f"- From rendered words in unseen fonts to real ones: {gap:+.1f} points.")
    return [*lines, ""]


def _unknown(info: ModelInfo, real: EvaluationReport | None) -> list[str]:
    lines = ["## Scores and `unknown`", ""]
    lines.append(
        f"Scores are a softmax at the temperature {info.temperature:.3f}, fitted on rendered validation words."
    )
    if info.threshold > 0:
        lines[-1] += (
            f" Below a top score of {info.threshold:.3f} the answer is `unknown`; this threshold was fitted on "
            f"rendered words and rendered pictures without text, to cost at most {100 * (1 - KEEP):.0f} % of the right "
            "words."
        )
    else:
        lines[-1] += " There is no threshold: the model never answers `unknown` by itself."
    if real and real.non_text_roc_area is not None:
        lines[-1] += f" Real words against real non-text: area under the ROC {real.non_text_roc_area:.3f}."
        at = real.threshold
        if info.threshold > 0:
            lines[-1] += (
                f" At the threshold {_percent(at.right_words_kept)} % of the right real words keep their answer; "
                f"{_percent(at.wrong_words_unknown)} % of the wrong ones and {_percent(at.non_text_unknown)} % "
                "of the non-text become `unknown`."
            )
    return [*lines, ""]


def _limits(info: ModelInfo, real: EvaluationReport | None) -> list[str]:
    lines = ["## Limits", ""]
    lines += [
        "- It learned from type. Handwriting, and lettering unlike any font, are told less well.",
        "- Digits, punctuation and letters that scripts share (a bare Latin 'o', a danda) cannot be told by anyone.",
        "- Expect more errors on words of one or two letters, on words turned far or set vertically, and where blur "
        "has eaten the letters; `scriptkd analyse` and `scriptkd evaluate --turned --loose --lines` measure this on "
        "any data set.",
    ]
    if real:
        weak = [
            f"{label} {_percent(row.recall)} %"
            for label, row in real.scripts.items()
            if row.recall is not None and row.recall < WEAK
        ]
        if weak:
            lines.append(f"- Real words under {_percent(WEAK)} %: {', '.join(weak)}.")
        pairs = [
            (count, label, predicted)
            for label, row in zip(real.scripts, real.confusion, strict=True)
            for predicted, count in zip(real.scripts, row, strict=True)
            if label != predicted and count
        ]
        if pairs:
            commonest = sorted(pairs, key=lambda pair: (-pair[0], pair[1], pair[2]))[:5]
            listed = ", ".join(f"{label} taken for {predicted} ({count})" for count, label, predicted in commonest)
            lines.append(f"- Commonest confusions on real words: {listed}.")
        few = [f"{label} ({row.images})" for label, row in real.scripts.items() if 0 < row.images < 150]
        if few:
            lines.append(f"- Few real words were there to measure: {', '.join(few)}; a point or two there is chance.")
        none = [label for label, row in real.scripts.items() if row.images == 0]
        if none:
            lines.append(f"- No real words were there to measure: {', '.join(none)}.")
    return lines


def _count(number: Any) -> str:
    return f"{number:,}" if isinstance(number, int) else "not recorded"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f}"
