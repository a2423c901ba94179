"""Differentiable: a function of arrays with its vjp, from any library or written by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .subject import Array, Subject, double, is_floating, module_of


class Differentiable:
    """A function of arrays, and its vjp. All checks take one in place of a function of Tensors.

    - `value(*xs)` returns an array or several;
    - `vjp(g, *xs)` returns the gradient for each input of floating point, in their order: an array,
      or a tuple of arrays for several inputs. None stands for zeros. `g` is the cotangent, with the
      shape of the output; of a function with several outputs, a tuple;
    - `second(hs, g, *xs)`, where there is one, is the vjp of the vjp, for checks of second order:
      for cotangents `hs` of the gradients, the gradients for all inputs of floating point and then
      for each part of `g`;
    - `name` and `module` are those of the function, for messages; by default those of `value`;
    - `extra` are more inputs by name, which every call gets after the others: the parameters of a
      module. With them, all is checked in float64.
    """

    def __init__(
        self,
        value: Callable[..., Any],
        vjp: Callable[..., Any],
        *,
        name: str = "",
        module: str = "",
        second: Callable[..., Any] | None = None,
        extra: dict[str, Array] | None = None,
    ):
        self.value, self.vjp, self.second, self.extra = value, vjp, second, extra or {}
        self.name = name or str(getattr(value, "__name__", type(value).__name__))
        self.module = module or module_of(value)

    def subject(
        self, xs: Sequence[Any], wrt: int | Sequence[int] | None = None, name: str = ""
    ) -> Subject:
        """The function at `xs`, as a Subject. Numbers, and lists of numbers, are arrays.

        Raises ValueError if `wrt` names an input that is not of floating point, and if none is.
        """
        given = [_array(x) for x in xs]
        names = [*(f"input {k}" for k in range(len(given))), *self.extra]
        if self.extra:
            given = [double(x) for x in (*given, *self.extra.values())]
        floating = [k for k, x in enumerate(given) if is_floating(x)]
        chosen = floating if wrt is None else [wrt] if isinstance(wrt, int) else list(wrt)
        for k in chosen:
            if not -len(xs) <= k < len(given) or not is_floating(given[k]):
                raise ValueError(
                    f"{self.name}: cannot differentiate by input {k}: it is no array of floats"
                )
        if not chosen:
            raise ValueError(f"{self.name}: no input of floating point to differentiate by")
        chosen = [k % len(xs) if k < 0 else k for k in chosen]

        def value(points: Sequence[Any]) -> list[Array]:
            with np.errstate(all="ignore"):
                return _outputs(self.value(*points), self.name)

        def vjp(points: Sequence[Any], us: Sequence[Array]) -> list[Array]:
            with np.errstate(all="ignore"):
                found = self.vjp(us[0] if len(us) == 1 else tuple(us), *points)
            found = list(found) if isinstance(found, (tuple, list)) else [found]
            if len(found) != len(floating):
                raise ValueError(
                    f"{self.name}: vjp must return a gradient for each of {len(floating)} inputs of "
                    f"floating point, got {len(found)}"
                )
            place = dict(zip(floating, found, strict=True))
            return [
                np.zeros_like(points[k]) if place[k] is None else np.asarray(place[k])
                for k in chosen
            ]

        return _Of(self, value, vjp, given, chosen, name or self.name, names)


class _Of(Subject):
    """A Differentiable at a point."""

    def __init__(self, fn: Differentiable, *given: Any):
        super().__init__(*given)
        self.fn, self.module = fn, fn.module

    def moved(self, xs: Sequence[Any]) -> Subject:
        """The same function at other inputs."""
        return _Of(self.fn, self.value, self.vjp, xs, self.wrt, self.name, self.names)

    def second_subject(self, us: Sequence[Array]) -> Subject | None:
        """The gradient (*xs, *us) ↦ gradients, as a Subject. None without a vjp of the vjp."""
        n, second = len(self.xs), self.fn.second
        if second is None:
            return None
        floating = [k for k, x in enumerate(self.xs) if is_floating(x)]
        places = [*floating, *range(n, n + len(us))]

        def value(points: Sequence[Any]) -> list[Array]:
            return self.vjp(points[:n], points[n:])

        def vjp(points: Sequence[Any], hs: Sequence[Array]) -> list[Array]:
            given = dict(zip(self.wrt, hs, strict=True))
            all_hs = [given.get(k, np.zeros_like(points[k])) for k in floating]
            us = points[n:]
            with np.errstate(all="ignore"):
                found = second(all_hs, us[0] if len(us) == 1 else tuple(us), *points[:n])
            place = dict(zip(places, found, strict=True))
            return [
                np.zeros_like(points[k]) if place[k] is None else np.asarray(place[k])
                for k in (*self.wrt, *range(n, len(points)))
            ]

        return Subject(
            value, vjp, [*self.xs, *us], [*self.wrt, *range(n, n + len(us))],
            f"the gradient of {self.name}",
            [*self.names, *(f"the cotangent {j}" for j in range(len(us)))],
        )  # fmt: skip


def _array(x: Any) -> Any:
    if isinstance(x, np.ndarray):
        return x
    if isinstance(x, (float, np.floating)):
        return np.array(x)
    if isinstance(x, list):
        made = np.asarray(x)
        return made if made.dtype.kind == "f" else x
    return x


def _outputs(result: Any, name: str) -> list[Array]:
    parts = list(result) if isinstance(result, (tuple, list)) else [result]
    arrays = [np.asarray(y) for y in parts]
    found = [y for y in arrays if y.dtype.kind == "f"]
    if not found:
        raise TypeError(f"{name}: returned no array of floating point")
    return found
