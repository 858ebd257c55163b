"""A stage's folder: last.pt, from which training resumes, metrics.csv and TensorBoard events."""

from __future__ import annotations

import csv
import io
from functools import partial
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch.utils.tensorboard import SummaryWriter

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.engine.run import on_first_process
from scriptkd_train.models.checkpoint import remove_drafts, save_atomically
from scriptkd_train.utils.files import named, printable, write_file


class StageFolder:
    """The files of a stage in training, written by the first process.

    last.pt is written first. A run killed before this write resumes from the previous last.pt, and no new row exists
    yet. A run killed after this write finds all rows in last.pt.
    """

    def __init__(self, fabric: Fabric, path: Path) -> None:
        self.fabric, self.path = fabric, path
        self.last = path / "last.pt"
        path.mkdir(parents=True, exist_ok=True)

    @property
    def takes_events(self) -> bool:
        """Whether TensorBoard can write here: its path must be UTF-8."""
        return printable(str(self.path)) == str(self.path)

    def read(self) -> dict[str, Any] | None:
        """The last saved state, if there is one. Also adds the rows that a kill kept out of metrics.csv.

        Raises:
            ArgumentError: last.pt is damaged, or of another version.
        """
        on_first_process(self.fabric, partial(remove_drafts, self.last))
        if not self.last.exists():
            return None
        try:
            state = torch.load(self.last, map_location=self.fabric.device, weights_only=True)
        except Exception as error:  # for a damaged file, torch raises errors of many kinds
            raise ArgumentError(
                f"{self.last} is damaged and cannot be read; delete it to train this stage again"
            ) from error
        if not isinstance(state, dict) or "trainer" not in state:
            raise ArgumentError(
                f"{self.last} was written by another version of scriptkd; delete it to train this stage again"
            )
        on_first_process(self.fabric, partial(self._write_metrics, state["history"]))
        return state

    def save(self, state: dict[str, Any]) -> None:
        """Write last.pt in the middle of an epoch."""
        on_first_process(self.fabric, partial(save_atomically, state, self.last))

    def save_epoch(self, state: dict[str, Any]) -> None:
        """Write last.pt, then all rows of its history to metrics.csv, and the newest row for TensorBoard."""

        def write() -> None:
            save_atomically(state, self.last)
            self._write_metrics(state["history"])
            if self.takes_events:
                self._write_events(state["history"][-1])

        on_first_process(self.fabric, write)

    def _write_metrics(self, history: list[dict[str, float]]) -> None:
        """Write metrics.csv as a whole, so that a resumed run has no gaps."""
        if not history:
            return
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, list(history[0]))
        writer.writeheader()
        writer.writerows(history)
        write_file(self.path / "metrics.csv", text.getvalue())  # atomically, as a report may be reading the old file

    def _write_events(self, row: dict[str, float]) -> None:
        with named(self.path / "events.out.tfevents"), SummaryWriter(str(self.path)) as writer:
            for key, value in row.items():
                if key != "epoch":
                    writer.add_scalar(key, value, int(row["epoch"]))
