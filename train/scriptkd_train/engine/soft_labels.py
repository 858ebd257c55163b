"""A teacher's answers to the training images, written to disk in pieces, so that a resumed run repeats no piece."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch import Tensor

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.data.in_memory import Batch, InMemoryDataset
from scriptkd_train.engine.run import on_every_process, on_first_process
from scriptkd_train.models.checkpoint import remove_drafts, save_atomically
from scriptkd_train.models.networks import Network

PIECE_SECONDS = 120.0
"""When a run is killed, at most so many seconds of the teacher's work are lost."""
_FORMAT = 1  # format of a piece

Piece = dict[str, Tensor]
"""`batches`: int64 [B], batch numbers; `index`: int64 [N], places in the split; `logits`: [N, K]; feature maps under
the names of their points.
"""


@dataclass(frozen=True)
class SoftLabelFolder:
    """The folder of a teacher's answers. say: prints a line of progress."""

    path: Path
    say: Callable[[str], None]

    @classmethod
    def of(cls, parent: Path, name: str, made_of: Iterable[object], say: Callable[[str], None]) -> SoftLabelFolder:
        """The folder in `parent` for the answers of the teacher `name`. Different sources get different folders.

        made_of: all that the answers depend on, such as the checksums of the teacher and of the split.
        """
        digest = hashlib.sha256(repr([_FORMAT, *made_of]).encode()).hexdigest()
        return cls(parent / f"{name}-{digest[:16]}", say)

    def pieces(self) -> Iterator[Piece]:
        """All pieces written so far.

        Raises:
            ArgumentError: a piece is damaged.
        """
        for path in sorted(self.path.glob("[0-9]*.pt")):
            try:
                piece: Piece = torch.load(path, map_location="cpu", weights_only=True)
            except Exception as error:  # for a damaged file, torch raises errors of many kinds
                raise ArgumentError(f"{path} is damaged: delete it, and its soft labels are computed again") from error
            yield piece

    def write(self, piece: Piece) -> None:
        """Write a piece atomically, named by the number of its first batch."""
        save_atomically(piece, self.path / f"{int(piece['batches'][0]):06}.pt")


def make_soft_labels(
    fabric: Fabric,
    network: Network,
    train: InMemoryDataset,
    batch_size: int,
    points: Iterable[str],
    folder: SoftLabelFolder | None,
) -> dict[str, Tensor]:
    """A teacher's `logits` and its feature maps at `points` for all training images, each float32 [images, ...].

    folder: existing answers are read from it. The processes share out the missing answers, and write them there.
    Without a folder, each process computes all answers.

    Raises:
        ArgumentError: a piece is damaged, or does not fit the others.
        ScriptkdError: a piece cannot be written.
    """
    ask = partial(_pieces, fabric, network, tuple(points))
    if folder is None:
        return _whole(ask(enumerate(train.batches(batch_size))), len(train))
    on_first_process(fabric, partial(remove_drafts, folder.path / "*.pt"))
    # The first process lists what is there, since another process might already see newly written pieces.
    done, answered = fabric.broadcast(_what_is_there(folder))
    if len(train) > answered > 0:
        folder.say(f"resumes after {answered:,} of {len(train):,} soft labels, in {folder.path}")
    elif answered == 0:
        folder.say(f"computes {len(train):,} soft labels, in {folder.path}")
    missing = (each for each in enumerate(train.batches(batch_size)) if each[0] not in done)

    def work() -> None:
        for piece in ask(islice(missing, fabric.global_rank, None, fabric.world_size)):
            folder.write(piece)

    on_every_process(fabric, work)
    return _whole(folder.pieces(), len(train))


def _what_is_there(folder: SoftLabelFolder) -> tuple[set[int], int]:
    """The numbers of the finished batches, and their number of images."""
    batches, images = set[int](), 0
    for piece in folder.pieces():
        batches.update(piece["batches"].tolist())
        images += len(piece["index"])
    return batches, images


@torch.no_grad()
def _pieces(
    fabric: Fabric, network: Network, points: tuple[str, ...], batches: Iterable[tuple[int, Batch]]
) -> Iterator[Piece]:
    """The answers to numbered batches, in pieces of PIECE_SECONDS each."""
    parts: list[Piece] = []
    started = time.monotonic()
    for number, batch in batches:
        with fabric.autocast():  # with bfloat16, a large teacher answers almost three times as fast
            logits, feature_maps = network.forward_feature_maps(fabric.to_device(batch.images))
        answers = {"logits": logits, **{point: feature_maps[point] for point in points}}
        part = {name: value.float().cpu() for name, value in answers.items()}
        parts.append({"batches": torch.tensor([number]), "index": batch.index, **part})
        if time.monotonic() - started >= PIECE_SECONDS:
            yield _joined(parts)
            parts, started = [], time.monotonic()
    if parts:
        yield _joined(parts)


def _joined(parts: list[Piece]) -> Piece:
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def _whole(pieces: Iterable[Piece], images: int) -> dict[str, Tensor]:
    """The answers, ordered by place in the split."""
    whole: dict[str, Tensor] = {}
    answered = 0
    for piece in pieces:
        index = piece["index"]
        answered += len(index)
        for name, part in piece.items():
            if name not in ("batches", "index"):
                whole.setdefault(name, torch.empty(images, *part.shape[1:]))[index] = part
    if answered != images:
        raise ArgumentError(f"there are {answered:,} soft labels for {images:,} images: delete the folder soft-labels")
    return whole
