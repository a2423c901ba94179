"""Jacobians and Hessians of functions of Tensors, and products with them.

All use reverse mode. J v is the derivative, in direction v, of u ↦ Jᵀu, which is linear in u.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ..engine import Recorded, enable_grad, wrap
from ..functions import reshape, stack
from .gradients import grad

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]

Function: TypeAlias = Callable[..., Any]
Tensors: TypeAlias = "Tensor | tuple[Tensor, ...]"


class _Call:
    """A recorded call of `func` at `inputs`: both as tuples, and the form of the results."""

    def __init__(self, what: str, func: Function, inputs: Any, create_graph: bool, strict: bool):
        self.what, self.create_graph, self.strict = what, create_graph, strict
        self.single = not isinstance(inputs, tuple)
        given = _tensors(f"inputs given to {what}", inputs)
        self.inputs = tuple(
            x.view_as(x) if create_graph and x.requires_grad else x.detach().requires_grad_()
            for x in given
        )
        with enable_grad():
            result = func(*self.inputs)
        self.outputs = _tensors(f"outputs of the user-provided function given to {what}", result)
        self.single_output = not isinstance(result, tuple)
        for k, y in enumerate(self.outputs):
            if strict and not y.requires_grad:
                raise RuntimeError(
                    f"Output {k} of the user-provided function does not require gradients. The "
                    "outputs must be computed in a differentiable manner from the input when "
                    "running in strict mode."
                )

    def scalar(self) -> None:
        """Raise RuntimeError unless the function returned one number."""
        if not self.single_output or self.outputs[0].numel() != 1:
            raise RuntimeError(
                f"The Tensor returned by the function given to {self.what} should contain a single "
                f"element: it has shape {tuple(self.outputs[0].shape)}"
            )

    def vector(self, v: Any, like: tuple[Any, ...], of: str) -> tuple[Any, ...]:
        """`v` as a tuple with the shapes of `like`. None stands for 1, where `like` is one number."""
        if v is None:
            if len(like) != 1 or like[0].numel() != 1:
                raise RuntimeError(
                    f"The vector v can only be None if {of} a single Tensor with a single element."
                )
            return (wrap(np.ones_like(like[0]._array)),)
        vs = _tensors(f"vectors given to {self.what}", v)
        if len(vs) != len(like):
            raise RuntimeError(f"v is of invalid length: should be {len(like)} but got {len(vs)}.")
        for k, (part, x) in enumerate(zip(vs, like, strict=True)):
            if part.shape != x.shape:
                entry = f"Entry {k} in v" if len(like) > 1 else "v"
                raise RuntimeError(
                    f"{entry} has invalid size: should be {x.shape} but got {part.shape}."
                )
        return vs

    def pull(self, outputs: tuple[Any, ...], vs: Any, create_graph: bool) -> tuple[Any, ...]:
        """Σ Jᵀv for each input; zeros for an input that no output depends on."""
        reached = [(y, v) for y, v in zip(outputs, vs, strict=True) if y.requires_grad]
        found: Any = [None] * len(self.inputs)
        if reached:
            ys, us = zip(*reached, strict=True)
            found = grad(ys, self.inputs, us, True, create_graph, allow_unused=True)
        if self.strict:
            self._depends(found, create_graph)
        return tuple(
            wrap(np.zeros_like(x._array)) if g is None else g
            for x, g in zip(self.inputs, found, strict=True)
        )

    def _depends(self, found: Any, create_graph: bool) -> None:
        for k, g in enumerate(found):
            if g is None:
                raise RuntimeError(
                    f"Output of the user-provided function is independent of input {k}. This is "
                    "not allowed in strict mode."
                )
            if create_graph and not g.requires_grad:
                raise RuntimeError(
                    f"The jacobian of the user-provided function is independent of input {k}. This "
                    "is not allowed in strict mode when create_graph=True."
                )

    def give(self, tensors: Any, single: bool) -> Any:
        """The results as a Tensor or a tuple, detached unless `create_graph`."""
        done = tuple(t if self.create_graph else t.detach() for t in tensors)
        return done[0] if single else done


def _tensors(what: str, given: Any) -> tuple[Any, ...]:
    tensors = given if isinstance(given, tuple) else (given,)
    for x in tensors:
        if not isinstance(x, Recorded):
            raise TypeError(
                f"The {what} must be either a Tensor or a tuple of Tensors but the given "
                f"{what.partition(' ')[0]} has type {type(x).__name__}."
            )
    return tensors


def vjp(
    func: Function,
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The outputs of `func` at `inputs`, and vᵀJ for each input.

    `inputs` are a Tensor or a tuple, and so are the outputs. `v` has the shapes of the outputs; None
    stands for 1, for one number. An input that no output depends on gets zeros, with `strict` a
    RuntimeError. With `create_graph` the results can be differentiated. Raises TypeError for other
    types, RuntimeError for a `v` of other shapes.

    >>> vjp(lambda x: x * x, tc.tensor([1.0, 2.0]), tc.ones(2))
    (tensor([1., 4.]), tensor([2., 4.]))
    """
    call = _Call("vjp", func, inputs, create_graph, strict)
    vs = call.vector(v, call.outputs, "the user-provided function returns")
    found = call.pull(call.outputs, vs, create_graph)
    return call.give(call.outputs, call.single_output), call.give(found, call.single)


