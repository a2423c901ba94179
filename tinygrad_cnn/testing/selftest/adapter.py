"""One check of a function of arrays and its vjp, by the checks of this package."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...autograd import grad
from ...engine import wrap
from ..core.differentiable import Differentiable
from ..trial import Trial
from ..values import Array
from .case import Functions, Vjp


def check(functions: Functions, xs: Sequence[Array], second: bool) -> None:
    """Check the vjp at xs, as `check_op` does.

    `second` includes the second derivative, for a vjp that serves Tensors too. Raises GradientError.
    """
    value, vjp = functions

    def pull(g: Any, *xs: Any) -> tuple[Any, ...]:
        return vjp(xs, g if isinstance(g, tuple) else (g,))

    fn = Differentiable(value, pull, name="self_test", second=_second(vjp) if second else None)
    Trial(fn.subject(xs)).run(second)


def _second(vjp: Vjp) -> Callable[..., list[Array]]:
    """The vjp of a vjp that serves Tensors."""

    def second(hs: Sequence[Array], g: Any, *xs: Array) -> list[Array]:
        tensors, gs = (
            [wrap(np.asarray(a)).requires_grad_() for a in part]
            for part in (xs, g if isinstance(g, tuple) else (g,))
        )
        found = [
            d if hasattr(d, "requires_grad") else wrap(np.asarray(d)) for d in vjp(tensors, gs)
        ]
        reached = [(d, wrap(np.asarray(h, d.dtype))) for d, h in zip(found, hs, strict=True)]
        reached = [(d, h) for d, h in reached if d.requires_grad]
        inputs = [*tensors, *gs]
        if not reached:
            return [np.zeros_like(t._array) for t in inputs]
        outputs, cotangents = zip(*reached, strict=True)
        return [d._array for d in grad(outputs, inputs, cotangents, materialize_grads=True)]

    return second
