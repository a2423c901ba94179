"""Adam and its kin: optimizers that remember a running average of the gradient and of its size.

In all of them m ← β₁ m + (1 - β₁) g and v ← β₂ v + (1 - β₂) g², both from 0, and t counts the steps
of the parameter from 1. g is the gradient, with `maximize` negated, plus weight_decay · p; where the
decay is decoupled p ← p - lr · weight_decay · p comes first, and g is the gradient alone.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from ..engine import wrap
from ..tensor import Tensor
from .optimizer import Job, Optimizer, average, average_square, subtract_ratio

_RANGES = {
    "lr": "learning rate",
    "eps": "epsilon value",
    "betas": "betas",
    "weight_decay": "weight_decay value",
}


class Adam(Optimizer):
    """p ← p - lr m̂ / (√v̂ + eps): Kingma and Ba 2015, algorithm 1.

    m̂ = m / (1 - β₁ᵗ) and v̂ = v / (1 - β₂ᵗ). With `amsgrad` the largest v until now takes the place
    of v (Reddi et al. 2018). Raises ValueError for settings out of their range.

    >>> import tinygrad_cnn as tc
    >>> x = tc.tensor([1.0, -5.0], requires_grad=True)
    >>> optimizer = tc.optim.Adam([x], lr=0.1)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x
    tensor([ 0.9000, -4.9000], requires_grad=True)
    """

    not_negative: ClassVar = _RANGES

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
        **hints: Any,
    ):
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults, **hints)

    def update_of(self, p: Any, group: dict[str, Any]) -> Job:
        """The update of `p` at its next step."""
        names = ["exp_avg", "exp_avg_sq"] + ["max_exp_avg_sq"] * bool(group["amsgrad"])
        t, arrays = self.next_step(p, *names)
        beta1, beta2 = group["betas"]
        # With c = √(1 - β₂ᵗ):  lr m̂ / (√v̂ + eps) = (lr c / (1 - β₁ᵗ)) m / (√v + c eps)
        c = math.sqrt(1 - beta2**t)
        rate, eps = float(group["lr"]) * c / (1 - beta1**t), group["eps"] * c
        return self._update, arrays, 1, (1 - beta1, beta2, 1 - beta2, eps, rate)

    @staticmethod
    def _update(arrays: Any, scratch: Any, numbers: Any) -> None:
        (p, g, m, v, *largest), (s,), (of_m, beta2, of_v, eps, rate) = arrays, scratch, numbers
        average(m, g, of_m, s)
        average_square(v, g, beta2, of_v, s)
        for other in largest:
            v = np.maximum(other, v, out=other)
        np.sqrt(v, out=s)
        np.add(s, eps, out=s)
        subtract_ratio(p, rate, m, s, s)


class AdamW(Adam):
    """Adam with the weight decay, 1e-2 unless told, decoupled: Loshchilov and Hutter 2019."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        **hints: Any,
    ):
        hints |= {"maximize": maximize, "decoupled_weight_decay": True}
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, **hints)


class Adamax(Optimizer):
    """p ← p - lr / (1 - β₁ᵗ) · m / u with u ← max(β₂ u, |g| + eps): Kingma and Ba 2015, algorithm 2.

    Raises ValueError for settings out of their range.
    """

    not_negative: ClassVar = _RANGES

    def __init__(
        self,
        params: Any,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        **hints: Any,
    ):
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults, foreach=foreach, **hints)

    def update_of(self, p: Any, group: dict[str, Any]) -> Job:
        """The update of `p` at its next step."""
        t, arrays = self.next_step(p, "exp_avg", "exp_inf")
        (beta1, beta2), eps = group["betas"], group["eps"]
        rate = float(group["lr"]) / (1 - beta1**t)
        return self._update, arrays, 1, (1 - beta1, beta2, eps, rate)

    @staticmethod
    def _update(arrays: Any, scratch: Any, numbers: Any) -> None:
        (p, g, m, u), (s,), (of_m, beta2, eps, rate) = arrays, scratch, numbers
        average(m, g, of_m, s)
        np.abs(g, out=s)
        np.add(s, eps, out=s)
        np.multiply(u, beta2, out=u)
        np.maximum(u, s, out=u)
        subtract_ratio(p, rate, m, u, s)


