"""The constructors `Tensor(2, 3)`, `FloatTensor([1.0])` and `x.new(2, 3)`: sizes, or data."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import ops
from ..dtypes import shown
from ..engine import Recorded, wrap
from ..functions.arguments import kind_of
from ..metadata import Size, device
from .data import from_numpy, tensor
from .options import size_of


def new(
    name: str,
    dtype: np.dtype[Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    any_: bool = False,
) -> Any:
    """A Tensor of `dtype`: of sizes, whose elements are whatever the memory holds, or of data.

    The arguments are integers or one `Size`; or a sequence or an array, whose numbers are
    converted; or a Tensor, whose memory is shared. An array of this dtype shares its memory too. TypeError for
    anything else, and for a Tensor of another dtype unless `any_`.
    """
    args = _arguments(name, args, kwargs)
    if not args:
        return wrap(np.empty(0, dtype))
    data = args[0]
    if len(args) == 1 and isinstance(data, Recorded):
        if not any_ and data._array.dtype != dtype:
            raise TypeError(
                f"{name}(): expected a Tensor of {shown(dtype)}, got one of "
                f"{shown(data._array.dtype)}: convert it by to()"
            )
        return ops.getitem(data, index=(...,))
    if len(args) > 1 or isinstance(data, Size) or _is_size(data):
        if any(isinstance(n, bool) for n in args):
            raise TypeError(f"{name}(): argument 'size' must be tuple of ints, not bool")
        return wrap(np.empty(size_of(name, args), dtype))
    if isinstance(data, (str, bytes)):
        raise TypeError(f"{name}(): invalid data type '{type(data).__name__}'")
    if isinstance(data, np.ndarray):
        return from_numpy(data.astype(dtype, copy=False))
    if not hasattr(data, "__getitem__") or not hasattr(data, "__len__") or isinstance(data, dict):
        raise TypeError(f"{name}(): data must be a sequence (got {kind_of(data)})")
    return tensor(data if isinstance(data, (list, tuple)) else list(data), dtype=dtype)


def _is_size(value: Any) -> bool:
    """Whether a lone argument is a size: an integer, or an array of one without axes."""
    if isinstance(value, np.ndarray):
        return not value.ndim and value.dtype.kind in "iu"
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _arguments(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """The arguments by place, once the keywords are checked."""
    where = kwargs.pop("device", None)
    named = [name for name in ("size", "data", "other") if name in kwargs]
    if len(named) > bool(named and not args) or len(kwargs) > len(named):
        got = [kind_of(x) for x in args] + [f"{k}={kind_of(x)}" for k, x in kwargs.items()]
        raise TypeError(
            f"{name}() received an invalid combination of arguments - got ({', '.join(got)}): "
            "wanted sizes, or one of data and other, and device"
        )
    if named:
        value = kwargs[named[0]]
        args = (Size(value),) if named[0] == "size" else (value,)
    if where is not None:
        if args and isinstance(args[0], Recorded):
            raise RuntimeError(
                "Legacy tensor constructor of the form torch.Tensor(tensor, device=device) is not "
                "supported. Use torch.tensor(...) or torch.as_tensor(...) instead."
            )
        if device(where).type != "cpu":
            raise RuntimeError(
                "legacy constructor expects device type: cpu but device type: "
                f"{device(where).type} was passed"
            )
    return args
