"""The limits of numbers of a dtype: `finfo` and `iinfo`."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from .dtypes import as_dtype, dtype, get_default_dtype

__all__ = ["finfo", "iinfo"]


class _Format(NamedTuple):
    """A floating-point format of IEEE 754's form."""

    fraction: int  # bits
    greatest: int  # the exponents of 2 of the largest number ...
    least: int  # ... and of the smallest normal one


_FORMATS = {
    "float16": _Format(10, 15, -14),
    "bfloat16": _Format(7, 127, -126),
    "float32": _Format(23, 127, -126),
    "float64": _Format(52, 1023, -1022),
}


class finfo:
    """The limits of floating-point numbers of a dtype, the default dtype if none is given.

    `bits` of an element; `max`, `min` = -max; `tiny` = `smallest_normal`, the least positive number
    with all digits; `eps`, the gap between 1 and the next number; `resolution`, a power of 10 for the
    decimal digits; `dtype`, its name. TypeError for a dtype of integers or bool.

    >>> tc.finfo(tc.float32).eps, tc.finfo(tc.bfloat16)
    (1.1920928955078125e-07, finfo(resolution=0.01, min=-3.38953e+38, max=3.38953e+38, eps=0.0078125,
    smallest_normal=1.17549e-38, tiny=1.17549e-38, dtype=bfloat16))
    """

    __slots__ = ("_format", "_of")

    def __init__(self, type: dtype | np.dtype[Any] | None = None):
        own = get_default_dtype() if type is None else as_dtype("finfo", type, "type").to_real()
        if not own.is_floating_point:
            raise TypeError(
                "torch.finfo() requires a floating point input type. Use torch.iinfo to handle "
                f"{own}"
            )
        self._of, self._format = own, _FORMATS[repr(own).removeprefix("torch.")]

    @property
    def bits(self) -> int:
        """The size of an element, in bits."""
        return 8 * self._of.itemsize

    @property
    def dtype(self) -> str:
        """The name of the dtype."""
        return repr(self._of).removeprefix("torch.")

    @property
    def eps(self) -> float:
        """The gap between 1 and the next number."""
        return 2.0**-self._format.fraction

    @property
    def max(self) -> float:
        """The largest finite number."""
        return math.ldexp(2 - self.eps, self._format.greatest)

    @property
    def min(self) -> float:
        """The least finite number, -max."""
        return -self.max

    @property
    def smallest_normal(self) -> float:
        """The least positive number with all digits."""
        return 2.0**self._format.least

    @property
    def tiny(self) -> float:
        """The least positive number with all digits."""
        return self.smallest_normal

    @property
    def resolution(self) -> float:
        """10⁻ᵈ, for d decimal digits that every number has."""
        return 10.0 ** -math.floor(self._format.fraction * math.log10(2))

    def __repr__(self) -> str:
        names = ("resolution", "min", "max", "eps", "smallest_normal", "tiny")
        values = [f"{name}={getattr(self, name):g}" for name in names]
        return f"finfo({', '.join(values)}, dtype={self.dtype})"

    def __eq__(self, other: object) -> bool:
        return self._of is other._of if isinstance(other, finfo) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._of)


class iinfo:
    """The limits of integers of a dtype: `bits`, `min`, `max`, and `dtype`, its name.

    TypeError for a dtype that is not of integers.

    >>> tc.iinfo(tc.int8), tc.iinfo(tc.int64).max
    (iinfo(min=-128, max=127, dtype=int8), 9223372036854775807)
    """

    __slots__ = ("_of",)

    def __init__(self, type: dtype | np.dtype[Any]):
        own = as_dtype("iinfo", type, "type")
        if own.is_floating_point or own.is_complex:
            raise TypeError(
                f"torch.iinfo() requires an integer input type. Use torch.finfo to handle {own}"
            )
        if own.dtype.kind == "b":
            raise TypeError("torch.bool is not supported by torch.iinfo")
        self._of = own

    @property
    def bits(self) -> int:
        """The size of an element, in bits."""
        return 8 * self._of.itemsize

    @property
    def dtype(self) -> str:
        """The name of the dtype."""
        return repr(self._of).removeprefix("torch.")

    @property
    def max(self) -> int:
        """The largest integer."""
        return 2 ** (self.bits - self._of.is_signed) - 1

    @property
    def min(self) -> int:
        """The least integer."""
        return -(2 ** (self.bits - 1)) if self._of.is_signed else 0

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"

    def __eq__(self, other: object) -> bool:
        return self._of is other._of if isinstance(other, iinfo) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._of)
