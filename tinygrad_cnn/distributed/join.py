"""Uneven inputs: ranks that have no batch left take part in the communication of the others."""

from __future__ import annotations

from typing import Any

import numpy as np

DONE, LOCAL, AVERAGES = range(3)  # of a rank: has no batch, runs one in `no_sync`, or averages


class Uneven:
    """The state of `DistributedDataParallel.join` of one model."""

    def __init__(self, model: Any, divide_by_all: bool, throw: bool):
        self._model, self._divide_by_all, self._throw = model, divide_by_all, throw
        self.source = 0  # a rank whose buffers count

    def _agree(self, mine: int) -> np.ndarray:
        """What each rank does next. Sets the divisor of gradients, and whose buffers count."""
        group = self._model.process_group
        states = np.empty((group.size(), 1), np.int64)

        def call() -> None:
            group.transport.agree("DistributedDataParallel.join")
            group.transport.all_gather(np.array([mine], np.int64), states)

        group.run(call)
        if self._throw and (states == DONE).any():
            raise RuntimeError(
                "Detected at least one rank that exhausted inputs. Throwing across all ranks."
            )
        active = np.flatnonzero(states != DONE)
        if active.size:
            self.source = int(active[0])
        if not self._divide_by_all and active.size:
            self._model.reducer.divisor = int(active.size)
        return states

    def another(self, averages: bool) -> None:
        """Say that this rank has a batch."""
        self._agree(AVERAGES if averages else LOCAL)

    def finish(self) -> None:
        """Take part until no rank has a batch; then take the state of a rank that had the most."""
        model = self._model
        while (states := self._agree(DONE)).any():
            model.send_buffers(self.source)
            averages = bool((states == AVERAGES).any())
            model.require_forward_param_sync = averages
            if averages:
                model.reducer.join_in()
        model.send_state(self.source)
