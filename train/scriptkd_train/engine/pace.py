"""When the processes of a run check the loss together, and when they save the run: by the first process's clock."""

from __future__ import annotations

import time
from collections.abc import Callable

from lightning_fabric import Fabric

SAVE_SECONDS = 120.0
"""When a run is killed, at most so many seconds of training are lost."""
LOOK_SECONDS = 10.0
_LOOK_STEPS = 50  # most steps between two checks; each check waits for the GPU and for the other processes
_SAVING_SHARE = 0.02  # largest share of the time for saving; the state of a large network takes seconds to write


class Pace:
    """Counts steps. All processes count alike, so they agree on the step of the next check without communication."""

    def __init__(self, fabric: Fabric) -> None:
        self.fabric = fabric
        self.steps, self.next = 0, 1  # steps since the last check; steps at which the next check is due
        self.looked = self.saved = time.monotonic()
        self.cost = 0.0  # duration of the last save in seconds

    def look(self) -> bool:
        """Count a step; return whether all processes check the loss now."""
        self.steps += 1
        return self.steps >= self.next

    def save_due(self) -> bool:
        """At a check, return whether all processes save now."""
        now = time.monotonic()
        steps = int(LOOK_SECONDS * self.steps / max(now - self.looked, 1e-9))
        due = now - self.saved >= max(SAVE_SECONDS, self.cost / _SAVING_SHARE)
        self.next, due = self.fabric.broadcast((min(max(steps, 1), _LOOK_STEPS), due))
        self.steps, self.looked = 0, now
        return due

    def save(self, write: Callable[[], object]) -> None:
        """Save, and measure the time."""
        started = time.monotonic()
        write()
        self.saved = time.monotonic()
        self.cost = self.saved - started
