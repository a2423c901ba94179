"""Layers that learn the number of their input channels from the first input.

Until then their parameters have no shape. The first call gives them one, draws their values, and turns
the layer into the ordinary one: a `LazyLinear` becomes a `Linear`.
"""

from __future__ import annotations

from typing import Any, ClassVar

from ..naming import own_methods
from ..tensor import Tensor
from ..types import Device, DType, Ints
from .batch_norm import (
    BatchNorm1d,
    BatchNorm2d,
    BatchNorm3d,
    InstanceNorm1d,
    InstanceNorm2d,
    InstanceNorm3d,
)
from .conv import (
    Conv1d,
    Conv2d,
    Conv3d,
    ConvTranspose1d,
    ConvTranspose2d,
    ConvTranspose3d,
    PaddingMode,
)
from .layers import Linear
from .module import Module
from .parameter import (
    UninitializedBuffer,
    UninitializedParameter,
    UninitializedTensorMixin,
    is_lazy,
)

__all__ = [
    "LazyBatchNorm1d", "LazyBatchNorm2d", "LazyBatchNorm3d", "LazyConv1d", "LazyConv2d",
    "LazyConv3d", "LazyConvTranspose1d", "LazyConvTranspose2d", "LazyConvTranspose3d",
    "LazyInstanceNorm1d", "LazyInstanceNorm2d", "LazyInstanceNorm3d", "LazyLinear",
]  # fmt: skip


class LazyModuleMixin(Module):
    """A base of layers that have parameters without a shape, beside the class of the layer.

    A subclass defines `initialize_parameters`, which takes the arguments of a call and materializes the
    parameters. `cls_to_become` is the class of the layer from then on.
    """

    cls_to_become: ClassVar[type[Module] | None] = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.initialize_parameters(*args, **kwargs)
        if self.has_uninitialized_params():
            raise RuntimeError(f"module {self._get_name()} has not been fully initialized")
        if self.cls_to_become is None:
            return super().__call__(*args, **kwargs)
        self.__class__ = self.cls_to_become  # type: ignore[assignment]
        return self(*args, **kwargs)

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Materialize the parameters for the arguments of a call. Subclasses define it."""
        raise NotImplementedError(
            f"initialize_parameters is not implemented for {self.__class__.__name__}"
        )

    def has_uninitialized_params(self) -> bool:
        """Whether a parameter or buffer of this layer has no shape yet."""
        return any(map(is_lazy, (*self._parameters.values(), *self._buffers.values())))

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, local_metadata: Any, strict: bool,
        missing_keys: list[str], unexpected_keys: list[str], error_msgs: list[str],
    ) -> None:  # fmt: skip
        """Take the shapes of the state for parameters that have none."""
        own = {**self._parameters, **self._buffers}
        nothing: set[str] = set()  # keys without values on both sides
        for key, tensor in own.items():
            value = state_dict.get(prefix + key)
            if is_lazy(tensor) and is_lazy(value):
                nothing.add(prefix + key)
            elif isinstance(tensor, UninitializedTensorMixin) and value is not None:
                tensor.materialize(value.shape)
        given = {key: value for key, value in state_dict.items() if key not in nothing}
        missing: list[str] = []
        super()._load_from_state_dict(
            given, prefix, local_metadata, strict, missing, unexpected_keys, error_msgs
        )
        missing_keys += [key for key in missing if key not in nothing]


class _Lazy(LazyModuleMixin):
    """The common part of the layers below. `_size` names the attribute that the first input sets."""

    _size: ClassVar[str]

    def _forget(self, device: Device, dtype: DType | None) -> None:
        """Replace the parameters and buffers with axes by ones without a shape."""
        for name, tensor in self._parameters.items():
            if tensor is not None:
                self._parameters[name] = UninitializedParameter(device=device, dtype=dtype)
        for name, buffer in self._buffers.items():
            if buffer is not None and buffer.dim():
                self._buffers[name] = UninitializedBuffer(device=device, dtype=dtype)

    def _count(self, input: Tensor) -> int:
        """The number of channels or features of an input."""
        return input.shape[1]

    def _shape(self, name: str, count: int) -> tuple[int, ...]:
        """The shape of a parameter or buffer, for inputs with `count` channels or features."""
        return (count,)

    def initialize_parameters(self, input: Tensor) -> None:
        """Materialize the parameters for the channels or features of the input, and draw them."""
        missing = self.has_uninitialized_params()
        if missing or not getattr(self, self._size):  # without the latter: loaded from a state
            count = self._count(input)
            setattr(self, self._size, count)
            for name, tensor in {**self._parameters, **self._buffers}.items():
                if isinstance(tensor, UninitializedTensorMixin):
                    tensor.materialize(self._shape(name, count))
        if missing:
            self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new values, if the parameters have a shape."""
        if not self.has_uninitialized_params() and getattr(self, self._size):
            super().reset_parameters()  # type: ignore[misc]


