"""Adam, and AdamW, which is Adam with the weight decay apart from the gradient."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..graph import wrap
from ..tensor import Tensor
from .optimizer import Optimizer, Update, ascent, check_not_negative


class Adam(Optimizer):
    """p ← p - lr m̂ / (√v̂ + eps): Kingma and Ba 2015, algorithm 1.

    m ← β₁ m + (1 - β₁) g and v ← β₂ v + (1 - β₂) g², both from 0; m̂ = m / (1 - β₁ᵗ) and
    v̂ = v / (1 - β₂ᵗ) at the t-th step of the parameter. With `amsgrad` the largest v until now
    takes the place of v (Reddi et al. 2018). g is the gradient, with `maximize` negated, plus
    weight_decay · p. Raises ValueError for settings out of their range.

    >>> import tinygrad_cnn as tc
    >>> x = tc.tensor([1.0, -5.0], requires_grad=True)
    >>> optimizer = tc.optim.Adam([x], lr=0.1)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x
    tensor([ 0.9000, -4.9000], requires_grad=True)
    """

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

    def check(self, group: dict[str, Any]) -> None:
        """ValueError for negative settings, and for betas outside [0, 1)."""
        check_not_negative(group, lr="learning rate", eps="epsilon value")
        for i, beta in enumerate(group["betas"]):
            if not 0 <= beta < 1:
                raise ValueError(f"Invalid beta parameter at index {i}: {beta}")
        check_not_negative(group, weight_decay="weight_decay value")

    def _state(self, p: Any, amsgrad: bool) -> dict[str, Any]:
        state: dict[str, Any] = self.state[p]
        names = ["exp_avg", "exp_avg_sq"] + (["max_exp_avg_sq"] if amsgrad else [])
        if "step" not in state:
            state["step"] = wrap(np.zeros((), np.float32))
        elif not isinstance(state["step"], Tensor):  # a number, out of an old checkpoint
            state["step"] = wrap(np.array(state["step"], np.float32))
        for name in names:
            if name not in state:
                state[name] = wrap(np.zeros_like(p._array))
        return state

    def update_of(self, p: Any, group: dict[str, Any]) -> tuple[Update, tuple[Any, ...], int]:
        """The update of `p` at its next step."""
        amsgrad, decay, maximize = group["amsgrad"], group["weight_decay"], group["maximize"]
        state = self._state(p, amsgrad)
        step = state["step"]._array
        step += 1
        t, lr, (beta1, beta2) = float(step), float(group["lr"]), group["betas"]
        # With c = √(1 - β₂ᵗ):  lr m̂ / (√v̂ + eps) = (lr c / (1 - β₁ᵗ)) m / (√v + c eps)
        c = math.sqrt(1 - beta2**t)
        rate, eps = lr * c / (1 - beta1**t), group["eps"] * c
        apart = bool(group["decoupled_weight_decay"] and decay)
        coupled = {"weight_decay": 0 if apart else decay, "maximize": maximize}

        def update(p: Any, g: Any, m: Any, v: Any, *rest: Any) -> None:
            s = rest[-1]
            if apart:
                np.multiply(p, 1 - lr * decay, out=p)
            if scratch == 2:
                g = ascent(p, g, coupled, rest[-2])
            np.multiply(m, beta1, out=m)
            np.add(m, np.multiply(g, 1 - beta1, out=s), out=m)
            np.multiply(v, beta2, out=v)
            np.multiply(g, g, out=s)
            np.multiply(s, 1 - beta2, out=s)
            np.add(v, s, out=v)
            if amsgrad:
                v = np.maximum(rest[0], v, out=rest[0])
            np.sqrt(v, out=s)
            np.add(s, eps, out=s)
            np.divide(m, s, out=s)
            np.multiply(s, rate, out=s)
            np.subtract(p, s, out=p)

        scratch = 2 if maximize or coupled["weight_decay"] else 1
        arrays = [state["exp_avg"]._array, state["exp_avg_sq"]._array]
        if amsgrad:
            arrays.append(state["max_exp_avg_sq"]._array)
        return update, tuple(arrays), scratch


class AdamW(Adam):
    """Adam after p ← p - lr · weight_decay · p: Loshchilov and Hutter 2019.

    The decay, 1e-2 unless told, is no part of g. Otherwise as `Adam`.
    """

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
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            maximize=maximize,
            decoupled_weight_decay=True,
            **hints,
        )
