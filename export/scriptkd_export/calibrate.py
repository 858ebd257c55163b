"""Calibrate a finished model file on labelled crops: only its temperatures and thresholds change.

The fit is the same as for a checkpoint after training (`scriptkd_train.engine.calibration`). Answers follow the SDK's
rules (section 5 of the contract).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scriptkd_sdk.crop import crops
from scriptkd_sdk.decision import softmax
from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.modelfile import INPUT, METADATA_KEY, ModelInfo, load_content, model_path, read_content
from scriptkd_train.data.dataset import NON_TEXT, Item, read_split_or_all
from scriptkd_train.engine.calibration import fit_temperature
from scriptkd_train.engine.threshold import KEEP, below, fit_threshold
from scriptkd_train.evaluation.metrics import expected_calibration_error
from scriptkd_train.utils.files import write_file
from scriptkd_train.utils.writable import check_file

from .rewriting import suffix_of, with_metadata

LEAST_WORDS = 100  # with fewer, a threshold that keeps 99 in 100 keeps all
LEAST_NON_TEXT = 20
LEAST_EACH = 5  # right and wrong answers each: a temperature needs both
FOLDS = 5

_Mask = NDArray[np.bool_]


class Parameters(NamedTuple):
    """The parameters that turn logits into an answer.

    Attributes:
        temperature: the logits are divided by it.
        threshold: a top score below it gives `unknown`.
    """

    temperature: float
    threshold: float


@dataclass(frozen=True)
class Figures:
    """How reliable the scores are on the crops.

    Attributes:
        calibration_error: expected calibration error of the words' top scores, in 0..1.
        right_kept: share of the right answers that are kept, in 0..1; None where there are none.
        turned_away: for scripts, share of the pictures without text that get `unknown`; for orientation, share of the
            wrong answers. None where there are none.
    """

    calibration_error: float
    right_kept: float | None
    turned_away: float | None


@dataclass(frozen=True)
class Change:
    """Parameters and figures of one output, before and after.

    Attributes:
        before: the parameters that the model had.
        after: the parameters of the new file, fitted to all crops.
        figures_before: with the old parameters.
        figures_after: with new parameters. Each fifth of the crops is measured with parameters fitted to the other four
            fifths.
        accuracy: share of the words with the right answer, in 0..1. Calibration does not change it.
    """

    before: Parameters
    after: Parameters
    figures_before: Figures
    figures_after: Figures
    accuracy: float


@dataclass(frozen=True)
class Calibrated:
    """The result of a calibration.

    Attributes:
        path: the new file.
        words: how many words it was fitted to.
        non_text: how many pictures without text it was fitted to.
        scripts: change of the script output.
        orientation: change of the orientation output. Nothing changes with fewer than LEAST_EACH right or wrong
            answers. None if the model does not tell orientation.
    """

    path: Path
    words: int
    non_text: int
    scripts: Change
    orientation: Change | None


@dataclass(frozen=True)
class _Answers:
    """A network's logits of N images at one output, and the right answers.

    windows: for each image the logits of its n windows, [n, K]. truth: int64 [N], -1 for a picture without text. away:
    [N], the images that the threshold should turn away. keep: the least share of right answers that it must keep.
    """

    windows: list[NDArray[np.float32]]
    truth: NDArray[np.int64]
    away: _Mask
    keep: float = KEEP

    def part(self, chosen: _Mask) -> _Answers:
        """The answers for some of the images."""
        windows = [self.windows[index] for index in np.flatnonzero(chosen)]
        return _Answers(windows, self.truth[chosen], self.away[chosen], self.keep)

    def top(self, temperature: float) -> tuple[NDArray[np.float64], _Mask]:
        """The top scores [N], averaged over windows, and whether the best label is right."""
        scores = np.array([np.mean([softmax(row, temperature) for row in each], axis=0) for each in self.windows])
        return scores.max(axis=1), scores.argmax(axis=1) == self.truth

    def judged(self, parameters: Parameters) -> tuple[NDArray[np.float64], _Mask, _Mask]:
        """As `top`, and whether the score reaches the threshold."""
        top, right = self.top(parameters.temperature)
        return top, right, top >= parameters.threshold

    def fit(self, before: Parameters) -> Parameters:
        """The parameters that fit best.

        For a line, the temperature is fitted to the middle window, as in training. Without images to turn away, the
        threshold cannot rise. It stays, or falls until enough right words are kept.
        """
        words = self.truth >= 0
        middle = np.stack([each[len(each) // 2] for each in self.windows])
        temperature = fit_temperature(middle[words], self.truth[words])
        top, right = self.top(temperature)
        if self.away.any():
            return Parameters(temperature, below(fit_threshold(top[right], top[self.away], self.keep)))
        kept = np.sort(top[right])[int((1 - self.keep) * right.sum())]
        return Parameters(temperature, min(before.threshold, below(float(kept))))

    def figures(self, top: NDArray[np.float64], right: _Mask, answered: _Mask) -> Figures:
        """The figures of judged answers."""
        words = self.truth >= 0
        error = expected_calibration_error(top[words], right[words])
        return Figures(error, _share(answered[right]), _share(~answered[self.away]))

    def change(self, before: Parameters) -> Change:
        """Fit if there are enough answers, and measure each fold with parameters fitted to the other folds."""
        top, right, answered = self.judged(before)
        words = self.truth >= 0
        accuracy, figures = float(right[words].mean()), self.figures(top, right, answered)
        if not _tells(right[words]):
            return Change(before, before, figures, figures, accuracy)
        # Each fold gets its share of right words, wrong words and pictures without text.
        folds = np.empty(len(self.truth), np.int64)
        folds[np.lexsort((right, words))] = np.arange(len(folds)) % FOLDS
        for fold in range(FOLDS):
            inside = folds == fold
            fitted = self.part(~inside).fit(before)
            top[inside], right[inside], answered[inside] = self.part(inside).judged(fitted)
        return Change(before, self.fit(before), figures, self.figures(top, right, answered), accuracy)


def calibrate_file(
    model: str | Path,
    data: Path,
    out: Path,
    progress: Callable[[int, int], None] | None = None,
    keep: float = KEEP,
) -> Calibrated:
    """Fit a model file's temperatures and thresholds to labelled crops, and write them into a copy of the file.

    Args:
        model: a .onnx or .ort file of any precision and format, or a bundled model's name.
        data: a folder with one folder of crops per script, and optionally `none` with pictures without text. Of a data
            set with splits, the validation split is read. To fit orientation, the words must be upright.
        out: the new file, with the model's suffix.
        progress: called with the number of images done and the total.
        keep: the least share of right answers, in 0..1, that keep their script. A lower share lets the threshold rise.

    Returns:
        The fitted parameters, and figures before and after.

    Raises:
        ArgumentError: there are too few crops, only one script, or a script that the model does not know; nearly all
            answers are right, or nearly all wrong; `out` exists or cannot be written.
        ImageError: an unreadable crop.
        ModelError: the model is missing or damaged.
        OSError: the file cannot be written, for example on a full disk.
    """
    name, content = read_content(model)
    session, info = load_content(name, content)
    _check_out(model, content, out)
    labels = [label.name for label in info.labels]
    items = read_split_or_all(data, "val")
    truth = _truth(items, labels, data)
    words = int((truth >= 0).sum())
    scripts, orientation = _ask(session, info, items, truth, progress)
    right = scripts.top(info.temperature)[1][truth >= 0]
    if not _tells(right):
        raise ArgumentError(
            f"{name} gets {right.sum():,} of the {words:,} words of {data} right and {(~right).sum():,} wrong: at "
            f"least {LEAST_EACH} of each are needed to fit a temperature"
        )
    changed = replace(scripts, keep=keep).change(Parameters(info.temperature, info.threshold))
    turned = orientation.change(_of_orientation(info)) if orientation is not None else None
    fields: dict[str, Any] = json.loads(session.get_modelmeta().custom_metadata_map[METADATA_KEY])
    fields |= changed.after._asdict()
    if turned is not None:
        fields |= {f"orientation_{key}": value for key, value in turned.after._asdict().items()}
    rewritten = with_metadata(content, json.dumps(fields, ensure_ascii=False, separators=(",", ":")))
    load_content(str(out), rewritten)
    out.parent.mkdir(parents=True, exist_ok=True)
    write_file(out, rewritten)
    return Calibrated(out, words, len(items) - words, changed, turned)


def _check_out(model: str | Path, content: bytes, out: Path) -> None:
    """Raise ArgumentError if `out` cannot be the new file."""
    suffix = suffix_of(content)
    if out.suffix.lower() != suffix:
        raise ArgumentError(f"--out must end in {suffix}, as the model does, not be {out.name}")
    check_file(out)
    if out.exists():
        same = out.samefile(model_path(model))
        raise ArgumentError(f"{out} {'is the model itself' if same else 'exists already'}; --out needs a new file")


def _truth(items: Sequence[Item], labels: Sequence[str], data: Path) -> NDArray[np.int64]:
    """The index of each label, -1 for pictures without text. Raises ArgumentError if nothing can be fitted to them."""
    number = {NON_TEXT: -1} | {label: index for index, label in enumerate(labels)}
    if unknown := sorted({item.label for item in items} - set(number)):
        raise ArgumentError(
            f"{data} holds {', '.join(unknown)}, which the model does not know: remove these folders, or move their "
            f"images to {NON_TEXT}. The model knows {', '.join(labels)}"
        )
    truth = np.array([number[item.label] for item in items])
    words, non_text = int((truth >= 0).sum()), int((truth < 0).sum())
    if words < LEAST_WORDS:
        raise ArgumentError(f"{data} holds {words:,} words, too few for calibration: at least {LEAST_WORDS} are needed")
    if len(only := set(truth[truth >= 0].tolist())) == 1:
        raise ArgumentError(
            f"{data} holds words of {labels[only.pop()]} alone: words of at least two of the model's scripts are needed"
        )
    if 0 < non_text < LEAST_NON_TEXT:
        raise ArgumentError(
            f"{data} holds {non_text:,} pictures in {NON_TEXT}, too few to fit a threshold: give at least "
            f"{LEAST_NON_TEXT}, or none"
        )
    return truth


def _share(hits: _Mask) -> float | None:
    return float(hits.mean()) if len(hits) else None


def _tells(right: _Mask) -> bool:
    """Whether there are enough right and enough wrong answers, [N], for a fit."""
    return bool(min(right.sum(), (~right).sum()) >= LEAST_EACH)


def _of_orientation(info: ModelInfo) -> Parameters:
    """The orientation parameters of a model of format 3."""
    assert info.orientation_temperature is not None and info.orientation_threshold is not None
    return Parameters(info.orientation_temperature, info.orientation_threshold)


def _ask(
    session: Any,
    info: ModelInfo,
    items: Sequence[Item],
    truth: NDArray[np.int64],
    progress: Callable[[int, int], None] | None,
) -> tuple[_Answers, _Answers | None]:
    """The network's answers to all images, with one image in memory at a time.

    For format 3 the second result holds the orientation answers. The words are turned by 0, 90, 180 and 270 degrees in
    rotation. The threshold of orientation turns away wrong answers.
    """
    any_crop = len(info.outputs) > 1
    windows: list[NDArray[np.float32]] = []
    ways: list[NDArray[np.float32]] = []
    way: list[int] = []
    for done, (item, label) in enumerate(zip(items, truth, strict=True), 1):
        image = item.load()
        answers, turned = _look(session, info, image)
        windows.append(answers[0])
        if any_crop and label >= 0:
            if quarter := len(ways) % 4:
                answers, turned = _look(session, info, np.rot90(image, -quarter))
            ways.append(answers[1])
            way.append((quarter - turned // 90) % 4)
        if progress:
            progress(done, len(items))
    scripts = _Answers(windows, truth, truth < 0)
    if not any_crop:
        return scripts, None
    orientation = _Answers(ways, np.array(way), np.zeros(len(way), bool))
    right = orientation.top(_of_orientation(info).temperature)[1]
    return scripts, replace(orientation, away=~right)


def _look(session: Any, info: ModelInfo, image: NDArray[np.uint8]) -> tuple[list[NDArray[np.float32]], int]:
    """The network's answers to each window of an image, and the degrees by which the image was turned first."""
    if info.any_size:
        pixels, turned = image if image.ndim == 3 else np.repeat(image[:, :, None], 3, axis=2), 0
    else:
        seen, rows, turned = crops(image, info.preprocessing)
        pixels = np.stack([info.preprocessing.apply(each, rows) for each in seen])
    return session.run(info.outputs, {INPUT: pixels}), turned
