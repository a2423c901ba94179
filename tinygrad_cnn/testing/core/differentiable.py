"""Differentiable: a function of arrays with its vjp, from any library or written by hand."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import partial
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
      module. With them, all is checked in float64;
    - `made` is the adapter that made it, and its argument. Code in messages repeats that call.
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
        made: tuple[Callable[..., Any], Any] | None = None,
    ):
        self.value, self.vjp, self.second, self.extra = value, vjp, second, extra or {}
        self.made = made
        self.name = name or str(getattr(value, "__name__", type(value).__name__))
        self.module = module or module_of(value)

    def with_attributes(self, attributes: dict[str, Any]) -> Differentiable:
        """The same function, which gets these arguments by keyword, and so do its vjps."""
        if not attributes:
            return self
        value, vjp = partial(self.value, **attributes), partial(self.vjp, **attributes)
        return Differentiable(
            value, vjp, name=self.name, module=self.module, extra=self.extra, made=self.made,
            second=None if self.second is None else partial(self.second, **attributes),
        )  # fmt: skip

    def of_input(self, xs: Sequence[Any], k: int, name: str = "") -> Differentiable:
        """The function of input k alone, with the others as in `xs`."""
        place = sum(is_floating(as_array(x)) for x in xs[:k])

        def value(x: Array) -> Any:
            return self.value(*xs[:k], x, *xs[k + 1 :], *self.extra.values())

        def vjp(g: Any, x: Array) -> Any:
            found = self.vjp(g, *xs[:k], x, *xs[k + 1 :], *self.extra.values())
            return found[place] if isinstance(found, (tuple, list)) else found

        return Differentiable(value, vjp, name=name or self.name, module=self.module)

    def names(self, count: int) -> list[str]:
        """The names of so many inputs: those of the parameters of `value`, where they are known."""
        try:
            parameters = list(inspect.signature(self.value).parameters.values())
        except (TypeError, ValueError):  # a ufunc
            parameters = []
        by_place = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        known = [p.name for p in parameters if p.kind in by_place][:count]
        return [*known, *(f"input {k}" for k in range(len(known), count))]

    def subject(
        self, xs: Sequence[Any], wrt: int | Sequence[int] | None = None, names: Sequence[str] = ()
    ) -> Subject:
        """The function at `xs`, as a Subject. Numbers, and lists of numbers, are arrays.

        Raises ValueError if `wrt` names an input that is not of floating point, and if none is.
        """
        given = [as_array(x) for x in xs]
        names = [*(names or (f"input {k}" for k in range(len(given)))), *self.extra]
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
                return _outputs(self.value(*map(as_array, points)), self.name)

        def vjp(points: Sequence[Any], us: Sequence[Array]) -> list[Array]:
            points, us = list(map(as_array, points)), list(map(as_array, us))
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

        return _Of(self, value, vjp, given, chosen, self.name, names)


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
            points, given = list(map(as_array, points)), dict(zip(self.wrt, hs, strict=True))
            all_hs = [as_array(given.get(k, np.zeros_like(points[k]))) for k in floating]
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


def as_array(x: Any) -> Any:
    """A number or a list of numbers of floating point as an array; any other value as it is."""
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
