"""Losses of a prediction and a target.

All of them take `reduction`: "mean" (the default) and "sum" return a number, "none" returns the loss
of each element or sample. `size_average` and `reduce` are its old names, with a warning. A weight is
a buffer: `state_dict` has it.
"""

from __future__ import annotations

from typing import Any, ClassVar

from ..tensor import Tensor
from . import functional as F
from .functional.reduction import legacy_reduction
from .settings import FunctionModule

__all__ = [
    "BCELoss", "BCEWithLogitsLoss", "CrossEntropyLoss", "GaussianNLLLoss", "HuberLoss", "KLDivLoss",
    "L1Loss", "MSELoss", "NLLLoss", "PoissonNLLLoss", "SmoothL1Loss",
]  # fmt: skip

_BUFFERS = ("weight", "pos_weight")  # settings that are Tensors, and part of the state
_OLD_NAMES = ("size_average", "reduce")


class Loss(FunctionModule):
    """Base of all losses: `function(input, target, **settings)`.

    A loss of a user has a `forward` instead of a function, and `size_average`, `reduce` and `reduction`
    as its settings.
    """

    _shown: ClassVar = ()
    _keywords: ClassVar[tuple[str, ...]] = ()
    _settings: ClassVar[dict[str, Any]] = {
        "size_average": None,
        "reduce": None,
        "reduction": "mean",
    }

    def __init_subclass__(cls, function: Any = None, **kwargs: Any):
        if function is not None and not hasattr(cls, "_function"):
            cls._settings = {}  # it lists all of them itself
        super().__init_subclass__(function=function, **kwargs)
        cls._keywords = tuple(name for name in cls._settings if name not in _OLD_NAMES)

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        own = self.__dict__
        for name in _BUFFERS:
            if name in own:
                self.register_buffer(name, own.pop(name))
        old = [own.pop(name, None) for name in _OLD_NAMES]
        own["reduction"] = legacy_reduction(own["reduction"], *old)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:  # type: ignore[override]
        """The loss of the input against the target."""
        settings = {name: getattr(self, name) for name in self._keywords}
        return self._function(input, target, **settings)


class WeightedLoss(Loss):
    """Base of losses with a factor for each class, or for each element: the buffer `weight`."""

    _settings: ClassVar[dict[str, Any]] = {"weight": None, **Loss._settings}


# --- Classes ------------------------------------------------------------------------------------


class CrossEntropyLoss(WeightedLoss, function=F.cross_entropy):
    """−weight[target] · ln softmax(input)[target].

    The input holds logits (N, C, ..) or (C,). The target holds labels (N, ..) of an integer dtype, or
    probabilities of the shape of the input. `weight` (C,) has one factor for each class. The mean
    divides by Σ weight[target] over the labels that are not `ignore_index`, for probabilities by N.
    `label_smoothing` ε mixes the target with the uniform distribution: (1 − ε) target + ε / C.

    Raises IndexError for a label outside [0, C), ValueError for shapes that do not fit.

    >>> tc.nn.CrossEntropyLoss()(tc.zeros(2, 10), tc.tensor([3, 7]))
    tensor(2.3026)
    """

    weight: Tensor | None = None
    size_average: bool | None = None
    ignore_index: int = -100
    reduce: bool | None = None
    reduction: str = "mean"
    label_smoothing: float = 0.0


class NLLLoss(WeightedLoss, function=F.nll_loss):
    """−weight[target] · input[target], for log-probabilities (N, C, ..) or (C,) and labels (N, ..).

    `weight` (C,) has one factor for each class. The mean divides by Σ weight[target] over the labels
    that are not `ignore_index`. Raises as `CrossEntropyLoss`.

    >>> tc.nn.NLLLoss()(tc.tensor([[-1.0, -2.0]]), tc.tensor([1]))
    tensor(2.)
    """

    weight: Tensor | None = None
    size_average: bool | None = None
    ignore_index: int = -100
    reduce: bool | None = None
    reduction: str = "mean"


class BCELoss(WeightedLoss, function=F.binary_cross_entropy):
    """−weight · (t ln p + (1 − t) ln (1 − p)), for probabilities p and targets t of one shape.

    Each logarithm is at least −100. `weight` broadcasts to the shape of p. Raises ValueError for
    different shapes, RuntimeError for p outside [0, 1].

    >>> tc.nn.BCELoss()(tc.tensor([0.5, 0.5]), tc.tensor([0.0, 1.0]))
    tensor(0.6931)
    """

    weight: Tensor | None = None
    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"