def jvp(
    func: Function,
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The outputs of `func` at `inputs`, and J v for each output.

    `v` has the shapes of the inputs; None stands for 1, for one number. Otherwise like `vjp`.

    >>> jvp(lambda x: x * x, tc.tensor([1.0, 2.0]), tc.tensor([1.0, 0.5]))
    (tensor([1., 4.]), tensor([2., 2.]))
    """
    call = _Call("jvp", func, inputs, create_graph, strict)
    vs = call.vector(v, call.inputs, "the input to the user-provided function is")
    us = tuple(wrap(np.zeros_like(y._array)).requires_grad_() for y in call.outputs)
    with enable_grad():
        pulled = call.pull(call.outputs, us, True)
    pairs = [(g, v) for g, v in zip(pulled, vs, strict=True) if g.requires_grad]
    found: Any = [None] * len(us)
    if pairs:
        gs, parts = zip(*pairs, strict=True)
        with enable_grad():
            found = grad(gs, us, parts, create_graph, create_graph, allow_unused=True)
    pushed = [
        wrap(np.zeros_like(u._array)) if t is None else t for u, t in zip(us, found, strict=True)
    ]
    outputs = call.give(call.outputs, call.single_output)
    return outputs, call.give(pushed, call.single_output)


def jacobian(
    func: Function,
    inputs: Tensors,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The Jacobian of `func` at `inputs`, in the shape (*output, *input).

    Several inputs give a tuple of these; several outputs a tuple by output, then by input. There is
    one backward pass for each number of the output. `strict` and `create_graph` are those of `vjp`;
    `vectorize` and `strategy` have no effect.

    >>> jacobian(lambda x: x * x, tc.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    call = _Call("jacobian", func, inputs, create_graph, strict)
    rows = []
    for y in call.outputs:
        every: list[list[Any]] = [[] for _ in call.inputs]
        for k in range(y.numel()):
            v = np.zeros_like(y._array, order="C")
            v.flat[k] = 1.0
            for column, g in zip(every, call.pull((y,), (wrap(v),), create_graph), strict=True):
                column.append(g)
        rows.append(call.give(_stacked(y, call.inputs, every), call.single))
    return rows[0] if call.single_output else tuple(rows)


def _stacked(y: Any, inputs: tuple[Any, ...], every: list[list[Any]]) -> list[Any]:
    """The rows of each input, one row for each number of y, in the shape (*y, *input)."""
    return [
        reshape(stack(column), (*y.shape, *x.shape))
        if column
        else wrap(np.zeros((*y.shape, *x.shape), x._array.dtype))
        for column, x in zip(every, inputs, strict=True)
    ]


def hessian(
    func: Function,
    inputs: Tensors,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The Hessian of a function that returns one number, in the shape (*input, *input).

    Several inputs give a tuple by the first input, then by the second. `strict` and `create_graph` are
    those of `vjp`; `vectorize` and `outer_jacobian_strategy` have no effect. Raises RuntimeError where
    the function returns more than one number.

    >>> hessian(lambda x: (x**3).sum(), tc.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """

    def gradient(*xs: Any) -> tuple[Any, ...]:
        call = _Call("hessian", func, xs, True, strict)
        call.scalar()
        return call.pull(call.outputs, (wrap(np.ones_like(call.outputs[0]._array)),), True)

    whole = inputs if isinstance(inputs, tuple) else (inputs,)
    rows = jacobian(gradient, whole, create_graph, strict)
    return rows if isinstance(inputs, tuple) else rows[0][0]


def vhp(
    func: Function,
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The output of `func`, which is one number, and vᵀH for each input.

    `v` has the shapes of the inputs. Otherwise like `vjp`; raises RuntimeError where the function
    returns more than one number.

    >>> vhp(lambda x: (x**3).sum(), tc.tensor([1.0, 2.0]), tc.tensor([1.0, 1.0]))
    (tensor(9.), tensor([ 6., 12.]))
    """
    call = _Call("vhp", func, inputs, create_graph, strict)
    call.scalar()
    vs = call.vector(v, call.inputs, "the input to the user-provided function is")
    first = call.pull(call.outputs, (wrap(np.ones_like(call.outputs[0]._array)),), True)
    found = call.pull(first, vs, create_graph)
    return call.give(call.outputs, call.single_output), call.give(found, call.single)


def hvp(
    func: Function,
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The output of `func`, which is one number, and H v: `vhp`, since H is symmetric.

    >>> hvp(lambda x: (x**3).sum(), tc.tensor([1.0, 2.0]), tc.tensor([1.0, 1.0]))[1]
    tensor([ 6., 12.])
    """
    return vhp(func, inputs, v, create_graph, strict)