class LazyLinear(_Lazy, Linear):
    """A `Linear` that takes `in_features` from its first input.

    >>> layer = tc.nn.LazyLinear(2)
    >>> layer(tc.ones(5, 3)).shape, layer
    (torch.Size([5, 2]), Linear(in_features=3, out_features=2, bias=True))
    """

    cls_to_become, _size = Linear, "in_features"

    def __init__(
        self,
        out_features: int,
        bias: bool = True,
        device: Device = None,
        dtype: DType | None = None,
    ):
        super().__init__(0, 0, bias, device, dtype)
        self.out_features = out_features
        self._forget(device, dtype)

    def _count(self, input: Tensor) -> int:
        return input.shape[-1]

    def _shape(self, name: str, count: int) -> tuple[int, ...]:
        return (self.out_features,) if name == "bias" else (self.out_features, count)


# --- Convolutions ---------------------------------------------------------------------------------


class _LazyConvNd(_Lazy):
    _size = "in_channels"
    _axes: ClassVar[int]
    out_channels: int
    groups: int
    kernel_size: tuple[int, ...]
    transposed: bool

    def initialize_parameters(self, input: Tensor, *args: Any, **kwargs: Any) -> None:
        """Materialize the parameters for the channels of the input, and draw them."""
        super().initialize_parameters(input)

    def _count(self, input: Tensor) -> int:
        n = self._axes
        if input.dim() not in (n + 1, n + 2):
            raise RuntimeError(
                f"Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to {self._get_name()}, but "
                f"got input of size: {input.shape}"
            )
        count = input.shape[-n - 1]
        if count % self.groups:
            raise ValueError(
                f"in_channels must be divisible by groups, got {count} and {self.groups}"
            )
        return count

    def _shape(self, name: str, count: int) -> tuple[int, ...]:
        if name == "bias":
            return (self.out_channels,)
        first, second = self.out_channels, count
        if self.transposed:
            first, second = second, first
        return (first, second // self.groups, *self.kernel_size)


class _LazyConv(_LazyConvNd):
    def __init__(
        self,
        out_channels: int,
        kernel_size: Ints,
        stride: Ints = 1,
        padding: str | Ints = 0,
        dilation: Ints = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: PaddingMode = "zeros",
        device: Device = None,
        dtype: DType | None = None,
    ):
        super().__init__(
            0, 0, kernel_size, stride, padding, dilation, groups, bias, padding_mode, device, dtype
        )
        self.out_channels = out_channels
        self._forget(device, dtype)


class _LazyConvTranspose(_LazyConvNd):
    def __init__(
        self,
        out_channels: int,
        kernel_size: Ints,
        stride: Ints = 1,
        padding: Ints = 0,
        output_padding: Ints = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Ints = 1,
        padding_mode: PaddingMode = "zeros",
        device: Device = None,
        dtype: DType | None = None,
    ):
        super().__init__(
            0, 0, kernel_size, stride, padding, output_padding, groups, bias, dilation,
            padding_mode, device, dtype,
        )  # fmt: skip
        self.out_channels = out_channels
        self._forget(device, dtype)


class LazyConv1d(_LazyConv, Conv1d):
    """A `Conv1d` that takes `in_channels` from its first input.

    >>> tc.nn.LazyConv1d(8, kernel_size=3)(tc.ones(2, 5, 9)).shape
    torch.Size([2, 8, 7])
    """

    cls_to_become = Conv1d


class LazyConv2d(_LazyConv, Conv2d):
    """A `Conv2d` that takes `in_channels` from its first input.

    Raises RuntimeError for an input of another number of axes, ValueError for channels that `groups`
    does not divide.

    >>> layer = tc.nn.LazyConv2d(8, kernel_size=3)
    >>> layer(tc.ones(2, 3, 9, 5)).shape, layer
    (torch.Size([2, 8, 7, 3]), Conv2d(3, 8, kernel_size=(3, 3), stride=(1, 1)))
    """

    cls_to_become = Conv2d


class LazyConv3d(_LazyConv, Conv3d):
    """A `Conv3d` that takes `in_channels` from its first input.

    >>> tc.nn.LazyConv3d(8, kernel_size=1)(tc.ones(2, 3, 4, 5, 6)).shape
    torch.Size([2, 8, 4, 5, 6])
    """

    cls_to_become = Conv3d


class LazyConvTranspose1d(_LazyConvTranspose, ConvTranspose1d):
    """A `ConvTranspose1d` that takes `in_channels` from its first input.

    >>> tc.nn.LazyConvTranspose1d(3, kernel_size=2, stride=2)(tc.ones(2, 8, 5)).shape
    torch.Size([2, 3, 10])
    """

    cls_to_become = ConvTranspose1d


class LazyConvTranspose2d(_LazyConvTranspose, ConvTranspose2d):
    """A `ConvTranspose2d` that takes `in_channels` from its first input.

    >>> tc.nn.LazyConvTranspose2d(3, kernel_size=2, stride=2)(tc.ones(2, 8, 5, 3)).shape
    torch.Size([2, 3, 10, 6])
    """

    cls_to_become = ConvTranspose2d


class LazyConvTranspose3d(_LazyConvTranspose, ConvTranspose3d):
    """A `ConvTranspose3d` that takes `in_channels` from its first input.

    >>> tc.nn.LazyConvTranspose3d(3, kernel_size=2, stride=2)(tc.ones(1, 2, 3, 4, 5)).shape
    torch.Size([1, 3, 6, 8, 10])
    """

    cls_to_become = ConvTranspose3d


# --- Normalisation --------------------------------------------------------------------------------


class _LazyNorm(_Lazy):
    _size = "num_features"

    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Device = None,
        dtype: DType | None = None,
        *,
        bias: bool = True,
    ):
        super().__init__(0, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)
        self._forget(device, dtype)


