"""What the public functions check, and how they say what is wrong."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from operator import itemgetter
from typing import Any

import numpy as np

from .. import ops
from ..engine import Recorded
from ..engine.dtypes import result_type


def axis(name: str, ndim: int, dim: Any) -> int:
    """`dim` as an axis from 0; IndexError if there is none such, TypeError if it is no integer."""
    if isinstance(dim, (bool, float, str)) or not hasattr(dim, "__index__"):
        raise TypeError(f"{name}: dim must be an integer, got {dim!r}")
    dim = dim.__index__()
    n = max(ndim, 1)
    if not -n <= dim < n:
        raise IndexError(
            f"{name}: Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got "
            f"{dim})"
        )
    return int(dim % n)


def axes(name: str, ndim: int, dim: Any) -> tuple[int, ...] | None:
    """`dim` (an integer, several, or None for all) as axes from 0; None for all."""
    if dim is None:
        return None
    several = dim if isinstance(dim, (tuple, list)) else (dim,)
    found = tuple(axis(name, ndim, d) for d in several)
    if len(set(found)) < len(found):
        raise RuntimeError(f"{name}: dim {dim} appears multiple times in the list of dims")
    if not found or not ndim:
        return None
    return found


def sizes(shape: tuple[Any, ...]) -> tuple[int, ...]:
    """`f(2, 3)` and `f((2, 3))` alike, as a tuple of integers."""
    if len(shape) == 1 and isinstance(shape[0], (tuple, list)):
        shape = tuple(shape[0])
    return tuple([n if type(n) is int else int(operator.index(n)) for n in shape])


def ints(name: str, argument: str, values: Any) -> tuple[int, ...]:
    """A tuple or list of integers, as a tuple; TypeError in PyTorch's words for anything else."""
    if not isinstance(values, (tuple, list)):
        raise TypeError(
            f"{name}(): argument '{argument}' must be tuple of ints, not {kind_of(values)}"
        )
    try:
        return tuple([n if type(n) is int else operator.index(n) for n in values])
    except TypeError:
        place, wrong = next((k, n) for k, n in enumerate(values) if not _is_integer(n))
        raise TypeError(
            f"{name}(): argument '{argument}' must be tuple of ints, but found element of type "
            f"{kind_of(wrong)} at pos {place}"
        ) from None


def integer(name: str, argument: str, value: Any) -> int:
    """An integer, as an int; TypeError in PyTorch's words for anything else."""
    if isinstance(value, bool) or not _is_integer(value):
        raise TypeError(f"{name}(): argument '{argument}' must be int, not {kind_of(value)}")
    return operator.index(value)


def _is_integer(value: Any) -> bool:
    try:
        operator.index(value)
    except TypeError:
        return False
    return True


def array_of(x: Any) -> Any:
    """The array of a Tensor; anything else as it is."""
    return x._array if isinstance(x, Recorded) else x


def kind_of(value: Any) -> str:
    """The type of a value as PyTorch's messages name it."""
    kind = type(value)
    return f"numpy.{kind.__name__}" if kind.__module__ == "numpy" else kind.__name__


def not_a_tensor(
    name: str, argument: str, value: Any, position: int, wanted: str = "Tensor"
) -> TypeError:
    """The error for an argument that must be a Tensor, or several."""
    return TypeError(
        f"{name}(): argument '{argument}' (position {position}) must be {wanted}, not "
        f"{kind_of(value)}"
    )


def tensors(name: str, **arguments: Any) -> None:
    """TypeError unless each is a Tensor. They are the first arguments of `name`, in order."""
    for k, (argument, value) in enumerate(arguments.items(), 1):
        if not isinstance(value, Recorded):
            raise not_a_tensor(name, argument, value, k)


def several(name: str, values: Any) -> list[Any]:
    """A sequence of Tensors as a list; TypeError for anything else, RuntimeError for an empty one."""
    if not isinstance(values, (tuple, list)):
        raise TypeError(
            f"{name}(): argument 'tensors' (position 1) must be tuple of Tensors, not "
            f"{kind_of(values)}"
        )
    for k, x in enumerate(values):
        if not isinstance(x, Recorded):
            raise TypeError(
                f"expected Tensor as element {k} in argument 0, but got {kind_of(x)}: {name} wants "
                "Tensors"
            )
    if not values:
        if name in ("cat", "concat", "concatenate"):
            raise ValueError(f"torch.{name}(): expected a non-empty list of Tensors")
        raise RuntimeError(f"{name} expects a non-empty TensorList")
    return list(values)


def of_one_type(xs: Sequence[Any]) -> Sequence[Any]:
    """The Tensors in the type that they meet in."""
    if len({x._array.dtype for x in xs}) == 1:
        return xs
    dtype = result_type(*(x._array for x in xs))
    return [ops.cast(x, dtype=dtype) for x in xs]


def positions(name: str, index: Any, size: int, dims: Any = None) -> np.ndarray:
    """The array of an index Tensor, checked: int64 or int32, each in [0, size)."""
    i = array_of(index)
    if not isinstance(i, np.ndarray) or i.dtype not in (np.int64, np.int32):
        got = getattr(i, "dtype", type(i).__name__)
        raise RuntimeError(f"{name}: Expected dtype int32/int64 for index, got {got}")
    if dims is not None and i.ndim not in dims:
        raise IndexError(f"{name}: Index is supposed to be a vector, got shape {i.shape}")
    if i.size and (i.min() < 0 or i.max() >= size):
        raise IndexError(f"{name}: index out of range in self: [{i.min()}, {i.max()}] of {size}")
    return i


def printed(name: str, results: Any) -> str:
    """The text of a named tuple with the results of a function, as PyTorch prints it."""
    parts = ",\n".join([f"{f}={x!r}" for f, x in zip(results._fields, results, strict=True)])
    return f"torch.return_types.{name}(\n{parts})"


class Results(tuple[Any, ...]):
    """Several results with names, which print as PyTorch's. (A namedtuple, but quick to define.)"""

    __slots__ = ()
    _fields: tuple[str, ...] = ()

    def __new__(cls, *values: Any) -> Any:
        return tuple.__new__(cls, values)

    def __getnewargs__(self) -> tuple[Any, ...]:
        return tuple(self)

    def __repr__(self) -> str:
        return printed(type(self).__name__, self)


def results(name: str, *fields: str) -> Any:
    """The type of the results of a function."""
    named: dict[str, Any] = {field: property(itemgetter(k)) for k, field in enumerate(fields)}
    return type(name, (Results,), {"__slots__": (), "_fields": fields, **named})
