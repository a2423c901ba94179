"""`torch._foreach_*`: one op on each Tensor of a list. They run one after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..engine import Recorded

_UNARY = (
    "abs acos asin atan ceil cos cosh erf exp expm1 floor frac log log10 log1p log2 neg reciprocal "
    "round rsqrt sigmoid sign sin sinh sqrt tan tanh trunc"
)
_BINARY = "add sub mul div maximum minimum pow clamp_min clamp_max"
_TERNARY = "addcmul addcdiv lerp"
_OF_NUMBERS = {"maximum": "clamp_min", "minimum": "clamp_max"}


def _foreach(name: str, operands: int) -> Callable[..., Any]:
    """The function of lists for a method that takes so many operands, the Tensor itself included.

    Each argument is a list, or one value for all. The one after the operands is the factor, which the
    method takes as `alpha` or `value`.
    """
    in_place = name.endswith("_")
    method = name.removesuffix("_")
    factor = "alpha" if operands == 2 else "value"

    def each(self: Any, *others: Any, **options: Any) -> Any:
        tensors = list(self)
        n = len(tensors)
        if not n:
            raise RuntimeError("Tensor list must have at least one tensor.")
        columns = [list(o) if isinstance(o, (list, tuple)) else [o] * n for o in others]
        if any(len(column) != n for column in columns):
            sizes = " and ".join(str(len(column)) for column in (tensors, *columns))
            raise RuntimeError(f"Tensor lists must have the same number of tensors, got {sizes}")
        found = []
        for k, x in enumerate(tensors):
            row = [column[k] for column in columns]
            own = method
            if own in _OF_NUMBERS and not isinstance(row[0], Recorded):
                own = _OF_NUMBERS[own]
            more = {factor: row[operands - 1]} if len(row) >= operands else {}
            if in_place and hasattr(x, f"{own}_"):
                getattr(x, f"{own}_")(*row[: operands - 1], **more, **options)
            else:
                found.append(getattr(x, own)(*row[: operands - 1], **more, **options))
            if in_place and found:
                x.copy_(found.pop())
        return None if in_place else tuple(found)

    each.__name__ = each.__qualname__ = f"_foreach_{name}"
    each.__doc__ = f"`Tensor.{name}` of each Tensor of a list."
    return each


def _zero_(self: list[Any]) -> None:
    """Set each Tensor of a list to 0."""
    for x in self:
        x.zero_()


def _norm(self: list[Any], ord: Any = 2) -> tuple[Any, ...]:
    """The norm of each Tensor of a list."""
    return tuple(x.norm(ord) for x in self)


def _copy_(self: list[Any], src: list[Any]) -> None:
    """Copy each Tensor of `src` into the one at its place."""
    for x, y in zip(self, src, strict=True):
        x.copy_(y)


_foreach_zero_, _foreach_norm, _foreach_copy_ = _zero_, _norm, _copy_
for _names, _operands in ((_UNARY, 1), (_BINARY, 2), (_TERNARY, 3)):
    for _name in _names.split():
        for _form in (_name, f"{_name}_"):
            globals()[f"_foreach_{_form}"] = _foreach(_form, _operands)
