"""Training steps must leave no objects and no memory behind."""

from __future__ import annotations

import gc
import resource
from collections.abc import Iterator

import numpy as np

import tinygrad_cnn as tc
import tinygrad_cnn.nn as nn
import tinygrad_cnn.nn.functional as F

from .scenario import Scenario, Trial

WARM = 300  # steps, until caches are full
GOOD = Trial()  # one for all, which is alive at each count
EVERY = 1000  # trials between two counts: a count takes as long as many steps


def trials(seed: int) -> Iterator[Trial]:
    """Train a small CNN. Every thousand steps, compare objects and memory with the first count."""
    tc.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.1),
        nn.Flatten(), nn.Linear(36, 3),
    )  # fmt: skip
    optimizer = tc.optim.Adam(model.parameters())
    rng = np.random.default_rng(seed)
    x = tc.tensor(rng.normal(size=(4, 1, 8, 8)).astype(np.float32))
    labels = tc.tensor(rng.integers(0, 3, 4))

    def step() -> None:
        optimizer.zero_grad()
        F.cross_entropy(model(x), labels).backward()
        optimizer.step()

    def count() -> tuple[int, float]:
        gc.collect()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return len(gc.get_objects()), peak

    for _ in range(WARM):
        step()
    count()  # a count takes memory too: the list of all objects
    number = 1
    yield Trial()  # the caller keeps the last one
    objects, peak = count()
    while True:
        step()
        number += 1
        if number % EVERY:
            yield GOOD
            continue
        now, peak_now = count()
        more, megabytes = now - objects, peak_now - peak
        wrong = "objects left" if more > 0 else "memory grew" if megabytes > 1 else ""
        yield Trial(wrong, {"objects more": more, "MB more": megabytes})


SCENARIO = Scenario("leaks", "a training step of a small CNN", trials, count=20_000, short=1_000)
