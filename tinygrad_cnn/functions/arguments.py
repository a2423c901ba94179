"""Checks of arguments that public functions share, and the errors that they raise."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import ops
from ..dtypes import shown
from ..engine import Recorded
from ..engine.dtypes import FLOATING, get_default_dtype, result_type
from ..types import Number


def axis(name: str, ndim: int, dim: Any) -> int:
    """`dim` as an axis counted from 0. A tensor without axes has the axis 0, as PyTorch's have.

    Raises TypeError if `dim` is no integer, IndexError if there is no such axis.
    """
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
    """`dim` (an integer, several, or None for all) as axes counted from 0; None for all.

    Raises RuntimeError if an axis is named twice.
    """
    if dim is None:
        return None
    several = dim if isinstance(dim, (tuple, list)) else (dim,)
    found = tuple([axis(name, ndim, d) for d in several])
    if len(set(found)) < len(found):
        raise RuntimeError(f"{name}: dim {dim} appears multiple times in the list of dims")
    if not found or not ndim:
        return None
    return found


def sizes(name: str, values: tuple[Any, ...], argument: str = "size") -> tuple[int, ...]:
    """The integers of `f(2, 3)` and of `f((2, 3))`. TypeError if there are none, or others."""
    if not values:
        raise TypeError(f'{name}() missing 1 required positional arguments: "{argument}"')
    if len(values) == 1 and not hasattr(values[0], "__index__"):
        values = values[0]
    return ints(name, argument, values)


def ints(name: str, argument: str, values: Any) -> tuple[int, ...]:
    """A tuple or list of integers, as a tuple; TypeError in PyTorch's words for anything else."""
    if not isinstance(values, (tuple, list)):
        found = f"not {kind_of(values)}: give a tuple or list of integers"
    else:
        try:
            return tuple([n if type(n) is int else operator.index(n) for n in values])
        except TypeError:
            place, wrong = next((k, n) for k, n in enumerate(values) if not _is_integer(n))
            found = f"but found element of type {kind_of(wrong)} at pos {place}"
    raise TypeError(f"{name}(): argument '{argument}' must be tuple of ints, {found}")


def integer(name: str, argument: str, value: Any) -> int:
    """An integer, as an int; TypeError in PyTorch's words for anything else."""
    if type(value) is int:
        return value
    if isinstance(value, bool) or not _is_integer(value):
        raise TypeError(f"{name}(): argument '{argument}' must be int, not {kind_of(value)}")
    return operator.index(value)


def _is_integer(value: Any) -> bool:
    try:
        operator.index(value)
    except TypeError:
        return False
    return True


def broadcast_shape(name: str, *shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape to which these shapes broadcast; RuntimeError if they do not."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        raise RuntimeError(
            f"{name}: shapes {' and '.join(map(str, shapes))} do not broadcast"
        ) from None


def scaled(x: Any, alpha: Number, other: Any) -> Any:
    """alpha · x in the dtype in which it is added to `other`.

    RuntimeError for an alpha of floating point if that is of integers, and of bool if it is not.
    """
    dtype = result_type(array_of(x), array_of(other))
    if type(alpha) is bool and dtype.kind != "b":
        raise RuntimeError("Boolean alpha only supported for Boolean results.")
    if isinstance(alpha, float) and dtype.kind not in FLOATING:
        raise RuntimeError(
            "For integral input tensors, argument alpha must not be a floating point number."
        )
    if alpha == 1:
        return x
    if isinstance(x, Recorded) and x._array.dtype.kind != dtype.kind:
        x = ops.cast(x, dtype=dtype)
    return ops.mul(x, bool(alpha) if dtype.kind == "b" else alpha)


def in_kind_of(dtype: np.dtype[Any], scale: Number) -> Number:
    """A factor as PyTorch's products take it: for integers its integer part."""
    return scale if dtype.kind in FLOATING else int(scale)


def constant(y: Any, *inputs: Any) -> Any:
    """`y` as a function of the inputs, in which it is piecewise constant: its gradients are 0."""
    for x in inputs:
        if isinstance(x, Recorded) and x._node is not None:
            nowhere = np.zeros(x._array.shape, bool)
            y = ops.add(y, ops.sum(ops.keep(x, nowhere)))
    return y


def in_floats(*xs: Any) -> list[Any]:
    """Tensors of integers and bools in the default dtype; other Tensors, and numbers, as they are."""
    return [
        ops.cast(x, dtype=get_default_dtype())
        if isinstance(x, Recorded) and x._array.dtype.kind not in FLOATING
        else x
        for x in xs
    ]


def check_floating(name: str, *operands: Any) -> None:
    """NotImplementedError, in PyTorch's words, unless the operands meet in a floating-point dtype."""
    dtype = result_type(*map(array_of, operands))
    if dtype.kind not in FLOATING:
        raise NotImplementedError(
            f'"{name}_cpu" not implemented for {shown(dtype)}: one of the inputs must be of '
            "floating point"
        )


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


def optional_tensors(name: str, first: int, /, **arguments: Any) -> None:
    """TypeError unless each is a Tensor or None: arguments of `name` from place `first` on."""
    for k, (argument, value) in enumerate(arguments.items(), first):
        if not (value is None or isinstance(value, Recorded)):
            raise not_a_tensor(name, argument, value, k)


def several(name: str, values: Sequence[Any]) -> list[Any]:
    """A sequence of Tensors as a list.

    Raises TypeError for an element that is no Tensor, RuntimeError for an empty sequence.
    """
    for k, x in enumerate(values):
        if not isinstance(x, Recorded):
            raise TypeError(
                f"expected Tensor as element {k} in argument 0, but got {kind_of(x)}: {name} takes "
                "Tensors"
            )
    if not values:
        raise RuntimeError(f"{name} expects a non-empty TensorList")
    return list(values)


def of_one_type(xs: Sequence[Any]) -> Sequence[Any]:
    """The Tensors, converted to the dtype in which they meet."""
    if len({x._array.dtype for x in xs}) == 1:
        return xs
    dtype = result_type(*(x._array for x in xs))
    return [ops.cast(x, dtype=dtype) for x in xs]
