"""The keywords that functions which make Tensors share: `layout`, `device`, `requires_grad` ...

`pin_memory` is accepted without effect: there is no device to copy to. `public` handles `out`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import dtype_of
from ..engine import wrap
from ..engine.dtypes import get_default_dtype, result_type
from ..functions.arguments import array_of, ints, kind_of
from ..functions.indices import fill_value
from ..metadata import check_device, check_layout, check_memory_format


def made(
    name: str,
    array: np.ndarray,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool | None = False,
    memory_format: Any = None,
) -> Any:
    """The Tensor of a new array, once its keywords are checked."""
    if layout is not None:
        check_layout(name, layout)
    if device is not None:
        check_device(name, device)
    if memory_format is not None:
        check_memory_format(name, memory_format)
    x = wrap(array)
    if requires_grad:
        x.requires_grad = True
    return x


def size_of(name: str, values: tuple[Any, ...]) -> tuple[int, ...]:
    """The shape of `f(2, 3)` and of `f((2, 3))`.

    TypeError if there is none, or other than integers, RuntimeError for a negative one.
    """
    if not values:
        raise TypeError(f'{name}() missing 1 required positional arguments: "size"')
    if len(values) == 1 and not hasattr(values[0], "__index__"):
        values = values[0]
    found = ints(name, "size", values)
    if min(found, default=0) < 0:
        raise RuntimeError(
            f"{name}: Trying to create tensor with negative dimension {min(found)}: {list(found)}"
        )
    return found


def dtype_or_default(name: str, dtype: Any) -> np.dtype[Any]:
    """`dtype`, or the default dtype for None."""
    return get_default_dtype() if dtype is None else dtype_of(name, dtype)


def dtype_or(name: str, dtype: Any, other: np.dtype[Any]) -> np.dtype[Any]:
    """`dtype`, or another one for None."""
    return other if dtype is None else dtype_of(name, dtype)


def number(name: str, fill: Any, dtype: np.dtype[Any] | None) -> np.ndarray:
    """The value to fill with, a number or an array without axes, in `dtype`; None for its own.

    TypeError for anything else, RuntimeError for a number that is too large for the dtype.
    """
    value = array_of(fill)
    if isinstance(value, (int, float, np.generic)) or getattr(value, "ndim", 1) == 0:
        own = result_type(value) if dtype is None else dtype
        return np.asarray(fill_value(name, value, own)).astype(own)
    raise TypeError(
        f"{name}(): argument 'fill_value' (position 2) must be Number, not {kind_of(fill)}"
    )
