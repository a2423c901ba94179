"""Activations: elementwise functions of a Tensor of any shape, and softmax along one axis.

The output has the shape and the dtype of the input. With `inplace=True` it is written into the input.
"""

from __future__ import annotations

import warnings

from .. import creation
from ..functions.public import body
from ..tensor import Tensor
from ..types import Device, DType
from . import functional as F, init
from .module import Module
from .parameter import Parameter
from .settings import FunctionModule

__all__ = [
    "CELU", "ELU", "GELU", "GLU", "SELU", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "LeakyReLU",
    "LogSigmoid", "LogSoftmax", "Mish", "PReLU", "RReLU", "ReLU", "ReLU6", "SiLU", "Sigmoid",
    "Softmax", "Softmax2d", "Softmin", "Softplus", "Softshrink", "Softsign", "Tanh", "Tanhshrink",
    "Threshold",
]  # fmt: skip

_prelu = body(F.prelu)


# --- Elementwise --------------------------------------------------------------------------------


class ReLU(FunctionModule, function=F.relu):
    """max(x, 0) of each element. At x = 0 the gradient is 0.

    >>> tc.nn.ReLU()(tc.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    inplace: bool = False

    def forward(self, input: Tensor) -> Tensor:
        """max(input, 0)."""
        return F.relu(input, self.inplace)


class ReLU6(FunctionModule, function=F.relu6):
    """min(max(x, 0), 6) of each element. At 0 and 6 the gradient is 0.

    >>> tc.nn.ReLU6()(tc.tensor([-1.0, 2.0, 7.0]))
    tensor([0., 2., 6.])
    """

    inplace: bool = False


class LeakyReLU(FunctionModule, function=F.leaky_relu):
    """x where x > 0, else negative_slope · x.

    >>> tc.nn.LeakyReLU(0.5)(tc.tensor([-1.0, 2.0]))
    tensor([-0.5000,  2.0000])
    """

    negative_slope: float = 0.01
    inplace: bool = False


class PReLU(Module):
    """x where x > 0, else weight · x, with a learned weight (He et al. 2015).

    The weight (num_parameters,) starts at `init`. It is one number for all channels, or one for each
    channel: axis 1 of the input.

    >>> tc.nn.PReLU()(tc.tensor([-1.0, 2.0]))
    tensor([-0.2500,  2.0000], grad_fn=<PreluBackward0>)
    """

    num_parameters: int
    init: float
    weight: Tensor

    def __init__(
        self,
        num_parameters: int = 1,
        init: float = 0.25,
        device: Device = None,
        dtype: DType | None = None,
    ):
        super().__init__()
        self.num_parameters, self.init = num_parameters, init
        self.weight = Parameter(creation.empty(num_parameters, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set all weights to `init`."""
        init.constant_(self.weight, self.init)

    def forward(self, input: Tensor) -> Tensor:
        """The input where it is above 0, else weight · input."""
        return _prelu(input, self.weight)

    def extra_repr(self) -> str:
        """The number of weights."""
        return f"num_parameters={self.num_parameters}"


class RReLU(FunctionModule, function=F.rrelu):
    """x where x ≥ 0, else slope · x (Xu et al. 2015).

    In training each slope is drawn from U(lower, upper). In evaluation it is (lower + upper) / 2.

    >>> tc.nn.RReLU(0.2, 0.4).eval()(tc.tensor([-1.0, 2.0]))
    tensor([-0.3000,  2.0000])
    """

    lower: float = 1 / 8
    upper: float = 1 / 3
    inplace: bool = False

    def forward(self, input: Tensor) -> Tensor:
        """In training, with new slopes at each call."""
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)


class ELU(FunctionModule, function=F.elu):
    """x where x > 0, else alpha · (eˣ − 1) (Clevert et al. 2016).

    >>> tc.nn.ELU()(tc.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """

    alpha: float = 1.0
    inplace: bool = False


