"""A rendered substitute for CVSI-2015, with its layout, its size and the look of its crops.

Like the original, it has 6,412 / 1,069 / 3,207 images, and folders and file names with their odd spellings. The test
split has the published count for each script. Only totals are published for train and validation, so their counts by
script are proportional to the test split's. Crops are small JPEGs with a median of 114x39 pixels, cut from broadcast
video: mostly captions, and a few signs. No font family is in two splits. The substitute tests readers and protocols,
and compares methods. Figures on it say nothing about the original.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np

from scriptkd_train.data.sets.cvsi import PREFIXES, SPLIT_FOLDERS, TEST_COUNTS, TOTALS
from scriptkd_train.synth.composition import draw_word_image
from scriptkd_train.synth.degradation import jpeg, resample
from scriptkd_train.synth.fonts import Face, faces_by_split
from scriptkd_train.synth.pool import draw_chunks
from scriptkd_train.synth.typeset import require_shaping
from scriptkd_train.synth.unfinished import begin, finish, is_there, require_new_or_unfinished
from scriptkd_train.utils.files import write_file

FOLDERS = {
    "ARB": "Arabic",
    "BEN": "Bengali",
    "ENG": "English",
    "GUJ": "Gujrathi",
    "HIN": "Hindi",
    "KAN": "Kannada",
    "ORI": "Oriya",
    "PUN": "Punjabi",
    "TAM": "Tamil",
    "TEL": "Telegu",
}
"""Prefix of file names -> folder, as spelled in the original."""

_CHUNK = 100
_MEDIAN_HEIGHT, _SPREAD = 39, 0.38  # pixels, and the deviation of the logarithm, so 9 of 10 crops are 21 to 73 high
_MIN_HEIGHT, _MAX_HEIGHT = 14, 120
_WIDER = 1.1  # compensates for rendered words that are narrower than the original's 114 pixels
_NARROWEST = 1.6  # smallest width over height, since the original has few crops of one letter
_KINDS = {"video": 0.85, "scene": 0.15}  # the original comes from news video: mostly captions laid over it, a few signs
_LAYOUTS = {"word": 1.0}
_QUALITIES = (60, 91)  # of the stored JPEG


@dataclass(frozen=True, slots=True)
class CvsiPlan:
    """The plan of a rendering. share: part of the original's images, 1 for all; at least one per script and split."""

    seed: int
    share: float = 1.0
    font_folders: tuple[str, ...] = ()

    def counts(self, split: str) -> dict[str, int]:
        """Script -> number of images in a split, in proportion to the published test counts."""
        size = max(round(self.share * TOTALS[split]), len(TEST_COUNTS))
        exact = {script: size * count / TOTALS["test"] for script, count in TEST_COUNTS.items()}
        counts = {script: max(1, int(value)) for script, value in exact.items()}
        for script in sorted(exact, key=lambda name: counts[name] - exact[name])[: size - sum(counts.values())]:
            counts[script] += 1  # the largest remainders are rounded up
        return counts

    @property
    def total(self) -> int:
        """Number of images in all splits."""
        return sum(sum(self.counts(split).values()) for split in TOTALS)


def render_cvsi(plan: CvsiPlan, out: Path, workers: int, progress: Callable[[int], None] = lambda done: None) -> None:
    """Render the plan into `out` in CVSI-2015's layout. The same plan, fonts and words give the same bytes.

    `out/dataset.json`, written last, records that the words are rendered. An interrupted rendering of the same plan is
    resumed.

    Args:
        plan: the plan.
        out: the folder: new, empty, or from an interrupted rendering of the same plan.
        workers: number of drawing processes.
        progress: called with the number of newly drawn images.

    Raises:
        ArgumentError: `out` holds something else, or fonts, words or text shaping are missing.
        ScriptkdError: the disk is full, or a process died.
        OSError: an image cannot be written.
    """
    require_new_or_unfinished(out)
    require_shaping()
    families = {  # raises here, not in a worker, if fonts are missing
        script: {split: sorted(found) for split, found in faces_by_split(script, plan.font_folders).items()}
        for script in PREFIXES.values()
    }
    begin(out, {"rendered": "words in the layout and size of CVSI-2015", "plan": asdict(plan), "families": families})
    tasks = []
    for split in TOTALS:
        for prefix, script in PREFIXES.items():
            _folder(out, split, prefix).mkdir(parents=True, exist_ok=True)
            count = plan.counts(split)[script]
            tasks += [(split, prefix, start, min(start + _CHUNK, count)) for start in range(0, count, _CHUNK)]
    draw_chunks(_render_chunk, [(plan, out, *task) for task in tasks], PREFIXES.values(), workers, progress)
    finish(out)


def _folder(out: Path, split: str, prefix: str) -> Path:
    """The folder for a script's images of a split. All test images lie in one folder."""
    return out / SPLIT_FOLDERS[split] / ("" if split == "test" else FOLDERS[prefix])


def _render_chunk(plan: CvsiPlan, out: Path, split: str, prefix: str, start: int, stop: int) -> int:
    script = PREFIXES[prefix]
    families = list(faces_by_split(script, plan.font_folders)[split].values())
    for number in range(start, stop):
        rng = np.random.default_rng([plan.seed, list(TOTALS).index(split), list(PREFIXES).index(prefix), number])
        path = _folder(out, split, prefix) / f"{prefix}_{number + 1:03d}.jpg"
        if is_there(path):
            continue
        picture = _crop_of_video(rng, script, families)
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(*_QUALITIES))]
        _, data = cv2.imencode(".jpg", picture[..., ::-1], quality)
        write_file(path, data.tobytes())
    return stop - start


def _crop_of_video(rng: np.random.Generator, script: str, families: list[list[Face]]) -> np.ndarray:
    """A word as a small crop of a compressed, upscaled video frame, uint8 RGB."""
    picture = draw_word_image(rng, script, families, _KINDS, _LAYOUTS)
    while picture.shape[1] < _NARROWEST * picture.shape[0]:
        picture = draw_word_image(rng, script, families, _KINDS, _LAYOUTS)
    height = float(np.clip(np.exp(rng.normal(np.log(_MEDIAN_HEIGHT), _SPREAD)), _MIN_HEIGHT, _MAX_HEIGHT))
    lines = max(_MIN_HEIGHT, round(height * rng.uniform(0.55, 1.0)))
    frame = jpeg(rng, resample(picture.astype(np.float32), lines), 40)
    width = round(_WIDER * height * frame.shape[1] / frame.shape[0])
    crop = cv2.resize(frame, (width, round(height)), interpolation=cv2.INTER_LINEAR)
    return np.clip(crop, 0, 255).astype(np.uint8)
