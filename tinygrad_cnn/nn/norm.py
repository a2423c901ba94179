"""Normalisation layers."""

from __future__ import annotations

import warnings
from typing import Any

from .. import creation
from ..engine import mark_written
from ..engine.dtypes import int64
from . import functional as F, init
from .layers import empty_parameter
from .module import Module
from .settings import FunctionModule

__all__ = [
    "BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "GroupNorm", "InstanceNorm1d", "InstanceNorm2d",
    "InstanceNorm3d", "LayerNorm", "LocalResponseNorm", "RMSNorm",
]  # fmt: skip


class _NormBase(Module):
    """What batch and instance norm have: scale and shift, and running values."""

    _axes: tuple[int, ...]
    _may_be_missing = frozenset({"num_batches_tracked"})  # old weights are without it
    running_mean: Any
    running_var: Any
    num_batches_tracked: Any

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ):
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        for name, there in (("weight", affine), ("bias", affine and bias)):
            parameter = empty_parameter((num_features,), device, dtype) if there else None
            self.register_parameter(name, parameter)
        tracked: dict[str, Any] = {
            "running_mean": lambda: creation.zeros(num_features, device=device, dtype=dtype),
            "running_var": lambda: creation.ones(num_features, device=device, dtype=dtype),
            "num_batches_tracked": lambda: creation.zeros((), dtype=int64),
        }
        for name, make in tracked.items():
            self.register_buffer(name, make() if track_running_stats else None)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Forget the batches seen."""
        if self.track_running_stats:
            init.zeros_(self.running_mean)
            init.ones_(self.running_var)
            init.zeros_(self.num_batches_tracked)

    def reset_parameters(self) -> None:
        """Weight 1, bias 0, and the batches seen forgotten."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def _check_input_dim(self, input: Any) -> None:
        axes = input.dim()
        if axes not in self._axes:
            wanted = " or ".join(f"{n}D" for n in self._axes)
            raise ValueError(f"expected {wanted} input (got {axes}D input)")

    def extra_repr(self) -> str:
        """The settings."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, bias={self.bias is not None}, "
            f"track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_NormBase):
    """Each channel normalised: see `functional.batch_norm`."""

    def forward(self, input: Any) -> Any:
        """The input normalised, of the same shape."""
        self._check_input_dim(input)
        mean, variance = self.running_mean, self.running_var
        momentum = self.momentum
        if self.training and self.num_batches_tracked is not None:
            count = self.num_batches_tracked._array
            count += 1
            mark_written(count)
            if momentum is None:  # the plain average of all batches
                momentum = 1.0 / float(count)
        by_batch = self.training or mean is None
        if by_batch and not self.track_running_stats:
            mean = variance = None
        return F.batch_norm(
            input,
            mean,
            variance,
            self.weight,
            self.bias,
            by_batch,
            0.0 if momentum is None else momentum,
            self.eps,
        )


class BatchNorm1d(_BatchNorm):
    """Normalises the channels of (N, C) or (N, C, L).

    In training by the batch's mean and biased variance, which also move `running_mean` and
    `running_var` (the unbiased one) by `momentum`; in evaluation by those. Raises ValueError for
    other numbers of axes, and in training for a single value per channel.
    """

    _axes = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Normalises the channels of (N, C, H, W): as BatchNorm1d does.

    >>> import tinygrad_cnn as tc
    >>> bn = tc.nn.BatchNorm2d(2)
    >>> float(bn(tc.randn(4, 2, 3, 3)).mean().abs()) < 1e-6, bn.num_batches_tracked
    (True, tensor(1))
    """

    _axes = (4,)


class BatchNorm3d(_BatchNorm):
    """Normalises the channels of (N, C, D, H, W): as BatchNorm1d does."""

    _axes = (5,)


