"""A child that is forked while other threads work must train, with right numbers."""

from __future__ import annotations

import os
import random
import signal
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import tinygrad_cnn as tc
import tinygrad_cnn.nn as nn
import tinygrad_cnn.nn.functional as F
import visualize
from tinygrad_cnn import kernels
from tinygrad_cnn.utils.data import DataLoader, TensorDataset

from .scenario import Scenario, Trial

HANG_SECONDS = 20
STEPS = 3  # of the child
RIGHT, WRONG, FAILED = 0, 1, 2  # the exit status of a child
LONGEST_PAUSE = 0.02  # seconds between two forks


class Training:
    """A small CNN with all kinds of layers that have state, and a few steps of it."""

    def __init__(self, seed: int):
        tc.manual_seed(seed)
        self.model = nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
            nn.Dropout(0.1), nn.Flatten(), nn.Linear(64, 3),
        )  # fmt: skip
        self.optimizer = tc.optim.Adam(self.model.parameters())
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(8, 1, 8, 8)).astype(np.float32)
        self.data = TensorDataset(tc.tensor(x), tc.tensor(rng.integers(0, 3, 8)))
        self.generator = tc.Generator().manual_seed(seed)

    def run(self, steps: int, workers: int = 0) -> list[float]:
        """The losses of as many steps."""
        losses: list[float] = []
        while len(losses) < steps:
            loader = DataLoader(
                self.data, 4, shuffle=True, num_workers=workers, generator=self.generator
            )
            for x, labels in loader:
                self.optimizer.zero_grad()
                loss = F.cross_entropy(self.model(x), labels)
                loss.backward()
                self.optimizer.step()
                losses.append(loss.item())
        return losses


class Others:
    """Threads that train, draw, factorize, save, draw graphs and load kernels, until they are stopped."""

    def __init__(self, seed: int):
        self.rng, self.folder = random.Random(seed), tempfile.TemporaryDirectory()
        self.stopped, self.errors = False, list[str]()
        self.matrix = tc.rand(200, 200)
        self.compiled = compiled_afresh() if kernels.current() == "compiled" else None
        self.threads = [threading.Thread(target=self.work, args=(k,)) for k in range(2)]
        for thread in self.threads:
            thread.start()

    def work(self, number: int) -> None:
        """One thread: it trains most of the time."""
        training = Training(number)
        jobs: list[Callable[[], Any]] = [
            lambda: tc.randn(300, 300),
            lambda: self.matrix @ self.matrix,
            lambda: tc.linalg.inv(self.matrix),
            lambda: tc.save(training.model.state_dict(), Path(self.folder.name) / f"{number}.pt"),
            lambda: visualize.draw(training.model(tc.ones(1, 1, 8, 8))).source,
            lambda: training.run(2, workers=2),
            *([self.compiled] if self.compiled else []),
        ]
        try:
            while not self.stopped:
                training.run(2)
                self.rng.choice(jobs)()
        except Exception as error:
            self.errors.append(f"a thread of the parent: {error!r}")

    def close(self) -> None:
        """Stop and wait."""
        self.stopped = True
        for thread in self.threads:
            thread.join(HANG_SECONDS)
        self.folder.cleanup()


def compiled_afresh() -> Callable[[], Any]:
    """A function that has a kernel compiled, or found in the cache, anew with each call."""
    import numba  # only with the compiled set

    from tinygrad_cnn.kernels.compiled import jit

    def compile_() -> None:
        def product(a: Any, b: Any) -> Any:
            return a * b

        jit.native(product)(3, 4)
        numba.njit(lambda a: a + 1)(1)

    return compile_


def fork(child: Callable[[], int]) -> int:
    """The number of a new process, which runs `child` and exits with its result."""
    with warnings.catch_warnings():  # Python 3.12 warns of forks beside threads
        warnings.simplefilter("ignore", DeprecationWarning)
        number = os.fork()
    if number:
        return number
    status = FAILED
    try:
        status = child()
    finally:
        os._exit(status)


def outcome(number: int, seconds: float = HANG_SECONDS) -> int | None:
    """The exit status of a child; None, and the child is killed, if it hangs."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found, status = os.waitpid(number, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.001)
    os.kill(number, signal.SIGKILL)
    os.waitpid(number, 0)
    return None


def trials(seed: int) -> Iterator[Trial]:
    """Fork at random moments. Sometimes the child forks again, or has a data loader with workers."""
    if not hasattr(os, "fork"):
        while True:
            yield Trial()
    rng = random.Random(seed)
    right = Training(0).run(STEPS)
    others = Others(seed)
    try:
        while True:
            time.sleep(LONGEST_PAUSE * rng.random())
            workers, nested = rng.choice((0, 0, 2)), rng.random() < 0.2

            def train(workers: int = workers) -> int:
                return RIGHT if Training(0).run(STEPS, workers) == right else WRONG

            def train_in_a_grandchild() -> int:
                found = outcome(fork(train))
                return FAILED if found is None else found

            start = time.monotonic()
            number = fork(train_in_a_grandchild if nested else train)
            forked = time.monotonic()
            status = outcome(number, (2 if nested else 1) * HANG_SECONDS)
            wrong = {RIGHT: "", None: "hang", WRONG: "wrong numbers"}.get(status, "error")
            figures = {"s to fork": forked - start, "s of a child": time.monotonic() - forked}
            yield Trial(others.errors[0] if others.errors else wrong, figures)
    finally:
        others.close()


SCENARIO = Scenario(
    "forks", "a fork while two threads train, draw, factorize, save, draw graphs and compile",
    trials, count=500, short=4,
)  # fmt: skip
