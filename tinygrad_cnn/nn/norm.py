"""Normalisation of each sample by itself: layer, RMS, group and local response normalisation.

The output has the shape and the dtype of the input.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..tensor import Tensor
from ..types import Device, DType, Ints
from . import functional as F, init
from .layers import empty_parameter
from .module import Module
from .settings import FunctionModule

__all__ = ["GroupNorm", "LayerNorm", "LocalResponseNorm", "RMSNorm"]


class _Affine(Module):
    """Scale and shift: 1 and 0 at first."""

    weight: Tensor
    bias: Tensor

    def _build(
        self,
        shape: Sequence[int],
        affine: bool,
        bias: bool,
        device: Device,
        dtype: DType | None,
    ) -> None:
        for name, there in (("weight", affine), ("bias", affine and bias)):
            self.register_parameter(name, empty_parameter(shape, device, dtype) if there else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set weight to 1 and bias to 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)


class LayerNorm(_Affine):
    """(x − μ) / √(σ² + eps) · weight + bias over the last axes (Ba et al. 2016).

    Shape (.., *normalized_shape); an integer stands for one axis. μ and σ² are the mean and the biased
    variance over those axes. weight and bias have the shape normalized_shape. Raises RuntimeError
    where the last axes of the input have other sizes.

    >>> tc.nn.LayerNorm(2, eps=0.0, elementwise_affine=False)(tc.tensor([[1.0, 3.0]]))
    tensor([[-1.,  1.]])
    """

    normalized_shape: tuple[int, ...]
    eps: float
    elementwise_affine: bool

    def __init__(
        self,
        normalized_shape: Ints,
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Device = None,
        dtype: DType | None = None,
    ):
        super().__init__()
        self.normalized_shape = _shape(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self._build(self.normalized_shape, elementwise_affine, bias, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        """The input, normalised."""
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The settings."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        )


class RMSNorm(_Affine):
    """x / √(mean of x² + eps) · weight over the last axes (Zhang and Sennrich 2019).

    Shape (.., *normalized_shape); an integer stands for one axis. By default eps is that of the dtype.
    Raises RuntimeError where the last axes of the input have other sizes.

    >>> tc.nn.RMSNorm(2, elementwise_affine=False)(tc.tensor([[1.0, 7.0]]))
    tensor([[0.2000, 1.4000]])
    """

    normalized_shape: tuple[int, ...]
    eps: float | None
    elementwise_affine: bool

    def __init__(
        self,
        normalized_shape: Ints,
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Device = None,
        dtype: DType | None = None,
    ):
        super().__init__()
        self.normalized_shape = _shape(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self._build(self.normalized_shape, elementwise_affine, False, device, dtype)

    def forward(self, x: Tensor) -> Tensor:
        """The input, normalised."""
        return F.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        """The settings."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
        )


def _shape(given: Ints) -> tuple[int, ...]:
    return (given,) if isinstance(given, int) else tuple(given)


class GroupNorm(_Affine):
    """(x − μ) / √(σ² + eps) · weight + bias for each group of channels of each sample of (N, C, ..).

    μ and σ² are the mean and the biased variance of the group (Wu and He 2018). weight and bias are
    (num_channels,). Raises ValueError where num_groups does not divide num_channels.

    >>> tc.nn.GroupNorm(1, 2, eps=0.0, affine=False)(tc.tensor([[1.0, 3.0], [0.0, 4.0]]))
    tensor([[-1.,  1.],
            [-1.,  1.]])
    """

    num_groups: int
    num_channels: int
    eps: float
    affine: bool

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Device = None,
        dtype: DType | None = None,
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

    def forward(self, input: Tensor) -> Tensor:
        """The input, normalised."""
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The settings."""
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class LocalResponseNorm(FunctionModule, function=F.local_response_norm):
    """x / (k + alpha · mean of x² over `size` neighbouring channels)^beta, for (N, C, ..).

    Channels beyond the first and the last count as 0 (Krizhevsky et al. 2012, 3.3).

    >>> tc.nn.LocalResponseNorm(1, alpha=1.0, beta=0.5, k=0.0)(tc.tensor([[[4.0, 2.0]]]))
    tensor([[[1., 1.]]])
    """

    size: int
    alpha: float = 1e-4
    beta: float = 0.75
    k: float = 1.0

    def extra_repr(self) -> str:
        """The settings."""
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
