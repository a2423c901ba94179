"""Distances between points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ops
from ..types import Number
from .arguments import broadcast_shape
from .public import public
from .reduction import p_norm

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["cdist", "dist"]

COMPUTE_MODES = (
    "use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist",
)  # fmt: skip


@public
def dist(input: Tensor, other: Tensor, p: Number = 2) -> Tensor:
    """‖input − other‖ₚ over all elements: a Tensor without axes.

    The shapes broadcast; RuntimeError if they do not, and for integers.

    >>> tc.dist(tc.tensor([1.0, 5.0]), tc.tensor([4.0, 1.0]))
    tensor(5.)
    """
    gap = ops.sub(input, other)
    if gap._array.dtype.kind != "f":
        raise RuntimeError(
            "norm(): input dtype should be either floating point or complex. Got "
            f"{gap._array.dtype} instead."
        )
    return p_norm("dist", gap, float(p), None, False)


@public
def cdist(
    x1: Tensor,
    x2: Tensor,
    p: float = 2.0,
    compute_mode: str = "use_mm_for_euclid_dist_if_necessary",
) -> Tensor:
    """‖x1ᵢ − x2ⱼ‖ₚ for all pairs of rows: of x1 (.., P, M) and x2 (.., R, M), (.., P, R).

    The axes before the last two broadcast. At the kink, where two rows are equal, the gradient is 0.
    For p = 2 and more than 25 rows a product of matrices is used. That is fast, but distances that are
    small beside the points lose digits: compute_mode="donot_use_mm_for_euclid_dist" forms all
    differences instead.

    RuntimeError for other dtypes than floating point, for two dtypes, for different numbers of
    columns, for fewer than two axes and for p < 0; ValueError for another compute_mode.

    >>> tc.cdist(tc.tensor([[0.0, 0.0]]), tc.tensor([[3.0, 4.0], [0.0, 1.0]]))
    tensor([[5., 1.]])
    """
    if compute_mode not in COMPUTE_MODES:
        raise ValueError(f"{compute_mode} is not a valid value for compute_mode")
    a, b = _checked_points(x1, x2)
    if not p >= 0:
        raise RuntimeError(f"cdist only supports non-negative p values, got {p}")
    if p == 2 and compute_mode != "donot_use_mm_for_euclid_dist":
        return ops.distances(a, b)
    every = (slice(None),) * (a._array.ndim - 2)
    gap = ops.sub(
        ops.getitem(a, index=(*every, slice(None), None)),
        ops.getitem(b, index=(*every, None)),
    )  # (.., P, R, M)
    if not gap._array.shape[-1]:
        return ops.sum(gap, dim=(gap._array.ndim - 1,))
    return p_norm("cdist", gap, p, (gap._array.ndim - 1,), False)


def _checked_points(x1: Any, x2: Any) -> tuple[Any, Any]:
    """Both, expanded to the same axes before the last two."""
    shapes = []
    for name, x in (("X1", x1), ("X2", x2)):
        shapes.append(x._array.shape)
        if len(shapes[-1]) < 2:
            raise RuntimeError(
                f"cdist only supports at least 2D tensors, {name} got: {len(shapes[-1])}D"
            )
    for name, x in (("X1", x1), ("X2", x2)):
        if x._array.dtype.kind != "f":
            raise RuntimeError(
                f"cdist only supports floating-point dtypes, {name} got: {x._array.dtype}"
            )
    (*lead1, p, m), (*lead2, r, k) = shapes
    if m != k:
        raise RuntimeError(f"X1 and X2 must have the same number of columns. X1: {m} X2: {k}")
    if x1._array.dtype != x2._array.dtype:
        raise RuntimeError(
            f"cdist: expected one dtype but found {x1._array.dtype} and {x2._array.dtype}"
        )
    lead = broadcast_shape("cdist", tuple(lead1), tuple(lead2))
    return ops.expand(x1, shape=(*lead, p, m)), ops.expand(x2, shape=(*lead, r, m))
