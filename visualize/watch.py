"""Watching a run: an observer of the engine sees each op and each vjp, hooks see the modules."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

import tinygrad_cnn
from tinygrad_cnn import Tensor, engine, nn

from .graph import Measured
from .record import Note, array_of

# Code in these folders is not the user's.
PACKAGES = tuple(
    os.path.join(os.path.dirname(file), "") for file in (tinygrad_cnn.__file__, __file__)
)

DYING = {"relu", "rectify", "hardtanh", "hardswish"}  # ops whose units can be 0 for every input


class Watch(engine.Observer):
    """Notes the scope, the measurements and the source line of each op that is recorded.

    Attributes:
        notes: by recorded node.
        stack: the calls of modules that run now, (path, call), outermost first.
    """

    def __init__(self) -> None:
        self.notes: dict[engine.Node, Note] = {}
        self.stack: list[tuple[str, int]] = []
        self._calls: dict[str, int] = {}  # of each module so far, by path
        self._started: list[tuple[object, float]] = []  # ops and nodes that run now, nested

    def enter(self, path: str) -> None:
        """A module begins."""
        self._calls[path] = call = self._calls.get(path, 0) + 1
        self.stack.append((path, call))

    def leave(self) -> None:
        """The innermost module ends."""
        self.stack.pop()

    def _seconds(self, run: object) -> float:
        """Seconds since `run` began. Forgets runs that began later and raised before their end."""
        now = time.perf_counter()
        for k in range(len(self._started) - 1, -1, -1):
            begun, start = self._started[k]
            if begun is run:
                del self._started[k:]
                return now - start
        return 0.0

    def op_begins(self, op: engine.Operation) -> None:
        """Start the clock."""
        self._started.append((op, time.perf_counter()))

    def op_ran(
        self, op: engine.Operation, inputs: tuple[object, ...], output: Tensor,
        node: engine.Node | None,
    ) -> None:  # fmt: skip
        """Stop the clock, and note the facts, if the op was recorded."""
        seconds = self._seconds(op)
        if node is None or node in self.notes:
            return
        array = array_of(output)
        first = inputs[0] if inputs else None
        in_place = isinstance(first, Tensor) and array_of(first) is array
        measured = Measured(
            seconds, nbytes=array.nbytes, bad=_bad(array), std=_spread(array), dead=_dead(op, array)
        )
        line = engine.user_line(PACKAGES)
        self.notes[node] = Note(tuple(self.stack), measured, line, "in place" if in_place else "")

    def vjp_begins(self, node: engine.Node, g: object) -> None:
        """Start the clock."""
        self._started.append((node, time.perf_counter()))

    def vjp_ran(self, node: engine.Node, g: object, gradients: Sequence[object]) -> None:
        """Stop the clock, and note the gradient of the output."""
        seconds = self._seconds(node)
        note = self.notes.get(node)
        if note is None or note.measured is None:
            return
        note.measured.backward += seconds
        array = cotangent(g)
        if array is not None:
            note.measured.grad_norm = float(np.linalg.norm(array.astype(np.float64, copy=False)))
            note.measured.bad_gradients += _bad(array)


@contextmanager
def watched(model: nn.Module) -> Iterator[Watch]:
    """Watch the ops that run in this block, and which modules of `model` run them.

    >>> import tinygrad_cnn as tc
    >>> model = nn.Sequential(nn.Linear(3, 2), nn.ReLU())
    >>> with watched(model) as watch:
    ...     y = model(tc.ones(1, 3))
    >>> [note.scope for note in watch.notes.values()]
    [(('0', 1),), (('1', 1),)]
    """
    watch = Watch()
    handles = []
    for path, module in model.named_modules():
        if path:

            def enter(_module: object, _args: object, path: str = path) -> None:
                watch.enter(path)

            def leave(_module: object, _args: object, _output: object) -> None:
                watch.leave()

            handles.append(module.register_forward_pre_hook(enter, prepend=True))
            handles.append(module.register_forward_hook(leave))
    try:
        with engine.observe(watch):
            yield watch
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def same_buffers(model: nn.Module) -> Iterator[None]:
    """Restore the model's buffers (running means) after this block."""
    before = [(buffer, buffer.detach().clone()) for buffer in model.buffers()]
    try:
        yield
    finally:
        with tinygrad_cnn.no_grad():
            for buffer, kept in before:
                buffer.copy_(kept)


def cotangent(g: object) -> np.ndarray | None:
    """A cotangent (Tensor or array) as an array; None for the cotangents of several outputs."""
    if isinstance(g, Tensor):
        return array_of(g)
    return np.asarray(g) if isinstance(g, (np.ndarray, np.generic)) else None


def _bad(array: np.ndarray) -> int:
    """How many elements are NaN or infinite."""
    if array.dtype.kind != "f":
        return 0
    return int(array.size - np.count_nonzero(np.isfinite(array)))


def _spread(array: np.ndarray) -> float | None:
    """The standard deviation of the finite elements; None where there are no two."""
    if array.dtype.kind != "f" or array.size < 2:
        return None
    with np.errstate(all="ignore"):
        whole = float(array.std(dtype=np.float64))
    if np.isfinite(whole):
        return whole
    finite = array[np.isfinite(array)]
    return float(finite.std(dtype=np.float64)) if finite.size > 1 else None


def _dead(op: engine.Operation, array: np.ndarray) -> float | None:
    """The share of the units, along axis 1, that are 0 throughout; None but for activations.

    >>> from tinygrad_cnn import ops
    >>> _dead(ops.relu.op, np.array([[0.0, 1.0], [0.0, 0.0]]))
    0.5
    """
    if op.name not in DYING or array.ndim < 2 or not array.size:
        return None
    axes = (0, *range(2, array.ndim))
    return float(1 - np.any(array != 0, axis=axes).mean())