class CELU(FunctionModule, function=F.celu):
    """x where x > 0, else alpha · (exp(x / alpha) − 1) (Barron 2017).

    >>> tc.nn.CELU(2.0)(tc.tensor([-1.0, 2.0]))
    tensor([-0.7869,  2.0000])
    """

    alpha: float = 1.0
    inplace: bool = False


class SELU(FunctionModule, function=F.selu):
    """1.0507 · (x where x > 0, else 1.6733 · (eˣ − 1)) (Klambauer et al. 2017).

    >>> tc.nn.SELU()(tc.tensor([-1.0, 2.0]))
    tensor([-1.1113,  2.1014])
    """

    inplace: bool = False


class GELU(FunctionModule, function=F.gelu):
    """x · Φ(x), with Φ the standard normal distribution (Hendrycks and Gimpel 2016).

    `approximate="tanh"` takes ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))).

    >>> tc.nn.GELU()(tc.tensor([-1.0, 2.0]))
    tensor([-0.1587,  1.9545])
    """

    approximate: str = "none"


class SiLU(FunctionModule, function=F.silu):
    """x · sigmoid(x).

    >>> tc.nn.SiLU()(tc.tensor([-1.0, 2.0]))
    tensor([-0.2689,  1.7616])
    """

    inplace: bool = False


class Mish(FunctionModule, function=F.mish):
    """x · tanh(softplus(x)) (Misra 2019).

    >>> tc.nn.Mish()(tc.tensor([-1.0, 2.0]))
    tensor([-0.3034,  1.9440])
    """

    inplace: bool = False


class Hardswish(FunctionModule, function=F.hardswish, shown=()):
    """x · min(max(x + 3, 0), 6) / 6 (Howard et al. 2019).

    >>> tc.nn.Hardswish()(tc.tensor([-1.0, 4.0]))
    tensor([-0.3333,  4.0000])
    """

    inplace: bool = False


class Sigmoid(FunctionModule, function=F.sigmoid):
    """1 / (1 + e⁻ˣ).

    >>> tc.nn.Sigmoid()(tc.tensor([0.0, 2.0]))
    tensor([0.5000, 0.8808])
    """


class Hardsigmoid(FunctionModule, function=F.hardsigmoid, shown=()):
    """min(max(x / 6 + ½, 0), 1).

    >>> tc.nn.Hardsigmoid()(tc.tensor([-4.0, 0.0, 3.0]))
    tensor([0.0000, 0.5000, 1.0000])
    """

    inplace: bool = False


class LogSigmoid(FunctionModule, function=F.logsigmoid):
    """ln sigmoid(x), exact for large |x| too.

    >>> tc.nn.LogSigmoid()(tc.tensor([0.0, -200.0]))
    tensor([  -0.6931, -200.0000])
    """


class Tanh(FunctionModule, function=F.tanh):
    """The hyperbolic tangent of x.

    >>> tc.nn.Tanh()(tc.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """


class Tanhshrink(FunctionModule, function=F.tanhshrink):
    """x − tanh(x).

    >>> tc.nn.Tanhshrink()(tc.tensor([0.0, 1.0]))
    tensor([0.0000, 0.2384])
    """


class Hardtanh(FunctionModule, function=F.hardtanh):
    """min(max(x, min_val), max_val). On a bound the gradient is 0.

    `min_value` and `max_value` are the old names of the bounds, with a FutureWarning. Raises
    ValueError where max_val is not above min_val.

    >>> tc.nn.Hardtanh()(tc.tensor([-3.0, 0.5, 2.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """

    min_val: float = -1.0
    max_val: float = 1.0
    inplace: bool = False

    def __init__(
        self,
        min_val: float = -1.0,
        max_val: float = 1.0,
        inplace: bool = False,
        min_value: float | None = None,
        max_value: float | None = None,
    ):
        for old, new, value in (("min_value", "min_val", min_value),
                                ("max_value", "max_val", max_value)):  # fmt: skip
            if value is not None:
                warnings.warn(
                    f"keyword argument `{old}` is deprecated and rename to `{new}`",
                    FutureWarning,
                    stacklevel=2,
                )
        min_val = min_val if min_value is None else min_value
        max_val = max_val if max_value is None else max_value
        if not max_val > min_val:
            raise ValueError(f"max_val must be larger than min_val, got {min_val} and {max_val}")
        super().__init__(min_val, max_val, inplace)  # type: ignore[call-arg]


