"""Backward passes of several threads over shared parameters and shared pieces of graph are exact."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator

import numpy as np

import tinygrad_cnn as tc

from .scenario import Scenario, Trial

THREADS = 4
WAIT_SECONDS = 60


def trials(seed: int) -> Iterator[Trial]:
    """Each thread adds its gradient of a graph that begins with a part that all share.

    All numbers are small integers, so every order of the additions gives the same bits. Large
    arrays make additions long, and shared kernels use the threads of the package.
    """
    rng = random.Random(seed)
    numbers = np.random.default_rng(seed)
    while True:
        rows, width = rng.choice(((3, 4), (40, 300), (256, 300)))
        x, *weights = leaves = [
            tc.tensor(numbers.integers(-2, 3, shape).astype(np.float32), requires_grad=True)
            for shape in ((rows, width), *(THREADS * [(width, 5)]))
        ]
        trunk = (x * 2.0 + x.detach()).relu()  # its nodes are shared
        losses = [(trunk @ w).sum() + (w * x.sum()).sum() for w in weights]
        barrier, errors = threading.Barrier(THREADS), list[str]()
        threads = [
            threading.Thread(target=walk, args=(loss, barrier, errors), daemon=True)
            for loss in losses
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(WAIT_SECONDS)
        if any(thread.is_alive() for thread in threads):
            yield Trial("hang")
        elif errors:
            yield Trial(f"error: {errors[0]}")
        else:
            right = all(
                np.array_equal(leaf.grad.numpy(), wanted)
                for leaf, wanted in zip(leaves, expected(x, weights), strict=True)
            )
            yield Trial("" if right else "wrong numbers")


def walk(loss: tc.Tensor, barrier: threading.Barrier, errors: list[str]) -> None:
    """One thread: a backward pass at the same moment as the others'."""
    try:
        barrier.wait(WAIT_SECONDS)
        loss.backward(retain_graph=True)
    except Exception as error:
        errors.append(repr(error))


def expected(x: tc.Tensor, weights: list[tc.Tensor]) -> list[np.ndarray]:
    """The gradients, written out in float64."""
    a, ws = x.detach().numpy().astype(np.float64), [w.detach().numpy() for w in weights]
    trunk = np.maximum(3 * a, 0)
    of_w = np.repeat(trunk.sum(0)[:, None], ws[0].shape[1], axis=1) + a.sum()
    of_x = sum(2 * (a > 0) * w.sum(1) + w.sum() for w in ws)
    return [np.broadcast_to(of_x, a.shape), *(of_w for _ in ws)]


SCENARIO = Scenario(
    "threads", "4 threads, each with a backward pass over shared leaves and nodes",
    trials, count=200, short=10,
)  # fmt: skip
