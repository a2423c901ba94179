"""L-BFGS: steps along −H g, with an approximation H of the inverse Hessian of all parameters."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np

from ..engine import enable_grad, mark_written, no_grad, wrap
from ..tensor import Tensor
from .line_search import Point, dot, strong_wolfe
from .optimizer import Optimizer, Params

__all__ = ["LBFGS"]


class LBFGS(Optimizer):
    """Up to `max_iter` iterations a step of the limited-memory method of Broyden, Fletcher, Goldfarb
    and Shanno, with the last `history_size` changes (Nocedal and Wright 2006, section 7.2).

    `step(closure)` calls `closure`, which computes the loss and its gradients, several times: at most
    about `max_eval` times, 1.25 max_iter by default. It ends where the largest gradient is at most
    `tolerance_grad`, or the step or the change of the loss at most `tolerance_change`. An iteration
    moves by lr along the direction; with `line_search_fn="strong_wolfe"` a line search chooses the
    length. Raises ValueError for several groups and a negative lr, RuntimeError for another line search.

    >>> x = tc.tensor([3.0, -2.0], requires_grad=True)
    >>> optimizer = tc.optim.LBFGS([x], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = ((x - 1) ** 2).sum()
    ...     loss.backward()
    ...     return loss
    >>> optimizer.step(closure)
    tensor(13., grad_fn=<SumBackward0>)
    >>> x.detach().round(decimals=3)
    tensor([1., 1.])
    """

    not_negative = ("lr",)

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ):
        settings = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, settings)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Set the parameters. Raises ValueError for a second group."""
        if self.param_groups:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")
        super().add_param_group(param_group)

    def fitted(self, name: str, value: Any, p: Any) -> Any:
        """A copy of a loaded value: the state is of all parameters together."""
        return deepcopy(value)

    def step(self, closure: Callable[[], Any]) -> Any:  # type: ignore[override]
        """Run the iterations. Returns the loss before them, the first result of `closure`."""
        (group,) = self.param_groups
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            raise RuntimeError("only 'strong_wolfe' is supported")
        with no_grad():
            return self._step(group, enable_grad()(closure))

    def _step(self, group: dict[str, Any], closure: Callable[[], Any]) -> Any:
        params = group["params"]
        state = self.state[params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        lr, tiny = float(group["lr"]), group["tolerance_change"]
        first = closure()
        loss, g, evaluations = float(first), _gradient(params), 1
        state["func_evals"] += 1
        if _largest(g) <= group["tolerance_grad"]:
            return first
        history = _History.of(state, group["history_size"])
        d, t = _array(state.get("d")), float(state.get("t") or 0)
        before, loss_before = _array(state.get("prev_flat_grad")), state.get("prev_loss")
        for iteration in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            if state["n_iter"] == 1:
                history.clear(g.dtype)
                d, t = -g, min(1.0, 1 / float(np.abs(g).sum())) * lr
            else:
                history.add(g - before, d * d.dtype.type(t))
                d, t = history.direction(g), lr
            before, loss_before = g.copy(), loss
            slope = float(dot(g, d))
            if slope > -tiny:
                break
            calls = 0
            if group["line_search_fn"] is not None:
                start = [p._array.copy() for p in params]

                def at(t: float, d: Any = d, start: Any = start) -> Point:
                    _move(params, t, d)
                    try:
                        return Point(t, float(closure()), _gradient(params), d)
                    finally:
                        for p, x in zip(params, start, strict=True):
                            p._array[...] = x
                            mark_written(p._array)

                most = group["max_eval"] - evaluations
                found, calls = strong_wolfe(at, t, Point(0.0, loss, g, d), _largest(d), most)
                loss, g, t = found.loss, found.g, found.t
                _move(params, t, d)
            else:
                _move(params, t, d)
                if iteration != group["max_iter"]:
                    loss, g, calls = float(closure()), _gradient(params), 1
            evaluations += calls
            state["func_evals"] += calls
            if (
                evaluations >= group["max_eval"]
                or _largest(g) <= group["tolerance_grad"]
                or _largest(d * t) <= tiny
                or abs(loss - loss_before) < tiny
            ):
                break
        state.update(d=wrap(d), t=t, prev_flat_grad=wrap(before), prev_loss=loss_before)
        history.into(state)
        return first


class _History:
    """The changes y of the gradient and s of the parameters, oldest first, with ρ = 1 / yᵀs."""

    def __init__(self, ys: list[Any], ss: list[Any], rhos: list[Any], scale: Any, size: int):
        self.ys, self.ss, self.rhos, self.scale, self.size = ys, ss, rhos, scale, size
        self.alphas: list[Any] = [None] * size

    @classmethod
    def of(cls, state: dict[str, Any], size: int) -> _History:
        """That in the state of the optimizer."""
        ys, ss, rhos = (
            list(map(_array, state.get(name) or [])) for name in ("old_dirs", "old_stps", "ro")
        )
        return cls(ys, ss, rhos, _array(state.get("H_diag", 1)), size)

    def into(self, state: dict[str, Any]) -> None:
        """Write it to the state of the optimizer, in PyTorch's form."""
        lists = {"old_dirs": self.ys, "old_stps": self.ss, "ro": self.rhos, "al": self.alphas}
        for name, values in lists.items():
            state[name] = [None if v is None else wrap(np.asarray(v)) for v in values]
        state["H_diag"] = wrap(np.asarray(self.scale))

    def clear(self, dtype: Any) -> None:
        """Forget all changes: H = 1."""
        self.ys, self.ss, self.rhos, self.scale = [], [], [], dtype.type(1)

    def add(self, y: Any, s: Any) -> None:
        """Add a change, if the curvature yᵀs is positive."""
        curvature = dot(y, s)
        if curvature <= 1e-10:
            return
        if len(self.ys) == self.size:
            for values in (self.ys, self.ss, self.rhos):
                values.pop(0)
        self.ys.append(y)
        self.ss.append(s)
        self.rhos.append(1 / curvature)
        self.scale = curvature / dot(y, y)

    def direction(self, g: Any) -> Any:
        """−H g, by the two loops of Nocedal (1980)."""
        n, q = len(self.ys), -g
        for k in reversed(range(n)):
            self.alphas[k] = dot(self.ss[k], q) * self.rhos[k]
            q -= self.alphas[k] * self.ys[k]
        d = q * self.scale
        for k in range(n):
            d += self.ss[k] * (self.alphas[k] - dot(self.ys[k], d) * self.rhos[k])
        return d


def _array(value: Any) -> Any:
    return value._array if isinstance(value, Tensor) else value


def _largest(x: Any) -> float:
    return float(np.abs(x).max(initial=0))


def _gradient(params: list[Any]) -> np.ndarray:
    """The gradients of all parameters, in one vector."""
    return np.concatenate(
        [(np.zeros_like(p._array) if p.grad is None else p.grad._array).reshape(-1) for p in params]
    )


def _move(params: list[Any], t: float, d: Any) -> None:
    """p ← p + t d."""
    start = 0
    for p in params:
        end = start + p._array.size
        p._array += (t * d[start:end]).reshape(p._array.shape).astype(p._array.dtype, copy=False)
        mark_written(p._array)
        start = end
