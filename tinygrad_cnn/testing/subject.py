"""What is checked: a function at a point, and the gradients that the engine gives for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import autograd
from ..engine import Recorded, enable_grad, wrap
from .differences import Function, double, floating_outputs, is_floating, plain
from .values import Array


class Subject:
    """A function of Tensors, the inputs to check it at, and those (`wrt`) to differentiate by."""

    def __init__(
        self,
        fn: Function,
        xs: Sequence[Any],
        wrt: int | Sequence[int] | None = None,
        *,
        name: str | None = None,
        names: Sequence[str] = (),
    ):
        self.fn = fn
        self.xs = [plain(x) for x in xs]
        self.name = name or _name(fn)
        self.names = list(names) or [f"input {k}" for k in range(len(xs))]
        self.doubles = [double(x) for x in self.xs]
        if wrt is None:
            wrt = [k for k, x in enumerate(xs) if is_floating(x)]
        self.wrt = [wrt] if isinstance(wrt, int) else list(wrt)
        for k in self.wrt:
            if not -len(xs) <= k < len(xs) or not is_floating(self.xs[k]):
                raise ValueError(
                    f"{self.name}: cannot differentiate by input {k}: wanted an array of floating "
                    f"point, there are {[self.describe(j) for j in range(len(xs))]}"
                )
        if not self.wrt:
            raise ValueError(f"{self.name}: no input of floating point to differentiate by")

    def describe(self, k: int) -> str:
        """Input k, with its shape and dtype."""
        x = self.xs[k]
        return f"{self.names[k]} {x.shape} {x.dtype}" if isinstance(x, np.ndarray) else repr(x)

    def tensors(self, record: bool = True) -> list[Any]:
        """The inputs as Tensors on the same arrays, those of `wrt` requiring grad."""
        ts = [wrap(x) if isinstance(x, np.ndarray) else x for x in self.xs]
        for k in self.wrt if record else ():
            ts[k].requires_grad = True
        return ts

    def run(self) -> tuple[list[Any], list[Any]]:
        """The inputs as Tensors, and the floating-point outputs for them.

        ValueError where no output requires grad.
        """
        tensors = self.tensors()
        with enable_grad():
            outputs = floating_outputs(self.fn(*tensors))
        if not any(y.requires_grad for y in outputs):
            raise ValueError(
                f"{self.name}: no output requires grad, though {self.describe(self.wrt[0])} does: "
                "is the graph cut off by detach(), no_grad() or NumPy?"
            )
        return tensors, outputs

    def gradients(self, cotangents: Sequence[Array]) -> list[Array]:
        """J̄ᵀu for each input of `wrt`: zeros for one that no output depends on."""
        tensors, outputs = self.run()
        inputs = [tensors[k] for k in self.wrt]
        return [plain(g) for g in pull_back(outputs, inputs, cotangents)]


def _name(fn: Function) -> str:
    owner = getattr(fn, "__self__", None)  # of a classmethod, as Function.apply
    return str(getattr(owner if isinstance(owner, type) else fn, "__name__", type(fn).__name__))


def pull_back(
    outputs: Sequence[Any], inputs: Sequence[Any], cotangents: Sequence[Any], record: bool = False
) -> list[Any]:
    """The gradients of `outputs` for the inputs, as Tensors; zeros where there is no dependence."""
    reached: list[tuple[Any, Any]] = [
        (y, u if isinstance(u, Recorded) else wrap(np.asarray(u, y.dtype)))
        for y, u in zip(outputs, cotangents, strict=True)
        if y.requires_grad
    ]
    return list(
        autograd.grad(
            [y for y, _ in reached],
            inputs,
            [u for _, u in reached],
            create_graph=record,
            materialize_grads=True,
        )
    )


def gradient_function(subject: Subject) -> Callable[..., tuple[Any, ...]]:
    """(xs, us) ↦ the gradients of the subject with the cotangents us: what second order checks.

    Where nothing that it is given requires grad, it is the ordinary backward pass, on arrays.
    """
    n = len(subject.xs)

    def gradients(*given: Any) -> tuple[Any, ...]:
        record = any(getattr(t, "requires_grad", False) for t in given)
        xs = list(given[:n])
        for k in subject.wrt:
            if not xs[k].requires_grad:
                xs[k] = xs[k].detach().requires_grad_()
        with enable_grad():
            outputs = floating_outputs(subject.fn(*xs))
        inputs = [xs[k] for k in subject.wrt]
        return tuple(pull_back(outputs, inputs, given[n:], record))

    gradients.__name__ = f"the gradient of {subject.name}"
    return gradients
