"""Subject: a function of Tensors at a point, and the gradients that the engine computes for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import autograd
from ..engine import Node, enable_grad, wrap
from ..tensor import Tensor
from . import core
from .core import Array, blur
from .differences import Function, evaluate, floating_outputs
from .inputs import is_floating, plain


class Subject(core.Subject):
    """A function of Tensors, the inputs to check it at, and the inputs to differentiate by.

    - `fn` takes Tensors and returns one or several;
    - `xs` are arrays, Tensors, or any other arguments of the function; numbers and lists are arrays
      if `wrt` names them;
    - `wrt` numbers the inputs to differentiate by, from the end if negative; by default all of
      floating point;
    - `name` is the name of the function in messages, and `names` the names of its inputs.

    Raises ValueError if `wrt` has an input that is not of floating point, or no input at all.
    """

    blurs_saved = True

    def __init__(
        self,
        fn: Function,
        xs: Sequence[Any],
        wrt: int | Sequence[int] | None = None,
        *,
        name: str | None = None,
        names: Sequence[str] = (),
    ):
        self.fn, self.module = fn, core.module_of(fn)
        xs = [plain(x) for x in xs]
        name = name or _name(fn)
        if wrt is None:
            chosen = [k for k, x in enumerate(xs) if is_floating(x)]
        else:
            chosen = [wrt] if isinstance(wrt, int) else list(wrt)
        super().__init__(self._value, self._vjp, xs, [], name, names)
        for k in chosen:
            if not -len(xs) <= k < len(xs) or not is_floating(xs[k]):
                raise ValueError(
                    f"{name}: cannot differentiate by input {k}: wanted an array of floating "
                    f"point, there are {[self.describe(j) for j in range(len(xs))]}"
                )
        self.wrt = [k % len(xs) for k in chosen]
        if not self.wrt:
            raise ValueError(f"{name}: no input of floating point to differentiate by")

    def second(self, us: Sequence[Array], reached: Sequence[int]) -> Subject:
        """The gradient, as a function of inputs and cotangents: those of `reached` outputs count."""
        n = len(self.xs)
        return Subject(
            GradientFunction(self), [*self.xs, *us], [*self.wrt, *(n + j for j in reached)],
            name=f"the gradient of {self.name}",
            names=[*self.names, *(f"the cotangent {j}" for j in range(len(us)))],
        )  # fmt: skip

    def _value(self, xs: Sequence[Any]) -> list[Array]:
        return evaluate(self.fn, xs)

    def _vjp(self, xs: Sequence[Any], us: Sequence[Array]) -> list[Array]:
        tensors, outputs = self.run(xs)
        return [plain(g) for g in pull_back(outputs, [tensors[k] for k in self.wrt], us)]

    def moved(self, xs: Sequence[Any]) -> Subject:
        """The same function at other inputs."""
        return Subject(self.fn, xs, self.wrt, name=self.name, names=self.names)

    def restricted(self, wrt: Sequence[int]) -> Subject:
        """The same function, where these inputs alone require grad."""
        return Subject(self.fn, self.xs, wrt, name=self.name, names=self.names)

    def blurred(self, us: Sequence[Array], rng: np.random.Generator, epsilon: float) -> list[Array]:
        """As `core.Subject.blurred`. The arrays that ops saved are changed too."""
        xs = [blur(x, rng, epsilon) if k in self.wrt else x for k, x in enumerate(self.doubles)]
        inner = self.fn if isinstance(self.fn, GradientFunction) else None
        if inner is not None:
            inner.change = lambda outputs: blur_saved(outputs, rng, epsilon)
        try:
            tensors, outputs = self.run(xs)
        finally:
            if inner is not None:
                inner.change = None
        blur_saved(outputs, rng, epsilon)
        changed = [blur(u, rng, epsilon) for u in us]
        return [plain(g) for g in pull_back(outputs, [tensors[k] for k in self.wrt], changed)]

    def tensors(self, xs: Sequence[Any] | None = None) -> list[Any]:
        """The inputs as Tensors on the same arrays. The inputs in `wrt` require grad."""
        given = self.xs if xs is None else xs
        tensors = [wrap(x) if isinstance(x, np.ndarray) else x for x in given]
        for k in self.wrt:
            tensors[k].requires_grad = True
        return tensors

    def run(self, xs: Sequence[Any] | None = None) -> tuple[list[Any], list[Tensor]]:
        """The inputs as Tensors, and the floating-point outputs for them. `xs` replaces the inputs.

        Raises ValueError if no output requires grad.
        """
        tensors = self.tensors(xs)
        with enable_grad():
            outputs = floating_outputs(self.fn(*tensors))
        if not any(y.requires_grad for y in outputs):
            raise ValueError(
                f"{self.name}: no output requires grad, though {self.describe(self.wrt[0])} does: "
                "is the graph cut off by detach(), no_grad() or NumPy?"
            )
        return tensors, outputs

    def gradients(self, cotangents: Sequence[Array]) -> list[Array]:
        """Jᵀu for each input of `wrt`; zeros for an input that no output depends on."""
        return self._vjp(self.xs, cotangents)


def blur_saved(outputs: Sequence[Tensor], rng: np.random.Generator, epsilon: float) -> None:
    """Change all arrays that the graph of some outputs saved at random, by up to `epsilon`."""
    found: dict[int, Node] = {}
    todo: list[Any] = [y._node for y in outputs]
    while todo:
        node = todo.pop()
        if node is not None and id(node) not in found:
            found[id(node)] = node
            todo += node.parents if node.op is not None else ()
            node.saved = tuple(
                blur(s, rng, epsilon) if is_floating(s) and isinstance(s, np.ndarray) else s
                for s in node.saved or ()
            )


def _name(fn: Function) -> str:
    owner = getattr(fn, "__self__", None)  # the class of a classmethod such as Function.apply
    return str(getattr(owner if isinstance(owner, type) else fn, "__name__", type(fn).__name__))


def pull_back(
    outputs: Sequence[Tensor],
    inputs: Sequence[Tensor],
    cotangents: Sequence[Array | Tensor],
    record: bool = False,
) -> list[Tensor]:
    """The gradients of `outputs` with respect to the inputs; zeros where there is no dependence.

    `record` makes a graph of the gradients (`create_graph`).
    """
    reached = [
        (y, u if isinstance(u, Tensor) else wrap(np.asarray(u, y.dtype)))
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


class GradientFunction:
    """The function (xs, us) ↦ gradients of the subject for the cotangents us.

    Checks of second order differentiate it. If none of its arguments requires grad, it runs the
    ordinary backward pass, on arrays. `change` is called with the outputs before that pass.
    """

    def __init__(self, subject: Subject):
        self.subject = subject
        self.change: Callable[[Sequence[Tensor]], None] | None = None
        self.__name__ = f"the gradient of {subject.name}"

    def __call__(self, *given: Any) -> tuple[Tensor, ...]:
        """The gradients at `given`: the inputs, then the cotangents."""
        subject, n = self.subject, len(self.subject.xs)
        record = any(getattr(t, "requires_grad", False) for t in given)
        xs = list(given[:n])
        for k in subject.wrt:
            if not xs[k].requires_grad:
                xs[k] = xs[k].detach().requires_grad_()
        with enable_grad():
            outputs = floating_outputs(subject.fn(*xs))
        if self.change is not None:
            self.change(outputs)
        inputs = [xs[k] for k in subject.wrt]
        return tuple(pull_back(outputs, inputs, given[n:], record))
