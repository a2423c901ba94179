"""`trace`: one run of a model, watched: where each op ran, how long it took, what it made.

An observer of the engine sees the ops and their vjps, hooks of the modules see who runs. The run
leaves no gradient behind, and buffers (running means) as they were.
"""

from __future__ import annotations

import inspect
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

import tinygrad_cnn
from tinygrad_cnn import Tensor
from tinygrad_cnn.engine import Observer, observe

from .dot import SHOWN
from .model import Measured
from .picture import Picture
from .record import walk
from .scopes import Scope
from .steps import Stepper
from .verdicts import judged

_PACKAGES = (
    os.path.dirname(tinygrad_cnn.__file__) + os.sep, os.path.dirname(__file__) + os.sep, "<generated",
)  # fmt: skip


class Watch(Observer):
    """Notes of each op that runs: its scope, its measures and its line. (`record.Notes`.)"""

    def __init__(self) -> None:
        self.stack: list[tuple[str, int]] = []
        self.calls: dict[str, int] = {}
        self.notes: dict[int, tuple[Any, Scope, Measured, str, str]] = {}  # by id of the node
        self._started: list[tuple[Any, float]] = []  # what runs, one inside another

    def _seconds(self, what: Any) -> float:
        """Since `what` began; what began inside it and never ended (it raised) is forgotten."""
        now = time.perf_counter()
        for k in range(len(self._started) - 1, -1, -1):
            begun, start = self._started[k]
            if begun is what:
                del self._started[k:]
                return now - start
        return 0.0

    def op_begins(self, op: Any) -> None:
        """Start the clock."""
        self._started.append((op, time.perf_counter()))

    def op_ran(self, op: Any, inputs: tuple[Any, ...], output: Any, node: Any) -> None:
        """Stop it; note what there is to know."""
        seconds = self._seconds(op)
        if node is None or id(node) in self.notes:
            return
        array = output.detach().numpy()
        first = inputs[0] if inputs else None
        in_place = isinstance(first, Tensor) and first.detach().numpy() is array
        measured = Measured(seconds, nbytes=array.nbytes, bad=_bad(array))
        form = "in place" if in_place else ""
        self.notes[id(node)] = (node, tuple(self.stack), measured, user_line(), form)

    def vjp_begins(self, node: Any, g: Any) -> None:
        """Start the clock."""
        self._started.append((node, time.perf_counter()))

    def vjp_ran(self, node: Any, g: Any, gradients: Sequence[Any]) -> None:
        """Stop it; note the gradient of the output."""
        seconds = self._seconds(node)
        measured = self.measured(node)
        array = as_array(g)
        if measured is None:
            return
        measured.backward += seconds
        if array is not None:
            measured.grad_norm = float(np.linalg.norm(array.astype(np.float64, copy=False)))
            measured.bad_gradients += _bad(array)

    # --- What was noted -------------------------------------------------------------------------

    def scope(self, node: Any) -> Scope:
        """The calls of modules that a node ran in."""
        return self.notes[id(node)][1] if id(node) in self.notes else ()

    def measured(self, node: Any) -> Measured | None:
        """What was measured of it."""
        return self.notes[id(node)][2] if id(node) in self.notes else None

    def line(self, node: Any) -> str:
        """The line of the user's source that ran it."""
        return self.notes[id(node)][3] if id(node) in self.notes else ""

    def form(self, node: Any) -> str:
        """ "in place" where it was."""
        return self.notes[id(node)][4] if id(node) in self.notes else ""


@contextmanager
def watched(model: Any) -> Iterator[Watch]:
    """Watch what runs in this block, and which modules of `model` run it."""
    watch = Watch()
    handles = []
    for path, module in model.named_modules():
        if path:

            def enter(_module: Any, _args: Any, path: str = path) -> None:
                watch.calls[path] = call = watch.calls.get(path, 0) + 1
                watch.stack.append((path, call))

            def leave(_module: Any, _args: Any, _output: Any) -> None:
                watch.stack.pop()

            handles.append(module.register_forward_pre_hook(enter, prepend=True))
            handles.append(module.register_forward_hook(leave))
    try:
        with observe(watch):
            yield watch
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def same_buffers(model: Any) -> Iterator[None]:
    """Put the model's buffers (running means) back after this block."""
    before = [(buffer, buffer.detach().clone()) for buffer in model.buffers()]
    try:
        yield
    finally:
        with tinygrad_cnn.no_grad():
            for buffer, kept in before:
                buffer.copy_(kept)


