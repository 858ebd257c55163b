"""Which script is this word written in?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from scriptkd_sdk.errors import ArgumentError, ImageError
from scriptkd_sdk.images import ImageInput, load_image
from scriptkd_sdk.modelfile import ModelInfo, open_model
from scriptkd_sdk.prediction import Prediction
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_sdk.scripts import UNKNOWN, Script

BATCH = 32  # images at most in one run: more gains nothing, and so memory stays bounded whatever the input


class ScriptIdentifier:
    """Tells the script of cropped word images.

    One identifier may be used by many threads at once: after construction nothing in it changes, and onnxruntime's
    sessions allow concurrent runs. Construction takes tens of milliseconds, so keep it.
    """

    def __init__(self, model: str | Path | None = None, *, threads: int = 1) -> None:
        """Load a model file; None is the model that comes with the package.

        threads: how many threads one call may use. More than one pays only for large networks.

        Raises ModelError for a file that is missing or unfit, ArgumentError for a wrong number of threads.
        """
        self._session, self._info = open_model(model, threads)

    @property
    def info(self) -> ModelInfo:
        """What the model file says about itself."""
        return self._info

    @property
    def labels(self) -> tuple[Script, ...]:
        """The scripts that the model knows, in the order of its outputs."""
        return self._info.labels

    @property
    def preprocessing(self) -> Preprocessing:
        """How an image becomes the network's input."""
        return self._info.preprocessing

    def identify(self, image: ImageInput) -> Prediction:
        """Tell the script of one image: a path, encoded bytes, an array or a PIL image (see `images.load_image`).

        Raises ImageError for an image that cannot be read or used.
        """
        return self._run([self._prepare(load_image(image))])[0]

    def identify_batch(self, images: Iterable[ImageInput]) -> list[Prediction | ImageError]:
        """Tell the scripts of many images, in their order.

        An image that cannot be read or used gets its ImageError, as a value, in its place; the others their answers.
        Inputs of the same width share a run of the network.

        Raises ArgumentError for a single path or image file instead of several.
        """
        if isinstance(images, (str, bytes, bytearray, memoryview)):
            raise ArgumentError("identify_batch takes a list of images; for a single one there is identify")
        answers: dict[int, Prediction | ImageError] = {}
        waiting: defaultdict[int, list[tuple[int, npt.NDArray[np.uint8]]]] = defaultdict(list)  # by width
        for index, image in enumerate(images):
            try:
                name = None if isinstance(image, (str, PathLike)) else f"image {index}"
                pixels = self._prepare(load_image(image, name))
            except ImageError as error:
                answers[index] = error
                continue
            group = waiting[pixels.shape[2]]
            group.append((index, pixels))
            if len(group) == (1 if self._info.any_size else BATCH):
                answers.update(self._run_group(group))
                group.clear()
        for group in waiting.values():
            answers.update(self._run_group(group))
        return [answers[index] for index in range(len(answers))]

    def _run_group(self, group: list[tuple[int, npt.NDArray[np.uint8]]]) -> Iterable[tuple[int, Prediction]]:
        if not group:
            return ()
        return zip((index for index, _ in group), self._run([pixels for _, pixels in group]), strict=True)

    def _prepare(self, image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Turn an image, uint8 [H, W, 3] or [H, W], into what the network takes."""
        if not self._info.any_size:
            return self.preprocessing.apply(image)
        return image if image.ndim == 3 else np.repeat(image[:, :, None], 3, axis=2)

    def _run(self, inputs: list[npt.NDArray[np.uint8]]) -> list[Prediction]:
        """Run the network on inputs of one shape, uint8 [channels, height, width]; a single image if of any size."""
        (logits,) = self._session.run(["logits"], {"image": inputs[0] if self._info.any_size else np.stack(inputs)})
        return [_predict(row, self._info) for row in logits]


def _predict(logits: npt.NDArray[Any], info: ModelInfo) -> Prediction:
    scaled = logits.astype(np.float64) / info.temperature
    powers = np.exp(scaled - scaled.max())
    scores = powers / powers.sum()
    order = np.argsort(-scores, kind="stable")  # equal scores: the first label wins, as in every SDK
    best = info.labels[order[0]]
    score = float(scores[order[0]])
    answer = best if score >= info.threshold else UNKNOWN
    by_name = {info.labels[i].name: float(scores[i]) for i in order}
    return Prediction(answer.name, answer.code, score, by_name, best.name)
