"""Activations: a class for each function, whose settings are the arguments of that function."""

from __future__ import annotations

import warnings
from typing import Any

from .. import creation
from . import functional as F, init
from .module import Module
from .parameter import Parameter
from .settings import FunctionOf

__all__ = [
    "CELU", "ELU", "GELU", "GLU", "SELU", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "LeakyReLU",
    "LogSigmoid", "LogSoftmax", "Mish", "PReLU", "RReLU", "ReLU", "ReLU6", "SiLU", "Sigmoid",
    "Softmax", "Softmax2d", "Softmin", "Softplus", "Softshrink", "Softsign", "Tanh", "Tanhshrink",
    "Threshold",
]  # fmt: skip


class ReLU(FunctionOf, function=F.relu):
    """max(x, 0), of any shape; with `inplace` in the memory of x. At 0 the subgradient is 0.

    >>> import tinygrad_cnn as tc
    >>> tc.nn.ReLU()(tc.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    def forward(self, input: Any) -> Any:
        """max(input, 0)."""
        return F.relu(input, self.inplace)


# fmt: off
class CELU(FunctionOf, function=F.celu): ...
class ELU(FunctionOf, function=F.elu): ...
class GELU(FunctionOf, function=F.gelu): ...
class GLU(FunctionOf, function=F.glu): ...
class Hardsigmoid(FunctionOf, function=F.hardsigmoid, shown=()): ...
class Hardswish(FunctionOf, function=F.hardswish, shown=()): ...
class LeakyReLU(FunctionOf, function=F.leaky_relu): ...
class LogSigmoid(FunctionOf, function=F.logsigmoid): ...
class LogSoftmax(FunctionOf, function=F.log_softmax, settings=("dim",)): ...
class Mish(FunctionOf, function=F.mish): ...
class ReLU6(FunctionOf, function=F.relu6): ...
class SELU(FunctionOf, function=F.selu): ...
class SiLU(FunctionOf, function=F.silu): ...
class Sigmoid(FunctionOf, function=F.sigmoid): ...
class Softmax(FunctionOf, function=F.softmax, settings=("dim",)): ...
class Softmin(FunctionOf, function=F.softmin, settings=("dim",)): ...
class Softplus(FunctionOf, function=F.softplus): ...
class Softsign(FunctionOf, function=F.softsign): ...
class Tanh(FunctionOf, function=F.tanh): ...
class Tanhshrink(FunctionOf, function=F.tanhshrink): ...
class Threshold(FunctionOf, function=F.threshold): ...
# fmt: on


class Hardshrink(FunctionOf, function=F.hardshrink, settings=("lambd",)):
    def extra_repr(self) -> str:
        """The bound alone."""
        return str(self.lambd)


class Softshrink(FunctionOf, function=F.softshrink):
    extra_repr = Hardshrink.extra_repr


class Hardtanh(FunctionOf, function=F.hardtanh):
    def __init__(
        self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False,
        min_value: float | None = None, max_value: float | None = None,
    ):  # fmt: skip
        for old, new in (("min_value", "min_val"), ("max_value", "max_val")):
            if locals()[old] is not None:
                warnings.warn(
                    f"keyword argument `{old}` is deprecated and rename to `{new}`",
                    FutureWarning,
                    stacklevel=2,
                )
        min_val = min_val if min_value is None else min_value
        max_val = max_val if max_value is None else max_value
        if not max_val > min_val:
            raise ValueError(f"max_val must be larger than min_val, got {min_val} and {max_val}")
        super().__init__(min_val, max_val, inplace)


class RReLU(FunctionOf, function=F.rrelu, settings=("lower", "upper", "inplace")):
    def forward(self, input: Any) -> Any:
        """With slopes drawn anew, in training."""
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)


class PReLU(Module):
    """x where x > 0, else weight · x; the weight (num_parameters,) is learned (He et al. 2015).

    One for all channels, or one for each (axis 1); they begin at `init`.
    """

    def __init__(
        self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None
    ):
        super().__init__()
        self.num_parameters, self.init = num_parameters, init
        self.weight = Parameter(creation.empty(num_parameters, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set all weights to `init`."""
        init.constant_(self.weight, self.init)

    def forward(self, input: Any) -> Any:
        """input where it is over 0, else weight · input."""
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        """How many weights."""
        return f"num_parameters={self.num_parameters}"


class Softmax2d(Module):
    """Softmax over the channels of images (N, C, H, W) or (C, H, W), at each place."""

    def forward(self, input: Any) -> Any:
        """exp(input) / Σ exp(input) over C."""
        if input.ndim not in (3, 4):
            raise ValueError(f"Softmax2d: expected input to be 3D or 4D, got {input.ndim}D instead")
        return F.softmax(input, -3)