class LazyBatchNorm1d(_LazyNorm, BatchNorm1d):
    """A `BatchNorm1d` that takes `num_features` from axis 1 of its first input.

    >>> tc.nn.LazyBatchNorm1d(eps=1e-9)(tc.tensor([[1.0], [3.0]])).tolist()
    [[-1.0], [1.0]]
    """

    cls_to_become = BatchNorm1d


class LazyBatchNorm2d(_LazyNorm, BatchNorm2d):
    """A `BatchNorm2d` that takes `num_features` from axis 1 of its first input.

    >>> layer = tc.nn.LazyBatchNorm2d()
    >>> layer(tc.ones(2, 3, 4, 4)).shape, layer.running_mean
    (torch.Size([2, 3, 4, 4]), tensor([0.1000, 0.1000, 0.1000]))
    """

    cls_to_become = BatchNorm2d


class LazyBatchNorm3d(_LazyNorm, BatchNorm3d):
    """A `BatchNorm3d` that takes `num_features` from axis 1 of its first input.

    >>> tc.nn.LazyBatchNorm3d()(tc.ones(2, 3, 1, 4, 4)).shape
    torch.Size([2, 3, 1, 4, 4])
    """

    cls_to_become = BatchNorm3d


class LazyInstanceNorm1d(_LazyNorm, InstanceNorm1d):
    """An `InstanceNorm1d` that takes `num_features` from axis 1 of its first input.

    >>> tc.nn.LazyInstanceNorm1d(eps=0.0)(tc.tensor([[[1.0, 3.0]]])).tolist()
    [[[-1.0, 1.0]]]
    """

    cls_to_become = InstanceNorm1d


class LazyInstanceNorm2d(_LazyNorm, InstanceNorm2d):
    """An `InstanceNorm2d` that takes `num_features` from axis 1 of its first input.

    >>> tc.nn.LazyInstanceNorm2d()(tc.ones(2, 3, 4, 4)).shape
    torch.Size([2, 3, 4, 4])
    """

    cls_to_become = InstanceNorm2d


class LazyInstanceNorm3d(_LazyNorm, InstanceNorm3d):
    """An `InstanceNorm3d` that takes `num_features` from axis 1 of its first input.

    >>> tc.nn.LazyInstanceNorm3d()(tc.ones(2, 3, 1, 4, 4)).shape
    torch.Size([2, 3, 1, 4, 4])
    """

    cls_to_become = InstanceNorm3d


own_methods({name: globals()[name] for name in ("__name__", *__all__)})  # errors name these
