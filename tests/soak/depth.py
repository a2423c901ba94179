"""Deep graphs of many shapes, released in many ways by threads with small stacks."""

from __future__ import annotations

import contextlib
import gc
import os
import random
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn import engine
from tinygrad_cnn.autograd import Function
from tinygrad_cnn.utils.checkpoint import checkpoint

from .scenario import Scenario, Trial

STACK_BYTES = 256 * 1024
ROOT = Path(__file__).parents[2]

# --- Shapes: each makes a graph of about n nodes, and returns the Tensor that leads to all of them ---


def leaf() -> Any:
    return tc.ones(2, requires_grad=True)


def chain(n: int) -> Any:
    y = leaf()
    for _ in range(n):
        y = y + 1.0
    return y


def shared_parameters(n: int) -> Any:
    y, w, b = leaf(), leaf(), leaf()
    for _ in range(n // 2):
        y = y * w
        y = y + b
    return y


def ladder(n: int) -> Any:
    a, b = leaf(), leaf()
    for _ in range(n // 2):
        a, b = a + b, a - b
    return a + b


def three_inputs(n: int) -> Any:
    y, weight = leaf(), tc.ones(2, 2, requires_grad=True)
    for _ in range(n):
        y = F.linear(y, weight, y)
    return y


def any_number_of_inputs(n: int) -> Any:
    y = leaf()
    for _ in range(n // 2):
        y = tc.cat([y, y])[:2]
    return y


def tree(n: int) -> Any:
    rng = random.Random(n)
    tensors = [leaf() for _ in range(n // 2)]
    while len(tensors) > 1:  # the first is used often: some paths are long
        k = rng.choice((0, rng.randrange(len(tensors))))
        last = tensors.pop()
        tensors[min(k, len(tensors) - 1)] = tensors[min(k, len(tensors) - 1)] + last
    return tensors[0]


def mixed(n: int) -> Any:
    rng = random.Random(n)
    tensors = [leaf() for _ in range(6)]
    for _ in range(n):
        a, b, k = rng.choice(tensors), rng.choice(tensors), rng.randrange(6)
        op = rng.choice(("add", "mul", "exp", "sin", "number", "where", "leaf"))
        if op in ("add", "mul"):
            tensors[k] = getattr(tc, op)(a, b)
        elif op in ("exp", "sin"):
            tensors[k] = getattr(tc, op)(a)
        elif op == "number":
            tensors[k] = a * 0.5
        elif op == "where":
            tensors[k] = tc.where(a.detach() > 0, a, b)
        else:
            tensors[k] = leaf() - b
    return tc.stack(tensors).sum()


def views(n: int) -> Any:
    y = (leaf()[0] * 1.0).expand(n + 1)
    for _ in range(n):
        y = y[1:]
    return y


def views_without_graph(n: int) -> Any:
    y = tc.ones(n + 1)
    for _ in range(n):
        y = y[1:]
    return y


def in_place(n: int) -> Any:
    y = leaf() * 1.0
    for _ in range(n):
        y += 1.0
    return y


def writes_through_views(n: int) -> Any:
    y = leaf() * 1.0
    v = y[:1]
    for _ in range(n // 4):
        v *= 0.5
    return y


def writes_through_views_with_hooks(n: int) -> Any:
    y = leaf() * 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the gradient passes the hook by
        for _ in range(n // 6):
            v = y[:2][:1]
            v.register_hook(lambda g: g)
            v *= 0.5
    return y


def second_order(n: int) -> Any:
    x = y = leaf()
    for _ in range(n // 8):
        y = tc.sin(y)
    return tc.autograd.grad(y.sum(), x, create_graph=True)[0]


class Square(Function):
    """x², and a context that holds another Tensor."""

    @staticmethod
    def forward(ctx: Any, x: Any, other: Any) -> Any:
        ctx.save_for_backward(x)
        ctx.other = other
        return x * x

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return 2 * g * ctx.saved_tensors[0], None


def functions(n: int) -> Any:
    y = leaf()
    for _ in range(n // 4):
        y = Square.apply(y, y) * 0.5
    return y


def contexts(n: int) -> Any:
    """Only the context of each call leads to the call before it."""
    y = None
    for _ in range(n // 4):
        y = Square.apply(leaf(), y)
    return y


def hooks(n: int) -> Any:
    """Only the closure of each hook leads to the node before it."""
    y = leaf()
    for _ in range(n // 2):
        z = leaf() * 1.0
        z.register_hook(lambda g, y=y: g)
        y = z
    return y


def hooks_of_leaves(n: int) -> Any:
    y = leaf()
    for _ in range(n):
        z = leaf()
        z.register_hook(lambda g, y=y: g)
        y = z
    return y


def checkpoints(n: int) -> Any:
    y = leaf()
    for _ in range(n // 16):
        y = checkpoint(lambda x, y=y: x.sin() + y, y)
    return y


SHAPES: dict[str, Callable[[int], Any]] = {
    shape.__name__: shape
    for shape in (
        chain, shared_parameters, ladder, three_inputs, any_number_of_inputs, tree, mixed, views,
        views_without_graph, in_place, writes_through_views, writes_through_views_with_hooks,
        second_order, functions, contexts, hooks, hooks_of_leaves, checkpoints,
    )
}  # fmt: skip


# --- Releases: each drops the only item of a list, and with it the graph -------------------------------


def drop(held: list[Any]) -> None:
    held.clear()


def walk(held: list[Any]) -> None:
    if held[0].requires_grad:
        held[0].sum().backward()
    held.clear()


def collect(held: list[Any]) -> None:
    """As a part of a cycle, by the garbage collector."""
    cycle = [held.pop()]
    cycle.append(cycle)
    del cycle
    gc.collect()


def containers(held: list[Any]) -> None:
    """From a tuple in a dict in a list, beside other Tensors."""
    y = held.pop()
    held.append([{"y": (y, y + 1.0, y.detach())}])
    del y
    held.clear()


def frame(held: list[Any]) -> None:
    """From the local variables of the frame of an exception."""

    def fail(y: Any) -> None:
        raise ValueError

    try:
        fail(held.pop())
    except ValueError as error:
        kept = [error.__traceback__]
    kept.clear()


_of_thread = threading.local()


def end_of_thread(held: list[Any]) -> None:
    """From variables of the thread, which ends."""
    _of_thread.y = held.pop()


RELEASES: dict[str, Callable[[list[Any]], None]] = {
    release.__name__: release for release in (drop, walk, collect, containers, frame, end_of_thread)
}


# --- The process ------------------------------------------------------------------------------------------


def in_a_small_thread(function: Callable[..., Any], *args: Any) -> None:
    """Run a function in a thread with a small stack. Warnings of NumPy do not matter here."""

    def run() -> None:
        with np.errstate(all="ignore"):
            function(*args)

    before = threading.stack_size(STACK_BYTES)
    try:
        thread = threading.Thread(target=run)
        thread.start()
    finally:
        threading.stack_size(before)
    thread.join()


def nodes_left() -> int:
    """The number of nodes that exist."""
    return sum(isinstance(thing, engine.Node) for thing in gc.get_objects())


def serve() -> None:
    """Build and release graphs as standard input says: a line of shape, nodes and release each."""
    for line in sys.stdin:
        shape, n, release = line.split()
        held: list[Any] = []
        in_a_small_thread(lambda: held.append(SHAPES[shape](int(n))))  # noqa: B023  it ends here
        in_a_small_thread(RELEASES[release], held)
        left = nodes_left()
        print(f"{left} nodes left" if left else "freed", flush=True)


class Child:
    """A process that serves. It is started again after it died."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def ask(self, shape: str, n: int, release: str) -> str:
        """What became of a graph: "freed", a number of nodes, or the end of the process."""
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__], text=True, cwd=ROOT, stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, env={**os.environ, "TINYGRAD_CNN_KERNELS": "vectorized"},
            )  # fmt: skip
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{shape} {n} {release}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline().strip()
        if answer:
            return answer
        self.close()
        return "the process ended"

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.communicate()
            self._process = None


def trials(seed: int) -> Iterator[Trial]:
    """Build and release a graph of random shape in a process of its own."""
    rng, child, number = random.Random(seed), Child(), 0
    try:
        while True:
            number += 1
            n = 1_000_000 if number % 10 == 0 else 100_000
            shape, release = rng.choice(list(SHAPES)), rng.choice(list(RELEASES))
            answer = child.ask(shape, n, release)
            wrong = "" if answer == "freed" else f"{answer} ({shape}, {release})"
            yield Trial(wrong, {"nodes": n})
    finally:
        child.close()


SCENARIO = Scenario(
    "depth",
    "a graph of 10⁵ nodes (each tenth: 10⁶), built and released by threads with 256 KiB of stack",
    trials, count=50, short=1,
)  # fmt: skip

if __name__ == "__main__":
    serve()