class BCEWithLogitsLoss(Loss, function=F.binary_cross_entropy_with_logits):
    """`BCELoss` of sigmoid(x), exact for large |x| too: (1 − t) x + (1 + (w − 1) t) ln(1 + e⁻ˣ).

    w is `pos_weight`, the factor of positive targets, which broadcasts. Raises ValueError for an
    input and a target of different shapes.

    >>> tc.nn.BCEWithLogitsLoss()(tc.tensor([0.0, 100.0]), tc.tensor([0.0, 1.0]))
    tensor(0.3466)
    """

    weight: Tensor | None = None
    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"
    pos_weight: Tensor | None = None


# --- Numbers ------------------------------------------------------------------------------------


class MSELoss(Loss, function=F.mse_loss):
    """(input − target)², for two Tensors of one shape. Other shapes broadcast, with a warning.

    >>> tc.nn.MSELoss()(tc.tensor([1.0, 2.0]), tc.tensor([1.0, 4.0]))
    tensor(2.)
    """

    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"


class L1Loss(Loss, function=F.l1_loss):
    """|input − target|, for two Tensors of one shape. Other shapes broadcast, with a warning.

    >>> tc.nn.L1Loss(reduction="sum")(tc.tensor([1.0, 2.0]), tc.tensor([1.0, 4.0]))
    tensor(2.)
    """

    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"


class SmoothL1Loss(Loss, function=F.smooth_l1_loss):
    """d² / 2β where d = |input − target| is below β, else d − β / 2 (Girshick 2015).

    For two Tensors of one shape. Raises RuntimeError for a negative `beta`.

    >>> tc.nn.SmoothL1Loss(reduction="none")(tc.tensor([1.0, 4.0]), tc.tensor([1.5, 2.0]))
    tensor([0.1250, 1.5000])
    """

    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"
    beta: float = 1.0


class HuberLoss(Loss, function=F.huber_loss):
    """d² / 2 where d = |input − target| is below δ, else δ (d − δ / 2) (Huber 1964).

    For two Tensors of one shape. Raises RuntimeError where `delta` is not positive.

    >>> tc.nn.HuberLoss(reduction="none")(tc.tensor([1.0, 4.0]), tc.tensor([1.5, 2.0]))
    tensor([0.1250, 1.5000])
    """

    reduction: str = "mean"
    delta: float = 1.0


# --- Distributions ------------------------------------------------------------------------------


class KLDivLoss(Loss, function=F.kl_div):
    """t (ln t − input), for log-probabilities and probabilities t of one shape; 0 where t is 0.

    With `log_target` the target holds ln t. `reduction="batchmean"` divides the sum by the size of
    axis 0, which is the mean divergence; "mean" divides by the number of elements, with a warning.

    >>> loss = tc.nn.KLDivLoss(reduction="batchmean")
    >>> loss(tc.tensor([[0.5, 0.5]]).log(), tc.tensor([[1.0, 0.0]]))
    tensor(0.6931)
    """

    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"
    log_target: bool = False


class PoissonNLLLoss(Loss, function=F.poisson_nll_loss):
    """λ − t ln λ for counts t, with λ = exp(input); without `log_input`, λ = input + eps.

    Input and target have one shape. `full` adds Stirling's approximation of ln t! where t > 1.

    >>> tc.nn.PoissonNLLLoss()(tc.tensor([0.0]), tc.tensor([3.0]))
    tensor(1.)
    """

    log_input: bool = True
    full: bool = False
    size_average: bool | None = None
    eps: float = 1e-8
    reduce: bool | None = None
    reduction: str = "mean"

    def forward(self, log_input: Tensor, target: Tensor) -> Tensor:  # type: ignore[override]
        """The loss of the rates, or their logarithms, against the counts."""
        return super().forward(log_input, target)


class GaussianNLLLoss(Loss, function=F.gaussian_nll_loss, kw_only=True):
    """½ (ln v + (input − target)² / v), with the variance v at least `eps`.

    `full` adds ½ ln 2π. The variance has the shape of the input, that shape with a last axis of size
    1, or that shape without the last axis; or it is a number. Raises ValueError for other shapes and
    negative variances.

    >>> tc.nn.GaussianNLLLoss()(tc.tensor([1.0]), tc.tensor([3.0]), tc.tensor([1.0]))
    tensor(2.)
    """

    full: bool = False
    eps: float = 1e-6
    reduction: str = "mean"

    def forward(  # type: ignore[override]
        self, input: Tensor, target: Tensor, var: Tensor | float
    ) -> Tensor:
        """The loss of the expected values and variances against the target."""
        return F.gaussian_nll_loss(input, target, var, self.full, self.eps, self.reduction)