class _InstanceNorm(_NormBase):
    """Each channel of each image normalised: see `functional.instance_norm`."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ):
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias
        )

    def forward(self, input: Any) -> Any:
        """The input normalised, of the same shape."""
        self._check_input_dim(input)
        single = input.dim() == self._axes[0]
        dim = 0 if single else 1
        if input.shape[dim] != self.num_features:
            if self.affine:
                raise ValueError(
                    f"expected input's size at dim={dim} to match num_features "
                    f"({self.num_features}), but got: {input.shape[dim]}."
                )
            warnings.warn(
                f"input's size at dim={dim} does not match num_features. You can silence this "
                "warning by not passing in num_features, which is not used because affine=False",
                stacklevel=2,
            )
        y = F.instance_norm(
            input.unsqueeze(0) if single else input,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum,
            self.eps,
        )
        return y.squeeze(0) if single else y


class InstanceNorm1d(_InstanceNorm):
    """Normalises each channel of each of (N, C, L), or of (C, L): as InstanceNorm2d does."""

    _axes = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """Normalises each channel of each image of (N, C, H, W), or of (C, H, W), by itself.

    With `track_running_stats`, in evaluation by the running values of training. Raises ValueError
    for another number of axes or, if `affine`, of channels, and for channels of one cell.

    >>> import tinygrad_cnn as tc
    >>> tc.nn.InstanceNorm2d(1, eps=0.0)(tc.tensor([[[1.0, 3.0]]]))
    tensor([[[-1.,  1.]]])
    """

    _axes = (3, 4)


class InstanceNorm3d(_InstanceNorm):
    """Normalises each channel of each of (N, C, D, H, W), or of (C, D, H, W): as InstanceNorm2d."""

    _axes = (4, 5)


class _Affine(Module):
    """Scale and shift of the shape that is asked for, 1 and 0 at first."""

    def _build(self, shape: Any, affine: bool, bias: bool, device: Any, dtype: Any) -> None:
        for name, there in (("weight", affine), ("bias", affine and bias)):
            self.register_parameter(name, empty_parameter(shape, device, dtype) if there else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Weight 1, bias 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)


class LayerNorm(_Affine):
    """The last axes of (.., *normalized_shape) to mean 0 and variance 1, · weight + bias.

    weight and bias are of shape normalized_shape (an integer is one axis), 1 and 0 at first.

    >>> import tinygrad_cnn as tc
    >>> tc.nn.LayerNorm(2, eps=0.0, elementwise_affine=False)(tc.tensor([[1.0, 3.0]]))
    tensor([[-1.,  1.]])
    """

    def __init__(
        self,
        normalized_shape: Any,
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        self.normalized_shape = _shape(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self._build(self.normalized_shape, elementwise_affine, bias, device, dtype)

    def forward(self, input: Any) -> Any:
        """The input normalised, of the same shape."""
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The settings."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        )


class RMSNorm(_Affine):
    """input / √(mean of input² + eps) over the last axes, of normalized_shape, · weight.

    eps is that of the dtype unless told.

    >>> import tinygrad_cnn as tc
    >>> tc.nn.RMSNorm(2, elementwise_affine=False)(tc.tensor([[1.0, 7.0]]))
    tensor([[0.2000, 1.4000]])
    """

    def __init__(
        self,
        normalized_shape: Any,
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        self.normalized_shape = _shape(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self._build(self.normalized_shape, elementwise_affine, False, device, dtype)

    def forward(self, input: Any) -> Any:
        """The input normalised, of the same shape."""
        return F.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        """The settings."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
        )


def _shape(given: Any) -> tuple[int, ...]:
    return tuple(given) if isinstance(given, (tuple, list)) else (given,)


class GroupNorm(_Affine):
    """Each of num_groups groups of channels of each image (N, C, ..) normalised by itself.

    Then · weight + bias, (num_channels,), 1 and 0 at first. Raises ValueError where the groups do
    not divide the channels.

    >>> import tinygrad_cnn as tc
    >>> tc.nn.GroupNorm(1, 2, eps=0.0)(tc.tensor([[1.0, 3.0], [0.0, 4.0]])).tolist()
    [[-1.0, 1.0], [-1.0, 1.0]]
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ):
        super().__init__()
        if num_groups < 1 or num_channels % num_groups:
            raise ValueError(
                f"num_channels ({num_channels}) must be divisible by num_groups ({num_groups})"
            )
        self.num_groups, self.num_channels = num_groups, num_channels
        self.eps, self.affine = eps, affine
        self._build((num_channels,), affine, bias, device, dtype)

    def forward(self, input: Any) -> Any:
        """The input normalised, of the same shape."""
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The settings."""
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class LocalResponseNorm(FunctionModule, function=F.local_response_norm):
    """(N, C, ..) divided by (k + alpha · mean of the squares of `size` channels around)^beta."""

    size: int
    alpha: float = 1e-4
    beta: float = 0.75
    k: float = 1.0

    def extra_repr(self) -> str:
        """The settings."""
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
