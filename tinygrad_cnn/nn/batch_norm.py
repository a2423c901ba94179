"""Batch and instance normalisation: layers with running estimates of mean and variance."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any, ClassVar

import numpy as np

from .. import creation, functions
from ..atomic import Change
from ..engine import mark_written
from ..engine.dtypes import int64
from ..tensor import Tensor
from ..types import Device, DType
from . import functional as F, init
from .functional.norm import counted_batch_norm
from .layers import empty_parameter
from .module import Module

__all__ = [
    "BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d",
    "SyncBatchNorm",
]  # fmt: skip


class _NormBase(Module):
    """Scale, shift and running estimates."""

    _axes: ClassVar[tuple[int, ...]]  # numbers of axes that an input may have
    _version = 2  # since then there is num_batches_tracked
    num_features: int
    eps: float
    momentum: float | None
    affine: bool
    track_running_stats: bool
    weight: Tensor
    bias: Tensor
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Device = None,
        dtype: DType | None = None,
        *,
        bias: bool = True,
    ):
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        for name, there in (("weight", affine), ("bias", affine and bias)):
            parameter = empty_parameter((num_features,), device, dtype) if there else None
            self.register_parameter(name, parameter)
        tracked = {
            "running_mean": lambda: creation.zeros(num_features, device=device, dtype=dtype),
            "running_var": lambda: creation.ones(num_features, device=device, dtype=dtype),
            "num_batches_tracked": lambda: creation.zeros((), dtype=int64),
        }
        for name, make in tracked.items():
            self.register_buffer(name, make() if track_running_stats else None)
        self.reset_parameters()

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, local_metadata: Any, strict: bool,
        missing_keys: list[str], unexpected_keys: list[str], error_msgs: list[str],
    ) -> None:  # fmt: skip
        version = local_metadata.get("version")
        if (version is None or version < 2) and self.num_batches_tracked is not None:
            state_dict.setdefault(prefix + "num_batches_tracked", self.num_batches_tracked)
        super()._load_from_state_dict(
            state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
        )

    def reset_running_stats(self) -> None:
        """Set the running mean to 0, the running variance to 1, and the count of batches to 0."""
        if self.track_running_stats:
            for buffer, value in (
                (self.running_mean, 0.0), (self.running_var, 1.0), (self.num_batches_tracked, 0.0)
            ):  # fmt: skip
                if buffer is not None:
                    init.constant_(buffer, value)

    def reset_parameters(self) -> None:
        """Set weight to 1 and bias to 0, and reset the running estimates."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def _check_input_dim(self, input: Tensor) -> None:
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
    over_ranks: ClassVar[Any] = (
        None  # of SyncBatchNorm: for a group, how its ranks normalise together
    )
    process_group: Any = None

    def forward(self, input: Tensor) -> Tensor:
        """The input, normalised."""
        self._check_input_dim(input)
        mean, variance = self.running_mean, self.running_var
        momentum = self.momentum
        changes: tuple[Change, ...] = ()
        if self.training and self.num_batches_tracked is not None:
            count = self.num_batches_tracked._array
            changes = (partial(np.add, count, np.ones((), count.dtype), count),)
            mark_written(count)
            if momentum is None:  # the plain average of all batches
                momentum = 1.0 / (float(count) + 1)
        together = None
        if self.over_ranks is not None and self.training:
            together = self.over_ranks(self.process_group)
        by_batch = self.training or mean is None
        if by_batch and not self.track_running_stats:
            mean = variance = None
        return counted_batch_norm(
            input,
            mean,
            variance,
            self.weight,
            self.bias,
            by_batch,
            0.0 if momentum is None else momentum,
            self.eps,
            *changes,
            over_ranks=together,
        )


class BatchNorm1d(_BatchNorm):
    """(x − μ) / √(σ² + eps) · weight + bias for each channel of (N, C) or (N, C, L).

    Otherwise like `BatchNorm2d`.

    >>> tc.nn.BatchNorm1d(1, eps=1e-9, affine=False)(tc.tensor([[1.0], [3.0]]))
    tensor([[-1.],
            [ 1.]])
    """

    _axes = (2, 3)


