"""Losses: one class each, whose body is its settings, called with input and target."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, ClassVar

from . import functional as F
from .settings import FunctionModule

__all__ = [
    "BCELoss", "BCEWithLogitsLoss", "CrossEntropyLoss", "L1Loss", "MSELoss", "NLLLoss",
    "SmoothL1Loss",
]  # fmt: skip

_BUFFERS = ("weight", "pos_weight")  # settings that are tensors: part of the state
_OLD = ("size_average", "reduce")  # how `reduction` was said long ago


class _Loss(FunctionModule):
    """`loss(input, target)`: reduction is "mean" (the default), "sum" or "none"."""

    _keywords: ClassVar[tuple[str, ...]]

    def __init_subclass__(cls, function: Callable[..., Any] | None = None, **kwargs: Any):
        super().__init_subclass__(function=function, shown=(), **kwargs)
        cls._keywords = tuple(name for name in cls._settings if name not in _OLD)

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        for name in _BUFFERS:
            if name in self.__dict__:
                self.register_buffer(name, self.__dict__.pop(name))
        average, reduce = (self.__dict__.pop(name, None) for name in _OLD)
        if average is not None or reduce is not None:
            warnings.warn(
                "size_average and reduce are deprecated: please use reduction= instead",
                stacklevel=2,
            )
            mean = average is None or average
            self.reduction = "none" if reduce is False else "mean" if mean else "sum"

    def forward(self, input: Any, target: Any) -> Any:  # type: ignore[override]
        """The loss of input against target."""
        return self._function(
            input, target, **{name: getattr(self, name) for name in self._keywords}
        )


class CrossEntropyLoss(_Loss, function=F.cross_entropy):
    """-ln softmax(logits)[target], of logits (N, C, ..) and labels (N, ..) or probabilities.

    `weight` (C,) is that of each class. The mean divides by Σ weight[target] over what is not
    `ignore_index`.

    >>> import tinygrad_cnn as tc
    >>> tc.nn.CrossEntropyLoss()(tc.zeros(2, 10), tc.tensor([3, 7]))
    tensor(2.3026)
    """

    weight: Any = None
    size_average: bool | None = None
    ignore_index: int = -100
    reduce: bool | None = None
    reduction: str = "mean"
    label_smoothing: float = 0.0


class NLLLoss(_Loss, function=F.nll_loss):
    """-input[target], of log-probabilities (N, C, ..) and labels (N, ..)."""

    weight: Any = None
    size_average: bool | None = None
    ignore_index: int = -100
    reduce: bool | None = None
    reduction: str = "mean"


class MSELoss(_Loss, function=F.mse_loss):
    """(input - target)², of one shape."""

    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"


class L1Loss(_Loss, function=F.l1_loss):
    """|input - target|, of one shape."""

    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"


class SmoothL1Loss(_Loss, function=F.smooth_l1_loss):
    """(input - target)² / 2β where they are nearer than β, else |input - target| - β/2."""

    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"
    beta: float = 1.0


class BCELoss(_Loss, function=F.binary_cross_entropy):
    """-t ln p - (1 - t) ln(1 - p), of probabilities p and targets t of one shape."""

    weight: Any = None
    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"


class BCEWithLogitsLoss(_Loss, function=F.binary_cross_entropy_with_logits):
    """BCELoss of sigmoid(input), without loss of digits; `pos_weight` weighs the targets 1."""

    weight: Any = None
    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"
    pos_weight: Any = None
