"""Which script is this word written in?"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from numbers import Real
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from scriptkd_sdk.decision import Decision
from scriptkd_sdk.errors import ArgumentError, ClosedError, ImageError
from scriptkd_sdk.images import ImageInput, Pixels, load_image
from scriptkd_sdk.modelfile import ModelInfo
from scriptkd_sdk.network import Network
from scriptkd_sdk.prediction import Prediction
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_sdk.regions import Region, cut
from scriptkd_sdk.scripts import Script

# Images at most in one run. More were measured to gain nothing on one core, whose arithmetic units a single image fills
# but for a tenth, and hold more memory.
BATCH = 8


class ScriptIdentifier:
    """Tells the script of cropped word images.

    One identifier may be used by many threads at once: but for `close` nothing in it changes after construction, and
    onnxruntime's sessions allow concurrent runs. Construction takes tens of milliseconds, so keep it.

    Nothing is written and nothing is sent. Left alone, onnxruntime's wheels since 1.29 write a device id and a queue of
    events under the home folder and look up a host on the network. Importing scriptkd_sdk sets ORT_DISABLE_TELEMETRY=1
    in the process's environment, unless it is set already, and so stops all of that. In two cases it cannot: where the
    program imported onnxruntime before scriptkd_sdk, and where the variable was set to another value. In both a forked
    child moreover hangs at its end, in onnxruntime's clean-up.

    A forked child may go on using it: the model is opened anew there. So it is where a pickle of it is loaded, as in
    `ProcessPoolExecutor.submit(identifier.identify, path)`; the pickle holds the model's name or path, its SHA-256, the
    threads and the providers. Both raise ModelError if the file is gone or changed since. One with `session_options`
    cannot be pickled: ArgumentError. Copies (`copy.deepcopy`) share the network, and each is closed by itself.

    These arguments are the same in all methods that identify:

    order: of the colours of arrays, "rgb" or "bgr" (OpenCV's).
    threshold: 0 to 1; a best score below it is answered "unknown". None is the model's own; 0 always answers.
    allow, deny: scripts by name, ISO 15924 code or alias. The answer is one of `allow` (None: all that the model knows)
    and none of `deny`, and the scores are scaled to sum to 1 over those: they are the probabilities given that nothing
    else occurs. So name what can occur, not what you hope for: a Tamil word must come out as Latin where only Latin is
    allowed.
    """

    def __init__(
        self,
        model: str | Path | None = None,
        *,
        threads: int | None = None,
        providers: Sequence[str | tuple[str, dict[str, Any]]] | None = None,
        session_options: Any = None,
    ) -> None:
        """Load a model.

        model: the name of one that comes with the package ("student"), or the path of a model file; None is the
        package's default.
        threads: how many one call may use, 1 to 256; None is one. More than one pays only for large networks.
        providers: onnxruntime's execution providers, best first; None is the CPU.
        session_options: an onnxruntime.SessionOptions to use instead of `threads`; its folder for external data is set.

        Raises ModelError for a model that is missing or unfit, ArgumentError for a wrong number of threads or a
        provider that this onnxruntime lacks.
        """
        self._network: Network | None = Network(model, threads, providers, session_options)
        self._info = self._network.info
        self._decision = Decision(self._info.labels, self._info.temperature, self._info.threshold)

    def close(self) -> None:
        """Free the network. Calls that run are finished; later ones raise ClosedError. Closing again does nothing."""
        self._network = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

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

    def identify(
        self,
        image: ImageInput,
        *,
        region: Region | None = None,
        order: str = "rgb",
        threshold: float | None = None,
        allow: Iterable[str] | None = None,
        deny: Iterable[str] | None = None,
    ) -> Prediction:
        """Tell the script of one image: a path, encoded bytes or a file of them, an array or a PIL image.

        What images may be is told in `images.load_image`. region: look at this part only, a box (left, top, right,
        bottom) or four corners (see `regions.cut`). The other arguments: see the class.

        Raises ImageError for an image or region that cannot be read or used, ArgumentError for another wrong argument.
        """
        decision = self._decide(threshold, allow, deny)
        pixels = load_image(image, order=order)
        if region is not None:
            pixels = cut(pixels, region)
        (logits,) = self._run([self._prepare(pixels)])
        return decision.predict(logits)

    def identify_regions(
        self,
        image: ImageInput,
        regions: Iterable[Region],
        *,
        order: str = "rgb",
        threshold: float | None = None,
        allow: Iterable[str] | None = None,
        deny: Iterable[str] | None = None,
    ) -> list[Prediction | ImageError]:
        """Tell the scripts of several words of one image, such as a page, which is read once; answers in their order.

        A region that cannot be used gets its ImageError, as a value, in its place. Raises as `identify` does for the
        image and the other arguments, and ArgumentError for a single region instead of several.
        """
        listed = _check_regions(regions)
        pixels = load_image(image, order=order)
        cuts = (partial(cut, pixels, region, f"region {index}") for index, region in enumerate(listed))
        return self._identify_many(cuts, self._decide(threshold, allow, deny))

    def identify_batch(
        self,
        images: Iterable[ImageInput],
        *,
        order: str = "rgb",
        threshold: float | None = None,
        allow: Iterable[str] | None = None,
        deny: Iterable[str] | None = None,
    ) -> list[Prediction | ImageError]:
        """Tell the scripts of many images, in their order.

        An image that cannot be read or used gets its ImageError, as a value, in its place; the others their answers.
        Inputs of the same width share a run of the network.

        Raises ArgumentError for a single path or image file instead of several, or another wrong argument.
        """
        _check_several(images)
        return self._identify_many(_readers(images, order), self._decide(threshold, allow, deny))

    def identify_stream(
        self,
        images: Iterable[ImageInput],
        *,
        batch: int = 1,
        order: str = "rgb",
        threshold: float | None = None,
        allow: Iterable[str] | None = None,
        deny: Iterable[str] | None = None,
    ) -> Iterator[Prediction | ImageError]:
        """Tell the scripts of images that keep coming, one answer for each, in their order.

        An image is asked for when the answers to all before it were taken, so a stream may be endless, and memory holds
        `batch` images at most. batch: how many are looked at together. 1, for a camera, answers each at once; 64, for
        files, is somewhat faster.

        Bad images and arguments are as in `identify_batch`.
        """
        _check_several(images)
        if type(batch) is not int or batch < 1:
            raise ArgumentError(f"batch must be an integer of at least 1, not {batch!r}")
        return self._stream(_readers(images, order), batch, self._decide(threshold, allow, deny))

    def warm_up(self) -> None:
        """Run the network once at each width that inputs can have, so that no first image of a width is slower.

        Construction has run it already, at the narrowest and the widest.
        """
        steps = self.preprocessing
        if self._info.any_size:
            return
        for width in sorted({steps.width_for(1, width) for width in range(1, steps.width_max + 1)}):
            self._run([np.zeros((steps.channels, steps.height, width), np.uint8)])

    def _decide(self, threshold: float | None, allow: Iterable[str] | None, deny: Iterable[str] | None) -> Decision:
        if threshold is None and allow is None and deny is None:
            return self._decision
        info = self._info
        return Decision(info.labels, info.temperature, info.threshold if threshold is None else threshold, allow, deny)

    def _stream(
        self, readers: Iterator[Callable[[], Pixels]], batch: int, decision: Decision
    ) -> Iterator[Prediction | ImageError]:
        while window := list(islice(readers, min(batch, sys.maxsize))):
            yield from self._identify_many(window, decision)

    def _identify_many(
        self, readers: Iterable[Callable[[], Pixels]], decision: Decision
    ) -> list[Prediction | ImageError]:
        """Answer the images that the functions return; an ImageError that one raises is its answer."""
        answers: dict[int, Prediction | ImageError] = {}
        waiting: defaultdict[int, list[tuple[int, Pixels]]] = defaultdict(list)  # by width
        for index, read in enumerate(readers):
            try:
                pixels = self._prepare(read())
            except ImageError as error:
                answers[index] = error
                continue
            group = waiting[pixels.shape[2]]
            group.append((index, pixels))
            if len(group) == (1 if self._info.any_size else BATCH):
                self._answer(group, decision, answers)
        for group in waiting.values():
            if group:
                self._answer(group, decision, answers)
        return [answers[index] for index in range(len(answers))]

    def _answer(
        self, group: list[tuple[int, Pixels]], decision: Decision, answers: dict[int, Prediction | ImageError]
    ) -> None:
        """Answer a group of inputs of one shape, and empty it."""
        logits = self._run([pixels for _, pixels in group])
        for (index, _), row in zip(group, logits, strict=True):
            answers[index] = decision.predict(row)
        group.clear()

    def _prepare(self, image: Pixels) -> Pixels:
        """Turn an image, uint8 [H, W, 3] or [H, W], into what the network takes."""
        if not self._info.any_size:
            return self._info.preprocessing.apply(image)
        return image if image.ndim == 3 else np.repeat(image[:, :, None], 3, axis=2)

    def _run(self, inputs: list[npt.NDArray[np.uint8]]) -> list[list[float]]:
        """Run the network on inputs of one shape, uint8 [channels, height, width]; a single image if of any size."""
        network = self._network  # once: another thread may close the identifier
        if network is None:
            raise ClosedError("the identifier is closed; make a new one")
        batch = np.stack(inputs) if len(inputs) > 1 else inputs[0] if self._info.any_size else inputs[0][None]
        rows: list[list[float]] = network.run(batch).tolist()
        return rows


def _readers(images: Iterable[ImageInput], order: str) -> Iterator[Callable[[], Pixels]]:
    """For each image a function that reads it; in errors, those without a path are called by their number."""
    for index, image in enumerate(images):
        name = None if isinstance(image, (str, PathLike)) else f"image {index}"
        yield partial(load_image, image, name, order=order)


def _check_several(images: object) -> None:
    """Refuse a single image: its characters, bytes, lines or rows are no images."""
    single = isinstance(images, (str, bytes, bytearray, memoryview, PathLike)) or hasattr(images, "read")
    if isinstance(images, np.ndarray):
        single = images.ndim < 3 or (images.ndim == 3 and images.shape[2] in (1, 3, 4))
    if single or not isinstance(images, Iterable):
        raise ArgumentError("several images must be a list or another iterable of images; for one there is identify")


def _check_regions(regions: Iterable[Region]) -> list[Region]:
    """Refuse a single region: its numbers are no regions."""
    listed = list(regions) if isinstance(regions, Iterable) else None
    if listed is None or any(isinstance(each, (Real, str)) for each in listed):
        raise ArgumentError("several regions must be a list of regions; for one there is identify's region")
    return listed
