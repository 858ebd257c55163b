"""Which script is this word written in?"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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

# Most images in one run. Measured on one core, more gain nothing and need more memory: a single image already keeps
# nine tenths of the core's arithmetic units busy.
BATCH = 8


_Row = tuple[list[float], ...]  # one window's logits, and in format 3 also its logits of orientation
_UNSEEN: _Row = ()


class ScriptIdentifier:
    """Tells the script of cropped word images.

    Many threads may use one identifier at once. Only `close` changes it after construction, and onnxruntime's sessions
    allow concurrent runs. Reuse an identifier: construction takes tens of milliseconds.

    Nothing is written and nothing is sent. onnxruntime's wheels have had telemetry since 1.29. They write a device id
    and a queue of events under the home folder, and look up a host on the network. Importing scriptkd_sdk disables this
    telemetry: it sets ORT_DISABLE_TELEMETRY=1 in the process's environment, unless the variable is set already.
    Telemetry stays on in two cases: the program imported onnxruntime before scriptkd_sdk, or the variable was set to
    another value. In both cases a forked child also hangs at its end, in onnxruntime's clean-up.

    A forked child may go on using the identifier, which then opens the model again. So does an unpickled copy, as in
    `ProcessPoolExecutor.submit(identifier.identify, path)`. The pickle holds the model's name or path, its SHA-256, the
    threads and the providers. Opening the model again raises ModelError if the file is gone or has changed. Pickling an
    identifier with `session_options` raises ArgumentError. Copies (`copy.deepcopy`) share the network, and each must be
    closed separately.

    Arguments that the identifying methods share:
        order: of the colours of arrays, "rgb" or "bgr" (OpenCV's).
        threshold: 0 to 1; if the best score is lower, the answer is "unknown". None is the model's own threshold. With
            0 the answer is never "unknown".
        allow, deny: scripts by name, ISO 15924 code or alias. The answer is one of `allow` (None: all that the model
            knows) and none of `deny`. The scores are scaled to sum to 1 over the allowed scripts: they are the
            probabilities given that no other script occurs. So allow every script that can occur: a Tamil word becomes
            Latin if only Latin is allowed.
        upright: True says that the letters stand upright, as in a scanned page. Then nothing is turned, and the
            orientation is 0. Otherwise a model of format 3 takes a crop in any orientation and tells the orientation.
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
            model: a bundled model's name ("student", "world", "upright", "world-upright"), or the path of a model file.
                None is "student", which takes a crop in any orientation.
            threads: how many threads one call may use, 1 to 256; None is one. More than one helps only large networks.
            providers: onnxruntime's execution providers, best first; None is the CPU.
            session_options: an onnxruntime.SessionOptions to use instead of `threads`. Only its folder for external
                data is changed.

        Raises:
            ModelError: a model that is missing or cannot be used.
            ArgumentError: a wrong number of threads, or a provider that this onnxruntime lacks.
        """
        self._network: Network | None = Network(model, threads, providers, session_options)
        self._info = self._network.info
        self._decision = Decision(self._info.labels, self._info.temperature, self._info.threshold)

    def close(self) -> None:
        """Free the network. Running calls finish; later calls raise ClosedError. Closing again does nothing."""
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

        The class describes the arguments that the methods share.

        Args:
            image: a path, encoded bytes, an open binary file, an array or a PIL image; see `images.load_image`.
            region: look at this part only, a box (left, top, right, bottom) or four corners (see `regions.cut`).
            order: of the colours of arrays, "rgb" or "bgr".
            threshold: 0 to 1; a best score below it is "unknown". None is the model's own.
            allow: the scripts that can occur; None means all that the model knows.
            deny: the scripts that cannot occur.
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
        """Tell the scripts of several words in one image, such as a page. The image is read once.

        The class describes the arguments that the methods share.

        Args:
            image: the page, as `identify` takes it.
            regions: its words, each as `identify` takes one.
            order: of the colours of arrays, "rgb" or "bgr".
            threshold: 0 to 1; a best score below it is "unknown". None is the model's own.
            allow: the scripts that can occur; None means all that the model knows.
            deny: the scripts that cannot occur.
            upright: True says that the letters stand upright.

        Returns:
            The answers, in the regions' order. For a region that cannot be used, an ImageError is returned as its
            answer.

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

        The class describes the arguments that the methods share.

        Args:
            images: each as `identify` takes one.
            order: of the colours of arrays, "rgb" or "bgr".
            threshold: 0 to 1; a best score below it is "unknown". None is the model's own.
            allow: the scripts that can occur; None means all that the model knows.
            deny: the scripts that cannot occur.
            upright: True says that the letters stand upright.

        Returns:
            The answers, in the images' order. For an image that cannot be read or used, an ImageError is returned as
            its answer.

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

        The next batch of images is read only when all earlier answers were taken. So a stream may be endless, and
        memory holds at most `batch` images.

        The class describes the arguments that the methods share.

        Args:
            images: each as `identify` takes one.
            batch: how many images are identified together. 1 suits a camera, since each image is answered at once; 64
                suits files and is somewhat faster.
            order: of the colours of arrays, "rgb" or "bgr".
            threshold: 0 to 1; a best score below it is "unknown". None is the model's own.
            allow: the scripts that can occur; None means all that the model knows.
            deny: the scripts that cannot occur.
            upright: True says that the letters stand upright.

        Returns:
            An iterator of one answer for each image, in their order. For an image that cannot be read or used, an
            ImageError is yielded as its answer.

        Raises:
            ArgumentError: as in `identify_batch`, and for a batch below 1.
            ClosedError: the identifier is closed; raised when an answer is taken.
        """
        _check_several(images)
        if type(batch) is not int or batch < 1:
            raise ArgumentError(f"batch must be an integer of at least 1, not {batch!r}")
        return self._stream(_readers(images, order), batch, self._ask(threshold, allow, deny, upright))

    def warm_up(self) -> None:
        """Run the network once at each possible input width, so that the first image of a width is not slower.

        Construction has already run it at the narrowest and the widest.

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
        """Identify the image that each of `readers` returns. An ImageError that one raises is its answer."""
        failed: dict[int, ImageError] = {}
        seen: dict[int, tuple[list[_Row], int]] = {}  # by image: the network's output for each window, and the rotation
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
        """Run a group of inputs of one shape, store the outputs by image and window, and empty the group."""
        for (index, window, _), row in zip(group, self._run([pixels for *_, pixels in group]), strict=True):
            seen[index][0][window] = row
        group.clear()

    def _prepare(self, image: Pixels, upright: bool) -> tuple[list[Pixels], int]:
        """Return the network's inputs for an image, uint8 [H, W, 3] or [H, W], and its rotation in degrees."""
        if self._info.any_size:
            return [image if image.ndim == 3 else np.repeat(image[:, :, None], 3, axis=2)], 0
        steps = self._info.preprocessing
        seen, rows, turned = crops(image, steps, upright)
        return [steps.apply(crop, rows) for crop in seen], turned

    def _run(self, inputs: list[npt.NDArray[np.uint8]]) -> list[_Row]:
        """Run the network on inputs of one shape, uint8 [channels, height, width], or on one image of any size."""
        network = self._network  # read once, as another thread may close the identifier
        if network is None:
            raise ClosedError("the identifier is closed; make a new one")
        batch = np.stack(inputs) if len(inputs) > 1 else inputs[0] if self._info.any_size else inputs[0][None]
        return list(zip(*(answer.tolist() for answer in network.run(batch)), strict=True))

    def _predict(self, asked: _Asked, rows: Sequence[_Row], turned: int) -> Prediction:
        """Return the answer to one image. rows: the logits of each window, and in format 3 those of orientation."""
        scripts = [row[0] for row in rows]
        temperature, threshold = self._info.orientation_temperature, self._info.orientation_threshold
        if temperature is None or threshold is None:
            return asked.decision.predict(scripts)
        if asked.upright:
            return asked.decision.predict(scripts, 0, 1.0)
        orientation = tell_orientation([row[1] for row in rows], temperature, threshold, turned)
        return asked.decision.predict(scripts, *orientation)


class _Asked(NamedTuple):
    """The options of a call: what the answer may be, and whether the letters stand upright."""

    decision: Decision
    upright: bool


def _readers(images: Iterable[ImageInput], order: str) -> Iterator[Callable[[], Pixels]]:
    """For each image, yield a function that reads it. In errors, an image without a path is called by its number."""
    for index, image in enumerate(images):
        name = None if isinstance(image, (str, PathLike)) else f"image {index}"
        yield partial(load_image, image, name, order=order)


def _check_several(images: object) -> None:
    """Refuse a single image, since iterating over it would give characters, bytes, lines or rows."""
    single = isinstance(images, (str, bytes, bytearray, memoryview, PathLike)) or hasattr(images, "read")
    if isinstance(images, np.ndarray):
        single = images.ndim < 3 or (images.ndim == 3 and images.shape[2] in (1, 3, 4))
    if single or not isinstance(images, Iterable):
        raise ArgumentError("several images must be a list or another iterable of images; for one there is identify")


def _check_regions(regions: Iterable[Region]) -> list[Region]:
    """Refuse a single region, since iterating over it would give numbers."""
    listed = list(regions) if isinstance(regions, Iterable) else None
    if listed is None or any(isinstance(each, (Real, str)) for each in listed):
        raise ArgumentError("several regions must be a list of regions; for one there is identify's region")
    return listed