class BatchNorm2d(_BatchNorm):
    """(x − μ) / √(σ² + eps) · weight + bias for each channel of (N, C, H, W) (Ioffe, Szegedy 2015).

    In training μ and σ² are the mean and the biased variance of the batch, and each running estimate
    moves towards that of the batch: running ← (1 − momentum) · running + momentum · batch, with the
    unbiased variance. With `momentum=None` it is the average of all batches. In evaluation the
    running estimates are used; without `track_running_stats` always the batch. weight and bias (C,)
    start at 1 and 0.

    Raises ValueError for another number of axes, and in training for one value per channel.

    >>> bn = tc.nn.BatchNorm2d(2)
    >>> float(bn(tc.randn(4, 2, 3, 3)).mean().abs()) < 1e-6, bn.num_batches_tracked
    (True, tensor(1))
    """

    _axes = (4,)


class BatchNorm3d(_BatchNorm):
    """(x − μ) / √(σ² + eps) · weight + bias for each channel of (N, C, D, H, W).

    Otherwise like `BatchNorm2d`.

    >>> tc.nn.BatchNorm3d(2)(tc.randn(4, 2, 3, 3, 3)).shape
    torch.Size([4, 2, 3, 3, 3])
    """

    _axes = (5,)


class SyncBatchNorm(_BatchNorm):
    """Batch normalisation over the batches of all ranks of `process_group`, in training.

    The mean, the variance and the gradients are those of BatchNorm on the batch of all together. With
    one rank, or before `distributed.init_process_group`, it is BatchNorm. The input is (N, C) or (N, C, ..). `convert_sync_batchnorm(module)` replaces all BatchNorm layers.

    >>> net = tc.nn.Sequential(tc.nn.BatchNorm2d(2))
    >>> tc.nn.SyncBatchNorm.convert_sync_batchnorm(net)
    Sequential(
      (0): SyncBatchNorm(2, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)
    )
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        process_group: Any = None,
        device: Device = None,
        dtype: DType | None = None,
        *,
        bias: bool = True,
    ):
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias
        )
        self.process_group = process_group

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() < 2:
            raise ValueError(f"expected at least 2D input (got {input.dim()}D input)")

    @classmethod
    def convert_sync_batchnorm(cls, module: Module, process_group: Any = None) -> Module:
        """The module, with a SyncBatchNorm of the same Tensors for each BatchNorm layer in it."""
        found = module
        if isinstance(module, _BatchNorm):
            found = cls(
                module.num_features, module.eps, module.momentum, affine=False,
                track_running_stats=False, process_group=process_group,
            )  # fmt: skip
            for name in ("affine", "track_running_stats", "training"):
                setattr(found, name, getattr(module, name))
            found._parameters = dict(module._parameters)
            found._buffers = dict(module._buffers)
        for name, child in module.named_children():
            setattr(found, name, cls.convert_sync_batchnorm(child, process_group))
        return found


class _InstanceNorm(_NormBase):
    momentum: float

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Device = None,
        dtype: DType | None = None,
        *,
        bias: bool = True,
    ):
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias
        )

    def forward(self, input: Tensor) -> Tensor:
        """The input, normalised."""
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
            functions.unsqueeze(input, 0) if single else input,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum,
            self.eps,
        )
        return functions.squeeze(y, 0) if single else y


class InstanceNorm1d(_InstanceNorm):
    """`InstanceNorm2d` for (N, C, L) or (C, L).

    >>> tc.nn.InstanceNorm1d(1, eps=0.0)(tc.tensor([[1.0, 3.0]]))
    tensor([[-1.,  1.]])
    """

    _axes = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """(x − μ) / √(σ² + eps) for each channel of each image of (N, C, H, W), or of (C, H, W).

    μ and σ² are the mean and the biased variance of the channel (Ulyanov et al. 2016). With `affine`,
    · weight + bias, (C,), which start at 1 and 0. With `track_running_stats`, evaluation takes the
    running estimates, as `BatchNorm2d` does.

    Raises ValueError for another number of axes, in training for channels of one cell, and with
    `affine` for another number of channels.

    >>> tc.nn.InstanceNorm2d(1, eps=0.0)(tc.tensor([[[1.0, 3.0]]]))
    tensor([[[-1.,  1.]]])
    """

    _axes = (3, 4)


class InstanceNorm3d(_InstanceNorm):
    """`InstanceNorm2d` for (N, C, D, H, W) or (C, D, H, W).

    >>> tc.nn.InstanceNorm3d(1, eps=0.0)(tc.tensor([[[[1.0, 3.0]]]]))
    tensor([[[[-1.,  1.]]]])
    """

    _axes = (4, 5)
