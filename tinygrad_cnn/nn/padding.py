"""Padding layers. `padding` is one number of cells for all sides, or two for each spatial axis:
(left, right, top, bottom, front, back). Negative numbers cut cells off; the dtype stays.
"""

from __future__ import annotations

from typing import Any, ClassVar

from ..tensor import Tensor
from ..types import Ints
from . import functional as F
from .settings import FunctionModule, per_axis

__all__ = [
    "CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d", "ConstantPad2d",
    "ConstantPad3d", "ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d", "ReplicationPad1d",
    "ReplicationPad2d", "ReplicationPad3d", "ZeroPad1d", "ZeroPad2d", "ZeroPad3d",
]  # fmt: skip


class _Pad(FunctionModule, function=F.pad):
    _axes: ClassVar[int]  # the number of spatial axes
    _mode: ClassVar[str] = "constant"
    padding: Ints

    def __post_init__(self) -> None:
        self.padding = per_axis(self.padding, 2 * self._axes)

    def forward(self, input: Tensor) -> Tensor:
        """The input, padded."""
        padding: Any = self.padding  # a tuple by now
        return F.pad(input, padding, self._mode)

    def extra_repr(self) -> str:
        """The padding."""
        return f"{self.padding}"


class _ConstantPad(_Pad, function=F.pad):
    value: float

    def forward(self, input: Tensor) -> Tensor:
        """The input, padded."""
        padding: Any = self.padding  # a tuple by now
        return F.pad(input, padding, self._mode, self.value)

    def extra_repr(self) -> str:
        """Padding and value."""
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    """Adds cells of `value` around (N, C, L) or (C, L).

    >>> tc.nn.ConstantPad1d((1, 2), 9.0)(tc.tensor([[1.0, 2.0]]))
    tensor([[9., 1., 2., 9., 9.]])
    """

    _axes = 1


class ConstantPad2d(_ConstantPad):
    """Adds cells of `value` around (N, C, H, W) or (C, H, W).

    >>> tc.nn.ConstantPad2d((1, 0, 0, 1), 9.0)(tc.tensor([[[1.0, 2.0]]]))
    tensor([[[9., 1., 2.],
             [9., 9., 9.]]])
    """

    _axes = 2


class ConstantPad3d(_ConstantPad):
    """Adds cells of `value` around (N, C, D, H, W) or (C, D, H, W).

    >>> tc.nn.ConstantPad3d(1, 9.0)(tc.ones(1, 2, 3, 4)).shape
    torch.Size([1, 4, 5, 6])
    """

    _axes = 3


class ZeroPad1d(_Pad):
    """Adds zeros around (N, C, L) or (C, L).

    >>> tc.nn.ZeroPad1d((1, 2))(tc.tensor([[1.0, 2.0]]))
    tensor([[0., 1., 2., 0., 0.]])
    """

    _axes = 1


class ZeroPad2d(_Pad):
    """Adds zeros around (N, C, H, W) or (C, H, W).

    >>> tc.nn.ZeroPad2d((1, 0, 0, 1))(tc.tensor([[[1.0, 2.0]]]))
    tensor([[[0., 1., 2.],
             [0., 0., 0.]]])
    """

    _axes = 2


class ZeroPad3d(_Pad):
    """Adds zeros around (N, C, D, H, W) or (C, D, H, W).

    >>> tc.nn.ZeroPad3d(1)(tc.ones(1, 2, 3, 4)).shape
    torch.Size([1, 4, 5, 6])
    """

    _axes = 3


class ReflectionPad1d(_Pad):
    """Adds the cells of (N, C, L) or (C, L) that its edge reflects, without the edge itself.

    Raises RuntimeError where the padding is as large as the input.

    >>> tc.nn.ReflectionPad1d((1, 2))(tc.tensor([[1.0, 2.0, 3.0]]))
    tensor([[2., 1., 2., 3., 2., 1.]])
    """

    _axes, _mode = 1, "reflect"


class ReflectionPad2d(_Pad):
    """Adds the cells of (N, C, H, W) or (C, H, W) that its edge reflects, without the edge itself.

    Raises RuntimeError where the padding is as large as the input.

    >>> tc.nn.ReflectionPad2d((1, 1, 0, 0))(tc.tensor([[[1.0, 2.0, 3.0]]]))
    tensor([[[2., 1., 2., 3., 2.]]])
    """

    _axes, _mode = 2, "reflect"


class ReflectionPad3d(_Pad):
    """Adds the cells of (N, C, D, H, W) or (C, D, H, W) that its edge reflects, without the edge.

    Raises RuntimeError where the padding is as large as the input.

    >>> tc.nn.ReflectionPad3d(1)(tc.ones(1, 2, 3, 4)).shape
    torch.Size([1, 4, 5, 6])
    """

    _axes, _mode = 3, "reflect"


class ReplicationPad1d(_Pad):
    """Repeats the edge cells of (N, C, L) or (C, L).

    >>> tc.nn.ReplicationPad1d((1, 2))(tc.tensor([[1.0, 2.0]]))
    tensor([[1., 1., 2., 2., 2.]])
    """

    _axes, _mode = 1, "replicate"


class ReplicationPad2d(_Pad):
    """Repeats the edge cells of (N, C, H, W) or (C, H, W).

    >>> tc.nn.ReplicationPad2d((1, 0, 0, 1))(tc.tensor([[[1.0, 2.0]]]))
    tensor([[[1., 1., 2.],
             [1., 1., 2.]]])
    """

    _axes, _mode = 2, "replicate"


class ReplicationPad3d(_Pad):
    """Repeats the edge cells of (N, C, D, H, W) or (C, D, H, W).

    >>> tc.nn.ReplicationPad3d(1)(tc.ones(1, 2, 3, 4)).shape
    torch.Size([1, 4, 5, 6])
    """

    _axes, _mode = 3, "replicate"


class CircularPad1d(_Pad):
    """Continues (N, C, L) or (C, L) with the cells of its other end.

    Raises RuntimeError where the padding is larger than the input.

    >>> tc.nn.CircularPad1d((1, 2))(tc.tensor([[1.0, 2.0, 3.0]]))
    tensor([[3., 1., 2., 3., 1., 2.]])
    """

    _axes, _mode = 1, "circular"


class CircularPad2d(_Pad):
    """Continues (N, C, H, W) or (C, H, W) with the cells of its other side.

    Raises RuntimeError where the padding is larger than the input.

    >>> tc.nn.CircularPad2d((1, 1, 0, 0))(tc.tensor([[[1.0, 2.0, 3.0]]]))
    tensor([[[3., 1., 2., 3., 1.]]])
    """

    _axes, _mode = 2, "circular"


class CircularPad3d(_Pad):
    """Continues (N, C, D, H, W) or (C, D, H, W) with the cells of its other side.

    Raises RuntimeError where the padding is larger than the input.

    >>> tc.nn.CircularPad3d(1)(tc.ones(1, 2, 3, 4)).shape
    torch.Size([1, 4, 5, 6])
    """

    _axes, _mode = 3, "circular"