class Hardshrink(FunctionModule, function=F.hardshrink):
    """x where |x| > lambd, else 0.

    >>> tc.nn.Hardshrink()(tc.tensor([-1.0, 0.3, 2.0]))
    tensor([-1.,  0.,  2.])
    """

    lambd: float = 0.5

    def extra_repr(self) -> str:
        """The bound alone."""
        return str(self.lambd)


class Softshrink(FunctionModule, function=F.softshrink):
    """sign(x) · max(|x| − lambd, 0).

    >>> tc.nn.Softshrink()(tc.tensor([-1.0, 0.3, 2.0]))
    tensor([-0.5000,  0.0000,  1.5000])
    """

    lambd: float = 0.5

    def extra_repr(self) -> str:
        """The bound alone."""
        return str(self.lambd)


class Softplus(FunctionModule, function=F.softplus):
    """ln(1 + exp(beta · x)) / beta; x itself where beta · x > threshold.

    >>> tc.nn.Softplus()(tc.tensor([-1.0, 0.0, 30.0]))
    tensor([ 0.3133,  0.6931, 30.0000])
    """

    beta: float = 1.0
    threshold: float = 20.0


class Softsign(FunctionModule, function=F.softsign):
    """x / (1 + |x|).

    >>> tc.nn.Softsign()(tc.tensor([-1.0, 3.0]))
    tensor([-0.5000,  0.7500])
    """


class Threshold(FunctionModule, function=F.threshold):
    """x where x > threshold, else `value`.

    >>> tc.nn.Threshold(0.5, 9.0)(tc.tensor([0.5, 2.0]))
    tensor([9., 2.])
    """

    threshold: float
    value: float
    inplace: bool = False


# --- Along one axis -----------------------------------------------------------------------------


class GLU(FunctionModule, function=F.glu):
    """a · sigmoid(b), with a and b the first and the second half of axis `dim` (Dauphin et al. 2017).

    Shape (.., 2 n, ..) → (.., n, ..). Raises RuntimeError for an odd size.

    >>> tc.nn.GLU()(tc.tensor([1.0, 2.0, 0.0, 0.0]))
    tensor([0.5000, 1.0000])
    """

    dim: int = -1


class Softmax(FunctionModule, function=F.softmax):
    """exp(x) / Σ exp(x) along axis `dim`: positive numbers with sum 1.

    >>> tc.nn.Softmax(dim=1)(tc.tensor([[0.0, 0.0], [0.0, 1.0]]))
    tensor([[0.5000, 0.5000],
            [0.2689, 0.7311]])
    """

    dim: int | None = None


class LogSoftmax(FunctionModule, function=F.log_softmax):
    """ln softmax(x) along axis `dim`, exact for large |x| too.

    >>> tc.nn.LogSoftmax(dim=0)(tc.tensor([0.0, 100.0]))
    tensor([-100.,    0.])
    """

    dim: int | None = None


class Softmin(FunctionModule, function=F.softmin):
    """softmax(−x) along axis `dim`.

    >>> tc.nn.Softmin(dim=0)(tc.tensor([0.0, 1.0]))
    tensor([0.7311, 0.2689])
    """

    dim: int | None = None


class Softmax2d(FunctionModule, function=F.softmax):
    """Softmax over the channels of an image, (N, C, H, W) or (C, H, W), at each pixel.

    Raises ValueError for an input with another number of axes.

    >>> tc.nn.Softmax2d()(tc.zeros(2, 1, 1)).flatten()
    tensor([0.5000, 0.5000])
    """

    def forward(self, input: Tensor) -> Tensor:
        """exp(input) / Σ exp(input), with the sum over C."""
        if input.ndim not in (3, 4):
            raise ValueError(f"Softmax2d: expected input to be 3D or 4D, got {input.ndim}D instead")
        return F.softmax(input, -3)
