"""Optimizers that divide the gradient by the root of a sum of squares: RMSprop, Adagrad, Adadelta.

g is the gradient, negated with `maximize`, plus weight_decay · p. `foreach`, `fused` and `capturable`
have no effect; `differentiable=True` raises NotImplementedError.
"""

from __future__ import annotations

import functools
from typing import Any, ClassVar

import numpy as np

from ..engine import wrap
from ..tensor import Tensor
from .optimizer import NOT_NEGATIVE, Optimizer, Params, group_defaults
from .updates import Job, Update, average, average_square, subtract_ratio


class RMSprop(Optimizer):
    """p ← p − lr g / (√v + eps) with v ← α v + (1 − α) g²: Tieleman and Hinton 2012, lecture 6e.

    `centered` subtracts from v the square of ḡ ← α ḡ + (1 − α) g (Graves 2013). With `momentum` μ > 0,
    b ← μ b + g / (√v + eps) and p ← p − lr b. Raises ValueError for negative settings.

    >>> x = tc.tensor([1.0], requires_grad=True)
    >>> optimizer = tc.optim.RMSprop([x], lr=0.01)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x
    tensor([0.9000], requires_grad=True)
    """

    not_negative: ClassVar = (*NOT_NEGATIVE, "momentum", "alpha")

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ):
        super().__init__(params, group_defaults(locals()))

    def update_of(self, p: Tensor, group: dict[str, Any]) -> Job:
        """The next update of `p`."""
        momentum, centered = group["momentum"], bool(group["centered"])
        names = ["momentum_buffer"] * (momentum > 0) + ["grad_avg"] * centered
        _, arrays, count = self.next_step(p, "square_avg", *names)
        lr, alpha, eps = float(group["lr"]), group["alpha"], group["eps"]
        numbers = (lr, alpha, 1 - alpha, eps, momentum)
        return _rmsprop(momentum > 0, centered), arrays, 1, numbers, count


@functools.cache
def _rmsprop(with_momentum: bool, centered: bool) -> Update:
    def update(arrays: Any, scratch: Any, numbers: Any) -> None:
        (p, g, v, *others), (s,), (lr, alpha, rest, eps, momentum) = arrays, scratch, numbers
        average_square(v, g, alpha, rest, s)
        if centered:
            average(others[-1], g, rest, s)
            np.multiply(others[-1], others[-1], out=s)
            np.subtract(v, s, out=s)
            np.sqrt(s, out=s)
        else:
            np.sqrt(v, out=s)
        np.add(s, eps, out=s)
        if with_momentum:
            b = others[0]
            np.divide(g, s, out=s)
            np.multiply(b, momentum, out=b)
            np.add(b, s, out=b)
            np.multiply(b, lr, out=s)
            np.subtract(p, s, out=p)
        else:
            subtract_ratio(p, lr, g, s, s)

    return update


class Adagrad(Optimizer):
    """p ← p − lr / (1 + (t − 1) lr_decay) · g / (√S + eps) with S ← S + g²: Duchi et al. 2011.

    S starts at `initial_accumulator_value`; t counts the steps of the parameter from 1. Raises
    ValueError for negative settings.

    >>> x = tc.tensor([1.0], requires_grad=True)
    >>> optimizer = tc.optim.Adagrad([x], lr=0.1)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x
    tensor([0.9000], requires_grad=True)
    """

    not_negative: ClassVar = (*NOT_NEGATIVE, "lr_decay", "initial_accumulator_value")

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ):
        super().__init__(params, group_defaults(locals()))
        for group in self.param_groups:
            for p in group["params"]:
                total = np.full_like(p._array, initial_accumulator_value)
                self.state[p] |= {"step": wrap(np.zeros((), np.float32)), "sum": wrap(total)}

    def update_of(self, p: Tensor, group: dict[str, Any]) -> Job:
        """The next update of `p`."""
        t, arrays, count = self.next_step(p, "sum", fill=group["initial_accumulator_value"])
        rate, eps = float(group["lr"]) / (1 + (t - 1) * group["lr_decay"]), group["eps"]
        return _adagrad, arrays, 1, (rate, eps), count


def _adagrad(arrays: Any, scratch: Any, numbers: Any) -> None:
    (p, g, total), (s,), (rate, eps) = arrays, scratch, numbers
    np.multiply(g, g, out=s)
    np.add(total, s, out=total)
    np.sqrt(total, out=s)
    np.add(s, eps, out=s)
    subtract_ratio(p, rate, g, s, s)


class Adadelta(Optimizer):
    """p ← p − lr d with d = √(a + eps) / √(v + eps) · g: Zeiler 2012.

    v ← ρ v + (1 − ρ) g² comes before, a ← ρ a + (1 − ρ) d² after. Raises ValueError for settings out
    of range.

    >>> x = tc.tensor([1.0], requires_grad=True)
    >>> optimizer = tc.optim.Adadelta([x], lr=1.0, eps=1e-2)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x
    tensor([0.6877], requires_grad=True)
    """

    not_negative: ClassVar = (*NOT_NEGATIVE, "rho")

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ):
        super().__init__(params, group_defaults(locals()))

    def check(self, group: dict[str, Any]) -> None:
        """Raise ValueError for settings out of range."""
        super().check(group)
        if group["rho"] > 1:
            raise ValueError(f"Invalid rho value: {group['rho']}")

    def update_of(self, p: Tensor, group: dict[str, Any]) -> Job:
        """The next update of `p`."""
        _, arrays, count = self.next_step(p, "square_avg", "acc_delta")
        rho = group["rho"]
        return _adadelta, arrays, 2, (float(group["lr"]), rho, 1 - rho, group["eps"]), count


def _adadelta(arrays: Any, scratch: Any, numbers: Any) -> None:
    (p, g, v, a), (s, d), (lr, rho, rest, eps) = arrays, scratch, numbers
    average_square(v, g, rho, rest, s)
    np.add(v, eps, out=s)
    np.sqrt(s, out=s)
    np.add(a, eps, out=d)
    np.sqrt(d, out=d)
    np.divide(d, s, out=d)
    np.multiply(d, g, out=d)
    average_square(a, d, rho, rest, s)
    np.multiply(d, lr, out=d)
    np.subtract(p, d, out=p)
