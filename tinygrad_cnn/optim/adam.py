"""Adam and its variants: running averages of the gradient and of its square.

In all of them m ← β₁ m + (1 − β₁) g and v ← β₂ v + (1 − β₂) g², both from 0, and t counts the steps of
the parameter from 1. g is the gradient, negated with `maximize`, plus weight_decay · p. With
`decoupled_weight_decay`, p ← p − lr · weight_decay · p comes first, and g is the gradient alone.

`foreach`, `fused` and `capturable` have no effect; `differentiable=True` raises NotImplementedError.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from ..engine import wrap
from ..tensor import Tensor
from .optimizer import NOT_NEGATIVE, Optimizer, Params, group_defaults
from .updates import Job, assign, average, average_square, subtract_ratio


class _WithBetas(Optimizer):
    not_negative: ClassVar[tuple[str, ...]] = NOT_NEGATIVE

    def check(self, group: dict[str, Any]) -> None:
        """Raise ValueError for settings out of range."""
        super().check(group)
        for i, beta in enumerate(group["betas"]):
            if not 0 <= beta < 1:
                raise ValueError(f"Invalid beta parameter at index {i}: {beta}")


class Adam(_WithBetas):
    """p ← p − lr m̂ / (√v̂ + eps): Kingma and Ba 2015, algorithm 1.

    m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ). With `amsgrad` the largest v so far replaces v (Reddi et
    al. 2018). Raises ValueError for settings out of range.

    >>> x = tc.tensor([1.0, -5.0], requires_grad=True)
    >>> optimizer = tc.optim.Adam([x], lr=0.1)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x
    tensor([ 0.9000, -4.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ):
        super().__init__(params, group_defaults(locals()))

    def update_of(self, p: Tensor, group: dict[str, Any]) -> Job:
        """The next update of `p`."""
        names = ["exp_avg", "exp_avg_sq"] + ["max_exp_avg_sq"] * bool(group["amsgrad"])
        t, arrays, count = self.next_step(p, *names)
        beta1, beta2 = group["betas"]
        # With c = √(1 − β₂ᵗ):  lr m̂ / (√v̂ + eps) = (lr c / (1 − β₁ᵗ)) m / (√v + c eps)
        c = math.sqrt(1 - beta2**t)
        rate, eps = float(group["lr"]) * c / (1 - beta1**t), group["eps"] * c
        return _adam, arrays, 1, (1 - beta1, beta2, 1 - beta2, eps, rate), count


def _adam(arrays: Any, scratch: Any, numbers: Any) -> None:
    """p ← p − rate · m / (√v + eps), with v or its maximum so far."""
    (p, g, m, v, *largest), (s,), (of_m, beta2, of_v, eps, rate) = arrays, scratch, numbers
    average(m, g, of_m, s)
    average_square(v, g, beta2, of_v, s)
    for other in largest:
        v = np.maximum(other, v, out=other)
    np.sqrt(v, out=s)
    np.add(s, eps, out=s)
    subtract_ratio(p, rate, m, s, s)


class AdamW(Adam):
    """Adam with decoupled weight decay, by default 1e-2: Loshchilov and Hutter 2019.

    >>> x = tc.tensor([1.0], requires_grad=True)
    >>> optimizer = tc.optim.AdamW([x], lr=0.1, weight_decay=0.5)
    >>> (x * x).sum().backward()
    >>> optimizer.step()  # 1 − lr · weight_decay − lr
    >>> x
    tensor([0.8500], requires_grad=True)
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ):
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad, foreach=foreach, maximize=maximize,
            capturable=capturable, differentiable=differentiable, fused=fused,
            decoupled_weight_decay=True,
        )  # fmt: skip


class Adamax(_WithBetas):
    """p ← p − lr / (1 − β₁ᵗ) · m / u with u ← max(β₂ u, |g| + eps): Kingma and Ba 2015, algorithm 2.

    Raises ValueError for settings out of range.

    >>> x = tc.tensor([1.0], requires_grad=True)
    >>> optimizer = tc.optim.Adamax([x], lr=0.1)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x
    tensor([0.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ):
        super().__init__(params, group_defaults(locals()))

    def update_of(self, p: Tensor, group: dict[str, Any]) -> Job:
        """The next update of `p`."""
        t, arrays, count = self.next_step(p, "exp_avg", "exp_inf")
        (beta1, beta2), eps = group["betas"], group["eps"]
        rate = float(group["lr"]) / (1 - beta1**t)
        return _adamax, arrays, 1, (1 - beta1, beta2, eps, rate), count


def _adamax(arrays: Any, scratch: Any, numbers: Any) -> None:
    (p, g, m, u), (s,), (of_m, beta2, eps, rate) = arrays, scratch, numbers
    average(m, g, of_m, s)
    np.abs(g, out=s)
    np.add(s, eps, out=s)
    np.multiply(u, beta2, out=u)
    np.maximum(u, s, out=u)
    subtract_ratio(p, rate, m, u, s)


class NAdam(_WithBetas):
    """Adam with Nesterov's momentum: Dozat 2016.

    μₜ = β₁ (1 − 0.96^(t · momentum_decay) / 2), M = μ₁ ··· μₜ, v̂ = v / (1 − β₂ᵗ) and
    p ← p − lr [(1 − μₜ) / (1 − M) · g + μₜ₊₁ / (1 − M μₜ₊₁) · m] / (√v̂ + eps). Raises ValueError for
    settings out of range.

    >>> x = tc.tensor([1.0], requires_grad=True)
    >>> optimizer = tc.optim.NAdam([x], lr=0.1)
    >>> for _ in range(2):
    ...     optimizer.zero_grad()
    ...     (x * x).sum().backward()
    ...     optimizer.step()
    >>> x
    tensor([0.8200], requires_grad=True)
    """

    not_negative: ClassVar = (*NOT_NEGATIVE, "momentum_decay")

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ):
        super().__init__(params, group_defaults(locals()))

    def update_of(self, p: Tensor, group: dict[str, Any]) -> Job:
        """The next update of `p`."""
        t, arrays, count = self.next_step(p, "exp_avg", "exp_avg_sq")
        (beta1, beta2), eps, lr = group["betas"], group["eps"], float(group["lr"])
        mu, mu_next = (
            beta1 * (1 - 0.5 * 0.96 ** (k * group["momentum_decay"])) for k in (t, t + 1)
        )
        product = self.state[p].get("mu_product", 1.0)
        if not isinstance(product, Tensor):
            product = self.state[p]["mu_product"] = wrap(np.array(product, np.float32))
        so_far = float(product._array * np.float32(mu))
        of_g, of_m = lr * (1 - mu) / (1 - so_far), lr * mu_next / (1 - so_far * mu_next)
        c = math.sqrt(1 - beta2**t)
        numbers = (1 - beta1, beta2, 1 - beta2, c, eps, of_g, of_m)
        return _nadam, arrays, 2, numbers, count, assign(product, so_far)


def _nadam(arrays: Any, scratch: Any, numbers: Any) -> None:
    (p, g, m, v), (s, d), (rest, beta2, of_v, c, eps, of_g, of_m) = arrays, scratch, numbers
    average(m, g, rest, s)
    average_square(v, g, beta2, of_v, s)
    np.sqrt(v, out=d)
    np.divide(d, c, out=d)
    np.add(d, eps, out=d)
    subtract_ratio(p, of_g, g, d, s)
    subtract_ratio(p, of_m, m, d, s)


class RAdam(_WithBetas):
    """Adam whose rate is rectified while v is young: Liu et al. 2020, algorithm 2.

    ρ∞ = 2 / (1 − β₂) − 1 and ρ = ρ∞ − 2 t β₂ᵗ / (1 − β₂ᵗ). Where ρ > 5, p ← p − lr r m̂ / √v̂ with
    r² = (ρ − 4)(ρ − 2) ρ∞ / ((ρ∞ − 4)(ρ∞ − 2) ρ), and eps is added to √v; otherwise p ← p − lr m̂.
    Raises ValueError for settings out of range.

    >>> x = tc.tensor([1.0], requires_grad=True)
    >>> optimizer = tc.optim.RAdam([x], lr=0.1)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x
    tensor([0.8000], requires_grad=True)
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ):
        super().__init__(params, group_defaults(locals()))

    def update_of(self, p: Tensor, group: dict[str, Any]) -> Job:
        """The next update of `p`."""
        t, arrays, count = self.next_step(p, "exp_avg", "exp_avg_sq")
        (beta1, beta2), eps = group["betas"], group["eps"]
        rate, full = float(group["lr"]) / (1 - beta1**t), 2 / (1 - beta2) - 1
        rho = full - 2 * t * beta2**t / (1 - beta2**t)
        rectified = rho > 5
        if rectified:
            r = (rho - 4) * (rho - 2) * full / ((full - 4) * (full - 2) * rho)
            rate *= math.sqrt(r * (1 - beta2**t))
        update = _adam if rectified else _unrectified
        return update, arrays, 1, (1 - beta1, beta2, 1 - beta2, eps, rate), count


def _unrectified(arrays: Any, scratch: Any, numbers: Any) -> None:
    """p ← p − rate · m."""
    (p, g, m, v), (s,), (of_m, beta2, of_v, _, rate) = arrays, scratch, numbers
    average(m, g, of_m, s)
    average_square(v, g, beta2, of_v, s)
    np.multiply(m, rate, out=s)
    np.subtract(p, s, out=p)