class NAdam(Optimizer):
    """Adam with Nesterov's momentum: Dozat 2016.

    μₜ = β₁ (1 - 0.96^(t · momentum_decay) / 2), M = μ₁ ··· μₜ, v̂ = v / (1 - β₂ᵗ) and
    p ← p - lr [(1 - μₜ) / (1 - M) · g + μₜ₊₁ / (1 - M μₜ₊₁) · m] / (√v̂ + eps). Raises ValueError for
    settings out of their range.
    """

    not_negative: ClassVar = {**_RANGES, "momentum_decay": "momentum_decay value"}

    def __init__(
        self,
        params: Any,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
        **hints: Any,
    ):
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults, **hints)

    def update_of(self, p: Any, group: dict[str, Any]) -> Job:
        """The update of `p` at its next step."""
        t, arrays = self.next_step(p, "exp_avg", "exp_avg_sq")
        (beta1, beta2), eps, lr = group["betas"], group["eps"], float(group["lr"])
        mu, mu_next = (
            beta1 * (1 - 0.5 * 0.96 ** (k * group["momentum_decay"])) for k in (t, t + 1)
        )
        product = self.state[p].get("mu_product", 1.0)
        if not isinstance(product, Tensor):
            product = self.state[p]["mu_product"] = wrap(np.array(product, np.float32))
        product._array *= mu
        so_far = float(product._array)
        of_g, of_m = lr * (1 - mu) / (1 - so_far), lr * mu_next / (1 - so_far * mu_next)
        c = math.sqrt(1 - beta2**t)
        return self._update, arrays, 2, (1 - beta1, beta2, 1 - beta2, c, eps, of_g, of_m)

    @staticmethod
    def _update(arrays: Any, scratch: Any, numbers: Any) -> None:
        (p, g, m, v), (s, d), (rest, beta2, of_v, c, eps, of_g, of_m) = arrays, scratch, numbers
        average(m, g, rest, s)
        average_square(v, g, beta2, of_v, s)
        np.sqrt(v, out=d)
        np.divide(d, c, out=d)
        np.add(d, eps, out=d)
        subtract_ratio(p, of_g, g, d, s)
        subtract_ratio(p, of_m, m, d, s)


class RAdam(Optimizer):
    """Adam whose rate is rectified while v is young: Liu et al. 2020, algorithm 2.

    ρ∞ = 2 / (1 - β₂) - 1 and ρ = ρ∞ - 2 t β₂ᵗ / (1 - β₂ᵗ). Where ρ > 5, p ← p - lr r m̂ / √v̂ with
    r² = (ρ - 4)(ρ - 2) ρ∞ / ((ρ∞ - 4)(ρ∞ - 2) ρ), and eps is added to √v; else p ← p - lr m̂. Raises
    ValueError for settings out of their range.
    """

    not_negative: ClassVar = _RANGES

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
        **hints: Any,
    ):
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults, **hints)

    def update_of(self, p: Any, group: dict[str, Any]) -> Job:
        """The update of `p` at its next step."""
        t, arrays = self.next_step(p, "exp_avg", "exp_avg_sq")
        (beta1, beta2), eps = group["betas"], group["eps"]
        rate, full = float(group["lr"]) / (1 - beta1**t), 2 / (1 - beta2) - 1
        rho = full - 2 * t * beta2**t / (1 - beta2**t)
        rectified = rho > 5
        if rectified:
            r = (rho - 4) * (rho - 2) * full / ((full - 4) * (full - 2) * rho)
            rate *= math.sqrt(r * (1 - beta2**t))
        numbers = 1 - beta1, beta2, 1 - beta2, eps, rate
        return _rectified if rectified else _unrectified, arrays, 1, numbers


def _rectified(arrays: Any, scratch: Any, numbers: Any) -> None:
    (p, g, m, v), (s,), (of_m, beta2, of_v, eps, rate) = arrays, scratch, numbers
    average(m, g, of_m, s)
    average_square(v, g, beta2, of_v, s)
    np.sqrt(v, out=s)
    np.add(s, eps, out=s)
    subtract_ratio(p, rate, m, s, s)


def _unrectified(arrays: Any, scratch: Any, numbers: Any) -> None:
    (p, g, m, v), (s,), (of_m, beta2, of_v, _, rate) = arrays, scratch, numbers
    average(m, g, of_m, s)
    average_square(v, g, beta2, of_v, s)
    np.multiply(m, rate, out=s)
    np.subtract(p, s, out=p)
