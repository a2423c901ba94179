"""Faults in training steps of random kinds: on both sets of kernels where Numba is there."""

from __future__ import annotations

import importlib.util
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from tests.faults.steps import NETS, OPTIMIZERS, Training, wrong_after
from tinygrad_cnn import kernels

from .scenario import Trial

Step = Callable[[], object]
TRIALS_OF_A_KIND = 20  # to count the places of a new kind takes as long as some trials
SETS = ["vectorized"] + ["compiled"] * bool(importlib.util.find_spec("numba"))


def faulty_steps(
    seed: int, count: Callable[[Step], int], fault: Callable[[Step, int], bool]
) -> Iterator[Trial]:
    """A trial for each step with a fault at a random one of its `count(step)` places.

    `fault(step, k)` runs the step with the fault at place k, and returns whether it came.
    """
    rng, before, counts = random.Random(seed), kernels.current(), {}
    try:
        while True:
            kind = rng.choice(list(NETS)), rng.choice(list(OPTIMIZERS)), rng.choice(SETS)
            kernels.use(kind[-1])
            if kind not in counts:
                training = Training(*kind[:2])
                training.step()  # kernels are compiled, caches are full
                counts[kind] = count(training.step)
            for _ in range(TRIALS_OF_A_KIND):
                came: list[bool] = []
                k = rng.randrange(1, counts[kind] + 1)
                with dropped() as lost:
                    wrong = wrong_after(partial(_note, came, fault, k), *kind)
                missing = came != [True] and not lost
                yield Trial(
                    wrong or "the fault did not come" * missing,
                    {"lost in a finalizer": len(lost)} if lost else {},
                )
    finally:
        kernels.use(before)


@contextmanager
def dropped() -> Iterator[list[object]]:
    """The interrupts that came inside a finalizer: Python prints and drops them."""
    before, found = sys.unraisablehook, []

    def hook(failure: sys.UnraisableHookArgs) -> None:
        if failure.exc_type is KeyboardInterrupt:
            found.append(failure.object)
        else:
            before(failure)

    sys.unraisablehook = hook
    try:
        yield found
    finally:
        sys.unraisablehook = before


def _note(came: list[bool], fault: Callable[[Step, int], bool], k: int, step: Step) -> None:
    came.append(fault(step, k))
