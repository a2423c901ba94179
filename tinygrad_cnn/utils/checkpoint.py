"""checkpoint: less memory for more time. The backward pass computes a part of the model again.

The part runs once with its graph recorded, only to find the outside nodes that the graph leads to:
arguments, parameters, anything that the function closes over. Then that graph is dropped. One node
stands for the part; its vjp runs the part again and walks the new graph back to those nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from .. import engine, random
from ..atomic import Change, together
from ..autograd.function import Function
from ..engine import Node, Operation, Recorded, grad_mode, recording, wrap

__all__ = ["checkpoint", "checkpoint_sequential", "noop_context_fn"]

Contexts: TypeAlias = tuple[AbstractContextManager[Any], AbstractContextManager[Any]]


def noop_context_fn() -> Contexts:
    """Two contexts that do nothing: the default of `context_fn`."""
    return nullcontext(), nullcontext()


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: Callable[[], Contexts] = noop_context_fn,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    preserve_rng_state: bool = True,
    **kwargs: Any,
) -> Any:
    """Call `function(*args, **kwargs)`, and save only its arguments for the backward pass.

    The function returns a Tensor or a tuple of Tensors. The backward pass runs it again, with the
    same state of the default random generator (unless `preserve_rng_state` is False), so that it
    computes the same. Parameters that it closes over get their gradients. `grad`, `create_graph` and
    nested checkpoints work.

    `context_fn` returns two context managers, for the first run and for the second. `use_reentrant`
    and `early_stop` have no effect here, and the shapes of the second run are always checked.

    Raises TypeError for another return value, ValueError for a `determinism_check` other than
    "default" and "none", NotImplementedError for `debug`; and RuntimeError in the backward pass, where
    the second run returns other shapes than the first.

    >>> x = tc.tensor([0.5], requires_grad=True)
    >>> checkpoint(lambda x: tc.sin(x).exp(), x).backward()
    >>> bool(tc.allclose(x.grad, x.cos() * x.sin().exp()))
    True
    """
    if determinism_check not in ("default", "none"):
        raise ValueError(
            f"determinism_check should be one of 'default' and 'none' but got {determinism_check!r}"
        )
    if debug:
        raise NotImplementedError("checkpoint: debug=True is not supported: use detect_anomaly()")
    first, second = context_fn()
    if not grad_mode.enabled:
        with first:
            return function(*args, **kwargs)
    state = random.get_rng_state() if preserve_rng_state else None
    start = engine.next_number()
    with first:
        result = function(*args, **kwargs)
    outputs = result if isinstance(result, tuple) else (result,)
    if not all(isinstance(y, Recorded) for y in outputs):
        raise TypeError(
            f"checkpoint: the function must return a Tensor or a tuple of Tensors, got "
            f"{', '.join(type(y).__name__ for y in outputs)}"
        )
    outside, retaining = _graph_of(outputs, start)
    if not outside:
        return result
    retained = [node.extra["retain"] for node in retaining if node.extra]
    segment = _Segment(function, args, kwargs, state, second, outside, retained)
    places = [wrap(np.empty(0), node) for node in outside]
    y = _Checkpoint.apply(segment, outputs, *places, *segment.tensors(args, kwargs))
    return y if isinstance(result, tuple) else y[0]


_BLANK = object()  # takes the place of a Tensor among the arguments


def _graph_of(outputs: Iterable[Any], start: int) -> tuple[list[Node], list[Node]]:
    """The nodes older than `start` that the graph of the outputs leads to, and its nodes that retain
    their gradients, in the order of the calls.
    """
    ends: dict[Node, None] = {}
    seen: set[Node] = set()
    retaining: list[Node] = []
    stack: list[Any] = [y._node for y in outputs]
    while stack:
        node = stack.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if node.number < start:
            ends[node] = None
        elif node.op is not None:
            stack.extend(node.parents)
            if node.extra is not None and "retain" in node.extra:
                retaining.append(node)
    return list(ends), sorted(retaining, key=lambda node: node.number)


class _Segment:
    """Everything that a second run needs, except the arrays of its arguments."""

    def __init__(
        self,
        function: Any,
        args: Any,
        kwargs: Any,
        state: Any,
        context: AbstractContextManager[Any],
        outside: list[Node],
        retained: list[Any],
    ):
        self.function, self.state, self.context, self.outside = function, state, context, outside
        self.retained = retained  # weak references to the tensors of the first run that retain_grad
        self.nodes = [x._node for x in (*args, *kwargs.values()) if isinstance(x, Recorded)]
        self.args = [_BLANK if isinstance(x, Recorded) else x for x in args]
        self.kwargs = {n: _BLANK if isinstance(x, Recorded) else x for n, x in kwargs.items()}

    def tensors(self, args: Any, kwargs: Any) -> list[Any]:
        """The Tensors among the arguments, detached."""
        return [wrap(x._array) for x in (*args, *kwargs.values()) if isinstance(x, Recorded)]

    def run(self, arrays: Any) -> tuple[Any, ...]:
        """Run again, recorded, with the arguments at their old nodes."""
        tensors = map(wrap, arrays, self.nodes)
        args = [next(tensors) if x is _BLANK else x for x in self.args]
        kwargs = {n: next(tensors) if x is _BLANK else x for n, x in self.kwargs.items()}
        with random.restoring():
            if self.state is not None:
                random.set_rng_state(self.state)
            with recording(True), self.context:
                result = self.function(*args, **kwargs)
        return result if isinstance(result, tuple) else (result,)


class _Checkpoint(Function):
    """y = f(x)        x̄ = the vjp of f, computed by another run at x"""

    @staticmethod
    def forward(ctx: Any, segment: Any, outputs: Any, *tensors: Any) -> Any:
        ctx.segment, ctx.shapes = segment, [tuple(y.shape) for y in outputs]
        ctx.save_for_backward(*tensors[len(segment.outside) :])
        return tuple(y.detach() for y in outputs)

    @staticmethod
    def backward(ctx: Any, *gs: Any) -> Any:
        outside, again = ctx.segment.outside, grad_mode.enabled
        saved, cotangents = ctx.saved_tensors, [g if again else _taken(g) for g in gs]
        start = engine.next_number()
        ys = ctx.segment.run([x._array for x in saved])
        if [tuple(y.shape) for y in ys] != ctx.shapes:
            raise RuntimeError(
                f"checkpoint: run again in backward, the function gave shapes "
                f"{[tuple(y.shape) for y in ys]}, at first {ctx.shapes}: it must do the same again"
            )
        pairs = zip(ys, cotangents, strict=True)
        roots = [(y._node, g) for y, g in pairs if y._node is not None]
        _, retaining = _graph_of(ys, start) if ctx.segment.retained else ([], [])
        if again:
            ctx._replace = partial(_take_place, [y._node for y in ys], start)
        del ys, cotangents, pairs  # so that they can be freed during the walk
        found = engine.backward(
            roots,
            targets=[n for n, need in zip(outside, ctx.needs_input_grad[2:], strict=False) if need],
            inner=True,
            create_graph=again,
            retain_graph=again,
        )
        for node, tensor in zip(retaining, ctx.segment.retained, strict=False):
            node.extra = {
                **(node.extra or {}),
                "retain": tensor,
            }  # it gets the gradient, as without a checkpoint
        engine.accumulate({n: found[n] for n in retaining if n in found}, again)
        grads = [found.get(node) for node in outside]
        wrapped = [g if g is None or isinstance(g, Recorded) else wrap(g) for g in grads]
        return (None, None, *wrapped, *[None] * len(saved))


def _take_place(outputs: list[Any], start: int, checkpoint: Node) -> None:
    """Put the second run, whose nodes are younger than `start`, in the place of a node of a checkpoint.

    The graph of a gradient leads to the nodes of the second run. If later walks ran the function a third
    time, hooks would see two parts of one gradient. The nodes get numbers just below the checkpoint's,
    as a walk goes from large numbers to small ones.
    """
    inside: set[Node] = set()
    newest = checkpoint.number - 1
    stack = [node for node in outputs if node is not None]
    while stack:
        node = stack.pop()
        if node.number < start:
            newest = max(newest, node.number)
        elif node not in inside:
            inside.add(node)
            stack.extend(parent for parent in node.parents if parent is not None)
    step = Fraction(checkpoint.number - newest) / (len(inside) + 1)
    changes: list[Change] = []
    for k, node in enumerate(sorted(inside, key=lambda node: node.number), 1):
        made = {"made": node.number, **(node.extra or {})}
        changes.append(partial(setattr, node, "extra", made))
        changes.append(partial(setattr, node, "number", newest + k * step))
    place = {"op": _SecondRun(outputs), "first": tuple(outputs), "saved": ()}
    together([*changes, *[partial(setattr, checkpoint, n, v) for n, v in place.items()]])


class _SecondRun(Operation):
    """A checkpoint whose parents are the outputs of its second run: it hands on their cotangents."""

    name = "checkpoint"

    def __init__(self, outputs: list[Any]):
        self.inputs = tuple(f"output {k}" for k in range(len(outputs)))

    def backward(self, g: Any, parents: Any, _: Any, saved: Any, static: Any) -> Any:
        """The cotangents that have arrived."""
        return [(p, g.parts.get(k)) for k, p in enumerate(parents) if p is not None]


def _taken(g: Any) -> Any:
    """Take the array out of a cotangent, which callers hold until the walk ends."""
    array, g._array = g._array, _NOTHING
    return array


_NOTHING = np.empty(0)


def checkpoint_sequential(
    functions: Iterable[Callable[[Any], Any]],
    segments: int,
    input: Any,
    use_reentrant: bool | None = None,
    **kwargs: Any,
) -> Any:
    """Run functions, or a Sequential, one after another, in `segments` parts.

    Each part except the last is a `checkpoint`, which takes `kwargs`. Raises ValueError where there
    are fewer functions than segments.

    >>> x = tc.ones(2, requires_grad=True)
    >>> checkpoint_sequential([tc.exp, tc.sin, tc.exp], 2, x).sum().backward()
    """
    functions = list(functions)
    if not 1 <= segments <= max(len(functions), 1):
        raise ValueError(
            f"checkpoint_sequential: segments must be from 1 to {len(functions)}, the number of "
            f"functions, got {segments}"
        )
    size = len(functions) // segments
    for k in range(segments):
        part = functions[k * size : (k + 1) * size if k + 1 < segments else None]

        def run(x: Any, part: Any = part) -> Any:
            for function in part:
                x = function(x)
            return x

        input = checkpoint(run, input, **kwargs) if k + 1 < segments else run(input)
    return input


if not TYPE_CHECKING:
    from ..compat.missing import not_here as _not_here

    _not_here(globals())
