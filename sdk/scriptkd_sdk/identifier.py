"""Which script is this word written in?"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from numbers import Real
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from scriptkd_sdk.crop import crops
from scriptkd_sdk.decision import Decision, tell_orientation
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


_Row = tuple[list[float], ...]  # of one window: the logits, and of format 3 those of orientation
_UNSEEN: _Row = ()


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

    Arguments that all methods that identify share:
        order: of the colours of arrays, "rgb" or "bgr" (OpenCV's).
        threshold: 0 to 1; a best score below it is answered "unknown". None is the model's own; 0 always answers.
        allow, deny: scripts by name, ISO 15924 code or alias. The answer is one of `allow` (None: all that the model
            knows) and none of `deny`, and the scores are scaled to sum to 1 over those: they are the probabilities
            given that nothing else occurs. So name what can occur, not what you hope for: a Tamil word must come out as
            Latin where only Latin is allowed.
        upright: True says that the letters stand upright, as in a scanned page. Then nothing is turned, and the
            orientation is 0. Else a model of format 3 takes a crop any way up and tells which it is.
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

        Args:
            model: the name of one that comes with the package ("student"), or the path of a model file; None is the
                package's default.
            threads: how many one call may use, 1 to 256; None is one. More than one pays only for large networks.
            providers: onnxruntime's execution providers, best first; None is the CPU.
            session_options: an onnxruntime.SessionOptions to use instead of `threads`; its folder for external data is
                set.

        Raises:
            ModelError: a model that is missing or unfit.
            ArgumentError: a wrong number of threads, or a provider that this onnxruntime lacks.
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
        upright: bool = False,
    ) -> Prediction:
        """Tell the script of one image.

        Arguments that the methods share are told in the class.

        Args:
            image: a path, encoded bytes or a file of them, an array or a PIL image. What images may be is told in
                `images.load_image`.
            region: look at this part only, a box (left, top, right, bottom) or four corners (see `regions.cut`).
            order: of the colours of arrays, "rgb" or "bgr".
            threshold: 0 to 1; a best score below it is "unknown". None is the model's own.
            allow: scripts that the answer is one of; None is all that the model knows.
            deny: scripts that the answer is none of.
            upright: True says that the letters stand upright.

        Returns:
            The answer.

        Raises:
            ImageError: an image or region that cannot be read or used.
            ArgumentError: another wrong argument.
            ClosedError: the identifier is closed.
        """
        asked = self._ask(threshold, allow, deny, upright)
        pixels = load_image(image, order=order)
        if region is not None:
            pixels = cut(pixels, region)
        inputs, turned = self._prepare(pixels, upright)
        return self._predict(asked, self._run(inputs), turned)

    def identify_regions(
        self,
        image: ImageInput,
        regions: Iterable[Region],
        *,
        order: str = "rgb",
        threshold: float | None = None,
        allow: Iterable[str] | None = None,
        deny: Iterable[str] | None = None,
        upright: bool = False,
    ) -> list[Prediction | ImageError]:
        """Tell the scripts of several words of one image, such as a page, which is read once.

        Arguments that the methods share are told in the class.

        Args:
            image: the page, as `identify` takes it.
            regions: its words, each as `identify` takes one.
            order: of the colours of arrays, "rgb" or "bgr".
            threshold: 0 to 1; a best score below it is "unknown". None is the model's own.
            allow: scripts that the answer is one of; None is all that the model knows.
            deny: scripts that the answer is none of.
            upright: True says that the letters stand upright.

        Returns:
            The answers, in the regions' order. A region that cannot be used gets its ImageError, as a value, in its
            place.

        Raises:
            ImageError: an image that cannot be read or used.
            ArgumentError: a single region instead of several, or another wrong argument.
            ClosedError: the identifier is closed.
        """
        listed = _check_regions(regions)
        pixels = load_image(image, order=order)
        cuts = (partial(cut, pixels, region, f"region {index}") for index, region in enumerate(listed))
        return self._identify_many(cuts, self._ask(threshold, allow, deny, upright))

    def identify_batch(
        self,
        images: Iterable[ImageInput],
        *,
        order: str = "rgb",
        threshold: float | None = None,
        allow: Iterable[str] | None = None,
        deny: Iterable[str] | None = None,
        upright: bool = False,
    ) -> list[Prediction | ImageError]:
        """Tell the scripts of many images.

        Inputs of the same size share a run of the network.

        Arguments that the methods share are told in the class.

        Args:
            images: each as `identify` takes one.
            order: of the colours of arrays, "rgb" or "bgr".
            threshold: 0 to 1; a best score below it is "unknown". None is the model's own.
            allow: scripts that the answer is one of; None is all that the model knows.
            deny: scripts that the answer is none of.
            upright: True says that the letters stand upright.

        Returns:
            The answers, in the images' order. An image that cannot be read or used gets its ImageError, as a value, in
            its place; the others their answers.

        Raises:
            ArgumentError: a single path or image file instead of several, or another wrong argument.
            ClosedError: the identifier is closed.
        """
        _check_several(images)
        return self._identify_many(_readers(images, order), self._ask(threshold, allow, deny, upright))

    def identify_stream(
        self,
        images: Iterable[ImageInput],
        *,
        batch: int = 1,
        order: str = "rgb",
        threshold: float | None = None,
        allow: Iterable[str] | None = None,
        deny: Iterable[str] | None = None,
        upright: bool = False,
    ) -> Iterator[Prediction | ImageError]:
        """Tell the scripts of images that keep coming.

        An image is asked for when the answers to all before it were taken, so a stream may be endless, and memory holds
        `batch` images at most.

        Arguments that the methods share are told in the class.

        Args:
            images: each as `identify` takes one.
            batch: how many are looked at together. 1, for a camera, answers each at once; 64, for files, is somewhat
                faster.
            order: of the colours of arrays, "rgb" or "bgr".
            threshold: 0 to 1; a best score below it is "unknown". None is the model's own.
            allow: scripts that the answer is one of; None is all that the model knows.
            deny: scripts that the answer is none of.
            upright: True says that the letters stand upright.

        Returns:
            An iterator of one answer for each image, in their order. An image that cannot be read or used gets its
            ImageError, as a value, in its place.

        Raises:
            ArgumentError: as in `identify_batch`, or a batch below 1.
            ClosedError: the identifier is closed, when an answer is taken.
        """
        _check_several(images)
        if type(batch) is not int or batch < 1:
            raise ArgumentError(f"batch must be an integer of at least 1, not {batch!r}")
        return self._stream(_readers(images, order), batch, self._ask(threshold, allow, deny, upright))

    def warm_up(self) -> None:
        """Run the network once at each width that inputs can have, so that no first image of a width is slower.

        Construction has run it already, at the narrowest and the widest.

        Raises:
            ClosedError: the identifier is closed.
        """
        steps = self.preprocessing
        if self._info.any_size:
            return
        for rows in steps.heights:
            for width in sorted({steps.width_for(1, width, rows) for width in range(1, steps.width_max + 1)}):
                self._run([np.zeros((steps.channels, rows, width), np.uint8)])

    def _ask(
        self, threshold: float | None, allow: Iterable[str] | None, deny: Iterable[str] | None, upright: bool
    ) -> _Asked:
        if not isinstance(upright, bool):
            raise ArgumentError(f"upright must be True or False, not {upright!r}")
        if upright and self._info.any_size and self._info.orientation_temperature is not None:
            raise ArgumentError(
                "this model turns tall crops inside its graph (--any-size), so it takes no upright=True"
            )
        decision = self._decision
        if threshold is not None or allow is not None or deny is not None:
            info = self._info
            threshold = info.threshold if threshold is None else threshold
            decision = Decision(info.labels, info.temperature, threshold, allow, deny)
        return _Asked(decision, upright)

    def _stream(
        self, readers: Iterator[Callable[[], Pixels]], batch: int, asked: _Asked
    ) -> Iterator[Prediction | ImageError]:
        while together := list(islice(readers, min(batch, sys.maxsize))):
            yield from self._identify_many(together, asked)

    def _identify_many(self, readers: Iterable[Callable[[], Pixels]], asked: _Asked) -> list[Prediction | ImageError]:
        """Answer the images that the functions return; an ImageError that one raises is its answer."""
        failed: dict[int, ImageError] = {}
        seen: dict[int, tuple[list[_Row], int]] = {}  # by image: what the network said of each window, and the turn
        waiting: defaultdict[tuple[int, ...], list[tuple[int, int, Pixels]]] = defaultdict(list)  # by shape
        for index, read in enumerate(readers):
            try:
                inputs, turned = self._prepare(read(), asked.upright)
            except ImageError as error:
                failed[index] = error
                continue
            if self._info.any_size:
                seen[index] = self._run(inputs), turned
                continue
            seen[index] = [_UNSEEN] * len(inputs), turned
            for window, pixels in enumerate(inputs):
                group = waiting[pixels.shape]
                group.append((index, window, pixels))
                if len(group) == BATCH:
                    self._fill(group, seen)
        for group in waiting.values():
            if group:
                self._fill(group, seen)
        return [
            failed[index] if index in failed else self._predict(asked, *seen[index])
            for index in range(len(failed) + len(seen))
        ]

    def _fill(self, group: list[tuple[int, int, Pixels]], seen: Mapping[int, tuple[list[_Row], int]]) -> None:
        """Run a group of inputs of one shape, put what the network says where it belongs, and empty the group."""
        for (index, window, _), row in zip(group, self._run([pixels for *_, pixels in group]), strict=True):
            seen[index][0][window] = row
        group.clear()

    def _prepare(self, image: Pixels, upright: bool) -> tuple[list[Pixels], int]:
        """Turn an image, uint8 [H, W, 3] or [H, W], into what the network takes, and by what it was turned."""
        if self._info.any_size:
            return [image if image.ndim == 3 else np.repeat(image[:, :, None], 3, axis=2)], 0
        steps = self._info.preprocessing
        seen, rows, turned = crops(image, steps, upright)
        return [steps.apply(crop, rows) for crop in seen], turned

    def _run(self, inputs: list[npt.NDArray[np.uint8]]) -> list[_Row]:
        """Run the network on inputs of one shape, uint8 [channels, height, width]; a single image if of any size."""
        network = self._network  # once: another thread may close the identifier
        if network is None:
            raise ClosedError("the identifier is closed; make a new one")
        batch = np.stack(inputs) if len(inputs) > 1 else inputs[0] if self._info.any_size else inputs[0][None]
        return list(zip(*(answer.tolist() for answer in network.run(batch)), strict=True))

    def _predict(self, asked: _Asked, rows: Sequence[_Row], turned: int) -> Prediction:
        """The answer to one image. rows: for each of its windows the logits, and of format 3 those of orientation."""
        prediction = asked.decision.predict([row[0] for row in rows])
        temperature, threshold = self._info.orientation_temperature, self._info.orientation_threshold
        if temperature is None or threshold is None:
            return prediction
        degrees, score = (
            (0, 1.0) if asked.upright else tell_orientation([row[1] for row in rows], temperature, threshold, turned)
        )
        return replace(prediction, orientation=degrees, orientation_score=score)


class _Asked(NamedTuple):
    """What a caller wants to know, and what he knows."""

    decision: Decision
    upright: bool


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
