"""Stochastic gradient descent with momentum."""

from __future__ import annotations

import functools
from functools import partial
from typing import Any, ClassVar

import numpy as np

from ..engine import wrap
from ..tensor import Tensor
from .optimizer import Optimizer, Params, group_defaults
from .updates import Job, Update


class SGD(Optimizer):
    """p ← p − lr v with v ← momentum · v + (1 − dampening) g. The first v is g itself.

    g is the gradient, negated with `maximize`, plus weight_decay · p. Without momentum, p ← p − lr g.
    With `nesterov`, p ← p − lr (g + momentum · v). Raises ValueError for negative settings, and for
    `nesterov` without momentum or with dampening. `foreach` and `fused` have no effect;
    `differentiable=True` raises NotImplementedError.

    >>> x = tc.tensor([1.0], requires_grad=True)
    >>> optimizer = tc.optim.SGD([x], lr=0.1, momentum=0.9)
    >>> for _ in range(2):
    ...     optimizer.zero_grad()
    ...     (x * x).sum().backward()
    ...     optimizer.step()
    >>> x
    tensor([0.4600], requires_grad=True)
    """

    not_negative: ClassVar = ("lr", "momentum", "weight_decay")

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ):
        super().__init__(params, group_defaults(locals()))

    def check(self, group: dict[str, Any]) -> None:
        """Raise ValueError for settings out of range."""
        super().check(group)
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")

    def update_of(self, p: Tensor, group: dict[str, Any]) -> Job:
        """The next update of `p`."""
        lr, momentum, taken = float(group["lr"]), group["momentum"], 1 - group["dampening"]
        if not momentum:
            return _plain, (), 1, (lr,)
        state, nesterov = self.state[p], bool(group["nesterov"])
        v = state.get("momentum_buffer")
        update = _with_momentum(v is None, taken != 1, nesterov)
        numbers = (lr, momentum, taken, lr * momentum if nesterov else lr)
        if v is not None:
            return update, (v._array,), 1, numbers
        v = wrap(np.zeros_like(p._array))
        return update, (v._array,), 1, numbers, partial(state.__setitem__, "momentum_buffer", v)


def _plain(arrays: Any, scratch: Any, numbers: Any) -> None:
    (p, g), (s,), (lr,) = arrays, scratch, numbers
    np.multiply(g, lr, out=s)
    np.subtract(p, s, out=p)


@functools.cache
def _with_momentum(first: bool, damped: bool, nesterov: bool) -> Update:
    def update(arrays: Any, scratch: Any, numbers: Any) -> None:
        (p, g, v), (s,), (lr, momentum, taken, of_v) = arrays, scratch, numbers
        if first:
            np.copyto(v, g)
        else:
            np.multiply(v, momentum, out=v)
            np.add(v, np.multiply(g, taken, out=s) if damped else g, out=v)
        if nesterov:
            np.multiply(g, lr, out=s)
            np.subtract(p, s, out=p)
        np.multiply(v, of_v, out=s)
        np.subtract(p, s, out=p)

    return update
