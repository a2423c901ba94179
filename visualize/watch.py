"""Watching a run: an observer of the engine sees each op and each vjp, hooks see the modules."""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

import tinygrad_cnn
from tinygrad_cnn import Tensor, engine, nn

from .calls import Call, Note, Unrecorded
from .graph import Measured
from .record import array_of

# Code in these folders is not the user's.
PACKAGES = tuple(
    os.path.join(os.path.dirname(file), "") for file in (tinygrad_cnn.__file__, __file__)
)

DYING = {"relu", "rectify", "hardtanh", "hardswish"}  # ops whose units can be 0 for every input


class Watch(engine.Observer):
    """Notes the scope, the measurements, the source line and the inputs of each op that runs.

    Attributes:
        notes: by recorded node.
        stack: the calls of modules that run now, (path, call), outermost first.
        role: the name for data that ops use from now on; by default the name of the op's input.
    """

    def __init__(self) -> None:
        self.role = ""
        self.notes: dict[engine.Node, Note] = {}
        self.stack: list[tuple[str, int]] = []
        self._calls: dict[str, int] = {}  # of each module so far, by path
        self._attributes: Mapping[str, Any] = {}  # of the op that begins next
        self._started: list[tuple[object, float, Mapping[str, Any]]] = []  # what runs now, nested
        self._made: dict[int, tuple[weakref.ref[Any], Call]] = {}  # by id of the output's array
        self._last = (0, 0)  # the place in the run of the last op

    def enter(self, path: str) -> None:
        """A module begins."""
        self._calls[path] = call = self._calls.get(path, 0) + 1
        self.stack.append((path, call))

    def leave(self) -> None:
        """The innermost module ends."""
        self.stack.pop()

    def _ended(self, run: object) -> tuple[float, Mapping[str, Any]]:
        """Seconds since `run` began, and its attributes. Forgets later runs, which raised."""
        now = time.perf_counter()
        for k in range(len(self._started) - 1, -1, -1):
            begun, start, attributes = self._started[k]
            if begun is run:
                del self._started[k:]
                return now - start, attributes
        return 0.0, {}

    def op_called(self, op: engine.Operation, attributes: Mapping[str, Any]) -> None:
        """Keep the attributes, which an op that is not recorded loses."""
        self._attributes = attributes

    def op_begins(self, op: engine.Operation) -> None:
        """Start the clock."""
        self._started.append((op, time.perf_counter(), self._attributes))
        self._attributes = {}

    def op_ran(
        self, op: engine.Operation, inputs: tuple[object, ...], output: Tensor,
        node: engine.Node | None,
    ) -> None:  # fmt: skip
        """Stop the clock, and note the facts."""
        seconds, attributes = self._ended(op)
        if node is not None and node in self.notes:
            return
        array = array_of(output)
        first = inputs[0] if inputs else None
        in_place = isinstance(first, Tensor) and array_of(first) is array
        note = Note(
            tuple(self.stack),
            Measured(
                seconds, nbytes=array.nbytes, bad=_bad(array), std=_spread(array),
                dead=_dead(op, array),
            ),
            engine.user_line(PACKAGES),
            "in place" if in_place else "",
            tuple(map(self.source, inputs)),
            self.role,
        )  # fmt: skip
        call: Call
        if node is None:
            self._last = (self._last[0], self._last[1] + 1)
            call = Unrecorded(op, array.shape, array.dtype, attributes, note, self._last)
        else:
            call, self._last = node, (node.number, 0)
            self.notes[node] = note
        self._made[id(array)] = weakref.ref(array), call

    def source(self, value: object) -> object:
        """The call that made an input, a Tensor or an array; else the input itself.

        A call is known by the array that it made, as long as that exists.
        """
        if isinstance(value, Tensor) and value.grad_fn is not None:
            return value.grad_fn
        array = array_of(value) if isinstance(value, Tensor) else value
        made = self._made.get(id(array))
        return value if made is None or made[0]() is not array else made[1]

    def vjp_begins(self, node: engine.Node, g: object) -> None:
        """Start the clock."""
        self._started.append((node, time.perf_counter(), {}))

    def vjp_ran(self, node: engine.Node, g: object, gradients: Sequence[object]) -> None:
        """Stop the clock, and note the gradient of the output."""
        seconds, _ = self._ended(node)
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
            handles.append(module.register_forward_hook(leave, always_call=True))
    try:
        with engine.observe(watch):
            yield watch
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def same_buffers(model: nn.Module) -> Iterator[None]:
    """Restore the model's buffers (running means) after this block, those that changed."""
    before = [(buffer, buffer.detach().clone()) for buffer in model.buffers()]
    try:
        yield
    finally:
        with tinygrad_cnn.no_grad():
            for buffer, kept in before:
                if array_of(buffer).tobytes() != array_of(kept).tobytes():
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