def as_array(g: Any) -> np.ndarray | None:
    """A cotangent as an array; None for those of several outputs at once."""
    if isinstance(g, Tensor):
        g = g.detach().numpy()
    return g if isinstance(g, np.ndarray) else None


def _bad(array: np.ndarray) -> int:
    if array.dtype.kind != "f":
        return 0
    return int(array.size - np.count_nonzero(np.isfinite(array)))


def user_line() -> str:
    """The innermost line of code outside of these packages."""
    frame = sys._getframe(1)
    while frame.f_back and frame.f_code.co_filename.startswith(_PACKAGES):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}, in {frame.f_code.co_name}"


def trace(
    model: Any,
    *inputs: Any,
    loss: Callable[[Any], Any] | None = None,
    direction: str = "TB",
    depth: int | None = None,
    fold: bool = True,
    heat: str | None = None,
    phase: str = "forward",
    show: Iterable[str] = SHOWN,
    limit: int | None = 1000,
    verdicts: Any = None,
) -> Picture:
    """A picture of one run of `model(*inputs)`, forward and backward, with what was measured.

    Args:
        model: a Module.
        inputs: what it is called with; `tensor(...)` is not needed around arrays.
        loss: a function of the model's output that returns a scalar Tensor; without it the sum
            of all outputs is differentiated.
        heat: what the boxes' colours say: "time" (of the forward pass; of vjps the backward pass),
            "bytes" (kept for backward), "grad" (the norm of the gradient of an op's output),
            "verdict" (of `verdicts`).

    The others are as in `draw`. `picture.table()` lists the ops, `picture.steps` the backward pass.
    The run is a training step without the update: it draws random numbers as such, but leaves
    gradients and buffers as they were. Times are of one run; run the model once before, for the
    first call of an op compiles it.

    Raises TypeError where `model` is no Module or the output no Tensor, ValueError where nothing in
    it requires grad or the loss is no scalar.

    >>> import tinygrad_cnn as tc
    >>> from tinygrad_cnn import nn
    >>> picture = trace(nn.Sequential(nn.Linear(3, 2), nn.ReLU()), tc.ones(4, 3))
    >>> [(n.name, n.cluster, n.measured.nbytes) for _, n in picture.graph.ops()]
    [('linear', '0', 32), ('relu', '1', 32), ('sum', None, 4)]
    """
    from tinygrad_cnn import nn

    if not isinstance(model, nn.Module):
        raise TypeError(f"trace: expected a Module, got {type(model).__name__}")
    given = [tinygrad_cnn.tensor(x) if isinstance(x, np.ndarray) else x for x in inputs]
    with same_buffers(model), watched(model) as watch:
        output = model(*given)
        end = _scalar(output if loss is None else loss(output), loss is None)
        names = input_names(model, given)
        walked = walk([end], model, {**names, "loss" if loss else "sum": end}, watch)
        graph = walked.graph()
        stepper = Stepper(walked)
        with observe(stepper):
            tinygrad_cnn.autograd.grad(end, stepper.leaves(), allow_unused=True)
    if verdicts is not None:
        judged(graph, verdicts)
    return Picture(
        graph, direction=direction, depth=depth, fold=fold, heat=heat, phase=phase, show=show,
        limit=limit, steps=stepper.steps(graph), title=type(model).__name__,
    )  # fmt: skip


def input_names(model: Any, inputs: Sequence[Any]) -> dict[str, Any]:
    """The Tensors among the inputs by the names of `forward`'s parameters."""
    names = [
        p.name
        for p in inspect.signature(model.forward).parameters.values()
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    names += [f"input {k}" for k in range(len(names), len(inputs))]
    return {name: x for name, x in zip(names, inputs, strict=False) if isinstance(x, Tensor)}


def _scalar(value: Any, summed: bool) -> Any:
    """The number to differentiate, of what the model or the loss returned."""
    tensors = list(value) if isinstance(value, (tuple, list)) else [value]
    for tensor in tensors:
        if not isinstance(tensor, Tensor):
            what = "the model" if summed else "the loss"
            raise TypeError(f"trace: {what} returned a {type(tensor).__name__}, wanted a Tensor")
    if summed:
        tensors = [tensor for tensor in tensors if tensor.requires_grad]
        if tensors:
            total = tensors[0].sum()
            for tensor in tensors[1:]:
                total = total + tensor.sum()
            return total
    elif len(tensors) == 1 and tensors[0].requires_grad:
        if tensors[0].ndim == 0:
            return tensors[0]
        raise ValueError(f"trace: the loss has shape {tuple(tensors[0].shape)}, wanted a scalar")
    raise ValueError("trace: nothing in this run requires grad, so that no graph was recorded")
