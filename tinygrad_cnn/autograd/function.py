"""Function: an op of a user, in PyTorch's form: forward(ctx, ...) and backward(ctx, ...)."""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from .. import engine
from ..engine import Node, Operation, Recorded, grad_mode, no_grad, observers, wrap
from ..engine.dtypes import FLOATING

if TYPE_CHECKING:
    from ..tensor import Tensor

F = TypeVar("F", bound=Callable[..., Any])


class FunctionCtx:
    """The context of one call: `forward` stores values in it for `backward`, also as attributes.

    `needs_input_grad` has a bool for each argument of `apply`: whether it requires grad.
    """

    needs_input_grad: tuple[bool, ...] = ()
    _saved: tuple[Tensor | None, ...] = ()
    _constant: tuple[Tensor, ...] = ()
    _materialize = True
    _replace: Callable[[Node], None] | None = None  # see `Operation.replace`

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Save Tensors, or None, for `backward`, which finds them in `ctx.saved_tensors`.

        Raises TypeError for other objects: set those as attributes of ctx.
        """
        for t in tensors:
            if t is not None and not isinstance(t, Recorded):
                raise TypeError(
                    f"save_for_backward can only save Tensors or None, got {type(t).__name__}: "
                    "set other things as attributes of ctx"
                )
        self._saved = tensors

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """The arguments of `save_for_backward`."""
        return self._saved

    def mark_non_differentiable(self, *args: Tensor) -> None:
        """Declare outputs of `forward` that require no grad."""
        self._constant = args

    def mark_dirty(self, *args: Tensor) -> None:
        """Raise NotImplementedError: a Function cannot change its inputs in place."""
        raise NotImplementedError("mark_dirty is not supported: return a new Tensor instead")

    def set_materialize_grads(self, value: bool) -> None:
        """Choose what `backward` gets for an unused output: zeros (the default) or None."""
        self._materialize = bool(value)


class Function:
    """An op of a user. A subclass defines static `forward` and `backward`; its `apply` calls them.

    `forward(ctx, *args)` returns a Tensor or a tuple of Tensors. `backward(ctx, *grad_outputs)`
    returns a gradient, or None, for each argument of `apply`. If it is written with functions of
    Tensors, it can be differentiated again. A subclass may also define `setup_context(ctx, inputs,
    output)`: then `forward` gets no ctx.

    >>> class Cube(Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x**3
    ...
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         (x,) = ctx.saved_tensors
    ...         return g * 3 * x**2
    >>> x = tc.tensor(2.0, requires_grad=True)
    >>> Cube.apply(x).backward()
    >>> x.grad
    tensor(12.)

    A function of arrays is shorter as an `op`: it takes and returns arrays, and has a vjp for each
    input, whose parameters name the values to save: here the input x.

    >>> @tc.op
    ... def cubed(x):
    ...     return x**3
    >>> cubed.defvjp(x=lambda g, x: g * 3 * x**2)
    >>> cubed(x.detach().requires_grad_()).backward()
    """

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Compute the output or outputs. Subclasses define it."""
        raise NotImplementedError("a Function needs a static method forward(ctx, *args)")

    if TYPE_CHECKING:  # a subclass may name its parameters

        @staticmethod
        def backward(*args: Any, **kwargs: Any) -> Any: ...

    else:

        @staticmethod
        def backward(ctx: Any, *grad_outputs: Any) -> Any:
            """Compute the gradients of the arguments from those of the outputs.

            Subclasses define it.
            """
            raise NotImplementedError(
                "a Function needs a static method backward(ctx, *grad_outputs)"
            )

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Call forward, and record the call where a positional argument requires grad.

        Raises TypeError for a keyword argument that requires grad, and for an output that is not a
        Tensor.
        """
        with_setup = hasattr(cls, "setup_context")
        if with_setup:
            args, kwargs = _bound(cls.forward, args, kwargs)
        for name, value in kwargs.items():
            if isinstance(value, Recorded) and value._node is not None:
                raise TypeError(
                    f"{cls.__name__}.apply(): {name} requires grad: pass it as a positional argument"
                )
        ctx = FunctionCtx()
        parents = tuple(x._node if isinstance(x, Recorded) else None for x in args)
        recording = grad_mode.enabled and any(parents)
        ctx.needs_input_grad = tuple(p is not None for p in parents)
        op = _FunctionOp(cls, ctx, len(args))
        for observer in list(observers):
            observer.op_begins(op)
        with no_grad():
            if with_setup:
                result = cls.forward(*args, **kwargs)
                cls.setup_context(ctx, args, result)  # type: ignore[attr-defined]
            else:
                result = cls.forward(ctx, *args, **kwargs)
        outputs = result if isinstance(result, tuple) else (result,)
        for y in outputs:
            if not isinstance(y, Recorded):
                raise TypeError(
                    f"{cls.__name__}.forward must return Tensors, got {type(y).__name__}"
                )
        node = None
        if recording:
            node, outputs = op.node(args, parents, outputs, isinstance(result, tuple))
        for observer in list(observers):
            for y in outputs:
                observer.op_ran(op, args, y, node)
        return outputs if isinstance(result, tuple) else outputs[0]


def _bound(
    function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments, positional where possible, with defaults."""
    code = getattr(function, "__code__", None)
    if not kwargs and code is not None and len(args) >= code.co_argcount:
        return args, kwargs
    bound = inspect.signature(function).bind(*args, **kwargs)
    bound.apply_defaults()
    return bound.args, bound.kwargs


def once_differentiable(fn: F) -> F:
    """A decorator of `backward`: it runs unrecorded, and differentiating its result is an error.

    >>> class Square(Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x * x
    ...
    ...     @staticmethod
    ...     @once_differentiable
    ...     def backward(ctx, g):
    ...         return 2.0 * g * ctx.saved_tensors[0]
    """

    @functools.wraps(fn)
    def wrapper(ctx: Any, *grads: Any) -> Any:
        with no_grad():
            result = fn(ctx, *grads)
        sources = [x for x in (*grads, *ctx.saved_tensors) if isinstance(x, Recorded) and x._node]
        if not (grad_mode.enabled and sources):
            return result
        results = result if isinstance(result, tuple) else (result,)
        done = tuple(r if r is None else _Once.apply(r, *sources) for r in results)
        return done if isinstance(result, tuple) else done[0]

    return wrapper  # type: ignore[return-value]


class _Once(Function):
    """The result of a once_differentiable backward: its own backward raises."""

    @staticmethod
    def forward(ctx: Any, result: Any, *sources: Any) -> Any:
        return result.detach()

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        raise RuntimeError(
            "trying to differentiate twice a function that was marked with @once_differentiable"
        )


class _FunctionOp(Operation):
    """One call of a Function, as an op of the engine."""

    elementwise = True  # the engine sums a gradient of a broadcast shape, as PyTorch does

    def __init__(self, function: type[Function], ctx: FunctionCtx, n: int):
        self.function, self.ctx = function, ctx
        self.name = function.__name__
        self.inputs = tuple(f"argument {k}" for k in range(n))

    def node(
        self, args: Sequence[Any], parents: tuple[Any, ...], outputs: tuple[Any, ...], several: bool
    ) -> tuple[Node, tuple[Any, ...]]:
        """Record the call. Returns its node, and the outputs with their places in the graph.

        `several`: forward returned a tuple, maybe of one Tensor. Then the cotangents come in a dict,
        and `backward` removes them from it, so that they can be freed before it returns.
        """
        saved, self.ctx._saved = self.ctx._saved, ()
        names = {id(x): name for name, x in zip(self.inputs, args, strict=True)}
        if len(outputs) == 1:
            names[id(outputs[0])] = "y"
        self.saved = tuple(names.get(id(t), f"saved {k}") for k, t in enumerate(saved))
        node = engine.new_node(self, parents, None, None)
        node.saved = tuple(None if t is None else t._array for t in saved)
        constant = set(map(id, self.ctx._constant))
        differentiable = [
            y._array.dtype.kind in FLOATING and id(y) not in constant for y in outputs
        ]
        self.ctx._constant = ()
        if not several:
            node.shape, node.dtype = outputs[0]._array.shape, outputs[0]._array.dtype
            return node, (engine.wrap(outputs[0]._array, node if differentiable[0] else None),)
        node.static = tuple((y._array.shape, y._array.dtype) for y in outputs)
        places = []
        for k, (shape, dtype) in enumerate(node.static):
            places.append(engine.new_node(_OUTPUT, (node,), shape, dtype, (k,)))
        return node, tuple(
            wrap(y._array, place if d else None)
            for y, place, d in zip(outputs, places, differentiable, strict=True)
        )

    def backward(self, g: Any, parents: Any, _: Any, saved: Any, static: Any) -> Sequence[Any]:
        """Run the user's backward, on Tensors that record only if `g` is one."""
        bare = not grad_mode.enabled
        ctx = copy.copy(self.ctx)  # two threads may walk one graph
        ctx._saved = tuple(wrap(s) if isinstance(s, np.ndarray) else s for s in saved)
        ctx.needs_input_grad = tuple(p is not None for p in parents)
        if isinstance(g, _Cotangents):
            gs = [g.parts.pop(k, None) for k in range(len(static))]
            if ctx._materialize:
                gs = [np.zeros(*static[k]) if part is None else part for k, part in enumerate(gs)]
        else:
            gs = [g]
        gs = [x if x is None or isinstance(x, Recorded) else wrap(x) for x in gs]
        result = self.function.backward(ctx, *gs)
        self.replace = ctx._replace
        results = list(result) if isinstance(result, tuple) else [result]
        while len(results) > len(parents) and results[-1] is None:
            results.pop()
        if len(results) != len(parents) or not all(
            r is None or isinstance(r, Recorded) for r in results
        ):
            raise RuntimeError(
                f"{self.name}.backward returned an incorrect number of gradients (expected "
                f"{len(parents)}, each a Tensor or None; got {result!r})"
            )
        return [
            (p, r._array if bare and r is not None else r)
            for p, r in zip(parents, results, strict=True)
            if p is not None
        ]


class _Cotangents:
    """The cotangents of a Function with several outputs: those that have arrived, by output."""

    shape = dtype = None

    def __init__(self, parts: dict[int, Any]):
        self.parts = parts

    def __add__(self, other: _Cotangents) -> _Cotangents:
        """The sum, in place: a copy for each of n outputs would take O(n²)."""
        both = self.parts
        for k, g in other.parts.items():
            both[k] = both[k] + g if k in both else g
        return self


class _OutputOp(Operation):
    """One of several outputs: passes its cotangent to the node of the Function."""

    name, inputs, attributes = "output", ("function",), ("index",)

    def backward(self, g: Any, parents: Any, _: Any, saved: Any, static: Any) -> Sequence[Any]:
        """The cotangent, with the number of its output."""
        return ((parents[0], _Cotangents({static[0]: g})),)


_OUTPUT = _OutputOp()
