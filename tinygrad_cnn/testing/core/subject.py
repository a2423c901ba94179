"""Subject: a function of arrays at a point, and its vjp. The checks know no more than this."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Value = Callable[..., Any]  # of the inputs: the outputs, one array or several
Vjp = Callable[..., Any]  # of the inputs and the cotangents: the gradients


def is_floating(x: object) -> bool:
    """Whether x is an array of floating point."""
    return isinstance(x, np.ndarray) and x.dtype.kind == "f"


def double(x: Any) -> Any:
    """A float64 copy of an array of floating point; any other value as it is."""
    return x.astype(np.float64) if is_floating(x) else x


def blur(x: Array, rng: np.random.Generator, epsilon: float) -> Array:
    """x · (1 + δ), with a random |δ| ≤ `epsilon` for each element, in the dtype of x."""
    return np.asarray(x * (1 + epsilon * rng.uniform(-1, 1, x.shape))).astype(x.dtype)


def module_of(fn: Any) -> str:
    """The module of a function, of the class of a class method, or of the class of an object."""
    owner = getattr(fn, "__self__", None)
    home = owner if isinstance(owner, type) else fn
    module = getattr(home, "__module__", None)
    return module if isinstance(module, str) else type(home).__module__


class Subject:
    """A function of arrays, its vjp, and the inputs to check them at.

    - `value(xs)` returns the outputs of floating point, a list of arrays;
    - `vjp(xs, us)` returns the gradients of Σ⟨uⱼ, fⱼ(x)⟩ for the inputs numbered by `wrt`;
    - `xs` are arrays, and any other arguments of the function;
    - `name` is the name of the function in messages, and `names` the names of its inputs.
    """

    module = ""  # of the function, for reports
    blurs_saved = False  # whether `blurred` changes what the library saved, too

    def __init__(
        self,
        value: Callable[[Sequence[Any]], list[Array]],
        vjp: Callable[[Sequence[Any], Sequence[Array]], list[Array]],
        xs: Sequence[Any],
        wrt: Sequence[int],
        name: str = "the function",
        names: Sequence[str] = (),
    ):
        self.value, self.vjp, self.xs, self.wrt, self.name = value, vjp, list(xs), list(wrt), name
        self.names = list(names) or [f"input {k}" for k in range(len(self.xs))]
        self.doubles = [double(x) for x in self.xs]

    def moved(self, xs: Sequence[Any]) -> Subject:
        """The same function at other inputs."""
        return Subject(self.value, self.vjp, xs, self.wrt, self.name, self.names)

    def restricted(self, wrt: Sequence[int]) -> Subject | None:
        """The same function, differentiated by these inputs alone. None if its vjp gives all."""
        return None

    def second_subject(self, us: Sequence[Array]) -> Subject | None:
        """The gradient as a function of inputs and cotangents. None if it cannot be differentiated."""
        return None

    def outputs(self, k: int, x: Array) -> list[Array]:
        """The outputs with `x` as input k, and the other inputs in float64."""
        with np.errstate(all="ignore"):
            return self.value([*self.doubles[:k], x, *self.doubles[k + 1 :]])

    def blurred(self, us: Sequence[Array], rng: np.random.Generator, epsilon: float) -> list[Array]:
        """The gradients in float64 if inputs and cotangents are changed at random, relatively.

        A library that can do so also changes what it saved for the backward pass.
        """
        xs = [blur(x, rng, epsilon) if k in self.wrt else x for k, x in enumerate(self.doubles)]
        return [np.asarray(g) for g in self.vjp(xs, [blur(u, rng, epsilon) for u in us])]

    def describe(self, k: int) -> str:
        """Input k, with its shape and dtype."""
        x = self.xs[k]
        return f"{self.names[k]} {x.shape} {x.dtype}" if isinstance(x, np.ndarray) else repr(x)


def joined(subject: Subject) -> Subject:
    """The same function of one vector: of the inputs in `wrt`, one after the other."""
    shapes = [subject.doubles[k].shape for k in subject.wrt]
    ends = np.cumsum([subject.doubles[k].size for k in subject.wrt])[:-1]

    def parts(x: Array) -> list[Any]:
        xs = list(subject.doubles)
        pieces = zip(subject.wrt, np.split(x, ends), shapes, strict=True)
        for k, piece, shape in pieces:
            xs[k] = piece.reshape(shape)
        return xs

    def vjp(xs: Sequence[Any], us: Sequence[Array]) -> list[Array]:
        return [np.concatenate([np.ravel(g) for g in subject.vjp(parts(xs[0]), us)])]

    vector = np.concatenate([np.ravel(subject.doubles[k]) for k in subject.wrt])
    names = " and ".join(subject.names[k] for k in subject.wrt)
    value = lambda xs: subject.value(parts(xs[0]))  # noqa: E731
    return Subject(value, vjp, [vector], [0], subject.name, [names])
