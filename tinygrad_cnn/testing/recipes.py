"""How large arrays were made, for the snippet of a failed check, which cannot write them out."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

Array = np.ndarray[Any, Any]

# By the id of a living array that owns memory: a weak reference to it, and the sizes and
# expressions of the arrays in its memory.
_recipes: dict[int, tuple[weakref.ref[Array], list[tuple[int, str]]]] = {}


def _owner(x: Array) -> Array:
    return x.base if isinstance(x.base, np.ndarray) else x


def remember(x: Array, recipe: str) -> None:
    """Note the expression that made x."""
    key = id(_owner(x))
    if key not in _recipes:
        _recipes[key] = weakref.ref(_owner(x), lambda _: _recipes.pop(key, None)), []
    _recipes[key][1].append((x.size, recipe))


def recipes_of(x: Array) -> list[str]:
    """The expressions that may have made x, or the array that x is a view of.

    `separated` leaves one for each array that is too large to be written out. It is wrong if the
    generator had been used before, or the array has changed since.
    """
    reference, recipes = _recipes.get(id(_owner(x)), (None, []))
    if reference is None or reference() is not _owner(x):
        return []
    return [recipe for size, recipe in recipes if size == x.size]


def as_dtype(x: Array, dtype: DTypeLike) -> Array:
    """`x.astype(dtype)`, without a copy where x has that dtype; `recipes_of` knows the result."""
    made = x.astype(dtype, copy=False)
    if made is not x:
        for recipe in recipes_of(x):
            remember(made, f"{recipe}.astype({str(made.dtype)!r})")
    return made
