"""One check of a function of arrays and its vjp, by the checks of this package."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...autograd import Function
from ...engine import grad_mode, op, registry, wrap
from ...tensor import Tensor
from ..calls import Call
from ..check import check_second_order, check_vjp
from ..check_op import check_call
from ..values import Array
from .case import Functions, Vjp

NAME = "self_test"
FORWARDS: list[Callable[[Any], Callable[..., Any]]] = [  # an op reads the names of its inputs
    lambda value: lambda a: value(a),
    lambda value: lambda a, b: value(a, b),
    lambda value: lambda a, b, c: value(a, b, c),
    lambda value: lambda a, b, c, d: value(a, b, c, d),
]


def check(functions: Functions, xs: Sequence[Array], second: bool) -> None:
    """Check the vjp at xs: `check_call` of an op; `check_vjp` for a function of several outputs.

    `second` includes the second derivative, for a vjp that serves Tensors too. Raises GradientError
    as these checks do.
    """
    value, vjp = functions
    if isinstance(value(*xs), tuple):
        several(value, vjp, xs, second)
    else:
        one(value, vjp, xs, second)


def one(value: Callable[..., Any], vjp: Vjp, xs: Sequence[Array], second: bool) -> None:
    """Check a function of one output, as an op."""
    forward = FORWARDS[len(xs) - 1](value)
    forward.__name__ = NAME
    tried: Any = op(forward)
    try:
        names = tried.op.inputs
        tried.defvjp(**{name: _Gradient(vjp, names, k, second) for k, name in enumerate(names)})
        check_call(tried, Call(tuple(xs)), second_order=second)
    finally:
        del registry[NAME]


class _Gradient:
    """The vjp for input k, with the signature that an op reads."""

    def __init__(self, vjp: Vjp, names: Sequence[str], k: int, second: bool):
        self.vjp, self.k, self.second = vjp, k, second
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        self.__signature__ = inspect.Signature(
            [inspect.Parameter(name, kind) for name in ("g", *names)]
        )

    def __call__(self, g: Any, *xs: Any) -> Any:
        if self.second or not any(isinstance(t, Tensor) for t in (g, *xs)):
            return self.vjp(xs, [g])[self.k]
        arrays = [t.detach().numpy() if isinstance(t, Tensor) else t for t in (*xs, g)]
        return wrap(np.asarray(self.vjp(arrays[:-1], arrays[-1:])[self.k]))


def several(value: Callable[..., Any], vjp: Vjp, xs: Sequence[Array], second: bool) -> None:
    """Check a function of several outputs, as a Function."""

    class Tried(Function):
        """The function."""

        @staticmethod
        def forward(ctx: Any, *given: Any) -> Any:
            ctx.save_for_backward(*given)
            return tuple(wrap(np.asarray(y)) for y in value(*(x.detach().numpy() for x in given)))

        @staticmethod
        def backward(ctx: Any, *gs: Any) -> Any:
            if second and grad_mode.enabled:
                return vjp(ctx.saved_tensors, gs)
            arrays = [[t.detach().numpy() for t in part] for part in (ctx.saved_tensors, gs)]
            return tuple(wrap(np.asarray(d)) for d in vjp(*arrays))

    check_vjp(Tried.apply, *xs)
    if second:
        check_second_order(Tried.apply, *xs)
